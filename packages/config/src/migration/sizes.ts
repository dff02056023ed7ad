// How much memory keys take at their source: what bounds the batches that hand them over, and which of them are too big to go in one step.
//
// Measured on Redis 7.0: half a microsecond of the server for each key.

import type { Redis } from 'ioredis';
import { encodeArgs, sendPrepared } from '../redis/prepared.ts';
import type { Portion } from './portion.ts';
import { isForbidden } from './server-trouble.ts';

/** ARGV: the bytes from which on a key is told apart, and those from which on it is worth a closer look. Replies the bytes of all that are smaller, and place, bytes,
 *  type and number of elements of each that is not; type '' and 0 where nobody looked closer. */
const SIZES_SCRIPT = `
local counts = { hash = 'HLEN', set = 'SCARD', zset = 'ZCARD' }
local apart, floor = tonumber(ARGV[1]), tonumber(ARGV[2])
local keys, call, small, large = KEYS, redis.call, 0, {}
for i = 1, #keys do
  local bytes = call('MEMORY', 'USAGE', keys[i]) or 0
  if bytes < apart then
    small = small + bytes
  else
    local kind = bytes < floor and '' or call('TYPE', keys[i])['ok']
    local n = #large
    large[n + 1], large[n + 2], large[n + 3], large[n + 4] = i, bytes, kind, counts[kind] and call(counts[kind], keys[i]) or 0
  end
end
return { small, large }
`.trim();

/** Smaller keys count as what they take on average. */
const APART_BYTES = 8 * 1024;

const SCRIPT = encodeArgs([SIZES_SCRIPT]);

/** A key of a portion that takes `floor` bytes or more. */
export interface LargeKey {
  /** Its place in the portion. */
  readonly at: number;
  readonly bytes: number;
  readonly type: string;
  /** Of a hash, set or sorted set; 0 for others. */
  readonly elementsCount: number;
}

/** Sets the sizes of a portion, and gives its large keys. Null when the server can't tell: MEMORY is of Redis 4. Throws what the connection or the server throws. */
export async function askSizes(redis: Redis, portion: Portion, floor: number): Promise<readonly LargeKey[] | null> {
  const { names } = portion;
  let reply: [number, (number | string)[]];
  try {
    const args = encodeArgs([Math.min(APART_BYTES, floor), floor]);
    reply = (await sendPrepared(redis, 'eval', [SCRIPT, encodeArgs([names.count]), names, args])) as typeof reply;
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
  const [smallBytes, values] = reply;
  const apart: LargeKey[] = [];
  for (let at = 0; at < values.length; at += 4) {
    const [place, bytes, type, elementsCount] = values.slice(at, at + 4) as [number, number, string, number];
    apart.push({ at: place - 1, bytes, type, elementsCount });
  }
  const sizes = new Float64Array(names.count).fill(smallBytes / Math.max(1, names.count - apart.length));
  for (const { at, bytes } of apart) sizes[at] = bytes;
  portion.sizes = sizes;
  return apart.filter(({ bytes }) => bytes >= floor);
}
