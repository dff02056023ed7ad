// Clients of a proxy that write down when each of their requests was due and how long it took: redis-benchmark tells nothing of what was when.
//
// Paced, a request is due whether or not the ones before it are answered, and its time counts from then: a stall is seen by all whom it would have met.
// Unpaced, each client sends when it has its answer, which loads the machine as far as it goes.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeCommand } from './keys.ts';
import { quantile } from './statistics.ts';
import { everyMs } from './ticker.ts';

export interface Answered {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly tookMs: number;
}

export interface Phase {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

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

export class Clients {
  readonly #options: ClientsOptions;
  readonly #sockets: Socket[] = [];
  readonly #idle: Socket[] = [];
  readonly #due: number[] = [];
  #stopPacing: (() => void) | null = null;
  #sent = 0;
  #closing = false;
  #failure: Error | null = null;
  readonly answered: Answered[] = [];
  /** Keys asked for since it was last cleared, by number. */
  readonly touched = new Set<number>();

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { port, clientsCount, rate } = this.#options;
    for (let client = 0; client < clientsCount; client++) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      socket.on('error', (error) => this.#fail(error));
      this.#sockets.push(socket);
    }
    if (rate === null) for (const socket of this.#sockets) this.#send(socket, now());
    else this.#pace(rate);
  }

  /** Throws what went wrong, an error reply included: then the numbers mean nothing. */
  stop(): void {
    this.#closing = true;
    this.#stopPacing?.();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#failure) throw this.#failure;
  }

  #pace(rate: number): void {
    this.#idle.push(...this.#sockets);
    let nextMs = now();
    this.#stopPacing = everyMs(TICK_MS, () => {
      for (const nowMs = now(); nextMs <= nowMs; nextMs += 1000 / rate) this.#due.push(nextMs);
      while (this.#due.length > 0 && this.#idle.length > 0) this.#send(this.#idle.pop() as Socket, this.#due.shift() as number);
    });
  }

  #send(socket: Socket, dueMs: number): void {
    const { keys, rate } = this.#options;
    const index = Math.floor(Math.random() * keys.length);
    this.touched.add(index);
    const key = keys[index] as string;
    const isSet = ++this.#sent % SET_EVERY === 0;
    let reply: Buffer = Buffer.alloc(0);
    const onData = (piece: Buffer) => {
      reply = reply.length === 0 ? piece : Buffer.concat([reply, piece]);
      if (reply[0] === 0x2d) this.#fail(new Error(`a client was answered ${reply.toString('latin1')}`));
      if (!isWhole(reply)) return;
      socket.off('data', onData);
      const atMs = now();
      this.answered.push({ atMs, tookMs: atMs - dueMs });
      if (this.#closing) return;
      const due = rate === null ? atMs : this.#due.shift();
      if (due === undefined) this.#idle.push(socket);
      else this.#send(socket, due);
    };
    socket.on('data', onData);
    socket.write(encodeCommand(isSet ? ['SET', key, VALUE] : ['GET', key]));
  }

  #fail(error: Error): void {
    if (!this.#closing) this.#failure ??= error;
  }
}

/** Of a status, an error or a string. */
export function isWhole(reply: Buffer): boolean {
  const end = reply.indexOf('\r\n');
  if (end < 0) return false;
  const length = reply[0] === 0x24 ? Number(reply.toString('latin1', 1, end)) : -1;
  return length < 0 || reply.length >= end + 2 + length + 2;
}

/** What was answered in [fromMs, toMs). Throws when that is nothing. */
export function phaseOf(answered: readonly Answered[], fromMs: number, toMs: number): Phase {
  const times = answered.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ tookMs }) => tookMs);
  if (times.length === 0) throw new Error('no request was answered');
  const sorted = times.toSorted((a, b) => a - b);
  return {
    requestsPerSecond: (times.length * 1000) / (toMs - fromMs),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: quantile(sorted, 1),
  };
}

const now = () => performance.timeOrigin + performance.now();
