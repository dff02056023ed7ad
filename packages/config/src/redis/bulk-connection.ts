// A connection for what is read in bulk: names of keys, and what keys are made of. ioredis makes an object of each, which takes as long as the server needs to find them.
//
// The cursor is what a reply of SCAN begins with, so the next page is asked for before the names of this one have been read: the server is never idle, and no name becomes an object that
// nobody wants. Dumps are sent on as they stand in the reply, which is how they stand in a request.

import { connect, type Socket } from 'node:net';
import { CodisError, parseAddr, type ServerAddr } from '../model/index.ts';
import { type EncodedArgs, encodeArgs } from './prepared.ts';

export interface BulkOptions {
  /** Empty for none. */
  readonly password: string;
  /** How long a connection, or one reply, may take. */
  readonly timeoutMs: number;
  readonly db: number;
  /** The process that is meant: of `run_id` in INFO. */
  readonly runId: string;
}

/** What one SCAN looked at. */
export interface ScanPage {
  readonly lookedCount: number;
  /** The names that were wanted. */
  readonly keys: readonly Buffer[];
}

export interface PageOptions {
  /** How many keys one call looks at, about. */
  readonly count: number;
  /** Whether the name at [start, end) of `bytes` is. */
  readonly isWanted: (bytes: Buffer, start: number, end: number) => boolean;
  /** Whether the next page may be asked for while one is being read. */
  readonly mayHurry: () => boolean;
}

/** What READ_SCRIPT (model/carry.ts) gives. */
export interface ReadReply {
  readonly number: string;
  readonly timed: readonly number[];
  readonly dumps: EncodedArgs;
}

const CR = 13;
const MINUS = 0x2d;
const ZERO = 0x30;
/** `+OK`, for a password, a database. */
const OK_REPLY = /^\+OK\r\n/;

export class BulkConnection {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #input: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #failure: Error | null = null;
  #lastRead: Promise<unknown> = Promise.resolve();

  private constructor(addr: ServerAddr, socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on('data', (piece: Buffer) => {
      this.#input = this.#input.length === 0 ? piece : Buffer.concat([this.#input, piece]);
      this.#wake();
    });
    const fail = (why: string) => {
      this.#failure ??= new CodisError('CODIS_E_SERVER_UNREACHABLE', `${addr} ${why}`);
      socket.destroy();
      this.#wake();
    };
    socket.on('error', (error) => fail(`can't be reached: ${error.message}`));
    socket.on('close', () => fail('closed the connection'));
    socket.on('timeout', () => fail(`did not answer within ${timeoutMs} ms`));
  }

  /** Throws CODIS_E_SERVER_UNREACHABLE, also when another process answers there, and a ReplyError for what the server refuses. */
  static async open(addr: ServerAddr, { password, timeoutMs, db, runId }: BulkOptions): Promise<BulkConnection> {
    const socket = connect({ ...parseAddr(addr), noDelay: true });
    const connection = new BulkConnection(addr, socket, timeoutMs);
    try {
      if (password !== '') await connection.#ask(['AUTH', password], OK_REPLY);
      await connection.#ask(['SELECT', db], OK_REPLY);
      const [, actual] = await connection.#ask(['INFO', 'server'], /^\$\d+\r\n.*?\brun_id:(\w+)\r\n.*\r\n\r\n$/s);
      if (actual !== runId) throw new CodisError('CODIS_E_SERVER_UNREACHABLE', `${addr} was started anew just now`);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  /** All pages, once. Throws as `open`. */
  async *pages({ count, isWanted, mayHurry }: PageOptions): AsyncGenerator<ScanPage, void, void> {
    const ask = (from: string) => this.#socket.write(request(['SCAN', from, 'COUNT', count]));
    ask('0');
    let cursor: string;
    do {
      const page = new PageReader(isWanted);
      await this.#until(() => page.readCursor(this.#input));
      cursor = page.cursor;
      const hurries = cursor !== '0' && mayHurry();
      if (hurries) ask(cursor);
      await this.#until(() => page.readNames(this.#input));
      this.#input = this.#input.subarray(page.at);
      yield { lookedCount: page.lookedCount, keys: page.keys };
      if (cursor !== '0' && !hurries) ask(cursor);
    } while (cursor !== '0');
  }

  /** Runs READ_SCRIPT, with its script and arguments in `parts`; null when it replies nothing. Several at a time take turns. Throws as `open`. */
  async read(parts: readonly EncodedArgs[]): Promise<ReadReply | null> {
    const before = this.#lastRead;
    const mine = before.then(() => this.#readNow(parts));
    this.#lastRead = mine.catch(() => undefined);
    return mine;
  }

  async #readNow(parts: readonly EncodedArgs[]): Promise<ReadReply | null> {
    const name = encodeArgs(['EVAL']);
    const count = parts.reduce((sum, part) => sum + part.count, name.count);
    this.#socket.write(Buffer.concat([Buffer.from(`*${count}\r\n`), name.bytes, ...parts.map(({ bytes }) => bytes)]));
    const reader = new DumpsReader();
    await this.#until(() => reader.read(this.#input));
    this.#input = this.#input.subarray(reader.at);
    return reader.reply;
  }

  async #ask(words: readonly (string | number)[], expected: RegExp): Promise<RegExpExecArray> {
    this.#socket.write(request(words));
    let found: RegExpExecArray | null = null;
    await this.#until(() => {
      found = expected.exec(this.#input.toString('latin1'));
      return found !== null;
    });
    this.#input = Buffer.alloc(0);
    return found as unknown as RegExpExecArray;
  }

  #takeError(): Error {
    const end = this.#input.indexOf('\r\n');
    const error = new Error(this.#input.toString('utf8', 1, end));
    error.name = 'ReplyError';
    this.#input = this.#input.subarray(end + 2);
    return error;
  }

  /** Until `isThere`, looking again whenever more has come. */
  async #until(isThere: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#input[0] === MINUS && this.#input.includes('\r\n')) throw this.#takeError();
      if (this.#input.length > 0 && isThere()) return;
      // Counts only while somebody waits: who reads takes his time.
      this.#socket.setTimeout(this.#timeoutMs);
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
      this.#socket.setTimeout(0);
    }
  }
}

/** Reads what READ_SCRIPT replies, over any split into pieces of one growing buffer: `*0`; or `*3`, a number, an array of places, and an array of dumps. */
class DumpsReader {
  /** How far it has been read. */
  at = 0;
  reply: ReadReply | null = null;
  #number = '';
  #timed: number[] = [];
  #count = -1;
  #left = -1;
  #startedAt = 0;

  /** True when all of it is there. */
  read(input: Buffer): boolean {
    if (this.#count < 0 && !this.#readBeginning(input)) return false;
    if (this.#count === 0) return true;
    for (; this.#left > 0; this.#left--) {
      const start = lineEnd(input, this.at);
      if (start < 0) return false;
      const end = start + numberIn(input, this.at + 1) + 2;
      if (input.length < end) return false;
      this.at = end;
    }
    this.reply = {
      number: this.#number,
      timed: this.#timed,
      dumps: { count: this.#count, bytes: input.subarray(this.#startedAt, this.at) },
    };
    return true;
  }

  /** All before the dumps, at once. */
  #readBeginning(input: Buffer): boolean {
    let at = lineEnd(input, 0);
    if (at < 0) return false;
    if (numberIn(input, 1) === 0) {
      this.at = at;
      this.#count = 0;
      return true;
    }
    const number = lineEnd(input, at);
    at = lineEnd(input, number);
    const places = at;
    at = lineEnd(input, places);
    if (at < 0) return false;
    const timed: number[] = [];
    for (let left = numberIn(input, places + 1); left > 0; left--) {
      const end = lineEnd(input, at);
      if (end < 0) return false;
      timed.push(numberIn(input, at + 1));
      at = end;
    }
    const dumps = lineEnd(input, at);
    if (dumps < 0) return false;
    this.#number = input.toString('latin1', number, places - 2);
    this.#timed = timed;
    this.#count = numberIn(input, at + 1);
    this.#left = this.#count;
    this.#startedAt = dumps;
    this.at = dumps;
    return true;
  }
}

/** Reads `*2`, the cursor, and the array of names, over any split into pieces of one growing buffer. */
class PageReader {
  readonly #isWanted: PageOptions['isWanted'];
  /** How far it has been read. */
  at = 0;
  cursor = '';
  lookedCount = 0;
  readonly keys: Buffer[] = [];
  #left = -1;

  constructor(isWanted: PageOptions['isWanted']) {
    this.#isWanted = isWanted;
  }

  readCursor(input: Buffer): boolean {
    const end = lineEnd(input, lineEnd(input, 0));
    const cursorEnd = end < 0 ? -1 : lineEnd(input, end);
    if (cursorEnd < 0) return false;
    this.cursor = input.toString('latin1', end, cursorEnd - 2);
    this.at = cursorEnd;
    return true;
  }

  readNames(input: Buffer): boolean {
    if (this.#left < 0) {
      const end = lineEnd(input, this.at);
      if (end < 0) return false;
      this.#left = numberIn(input, this.at + 1);
      this.lookedCount = this.#left;
      this.at = end;
    }
    for (; this.#left > 0; this.#left--) {
      const start = lineEnd(input, this.at);
      if (start < 0) return false;
      const end = start + numberIn(input, this.at + 1);
      if (input.length < end + 2) return false;
      if (this.#isWanted(input, start, end)) this.keys.push(input.subarray(start, end));
      this.at = end + 2;
    }
    return true;
  }
}

/** Behind the line at `start`; -1 when it has not come whole, or `start` is. */
function lineEnd(input: Buffer, start: number): number {
  if (start < 0) return -1;
  const cr = input.indexOf(CR, start);
  return cr < 0 || cr + 1 >= input.length ? -1 : cr + 2;
}

function numberIn(input: Buffer, start: number): number {
  let value = 0;
  for (let at = start; input[at] !== CR; at++) value = value * 10 + ((input[at] as number) - ZERO);
  return value;
}

function request(words: readonly (string | number)[]): Buffer {
  const { count, bytes } = encodeArgs(words);
  return Buffer.concat([Buffer.from(`*${count}\r\n`), bytes]);
}
