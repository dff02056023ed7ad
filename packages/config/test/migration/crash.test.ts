// Goal: a controller may die at any line, and another one finishes what it began, with every key at the target and none anywhere else.
// Method: a small migration is run again and again; in run n the first controller dies at its n-th commit, once just before it took effect and once
// just after, until a run gets through without reaching its death. A second controller then has to finish from the coordinator alone.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Death } from './faulty-coordinator.ts';
import { everyDeath, type Masters, moveWithDeath, startLanes } from './move-with-death.ts';
import { keyOf } from './product.ts';

const SLOTS = [0, 1, 2, 3];
const RUNS_MAX = 60;
/** Two batches, and a lost proxy that is fenced at once. */
const SMALL = { migration_batch_slots: 2, proxy_lost_timeout: 0.1 };

let lanes: Masters[];

beforeAll(async () => {
  lanes = await startLanes();
});

afterAll(() => Promise.all(lanes.flatMap(({ one, two }) => [one.stop(), two.stop()])));

test.each(['before', 'after'] as const)(
  'a controller that dies just %s any of its commits is replaced by one that finishes',
  async (when) => {
    const commit = await everyDeath(lanes, when, runWithDeath);
    expect(commit).toBeGreaterThan(10);
    expect(commit).toBeLessThan(RUNS_MAX);
  },
  120_000,
);

/** Returns whether the first controller got to its death. */
async function runWithDeath(masters: Masters, death: Death): Promise<boolean> {
  const keys = await prepareKeys(masters);
  const died = await moveWithDeath(masters, { death, slotsCount: SLOTS.length, settings: SMALL });
  await checkAllArrived(masters, keys);
  return died;
}

async function prepareKeys(masters: Masters): Promise<string[]> {
  for (const server of [masters.one, masters.two]) await server.client().flushall();
  const keys = SLOTS.flatMap((slot) => Array.from({ length: 6 }, (_, n) => keyOf(slot, n)));
  await masters.one.client().mset(keys.flatMap((key) => [key, `value of ${key}`]));
  return keys;
}

async function checkAllArrived(masters: Masters, keys: readonly string[]): Promise<void> {
  expect(await masters.two.client().mget([...keys])).toEqual(keys.map((key) => `value of ${key}`));
  expect(await masters.one.client().exists(...keys)).toBe(0);
}
