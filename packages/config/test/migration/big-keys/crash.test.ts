// Goal: a controller may die at any commit while big keys are on their way, and another one finishes: each key at the target once, whole, with its time to
// live, and nothing under a reserved name anywhere.
// Method: as in ../crash.test.ts: in run n the first controller dies at its n-th commit, just before or just after it took effect.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../../test/harness/redis.ts';
import { arrivalKey, asSlot } from '../../../src/model/index.ts';
import { createMigration, readMigration, readTopology } from '../../../src/operations/index.ts';
import { type Death, FaultyCoordinator } from '../faulty-coordinator.ts';
import { keyOf, makeProduct, ONE, PRODUCT, startMasters, TWO } from '../product.ts';

const SLOTS = [0, 1];
const RUNS_MAX = 80;
/** A lost proxy is fenced at once; lists of this size are big. */
const SMALL = { proxy_lost_timeout: 0.1, big_key_bytes: 20_000 };
const ELEMENTS = Array.from({ length: 3000 }, (_, n) => `element ${n}`);
const [BIG, OTHER] = [keyOf(0), keyOf(1)];

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
    expect(commit).toBeGreaterThan(9);
    expect(commit).toBeLessThan(RUNS_MAX);
  },
  180_000,
);

/** Returns whether the first controller got to its death. */
async function runWithDeath(death: Death): Promise<boolean> {
  await prepareKeys();
  const product = await makeProduct(masters);
  const coordinator = await product.connect();
  await product.proxy('p1');
  await (await product.proxy('lost')).lose();
  const moves = [{ first: asSlot(0), last: asSlot(1), to: TWO }];
  const { id } = await createMigration({ coordinator, product: PRODUCT, actor: 'test', password: '' }, { moves, delayMs: 0 });
  const done = async () => (await readMigration(coordinator, id)).state === 'done';

  const faulty = new FaultyCoordinator(await product.connect(), death);
  const first = await product.controller(faulty, SMALL);
  await eventually(async () => faulty.dead || done(), { what: `the death at ${JSON.stringify(death)}, or the end`, timeoutMs: 30_000 });
  await first.close();
  await faulty.close();
  await product.controller(await product.connect(), SMALL);
  await eventually(done, { what: `the migration after ${JSON.stringify(death)}`, timeoutMs: 30_000 });

  await checkArrived();
  const { topology } = await readTopology({ coordinator });
  for (const slot of SLOTS) expect(topology.slots[slot]).toEqual({ kind: 'online', owner: TWO });
  await product.close();
  return faulty.dead;
}

async function prepareKeys(): Promise<void> {
  for (const server of [masters.one, masters.two]) await server.client().flushall();
  const client = masters.one.client();
  await client.rpush(BIG, ...ELEMENTS);
  await client.pexpire(BIG, 3_600_000);
  await client.sadd(OTHER, ...ELEMENTS);
  await client.mset(keyOf(0, 1), 'small', keyOf(1, 1), 'small');
}

async function checkArrived(): Promise<void> {
  const client = masters.two.client();
  expect(await client.lrange(BIG, 0, -1)).toEqual(ELEMENTS);
  expect(await client.pttl(BIG)).toBeGreaterThan(3_000_000);
  expect([await client.scard(OTHER), await client.ttl(OTHER)]).toEqual([ELEMENTS.length, -1]);
  expect(await client.mget(keyOf(0, 1), keyOf(1, 1))).toEqual(['small', 'small']);
  expect(await client.exists(arrivalKey(PRODUCT, ONE))).toBe(0);
  expect(await masters.one.client().exists(BIG, OTHER, keyOf(0, 1), keyOf(1, 1))).toBe(0);
}
