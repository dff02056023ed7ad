// Finding the big keys of a source before slots are locked: one pass over all its keys for all slots of a migration, done by the server itself, for only few
// names are worth the way. Measured on Redis 7.0: 0.7 million keys a second, as a plain SCAN.
//
// A key that grows after the pass is not found, and moves in one step.

import type { Redis } from 'ioredis';
import { reservedNames, type ServerAddr, type Slot, slotOf } from '../../model/index.ts';
import { probe } from '../../redis/probe.ts';
import type { Settings } from '../../settings/index.ts';
import type { FoundKey } from './choose.ts';

/** ARGV: cursor, count, and the bytes from which on a key is worth a closer look. Replies the next cursor, and name, bytes, type and number of elements of
 *  each such key. */
const SIZES_SCRIPT = `
local counts = { hash = 'HLEN', set = 'SCARD', zset = 'ZCARD' }
local found = {}
local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])
for _, key in ipairs(page[2]) do
  local bytes = redis.call('MEMORY', 'USAGE', key)
  if bytes and bytes >= tonumber(ARGV[3]) then
    local kind = redis.call('TYPE', key)['ok']
    local count = counts[kind] and redis.call(counts[kind], key) or 0
    for _, value in ipairs({ key, bytes, kind, count }) do found[#found + 1] = value end
  end
end
return { page[1], found }
`.trim();

/** Half a millisecond of the server's time. */
const SCAN_COUNT = 300;
/** No element of a hash, set or sorted set that is worth counting takes less. */
const ELEMENT_BYTES_MIN = 16;
/** Types that can be taken apart; others (of modules) move in one step. */
const LISTABLE: ReadonlySet<string> = new Set(['string', 'list', 'hash', 'set', 'zset', 'stream']);

export type Thresholds = Pick<Settings, 'big_key_bytes' | 'big_key_elements'>;

export interface FindRequest {
  readonly addr: ServerAddr;
  readonly product: string;
  readonly slots: ReadonlySet<Slot>;
  readonly thresholds: Thresholds;
}

/** The big keys of `slots` in every database. Throws what the connection or the server throws. */
export async function findBigKeys(redis: Redis, { addr, product, slots, thresholds }: FindRequest): Promise<FoundKey[]> {
  const floor = Math.min(thresholds.big_key_bytes, thresholds.big_key_elements * ELEMENT_BYTES_MIN);
  const isReserved = reservedNames(product);
  const found = new Map<string, FoundKey>();
  const { databases } = await probe(addr, redis, product);
  for (const { db } of databases) {
    await redis.select(db);
    let cursor = '0';
    do {
      const reply = await redis.callBuffer('EVAL', [SIZES_SCRIPT, '0', cursor, String(SCAN_COUNT), String(floor)]);
      const [next, values] = reply as [Buffer, (Buffer | number)[]];
      cursor = String(next);
      for (let at = 0; at < values.length; at += 4) {
        const [name, bytes, kind, count] = values.slice(at, at + 4) as [Buffer, number, Buffer, number];
        const slot = slotOf(name);
        const big = bytes >= thresholds.big_key_bytes || count >= thresholds.big_key_elements;
        if (!big || !slots.has(slot) || isReserved(name) || !LISTABLE.has(String(kind))) continue;
        const key = name.toString('latin1');
        // SCAN may give it twice.
        found.set(`${db}:${key}`, { db, key, slot, bytes });
      }
    } while (cursor !== '0');
  }
  return [...found.values()];
}
