// How a value of each type is read in pieces, each small enough that its server is blocked for about a millisecond, and written again under another name.
//
// The pieces are cut by scripts at the source, for only there is known how large the elements are. Nothing writes the key meanwhile, so what the scans give
// (each element at least once) is all of it, and writing an element twice changes nothing. Lists and sorted sets are read by position: ZSCAN rounds scores
// (to 17 decimals, so that 1e-20 is 0), ZRANGE gives all their digits.

import type { Redis } from 'ioredis';

/** Where a key is read or written: a connection that is in its database. */
export interface Place {
  readonly redis: Redis;
  readonly key: Buffer;
}

/** A piece holds about this much, and one element if that is larger. */
export const PIECE_BYTES = 256 * 1024;
export const PIECE_ELEMENTS = 1000;

/** KEYS[1]. ARGV: HSCAN or SSCAN, cursor, bytes, elements. Replies the next cursor, and what was found. */
const SCAN_SCRIPT = `
local cursor, found, bytes = ARGV[2], {}, 0
repeat
  local page = redis.call(ARGV[1], KEYS[1], cursor, 'COUNT', 10)
  cursor = page[1]
  for _, value in ipairs(page[2]) do
    found[#found + 1] = value
    bytes = bytes + #value
  end
until cursor == '0' or bytes >= tonumber(ARGV[3]) or #found >= tonumber(ARGV[4])
return { cursor, found }
`.trim();

/** KEYS[1]. ARGV: index, bytes, elements, LRANGE or ZRANGE, and WITHSCORES for the latter. */
const RANGE_SCRIPT = `
local at, found, bytes = tonumber(ARGV[1]), {}, 0
repeat
  local page = redis.call(ARGV[4], KEYS[1], at, at + 9, unpack(ARGV, 5))
  for _, value in ipairs(page) do
    found[#found + 1] = value
    bytes = bytes + #value
  end
  at = at + 10
until #page < 10 or bytes >= tonumber(ARGV[2]) or #found >= tonumber(ARGV[3])
return found
`.trim();

/** KEYS[1]. ARGV: where the range begins, bytes, elements. */
const STREAM_SCRIPT = `
local from, found, bytes = ARGV[1], {}, 0
repeat
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 10)
  for _, entry in ipairs(page) do
    found[#found + 1] = entry
    from = '(' .. entry[1]
    for _, value in ipairs(entry[2]) do bytes = bytes + #value end
  end
until #page < 10 or bytes >= tonumber(ARGV[2]) or #found >= tonumber(ARGV[3])
return found
`.trim();

/** Is told how many bytes the piece had that was written just now, and may take its time before the next. */
export type OnPiece = (bytesCount: number) => Promise<void>;

export type StreamEntry = readonly [id: Buffer, fields: readonly Buffer[]];

const LIMITS = [String(PIECE_BYTES), String(PIECE_ELEMENTS)];

export async function* scanned({ redis, key }: Place, command: 'HSCAN' | 'SSCAN'): AsyncGenerator<readonly Buffer[]> {
  let cursor = '0';
  do {
    const reply = await redis.callBuffer('EVAL', [SCAN_SCRIPT, '1', key, command, cursor, ...LIMITS]);
    const [next, found] = reply as [Buffer, Buffer[]];
    cursor = String(next);
    if (found.length > 0) yield found;
  } while (cursor !== '0');
}

/** By position; of a sorted set each member and its score. */
export async function* ranged({ redis, key }: Place, command: 'LRANGE' | 'ZRANGE'): AsyncGenerator<readonly Buffer[]> {
  const how = command === 'LRANGE' ? { words: [command], each: 1 } : { words: [command, 'WITHSCORES'], each: 2 };
  for (let at = 0; ; ) {
    const found = (await redis.callBuffer('EVAL', [RANGE_SCRIPT, '1', key, String(at), ...LIMITS, ...how.words])) as Buffer[];
    if (found.length === 0) return;
    at += found.length / how.each;
    yield found;
  }
}

export async function* entries({ redis, key }: Place): AsyncGenerator<readonly StreamEntry[]> {
  for (let from = '-'; ; ) {
    const found = (await redis.callBuffer('EVAL', [STREAM_SCRIPT, '1', key, from, ...LIMITS])) as StreamEntry[];
    const last = found.at(-1);
    if (last === undefined) return;
    from = `(${String(last[0])}`;
    yield found;
  }
}

export async function* bytesOf({ redis, key }: Place): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const piece = await redis.getrangeBuffer(key, at, at + PIECE_BYTES - 1);
    if (piece.length === 0) return;
    at += piece.length;
    yield piece;
  }
}

/** The same pieces, each asked for while the one before is being used. */
export async function* ahead<T>(pieces: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = pieces.next();
  for (;;) {
    const piece = await next;
    if (piece.done) return;
    next = pieces.next();
    // It is awaited above, unless whoever uses the pieces has given up by then.
    next.catch(() => undefined);
    yield piece.value;
  }
}

export function sizeOfPiece(piece: Buffer | readonly Buffer[]): number {
  return Buffer.isBuffer(piece) ? piece.length : piece.reduce((sum, { length }) => sum + length, 0);
}
