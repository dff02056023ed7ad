// Clients of a proxy that write down when each of their requests was due and how long it took: redis-benchmark tells nothing of what was when.
//
// Paced, a request is due whether or not the ones before it are answered, and its time counts from then: a stall is seen by all whom it would have met.
// Unpaced, each client sends when it has its answer, which loads the machine as far as it goes.
//
// Nothing is kept of a request but two numbers: what lives on has to be collected, and that would be seen as slowness of whoever is measured.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Answers } from './answers.ts';
import { commandText } from './keys.ts';
import { until } from './process.ts';
import { everyMs } from './ticker.ts';

export interface ClientsOptions {
  readonly port: number;
  readonly keys: readonly string[];
  readonly clientsCount: number;
  /** Requests a second of all together; null: as many as they get. */
  readonly rate: number | null;
}

const VALUE = 'x'.repeat(100);
/** One request in so many is a SET. */
const SET_EVERY = 10;
/** How often is looked what is due. */
const TICK_MS = 0.2;
const MINUS = 0x2d;
const DOLLAR = 0x24;
const CR = 0x0d;
const ZERO = 0x30;

/** All of them read into it. */
const readInto = Buffer.alloc(64 * 1024);

export class Clients {
  readonly answers = new Answers();
  readonly #options: ClientsOptions;
  readonly #clients: Client[] = [];
  readonly #idle: Client[] = [];
  /** When those were due that no client was free for. */
  readonly #due: number[] = [];
  readonly #touched: Uint8Array;
  #stopPacing: (() => void) | null = null;
  #sent = 0;
  #closing = false;
  #failure: Error | null = null;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#touched = new Uint8Array(options.keys.length);
  }

  async start(): Promise<void> {
    const { port, clientsCount, rate } = this.#options;
    for (let count = 0; count < clientsCount; count++) {
      const client = new Client(port, this.#onAnswer, (error) => this.#fail(error));
      await client.connected;
      this.#clients.push(client);
    }
    if (rate === null) for (const client of this.#clients) this.#send(client, now());
    else {
      this.#idle.push(...this.#clients);
      this.resume();
    }
  }

  /** Of paced ones: they stay connected, and nothing falls due before `resume`. Done when all that was due is answered; throws what went wrong, also when it is
   *  not. */
  async rest(): Promise<void> {
    this.#stopPacing?.();
    await until('every client to have its answer', async () => this.#failure !== null || this.#idle.length === this.#clients.length);
    if (this.#failure) throw this.#failure;
  }

  /** After `rest`. */
  resume(): void {
    if (this.#options.rate !== null) this.#pace(this.#options.rate);
  }

  /** Throws what went wrong, an error reply included: then the numbers mean nothing. */
  stop(): void {
    this.#closing = true;
    this.#stopPacing?.();
    for (const client of this.#clients) client.close();
    if (this.#failure) throw this.#failure;
  }

  /** From now on `touchedSoFar` counts anew. */
  forgetTouched(): void {
    this.#touched.fill(0);
  }

  /** By number of the key: 1 if it was asked for. A copy, for to look through it while clients go on would hold them up. */
  touchedSoFar(): Uint8Array {
    return this.#touched.slice();
  }

  #pace(rate: number): void {
    let nextMs = now();
    this.#stopPacing = everyMs(TICK_MS, () => {
      for (const nowMs = now(); nextMs <= nowMs; nextMs += 1000 / rate) this.#due.push(nextMs);
      while (this.#due.length > 0 && this.#idle.length > 0) this.#send(this.#idle.pop() as Client, this.#due.shift() as number);
    });
  }

  #send(client: Client, dueMs: number): void {
    const { keys } = this.#options;
    const index = Math.floor(Math.random() * keys.length);
    this.#touched[index] = 1;
    const key = keys[index] as string;
    client.send(dueMs, ++this.#sent % SET_EVERY === 0 ? commandText(['SET', key, VALUE]) : commandText(['GET', key]));
  }

  readonly #onAnswer = (client: Client): void => {
    const atMs = now();
    this.answers.add(atMs, atMs - client.dueMs);
    if (this.#closing) return;
    const due = this.#options.rate === null ? atMs : this.#due.shift();
    if (due === undefined) this.#idle.push(client);
    else this.#send(client, due);
  };

  #fail(error: Error): void {
    if (!this.#closing) this.#failure ??= error;
  }
}

/** Has one request under way at a time. */
class Client {
  dueMs = 0;
  readonly connected: Promise<unknown>;
  readonly #socket: Socket;
  /** What came of a reply that is not there as a whole. */
  #begun: Buffer | null = null;

  constructor(port: number, onAnswer: (client: Client) => void, onError: (error: Error) => void) {
    const onRead = (length: number) => {
      const reply = this.#begun === null ? readInto : Buffer.concat([this.#begun, readInto.subarray(0, length)]);
      const end = this.#begun === null ? length : reply.length;
      if (reply[0] === MINUS) onError(new Error(`a client was answered ${reply.toString('latin1', 0, end)}`));
      const isThere = isWhole(reply, end);
      this.#begun = isThere ? null : Buffer.from(reply.subarray(0, end));
      if (isThere) onAnswer(this);
      return true;
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: readInto, callback: onRead } });
    this.connected = once(this.#socket, 'connect');
    this.#socket.on('error', onError);
  }

  send(dueMs: number, request: string): void {
    this.dueMs = dueMs;
    this.#socket.write(request, 'latin1');
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Whether a status, an error or a string stands in the first `end` bytes as a whole. */
export function isWhole(reply: Buffer, end = reply.length): boolean {
  let length = 0;
  let at = 1;
  for (; at < end && reply[at] !== CR; at++) length = length * 10 + (reply[at] as number) - ZERO;
  if (at + 2 > end) return false;
  return reply[0] !== DOLLAR || reply[1] === MINUS || end >= at + 2 + length + 2;
}

const now = () => performance.timeOrigin + performance.now();
