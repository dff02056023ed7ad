// Goal: a controller may die at any commit while big keys are on their way, and another one finishes: each key at the target once, whole, with its time to
// live, and nothing under a reserved name anywhere.
// Method: as in ../crash.test.ts: in run n the first controller dies at its n-th commit, just before or just after it took effect.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrivalKey } from '../../../src/model/index.ts';
import type { Death } from '../faulty-coordinator.ts';
import { everyDeath, type Masters, moveWithDeath, startLanes } from '../move-with-death.ts';
import { keyOf, ONE, PRODUCT } from '../product.ts';

const RUNS_MAX = 80;
/** A lost proxy is fenced at once; lists of this size are big. */
const SMALL = { proxy_lost_timeout: 0.1, big_key_bytes: 20_000 };
const ELEMENTS = Array.from({ length: 3000 }, (_, n) => `element ${n}`);
const [BIG, OTHER] = [keyOf(0), keyOf(1)];

let lanes: Masters[];

beforeAll(async () => {
  lanes = await startLanes();
});

afterAll(() => Promise.all(lanes.flatMap(({ one, two }) => [one.stop(), two.stop()])));

test.each(['before', 'after'] as const)(
  'a controller that dies just %s any of its commits is replaced by one that finishes',
  async (when) => {
    const commit = await everyDeath(lanes, when, runWithDeath);
    expect(commit).toBeGreaterThan(9);
    expect(commit).toBeLessThan(RUNS_MAX);
  },
  180_000,
);

/** Returns whether the first controller got to its death. */
async function runWithDeath(masters: Masters, death: Death): Promise<boolean> {
  await prepareKeys(masters);
  const died = await moveWithDeath(masters, { death, slotsCount: 2, settings: SMALL });
  await checkArrived(masters);
  return died;
}

async function prepareKeys(masters: Masters): Promise<void> {
  for (const server of [masters.one, masters.two]) await server.client().flushall();
  const client = masters.one.client();
  await client.rpush(BIG, ...ELEMENTS);
  await client.pexpire(BIG, 3_600_000);
  await client.sadd(OTHER, ...ELEMENTS);
  await client.mset(keyOf(0, 1), 'small', keyOf(1, 1), 'small');
}

async function checkArrived(masters: Masters): Promise<void> {
  const client = masters.two.client();
  expect(await client.lrange(BIG, 0, -1)).toEqual(ELEMENTS);
  expect(await client.pttl(BIG)).toBeGreaterThan(3_000_000);
  expect([await client.scard(OTHER), await client.ttl(OTHER)]).toEqual([ELEMENTS.length, -1]);
  expect(await client.mget(keyOf(0, 1), keyOf(1, 1))).toEqual(['small', 'small']);
  expect(await client.exists(arrivalKey(PRODUCT, ONE))).toBe(0);
  expect(await masters.one.client().exists(BIG, OTHER, keyOf(0, 1), keyOf(1, 1))).toBe(0);
}
