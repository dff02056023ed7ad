// Goal: a controller may die at any line, and another one finishes what it began, with every key at the target and none anywhere else.
// Method: a small migration is run again and again; in run n the first controller dies at its n-th commit, once just before it took effect and once
// just after, until a run gets through without reaching its death. A second controller then has to finish from the coordinator alone.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import { asSlot } from '../../src/model/index.ts';
import { createMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { type Death, FaultyCoordinator } from './faulty-coordinator.ts';
import { keyOf, makeProduct, PRODUCT, startMasters, TWO } from './product.ts';

const SLOTS = [0, 1, 2, 3];
const RUNS_MAX = 60;
/** Two batches, and a lost proxy that is fenced at once. */
const SMALL = { migration_batch_slots: 2, proxy_lost_timeout: 0.1 };

let masters: { one: RedisServer; two: RedisServer };

beforeAll(async () => {
  masters = await startMasters();
});

afterAll(async () => {
  await masters.one.stop();
  await masters.two.stop();
});

test.each(['before', 'after'] as const)(
  'a controller that dies just %s any of its commits is replaced by one that finishes',
  async (when) => {
    let commit = 1;
    while (await runWithDeath({ commit, when })) commit++;
    expect(commit).toBeGreaterThan(10);
    expect(commit).toBeLessThan(RUNS_MAX);
  },
  120_000,
);

/** Returns whether the first controller got to its death. */
async function runWithDeath(death: Death): Promise<boolean> {
  const keys = await prepareKeys();
  const product = await makeProduct(masters);
  const coordinator = await product.connect();
  await product.proxy('p1');
  await (await product.proxy('lost')).lose();
  const moves = [{ first: asSlot(0), last: asSlot(3), to: TWO }];
  const { id } = await createMigration({ coordinator, product: PRODUCT, actor: 'test', password: '' }, { moves, delayMs: 0 });
  const done = async () => (await readMigration(coordinator, id)).state === 'done';

  const faulty = new FaultyCoordinator(await product.connect(), death);
  const first = await product.controller(faulty, SMALL);
  await eventually(async () => faulty.dead || done(), { what: `the death at ${JSON.stringify(death)}, or the end`, timeoutMs: 20_000 });
  await first.close();
  await faulty.close();
  await product.controller(await product.connect(), SMALL);
  await eventually(done, { what: `the migration after ${JSON.stringify(death)}`, timeoutMs: 20_000 });

  await checkAllArrived(keys);
  const { topology } = await readTopology({ coordinator });
  for (const slot of SLOTS) expect(topology.slots[slot]).toEqual({ kind: 'online', owner: TWO });
  await product.close();
  return faulty.dead;
}

async function prepareKeys(): Promise<string[]> {
  for (const server of [masters.one, masters.two]) await server.client().flushall();
  const keys = SLOTS.flatMap((slot) => Array.from({ length: 6 }, (_, n) => keyOf(slot, n)));
  await masters.one.client().mset(keys.flatMap((key) => [key, `value of ${key}`]));
  return keys;
}

async function checkAllArrived(keys: readonly string[]): Promise<void> {
  expect(await masters.two.client().mget([...keys])).toEqual(keys.map((key) => `value of ${key}`));
  expect(await masters.one.client().exists(...keys)).toBe(0);
}
