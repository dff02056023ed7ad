// Finds where replies end in what a Redis sends, RESP2 and RESP3 alike, over any split into pieces. It keeps no bytes: only how many
// elements are still missing, how many bytes of a bulk, and the number of the line it is in.
//
// Nesting needs no stack: an aggregate of n adds n elements to those still missing.
//
// What no Redis sends is refused: RESP3's streamed strings and aggregates (`$?`, `*?`, `;4`, `.`), which the protocol's text allows, among it.

import { CodisError } from '@codis/config/model';

const LF = 10;
const CR = 13;
const MINUS = 0x2d;
const DOLLAR = 0x24;

/** What the first byte of an element says about it. */
const NONE = 0;
const LINE = 1;
const BULK = 2;
const AGGREGATE = 3;
const MAP = 4;
const ATTRIBUTE = 5;
/** Added to the kind of a line whose length was read up to its carriage return. */
const AFTER_CR = 8;

/** `#value` before the first digit of a length. */
const NO_DIGITS = -1;

const TYPES = new Uint8Array(256);
for (const byte of Buffer.from('+-:_,#(')) TYPES[byte] = LINE;
for (const byte of Buffer.from('$=!')) TYPES[byte] = BULK;
for (const byte of Buffer.from('*~>')) TYPES[byte] = AGGREGATE;
TYPES[0x25] = MAP;
TYPES[0x7c] = ATTRIBUTE;

export class ReplyScanner {
  /** Elements still to come of the reply being read; 0 between replies. */
  #missing = 0;
  /** Bytes of a bulk still to come, its CRLF included. */
  #skip = 0;
  /** Kind of the line being read, NONE outside of one. */
  #line = NONE;
  #value = 0;
  #negative = false;
  /** First byte of the reply being read, or of the last one: 0x2d for an error. */
  firstByte = 0;

  /** Whether a reply has begun and not ended. */
  get inReply(): boolean {
    return this.#missing > 0;
  }

  /** HOT PATH: runs once per reply. Scans [pos, end) for the end of one reply: the position behind it, or -1 when all was used up
   *  and more is needed. Throws CODIS_E_NOT_REDIS for what is not RESP: a byte that begins no element, a length that is no number. */
  scan(buf: Buffer, pos: number, end: number): number {
    if (this.#missing === 0 && buf[pos] === DOLLAR) {
      const next = endOfBulk(buf, pos, end);
      if (next > 0) return this.#bulk(next, end);
    }
    let at = pos;
    for (;;) {
      if (this.#skip > 0) {
        if (this.#skip > end - at) {
          this.#skip -= end - at;
          return -1;
        }
        at += this.#skip;
        this.#skip = 0;
        if (--this.#missing === 0) return at;
      }
      if (at >= end) return -1;
      if (this.#line === NONE && this.#missing > 0 && buf[at] === DOLLAR) {
        const next = endOfBulk(buf, at, end);
        if (next > 0) {
          if (next > end) {
            this.#skip = next - end;
            return -1;
          }
          at = next;
          if (--this.#missing === 0) return at;
          continue;
        }
      }
      if (this.#line === NONE) this.#begin(buf[at++] as number);
      at = this.#line === LINE ? skipLine(buf, at, end) : this.#number(buf, at, end);
      if (at < 0) return -1;
      this.#endLine();
      if (this.#missing === 0) return at;
    }
  }

  /** A reply that is one bulk string, as that to GET mostly is, and ends at `next`. */
  #bulk(next: number, end: number): number {
    this.firstByte = DOLLAR;
    if (next <= end) return next;
    this.#missing = 1;
    this.#skip = next - end;
    return -1;
  }

  #begin(byte: number): void {
    this.#line = TYPES[byte] as number;
    if (this.#line === NONE) throw notRedis(`a reply began with byte ${byte}, which is not RESP`);
    this.#value = NO_DIGITS;
    this.#negative = false;
    if (this.#missing === 0) {
      this.#missing = 1;
      this.firstByte = byte;
    }
  }

  #number(buf: Buffer, from: number, end: number): number {
    if (this.#line > AFTER_CR) return this.#lineFeed(buf, from);
    let value = this.#value;
    for (let at = from; at < end; at++) {
      const byte = buf[at] as number;
      if (byte >= 0x30 && byte <= 0x39) value = (value < 0 ? 0 : value * 10) + (byte - 0x30);
      else if (byte === CR) {
        this.#value = value;
        this.#line += AFTER_CR;
        return at + 1 < end ? this.#lineFeed(buf, at + 1) : -1;
      } else if (byte === MINUS && !this.#negative && value < 0) this.#negative = true;
      else throw notRedis(`a length held byte ${byte}, which is no digit`);
    }
    this.#value = value;
    return -1;
  }

  #lineFeed(buf: Buffer, at: number): number {
    const byte = buf[at] as number;
    if (byte !== LF) throw notRedis(`a length ended with byte ${byte} behind its carriage return`);
    this.#line -= AFTER_CR;
    return at + 1;
  }

  #endLine(): void {
    const line = this.#line;
    this.#line = NONE;
    if (line === LINE) {
      this.#missing--;
      return;
    }
    if (this.#value < 0) throw notRedis('a length is missing');
    if (this.#value > Number.MAX_SAFE_INTEGER) throw notRedis('a length is too large');
    if (this.#negative) this.#missing--;
    else if (line === BULK) this.#skip = this.#value + 2;
    else if (line === AGGREGATE) this.#missing += this.#value - 1;
    else if (line === MAP) this.#missing += this.#value * 2 - 1;
    else this.#missing += this.#value * 2;
  }
}

/** Where a bulk string ends that begins at `pos`, if its length is here as a whole; -1 for what is to be read step by step. */
function endOfBulk(buf: Buffer, pos: number, end: number): number {
  let length = 0;
  let at = pos + 1;
  for (; at < end; at++) {
    const digit = (buf[at] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  if (at === pos + 1 || at + 1 >= end || buf[at] !== CR || buf[at + 1] !== LF || length > Number.MAX_SAFE_INTEGER) return -1;
  return at + 2 + length + 2;
}

function skipLine(buf: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at++) if (buf[at] === LF) return at + 1;
  return -1;
}

function notRedis(what: string): CodisError {
  return new CodisError('CODIS_E_NOT_REDIS', what);
}
