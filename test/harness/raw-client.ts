// A client that sees bytes: sends what it is told, in the pieces it is told, and gives back replies as they came. It can stop reading, close its half,
// or break the connection. Replies of RESP2 and RESP3. It shares no code with the proxy, so that a mistake there is not made here too.
//
// Every wait is bounded; one that fails says what was waited for and what had come.

import { connect, type Socket } from 'node:net';

const LF = 10;
const WAIT_MS = 15_000;
const GROW_BYTES_MIN = 64 * 1024;

interface Wait {
  readonly ready: () => boolean;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** One request as an array of bulk strings. */
export function encode(args: readonly (string | Buffer | number)[]): Buffer {
  const pieces: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(pieces);
}

export class RawClient {
  readonly #socket: Socket;
  /** Received and not yet given out: [#start, #end) of #buf. */
  #buf = Buffer.alloc(GROW_BYTES_MIN);
  #start = 0;
  #end = 0;
  #ending: string | null = null;
  #wait: Wait | null = null;
  receivedBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#onEnd(error.code ?? error.message));
    socket.on('close', () => this.#onEnd('end'));
  }

  /** Connects to 127.0.0.1. Its own half stays open when the peer closes. */
  static open(port: number): Promise<RawClient> {
    return new Promise((opened, failed) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
      socket.once('error', failed);
      socket.once('connect', () => {
        socket.off('error', failed);
        opened(new RawClient(socket));
      });
    });
  }

  /** Bytes that were sent and that the kernel has not taken: the peer does not read. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** How the connection ended: `end` for the peer's FIN, or an error such as ECONNRESET. */
  get ending(): string | null {
    return this.#ending;
  }

  send(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  command(...args: (string | Buffer | number)[]): void {
    this.send(encode(args));
  }

  /** Sends and resolves once the kernel has taken it. */
  sendAll(bytes: Buffer | string): Promise<void> {
    return new Promise((sent, failed) => this.#socket.write(bytes, (error) => (error ? failed(error) : sent())));
  }

  /** Sends a command and waits for its reply. */
  async ask(...args: (string | Buffer | number)[]): Promise<Buffer> {
    this.command(...args);
    return this.reply();
  }

  /** As `ask`, as text. */
  async askText(...args: (string | Buffer | number)[]): Promise<string> {
    return (await this.ask(...args)).toString();
  }

  async reply(timeoutMs = WAIT_MS): Promise<Buffer> {
    const [reply] = await this.replies(1, timeoutMs);
    return reply as Buffer;
  }

  /** The next `count` replies, as they came. */
  async replies(count: number, timeoutMs = WAIT_MS): Promise<Buffer[]> {
    const found: Buffer[] = [];
    let needed = 0;
    await this.#until(`${count} replies`, timeoutMs, () => {
      let at = this.#start;
      while (found.length < count && this.#end - at >= needed) {
        const end = replyEnd(this.#buf.subarray(0, this.#end), at);
        if (end < 0) {
          needed = -end - 1 - at;
          break;
        }
        found.push(Buffer.from(this.#buf.subarray(at, end)));
        at = end;
        needed = 0;
      }
      this.#consume(at);
      return found.length === count;
    });
    return found;
  }

  /** Everything up to the end of the connection. */
  async rest(timeoutMs = WAIT_MS): Promise<Buffer> {
    await this.ended(timeoutMs);
    const rest = Buffer.from(this.#buf.subarray(this.#start, this.#end));
    this.#consume(this.#end);
    return rest;
  }

  /** Waits until the peer has closed the connection, and says how. */
  async ended(timeoutMs = WAIT_MS): Promise<string> {
    if (this.#ending === null) await this.#until('the end of the connection', timeoutMs, () => this.#ending !== null);
    return this.#ending ?? '';
  }

  /** Reads nothing more from the kernel, so that its buffers fill. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes our half: the peer sees the end and may still answer. */
  halfClose(): void {
    this.#socket.end();
  }

  /** RST: the peer sees an error. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #consume(to: number): void {
    this.#start = to;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
  }

  #onData(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    if (this.#end + chunk.length > this.#buf.length) this.#grow(chunk.length);
    chunk.copy(this.#buf, this.#end);
    this.#end += chunk.length;
    this.#check();
  }

  #grow(bytes: number): void {
    const kept = this.#end - this.#start;
    const grown = Buffer.allocUnsafe(Math.max(GROW_BYTES_MIN, (kept + bytes) * 2));
    this.#buf.copy(grown, 0, this.#start, this.#end);
    this.#buf = grown;
    this.#start = 0;
    this.#end = kept;
  }

  #onEnd(ending: string): void {
    this.#ending ??= ending;
    this.#check();
  }

  #check(): void {
    const wait = this.#wait;
    if (wait === null) return;
    if (wait.ready()) this.#settle(wait, null);
    else if (this.#ending !== null) this.#settle(wait, new Error(`the connection ended (${this.#ending}); received: ${this.#sample()}`));
  }

  #until(what: string, timeoutMs: number, ready: () => boolean): Promise<void> {
    return new Promise((done, failed) => {
      if (ready()) return done();
      const timer = setTimeout(() => {
        this.#wait = null;
        failed(new Error(`timed out waiting for ${what}; received: ${this.#sample()}`));
      }, timeoutMs);
      this.#wait = { ready, done, failed, timer };
      if (this.#ending !== null) this.#check();
    });
  }

  #settle(wait: Wait, error: Error | null): void {
    clearTimeout(wait.timer);
    this.#wait = null;
    if (error) wait.failed(error);
    else wait.done();
  }

  #sample(): string {
    const text = this.#buf.toString('latin1', this.#start, Math.min(this.#end, this.#start + 200));
    return `${this.#end - this.#start} bytes ${JSON.stringify(text)}`;
  }
}

/** The replies that stand in an array, a set, a push or a map (keys and values in turn), as they came. */
export function elementsOf(reply: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  for (let at = reply.indexOf(LF) + 1; at > 0 && at < reply.length; ) {
    const end = replyEnd(reply, at);
    if (end < 0) throw new Error(`half a reply: ${JSON.stringify(reply.toString('latin1', 0, 100))}`);
    elements.push(reply.subarray(at, end));
    at = end;
  }
  return elements;
}

/** Where the reply that begins at `at` ends; or -(n + 1) when at least n bytes of `buf` are needed to tell. */
function replyEnd(buf: Buffer, at: number): number {
  const lf = buf.indexOf(LF, at);
  if (lf < 0) return -(buf.length + 2);
  const next = lf + 1;
  const type = String.fromCharCode(buf[at] as number);
  if ('+-:_,#('.includes(type)) return next;
  const length = Number(buf.toString('latin1', at + 1, lf - 1));
  if ('$=!'.includes(type)) return length < 0 ? next : within(buf, next + length + 2);
  const elements = ELEMENTS[type];
  if (elements === undefined) throw new Error(`not a reply: ${JSON.stringify(buf.toString('latin1', at, at + 100))}`);
  let end = next;
  for (let element = elements(length); element > 0; element--) {
    end = replyEnd(buf, end);
    if (end < 0) return end;
  }
  return end;
}

/** How many replies stand in one that says `length`. An attribute comes before the reply that it is about. */
const ELEMENTS: Readonly<Record<string, (length: number) => number>> = {
  '*': (length) => length,
  '~': (length) => length,
  '>': (length) => length,
  '%': (length) => length * 2,
  '|': (length) => length * 2 + 1,
};

function within(buf: Buffer, end: number): number {
  return end <= buf.length ? end : -(end + 1);
}
