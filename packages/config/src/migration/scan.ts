// Finding the keys of given slots on a stock Redis, which has no index of them: SCAN over every database, and a filter.
//
// SCAN's promise carries the whole thing: a key that is there from start to end of a pass is returned at least once. So a pass that yields nothing
// proves that no key of these slots was there throughout.

import type { Redis } from 'ioredis';
import { reservedNames, type ServerAddr, type Slot, slotOf } from '../model/index.ts';
import { BulkConnection } from '../redis/bulk-connection.ts';
import { probe } from '../redis/probe.ts';
import type { Guest } from './courtesy.ts';

/** How many keys one SCAN call looks at: well under a millisecond of the server's time. */
const SCAN_COUNT = 1000;
const REPLY_MS = 5000;

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
  readonly password: string;
  /** Hears of every page: keys looked at, and those of `slots` among them. */
  readonly onPage?: (looked: number, found: number) => void;
  /** Who is to leave the server to its clients between two pages. */
  readonly guest?: Guest;
}

/** One pass over every database that holds keys, over a connection of its own; pages without a key of `slots` are not given. While one page is looked at the server is
 *  at the next, unless its clients need it. Leaves `redis` in the database of the last page, so that what is done with its keys happens there. Throws CodisError as
 *  `probe` and `BulkConnection`, and what a broken connection throws. */
export async function* scanSlots(redis: Redis, request: ScanRequest): AsyncGenerator<KeysPage, void, void> {
  const { addr, slots, product, password, onPage, guest } = request;
  const isReserved = reservedNames(product);
  const isWanted = (bytes: Buffer, start: number, end: number) => slots.has(slotOf(bytes, start, end)) && !isReserved(bytes, start, end);
  const mayHurry = () => guest?.isAlone ?? true;
  const { databases, runId } = await probe(addr, redis, product);
  let lookedCount = 0;
  for (const { db } of databases) {
    await redis.select(db);
    const scan = await BulkConnection.open(addr, { password, timeoutMs: REPLY_MS, db, runId });
    try {
      let askedAtMs = performance.now();
      for await (const page of scan.pages({ count: SCAN_COUNT, isWanted, mayHurry })) {
        const tookMs = performance.now() - askedAtMs;
        lookedCount += page.lookedCount;
        onPage?.(page.lookedCount, page.keys.length);
        if (page.keys.length > 0) {
          yield { db, keys: page.keys, lookedCount };
          lookedCount = 0;
        }
        await guest?.rest(tookMs);
        askedAtMs = performance.now();
      }
    } finally {
      scan.close();
    }
  }
}
