// Makes one reply of those to the parts of a command (split.ts). Values go into it as they stand in the replies, those of neighbours that came from the same
// server at once; none is an object.

import { errorReply, integer, OK } from '../resp/replies.ts';
import { ReplyScanner } from '../resp/reply-scanner.ts';
import { arena, copyRange, isInArena, reserveScratch } from './arena.ts';
import { decimalsOf, writeHeader } from './bytes.ts';
import { firstError, type Merge } from './gather.ts';
import { COPY_BYTES_MAX } from './outlet.ts';
import type { Request } from './request.ts';
import type { Session } from './session.ts';
import type { Parts } from './split.ts';

const LF = 10;
const CR = 13;
const ZERO = 0x30;
const STAR = 0x2a;
const DOLLAR = 0x24;
const UNDERSCORE = 0x5f;
const MINUS = 0x2d;
/** A nil: `$-1\r\n`, and RESP3's `_\r\n`: no Redis writes them otherwise. */
const NIL_BYTES = 5;
const NULL_BYTES = 3;
const OTHER_COUNT = errorReply('ERR a server answered with another number of values than it was asked for');

/** Where a reply is made that its client's outlet copies at once. Larger ones would be kept by reference. */
const SCRATCH_AT = reserveScratch(COPY_BYTES_MAX);

/** How the replies to `parts` become the one to `request`, which is a request of `session`'s. The first error, if there is one, is the reply.
 *  No part of a reply is kept. */
export function mergeParts(kind: 'sum' | 'array' | 'ok', parts: Parts, request: Request, session: Session): Merge {
  return (replies) => {
    const error = firstError(replies);
    if (error !== undefined) return Buffer.from(error);
    switch (kind) {
      case 'ok':
        return OK;
      case 'sum':
        return integer(replies.reduce((sum, reply) => sum + integerIn(reply), 0));
      case 'array':
        return inKeyOrder(replies, parts, session.head === request);
    }
  };
}

/** The number in an integer reply. */
export function integerIn(reply: Buffer): number {
  return Number(reply.toString('latin1', 1, reply.length - 2));
}

/** HOT PATH for MGET. `isNext`: the reply is written now, not kept until it is its turn. */
function inKeyOrder(replies: readonly Buffer[], { ofKey, keyCounts }: Parts, isNext: boolean): Buffer {
  const keyCount = ofKey.length;
  /** By reply: the bytes that it stands in, and how far it was taken. */
  const bufs: Buffer[] = [];
  const taken: number[] = [];
  let bytes = 1 + decimalsOf(keyCount) + 2;
  for (let part = 0; part < replies.length; part++) {
    const reply = replies[part] as Buffer;
    const first = firstElement(reply, keyCounts[part] as number);
    if (first < 0) return OTHER_COUNT;
    const isPiece = isInArena(reply);
    bufs.push(isPiece ? arena : reply);
    taken.push(isPiece ? reply.byteOffset + first : first);
    bytes += reply.length - first;
  }
  const isScratch = isNext && bytes <= COPY_BYTES_MAX;
  const merged = isScratch ? arena : Buffer.allocUnsafe(bytes);
  const begin = isScratch ? SCRATCH_AT : 0;
  let at = writeHeader(merged, begin, STAR, keyCount);
  for (let key = 0; key < keyCount; ) {
    const part = ofKey[key] as number;
    const buf = bufs[part] as Buffer;
    const start = taken[part] as number;
    let end = start;
    do {
      end = endOfElement(buf, end);
      key++;
    } while (key < keyCount && ofKey[key] === part);
    copyRange(buf, start, end, merged, at);
    at += end - start;
    taken[part] = end;
  }
  return isScratch ? merged.subarray(begin, at) : merged;
}

/** Where the first element of an array of `count` stands; -1 for any other reply. */
function firstElement(reply: Buffer, count: number): number {
  if (reply[0] !== STAR) return -1;
  let number = 0;
  let at = 1;
  for (; reply[at] !== CR; at++) number = number * 10 + (reply[at] as number) - ZERO;
  return number === count ? at + 2 : -1;
}

/** Behind the element that stands at `at` in a reply that is there as a whole. */
function endOfElement(reply: Buffer, at: number): number {
  if (reply[at] === UNDERSCORE) return at + NULL_BYTES;
  if (reply[at] !== DOLLAR) return new ReplyScanner().scan(reply, at, reply.length);
  if (reply[at + 1] === MINUS) return at + NIL_BYTES;
  let length = 0;
  let digit = at + 1;
  for (let byte = reply[digit] as number; byte !== CR; byte = reply[++digit] as number) length = length * 10 + byte - ZERO;
  return digit + 2 + length + 2;
}

/** The elements of an array reply (or set, or push), as they stand in it. */
export function elementsOf(reply: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  const scanner = new ReplyScanner();
  let at = reply.indexOf(LF) + 1;
  while (at < reply.length) {
    const end = scanner.scan(reply, at, reply.length);
    if (end < 0) break;
    elements.push(reply.subarray(at, end));
    at = end;
  }
  return elements;
}
