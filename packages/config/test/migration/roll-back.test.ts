// Goal: a migration that is rolled back leaves every slot and key where it was, also when the controller dies in between.
// Method: a real controller between two real servers, as in controller.test.ts.

import { expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { asSlot } from '../../src/model/index.ts';
import { cancelMigration, createMigration, pauseMigration, readMigration, throttleMigration } from '../../src/operations/index.ts';
import { becomes, caller, eachInProduct, fill, masters, observer, product, stateOf } from './each-in-product.ts';
import { ONE, TWO } from './product.ts';

eachInProduct({ proxy: true });

const SLOTS = Array.from({ length: 12 }, (_, slot) => slot);
const ask = () => createMigration(caller(), { moves: [{ first: asSlot(0), last: asSlot(11), to: TWO }], keysPerSecond: 40 });
const secondBatchMoves = () =>
  eventually(async () => (await stateOf(3)).kind === 'migrating', { what: 'the second batch to be under way' });
const startController = async () => product.controller(await product.connect(), { migration_batch_slots: 3, slot_lock_lease_ms: 5000 });

async function owners(): Promise<number[]> {
  const states = await Promise.all(SLOTS.map((slot) => stateOf(slot)));
  return states.map((state) => (state.kind === 'online' ? state.owner : Number.NaN));
}

test('all of it: what moved and what was under way is back, with every key', async () => {
  const keys = await fill(SLOTS, 20);
  const migration = await ask();
  await startController();
  await secondBatchMoves();
  const { takenBackBy } = await cancelMigration(caller(), { id: migration.id, rollBack: 'all' });
  const back = await readMigration(observer, takenBackBy!);
  expect(back.moves).toEqual([{ first: 0, last: 5, to: ONE }]);
  await becomes(back, ({ waiting }) => waiting === 'migration 1, which it takes back, finishes what it has under way first', 'a reason');
  await throttleMigration(caller(), { id: back.id, keysPerSecond: null });
  const done = await becomes(back, ({ state }) => state === 'done', 'all to be back');

  const first = await readMigration(observer, migration.id);
  expect(first).toMatchObject({ state: 'cancelled', endedAt: expect.any(String) });
  expect(Date.parse(done.arrivals[0]!.at)).toBeGreaterThanOrEqual(Date.parse(first.endedAt!));
  expect(await owners()).toEqual(SLOTS.map(() => ONE));
  expect(await masters.one.client().exists(...keys)).toBe(keys.length);
  expect(await masters.two.client().dbsize()).toBe(0);
});

test('what was under way: that is back, what had moved stays; a controller that dies in between changes nothing', async () => {
  await fill(SLOTS, 20);
  const migration = await ask();
  const controller = await startController();
  await secondBatchMoves();
  await pauseMigration(caller(), migration);
  const { arrivals } = await becomes(migration, ({ waiting }) => /between two groups/.test(waiting ?? ''), 'it to stand still');
  const stay = arrivals.flatMap(({ first, last }) => SLOTS.filter((slot) => slot >= first && slot <= last));
  await controller.close();
  const { takenBackBy } = await cancelMigration(caller(), { id: migration.id, rollBack: 'current' });
  await throttleMigration(caller(), { id: takenBackBy!, keysPerSecond: null });
  await startController();
  await becomes({ id: takenBackBy! }, ({ state }) => state === 'done', 'the slots under way to be back');

  expect(stay.length).toBeGreaterThanOrEqual(3);
  expect(await owners()).toEqual(SLOTS.map((slot) => (stay.includes(slot) ? TWO : ONE)));
});
