// Finding the keys of given slots on a stock Redis, which has no index of them: SCAN over every database, and a filter.
//
// SCAN's promise carries the whole thing: a key that is there from start to end of a pass is returned at least once. So a pass that yields nothing
// proves that no key of these slots was there throughout.

import type { Redis } from 'ioredis';
import { reservedNames, type ServerAddr, type Slot, slotOf } from '../model/index.ts';
import { probe } from '../redis/probe.ts';
import { probeKey } from './preflight.ts';

/** How many keys one SCAN call looks at: well under a millisecond of the server's time. */
const SCAN_COUNT = 1000;

/** Keys of one database that one SCAN call found. */
export interface KeysPage {
  readonly db: number;
  readonly keys: readonly Buffer[];
}

export interface ScanRequest {
  readonly addr: ServerAddr;
  readonly slots: ReadonlySet<Slot>;
  /** Whose reserved names and probe are no keys. */
  readonly product: string;
  /** Hears of every page: keys looked at, and those of `slots` among them. */
  readonly onPage?: (looked: number, found: number) => void;
}

/** One pass over every database that holds keys; pages without a key of `slots` are not given. Leaves the connection in the database of the last
 *  page, so that what is done with its keys happens there. Throws CodisError as `probe`, and what a broken connection throws. */
export async function* scanSlots(redis: Redis, { addr, slots, product, onPage }: ScanRequest): AsyncGenerator<KeysPage, void, void> {
  const isReserved = reservedNames(product);
  const probed = Buffer.from(probeKey(product));
  const { databases } = await probe(addr, redis, product);
  for (const { db } of databases) {
    await redis.select(db);
    let cursor = '0';
    do {
      const [next, found] = await redis.scanBuffer(cursor, 'COUNT', SCAN_COUNT);
      const keys = found.filter((key) => slots.has(slotOf(key)) && !isReserved(key) && !(db === 0 && key.equals(probed)));
      onPage?.(found.length, keys.length);
      if (keys.length > 0) yield { db, keys };
      cursor = next.toString();
    } while (cursor !== '0');
  }
}
