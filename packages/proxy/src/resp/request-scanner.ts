// Finds the requests in what a client sends: RESP arrays of bulk strings, and inline commands. It copies nothing when requests arrive whole; what
// arrives in pieces is gathered in one growing buffer and scanned on from where the last piece ended, so the cost stays linear.
//
//   feed(chunk) ──▶ next() ──▶ FRAME  a request: see `frame`; call next() again
//                          ──▶ NEED   all that is whole has been seen; feed more
//                          ──▶ FAIL   `error` says why; nothing sensible can follow on this connection
//
// Invariant: the scanner never overwrites the bytes of a frame after FRAME was returned for it. Somebody else does who gives its buffer back (`isLarge`), or who
// feeds it what he will write to again.

import { invariant } from '@codis/config/model';
import { splitInline } from './inline.ts';
import { giveLarge, LARGE_BYTES_MIN, takeLarge } from './large-buffers.ts';

export const NEED = 0;
export const FRAME = 1;
export const FAIL = 2;
export type ScanResult = typeof NEED | typeof FRAME | typeof FAIL;

const CR = 13;
const LF = 10;
const STAR = 0x2a;
const DOLLAR = 0x24;
const ZERO = 0x30;
/** Redis's own limits: networking.c, PROTO_INLINE_MAX_SIZE and processMultibulkBuffer(). */
const INLINE_BYTES_MAX = 64 * 1024;
/** INT_MAX, as Redis 7 has it. What a request can have is less: no argument takes fewer bytes than an empty one. */
const ARGS_MAX = 2 ** 31 - 1;
const ARG_BYTES_MIN = 6;
/** Of an argument that is not empty; so far one may look before its length is known. No limit of lengths has as few digits. */
const SHORT_ARG_BYTES_MIN = 7;
const SHORT_ARG_DIGITS_MAX = 4;
/** proto-max-bulk-len. */
const BULK_BYTES_MAX = 512 * 1024 * 1024;
const ARGS_MAX_UNAUTHENTICATED = 10;
const BULK_BYTES_MAX_UNAUTHENTICATED = 16_384;
/** Any negative number of 64 bits is as good as -1. */
const NEGATIVE_MAX = 2n ** 63n;
/** A length with more digits than this can't be within any limit. */
const LENGTH_DIGITS_MAX = 32;
const GATHER_BYTES_MIN = 4096;

/** One request as it stands in a buffer. `args[2i]` and `args[2i+1]` are where argument i starts and ends. Reused: valid until the next `next()`. */
export interface Frame {
  buf: Buffer;
  start: number;
  end: number;
  argc: number;
  args: Int32Array;
  /** `buf` came from `takeLarge` and holds nothing but this frame: who is the only one to keep it gives it back. */
  isLarge: boolean;
}

/** Positions of the frame being scanned, shared by all scanners of the process: only a frame that arrives in pieces needs its own. */
const sharedArgs = new Int32Array(2048);

const EMPTY = Buffer.alloc(0);
/** `#left` while an inline command is searched for its end. */
const INLINE = -2;
const HEADER = -1;

export class RequestScanner {
  readonly frame: Frame = { buf: EMPTY, start: 0, end: 0, argc: 0, args: sharedArgs, isLarge: false };
  /** Text of a protocol error, without `-ERR`. Set when `next` returned FAIL. */
  error = '';
  /** Until a client has given its password its requests are kept small, as Redis does. */
  authenticated = true;

  readonly #bytesMax: number;
  #buf: Buffer = EMPTY;
  /** Start of the frame being scanned, how far it was scanned, and where the received bytes end. */
  #start = 0;
  #pos = 0;
  #end = 0;
  /** `#buf` belongs to this scanner and has room behind `#end`. */
  #gathering = false;
  /** Arguments still to be read; HEADER before their number is known. */
  #left = HEADER;
  /** Length of the argument being read; -1 before it is known. */
  #bulk = -1;
  #args: Int32Array = sharedArgs;
  #ownArgs = false;
  #argc = 0;

  /** `bytesMax`: largest request, all its bytes counted. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes received and not yet returned as a frame. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Takes a piece of input, the first `length` bytes of `chunk`, which the caller does not write to before it has called `keep`. */
  feed(chunk: Buffer, length = chunk.length): void {
    if (this.#end === this.#start) {
      this.#buf = chunk;
      this.#gathering = false;
      this.#start = 0;
      this.#pos = 0;
      this.#end = length;
      return;
    }
    const needed = this.#end - this.#start + length;
    if (!this.#gathering || this.#start + needed > this.#buf.length) this.#gather(needed);
    chunk.copy(this.#buf, this.#end, 0, length);
    this.#end += length;
  }

  /** What was fed and not returned as a frame is copied, if it was not before: then the buffer that now begins with it, else null. */
  keep(): Buffer | null {
    if (this.#gathering || this.pendingBytes === 0) return null;
    this.#gather(this.pendingBytes);
    return this.#buf;
  }

  /** HOT PATH: runs once per request. */
  next(): ScanResult {
    for (;;) {
      if (this.#left === HEADER) {
        if (this.#pos >= this.#end) return this.#need();
        if (this.#buf[this.#pos] !== STAR) this.#left = INLINE;
        else {
          const count = this.#length('invalid multibulk length', ARGS_MAX);
          if (count === NEED_LENGTH) return this.#need();
          if (count === BAD_LENGTH) return FAIL;
          if (count <= 0) {
            this.#start = this.#pos;
            continue;
          }
          if (count > ARGS_MAX_UNAUTHENTICATED && !this.authenticated) return this.#fail('unauthenticated multibulk length');
          if (this.#pos - this.#start + count * ARG_BYTES_MIN > this.#bytesMax) return this.#tooLarge();
          this.#left = count;
          this.#argc = 0;
        }
      }
      if (this.#left === INLINE) {
        const result = this.#inline();
        if (result !== SKIPPED) return result;
        continue;
      }
      const result = this.#arguments();
      if (result !== FRAME) return result;
      return this.#complete(this.#buf, this.#start, this.#pos);
    }
  }

  #arguments(): ScanResult {
    for (;;) {
      if (this.#bulk < 0) {
        this.#shortArguments();
        if (this.#left === 0) return FRAME;
        if (this.#pos >= this.#end) return this.#need();
        const first = this.#buf[this.#pos] as number;
        if (first !== DOLLAR) return this.#fail(`expected '$', got '${printable(first)}'`);
        const bulk = this.#length('invalid bulk length', BULK_BYTES_MAX);
        if (bulk === NEED_LENGTH) return this.#need();
        if (bulk === BAD_LENGTH) return FAIL;
        if (bulk < 0) return this.#fail('invalid bulk length');
        if (bulk > BULK_BYTES_MAX_UNAUTHENTICATED && !this.authenticated) return this.#fail('unauthenticated bulk length');
        this.#bulk = bulk;
      }
      const end = this.#pos + this.#bulk;
      if (end + 2 - this.#start > this.#bytesMax) return this.#tooLarge();
      if (end + 2 > this.#end) return this.#need();
      this.#push(this.#pos, end);
      this.#pos = end + 2;
      this.#bulk = -1;
      if (--this.#left === 0) return FRAME;
    }
  }

  /** HOT PATH: the next arguments as long as each is all here and has 1 to 9999 bytes, as nearly all have. Which of the others is right `#arguments` finds out. */
  #shortArguments(): void {
    const buf = this.#buf;
    const args = this.#args;
    const end = Math.min(this.#end, this.#start + this.#bytesMax);
    let pos = this.#pos;
    let left = this.#left;
    let at = this.#argc * 2;
    while (left > 0 && at < args.length && pos + SHORT_ARG_BYTES_MIN <= end && buf[pos] === DOLLAR) {
      let digit = (buf[pos + 1] as number) - ZERO;
      if (digit < 1 || digit > 9) break;
      let length = digit;
      let next = pos + 2;
      for (; next < pos + 1 + SHORT_ARG_DIGITS_MAX; next++) {
        digit = (buf[next] as number) - ZERO;
        if (digit < 0 || digit > 9) break;
        length = length * 10 + digit;
      }
      const argEnd = next + 2 + length;
      if (buf[next] !== CR || argEnd + 2 > end) break;
      args[at++] = next + 2;
      args[at++] = argEnd;
      pos = argEnd + 2;
      left--;
    }
    this.#pos = pos;
    this.#left = left;
    this.#argc = at >> 1;
  }

  /** Reads `<type><number>\r\n` at #pos and moves behind it, the number as strict as Redis's string2ll(); NEED_LENGTH when it is not all there, BAD_LENGTH after setting `error`. */
  #length(problem: string, max: number): number {
    const buf = this.#buf;
    let at = this.#pos + 1;
    const negative = buf[at] === 0x2d && at < this.#end;
    if (negative) at++;
    const digits = at;
    let value = 0;
    for (; at < this.#end; at++) {
      const digit = (buf[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at - this.#pos > LENGTH_DIGITS_MAX) return this.#badLength(problem);
    if (at + 1 >= this.#end) return at < this.#end && buf[at] !== CR ? this.#badLength(problem) : NEED_LENGTH;
    const isNumber = buf[at] === CR && at > digits && (buf[digits] !== ZERO || (at === digits + 1 && !negative));
    if (!isNumber || (negative ? !this.#fitsNegative(value, digits, at) : value > max)) return this.#badLength(problem);
    this.#pos = at + 2;
    return negative ? -value : value;
  }

  /** Whether the digits of a negative number are one of 64 bits; `value` is near it. */
  #fitsNegative(value: number, digits: number, end: number): boolean {
    return value <= Number.MAX_SAFE_INTEGER || BigInt(this.#buf.toString('latin1', digits, end)) <= NEGATIVE_MAX;
  }

  #badLength(problem: string): number {
    this.#fail(problem);
    return BAD_LENGTH;
  }

  #push(start: number, end: number): void {
    const at = this.#argc * 2;
    if (at === this.#args.length) this.#growArgs();
    this.#args[at] = start;
    this.#args[at + 1] = end;
    this.#argc++;
  }

  /** Doubled, but to no more than the request has: of many tiny arguments the positions take more room than the bytes. */
  #growArgs(): void {
    const doubled = this.#args.length * 2;
    const grown = new Int32Array(this.#left > 0 ? Math.min(doubled, (this.#argc + this.#left) * 2) : doubled);
    grown.set(this.#args);
    this.#args = grown;
    this.#ownArgs = true;
  }

  #complete(buf: Buffer, start: number, end: number): ScanResult {
    const frame = this.frame;
    frame.buf = buf;
    frame.start = start;
    frame.end = end;
    frame.argc = this.#argc;
    frame.args = this.#args;
    frame.isLarge = this.#gathering && buf === this.#buf && start === 0 && end === this.#end && buf.length >= LARGE_BYTES_MIN;
    this.#start = this.#pos;
    this.#left = HEADER;
    if (this.#ownArgs) {
      this.#args = sharedArgs;
      this.#ownArgs = false;
    }
    return FRAME;
  }

  #inline(): ScanResult | typeof SKIPPED {
    // Not further than what was received: behind it the buffer holds whatever was in memory before, as much again as the line.
    const end = this.#buf.subarray(0, this.#end).indexOf(LF, this.#pos);
    if (end < 0) {
      this.#pos = this.#end;
      return this.#end - this.#start > INLINE_BYTES_MAX ? this.#fail('too big inline request') : this.#need();
    }
    if (end - this.#start > INLINE_BYTES_MAX) return this.#fail('too big inline request');
    const line = this.#buf.subarray(this.#start, end > this.#start && this.#buf[end - 1] === CR ? end - 1 : end);
    this.#pos = end + 1;
    const words = splitInline(line);
    if (words === null) return this.#fail('unbalanced quotes in request');
    if (words.length === 0) {
      this.#start = this.#pos;
      this.#left = HEADER;
      return SKIPPED;
    }
    return this.#asFrame(words);
  }

  /** An inline command goes on as the array it stands for, so that nobody behind this file knows the difference. */
  #asFrame(words: readonly Buffer[]): ScanResult {
    const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
    let at = parts[0]?.length ?? 0;
    this.#argc = 0;
    for (const word of words) {
      const header = Buffer.from(`$${word.length}\r\n`);
      parts.push(header, word, CRLF);
      at += header.length;
      this.#push(at, at + word.length);
      at += word.length + 2;
    }
    return this.#complete(Buffer.concat(parts), 0, at);
  }

  #tooLarge(): ScanResult {
    return this.#fail(`request is larger than request_max_bytes (${this.#bytesMax})`);
  }

  #fail(text: string): ScanResult {
    this.error = `Protocol error: ${text}`;
    return FAIL;
  }

  /** Keeps the beginning of a frame that is not all there yet. */
  #need(): ScanResult {
    const kept = this.#end - this.#start;
    if (kept === 0) {
      this.#buf = EMPTY;
      this.#gathering = false;
      this.#start = 0;
      this.#pos = 0;
      this.#end = 0;
      return NEED;
    }
    if (!this.#ownArgs && this.#left > 0) {
      this.#args = this.#args.slice(0, Math.max(16, this.#argc * 4));
      this.#ownArgs = true;
    }
    if (!this.#gathering || this.#start > 0) this.#gather(kept);
    return NEED;
  }

  /** Moves the frame being scanned to the start of a new buffer with room for `bytes` and more: twice what is there, or all of a bulk
   *  whose length is known, but never much more than has arrived. */
  #gather(bytes: number): void {
    const kept = this.#end - this.#start;
    const known = this.#bulk < 0 ? 0 : this.#pos - this.#start + this.#bulk + 2;
    const size = Math.max(GATHER_BYTES_MIN, bytes, Math.min(Math.max(known, bytes * 2), bytes * 4));
    const gathered = size < LARGE_BYTES_MIN ? Buffer.allocUnsafeSlow(size) : takeLarge(size);
    this.#buf.copy(gathered, 0, this.#start, this.#end);
    // Where this frame begins at 0 no other one stood before it, which somebody might keep.
    if (this.#gathering && this.#start === 0 && this.#buf.length >= LARGE_BYTES_MIN) giveLarge(this.#buf);
    this.#rebase(this.#start);
    this.#buf = gathered;
    this.#gathering = true;
    this.#pos -= this.#start;
    this.#start = 0;
    this.#end = kept;
  }

  #rebase(by: number): void {
    if (by === 0 || this.#left <= 0) return;
    invariant(this.#ownArgs, 'a frame in pieces has its own positions');
    for (let at = 0; at < this.#argc * 2; at++) this.#args[at] = (this.#args[at] as number) - by;
  }
}

const NEED_LENGTH = Number.NEGATIVE_INFINITY;
const BAD_LENGTH = Number.POSITIVE_INFINITY;
const SKIPPED = 3;
const CRLF = Buffer.from('\r\n');

/** As Redis shows it, which makes the two characters that end a line spaces; what is no character of ASCII is shown in hexadecimal. */
function printable(byte: number): string {
  if (byte === CR || byte === LF) return ' ';
  return byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
}
