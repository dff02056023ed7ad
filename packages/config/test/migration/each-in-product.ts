// What tests of a controller begin with: two masters for the whole file, and for each test a product of its own over them, with somebody who observes it. What is
// exported here is set anew for each test, and whoever imports it sees that.

import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import type { Coordinator } from '../../src/coordinator/index.ts';
import { asSlot, type Migration, type SlotState, slotState } from '../../src/model/index.ts';
import { type Caller, readMigration, readTopology } from '../../src/operations/index.ts';
import { keyOf, makeProduct, PRODUCT, type Product, startMasters } from './product.ts';

export let masters: { one: RedisServer; two: RedisServer };
export let product: Product;
export let observer: Coordinator;

/** For the file that calls it. `proxy`: one is there in each test. */
export function eachInProduct({ proxy = false } = {}): void {
  beforeAll(async () => {
    masters = await startMasters();
  });
  beforeEach(async () => {
    for (const server of [masters.one, masters.two]) await server.client().flushall();
    product = await makeProduct(masters);
    observer = await product.connect();
    if (proxy) await product.proxy('p1');
  });
  afterEach(async () => {
    masters.two.child.signal('SIGCONT');
    await product.close();
  });
  afterAll(async () => {
    await masters.one.stop();
    await masters.two.stop();
  });
}

/** From now on another product is observed, for the rest of the test. */
export async function observe(other: Product): Promise<void> {
  observer = await other.connect();
}

export const caller = (): Caller => ({ coordinator: observer, product: PRODUCT, actor: 'test', password: '' });

export const stateOf = async (slot: number): Promise<SlotState> => slotState((await readTopology(caller())).topology, asSlot(slot));

/** Resolves to the record once it passes `test`. */
export function becomes({ id }: Pick<Migration, 'id'>, test: (record: Migration) => boolean, what: string): Promise<Migration> {
  const probe = async () => {
    const record = await readMigration(observer, id);
    return test(record) ? record : undefined;
  };
  return eventually(probe, { what, timeoutMs: 40_000 });
}

/** Puts so many keys of each slot there; returns them. */
export async function fill(slots: readonly number[], each: number, server = masters.one): Promise<string[]> {
  const keys = slots.flatMap((slot) => Array.from({ length: each }, (_, n) => keyOf(slot, n)));
  await server.client().mset(keys.flatMap((key) => [key, `value of ${key}`]));
  return keys;
}
