// Finding the keys of given slots on a stock Redis, which has no index of them: SCAN over every database, and a filter.
//
// SCAN's promise carries the whole thing: a key that is there from start to end of a pass is returned at least once. So a pass that yields nothing
// proves that no key of these slots was there throughout.

import type { Redis } from 'ioredis';
import { reservedNames, type ServerAddr, type Slot, slotOf } from '../model/index.ts';
import { probe } from '../redis/probe.ts';
import type { Guest } from './courtesy.ts';

/** How many keys one SCAN call looks at: well under a millisecond of the server's time. */
const SCAN_COUNT = 1000;

/** Keys of one database that one SCAN call found. */
export interface KeysPage {
  readonly db: number;
  readonly keys: readonly Buffer[];
  /** Keys that were looked at since the page given before. */
  readonly lookedCount: number;
}

export interface ScanRequest {
  readonly addr: ServerAddr;
  readonly slots: ReadonlySet<Slot>;
  /** Whose reserved names are no keys. */
  readonly product: string;
  /** Hears of every page: keys looked at, and those of `slots` among them. */
  readonly onPage?: (looked: number, found: number) => void;
  /** Who is to leave the server to its clients between two pages. */
  readonly guest?: Guest;
}

/** One pass over every database that holds keys; pages without a key of `slots` are not given. While one page is looked at the server is at the next,
 *  if it has nothing else to do. Leaves the connection in the database of the last page, so that what is done with its keys happens there. Throws CodisError as `probe`, and what a broken connection
 *  throws. */
export async function* scanSlots(redis: Redis, { addr, slots, product, onPage, guest }: ScanRequest): AsyncGenerator<KeysPage, void, void> {
  const isReserved = reservedNames(product);
  const { databases } = await probe(addr, redis, product);
  let lookedCount = 0;
  for (const { db } of databases) {
    await redis.select(db);
    for await (const found of pagesOf(redis, guest)) {
      const keys = found.filter((key) => slots.has(slotOf(key)) && !isReserved(key));
      onPage?.(found.length, keys.length);
      lookedCount += found.length;
      if (keys.length === 0) continue;
      yield { db, keys, lookedCount };
      lookedCount = 0;
    }
  }
}

async function* pagesOf(redis: Redis, guest: Guest | undefined): AsyncGenerator<readonly Buffer[], void, void> {
  let cursor = '0';
  let ahead: Promise<[Buffer, Buffer[]]> | null = null;
  try {
    do {
      const startedMs = performance.now();
      const [next, found]: [Buffer, Buffer[]] = await (ahead ?? redis.scanBuffer(cursor, 'COUNT', SCAN_COUNT));
      const tookMs = performance.now() - startedMs;
      cursor = next.toString();
      ahead = (guest?.isAlone ?? true) && cursor !== '0' ? redis.scanBuffer(cursor, 'COUNT', SCAN_COUNT) : null;
      yield found;
      await guest?.rest(tookMs);
    } while (cursor !== '0');
  } finally {
    // Whoever ended early does not wait for the page ahead, nor hear that it failed.
    ahead?.catch(() => undefined);
  }
}
