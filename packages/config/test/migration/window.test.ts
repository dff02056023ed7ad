// Goal: a migration with a window runs in it and stands still outside of it, saying until when; and the window holds and goes as a throttle does.
// Method: windows around the time of now, with a real controller between two real servers, as in controller.test.ts.

import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { closedAt } from '../../src/migration/window-clock.ts';
import { asSlot, type Migration, UNTHROTTLED, windowText } from '../../src/model/index.ts';
import { cancelMigration, createMigration, type MigrationManner, readMigration, throttleMigration } from '../../src/operations/index.ts';
import { becomes, caller, eachInProduct, fill, masters, observer, product, stateOf } from './each-in-product.ts';
import { TWO } from './product.ts';

eachInProduct({ proxy: true });

const SLOTS = Array.from({ length: 6 }, (_, slot) => slot);
const HOUR = 60;

/** From so many minutes after now to so many. */
function windowAt(from: number, to: number): string {
  const now = new Date();
  const minute = now.getHours() * 60 + now.getMinutes();
  return windowText({ from: (minute + from + 1440) % 1440, to: (minute + to + 1440) % 1440 });
}
const OPEN = () => windowAt(-2 * HOUR, 2 * HOUR);
const CLOSED = () => windowAt(2 * HOUR, 4 * HOUR);

const ask = (limits: MigrationManner = {}) =>
  createMigration(caller(), { moves: [{ first: asSlot(0), last: asSlot(5), to: TWO }], ...limits });
const startController = async () => product.controller(await product.connect(), { migration_batch_slots: 1024, slot_lock_lease_ms: 5000 });
const standsStill = (migration: Migration) => becomes(migration, ({ resumesAt }) => resumesAt !== null, 'it to stand still');

describe('a migration outside of its window', () => {
  test('begins nothing, says so, and begins as soon as it may', async () => {
    await fill(SLOTS, 5);
    const migration = await ask({ window: CLOSED() });
    await startController();
    const still = await standsStill(migration);
    expect(still).toMatchObject({
      state: 'running',
      waiting: expect.stringMatching(
        /^stands still, outside its window \d\d:\d\d-\d\d:\d\d; it goes on at \d\d:\d\d \(.+, the clock of the controller\)$/,
      ),
    });
    const inMinutes = (Date.parse(still.resumesAt!) - Date.now()) / 60_000;
    expect(inMinutes).toBeGreaterThan(30);
    expect(inMinutes).toBeLessThan(200);
    expect(await stateOf(0)).toMatchObject({ kind: 'online' });

    await throttleMigration(caller(), { id: migration.id, window: null });
    expect(await becomes(migration, ({ state }) => state === 'done', 'it to be done')).toMatchObject({ waiting: null, resumesAt: null });
  });

  test('that was under way stops between two batches of keys, and goes on where it was', async () => {
    const keys = await fill(SLOTS, 50);
    const migration = await ask({ window: OPEN(), keysPerSecond: 40 });
    await startController();
    await becomes(migration, ({ progress }) => progress.keysSwept > 0, 'some keys to be swept');
    await throttleMigration(caller(), { id: migration.id, window: CLOSED() });
    const still = await standsStill(migration);
    expect(still.waiting).toMatch(/^stands still with 6 slots between two groups, about \d+ keys are left, outside its window/);
    await eventually(async () => !String(await masters.one.client().client('LIST')).includes('codis-controller'), {
      what: 'the sweep to have ended',
    });
    const left = await masters.one.client().dbsize();
    expect(left).toBeGreaterThan(0);
    expect(await stateOf(0)).toMatchObject({ kind: 'migrating' });

    await throttleMigration(caller(), { id: migration.id, window: OPEN(), keysPerSecond: null });
    await becomes(migration, ({ state }) => state === 'done', 'it to be done');
    expect(await masters.two.client().exists(...keys)).toBe(keys.length);
  });

  test('that is cancelled finishes what it has under way all the same', async () => {
    await fill(SLOTS, 50);
    const migration = await ask({ keysPerSecond: 100 });
    await startController();
    await becomes(migration, ({ progress }) => progress.keysSwept > 0, 'some keys to be swept');
    await throttleMigration(caller(), { id: migration.id, window: CLOSED() });
    await standsStill(migration);
    await cancelMigration(caller(), { id: migration.id });
    await becomes(migration, ({ endedAt }) => endedAt !== null, 'it to have ended');
    expect((await readMigration(observer, migration.id)).progress.slotsDone).toBe(6);
  });
});

test('a window that is none is refused', async () => {
  await expect(ask({ window: '7-8' })).rejects.toMatchObject({ code: 'CODIS_E_BAD_REQUEST' });
});

test('it opens today or tomorrow, by the clock on the wall', () => {
  const at = (window: string | null, now: Date, state: Migration['state'] = 'running') =>
    closedAt({ state, throttle: { ...UNTHROTTLED, window } }, now)?.opensAt;
  expect(at('00:00-07:00', new Date(2026, 0, 5, 23, 0))).toEqual(new Date(2026, 0, 6, 0, 0));
  expect(at('22:30-06:00', new Date(2026, 0, 5, 8, 0))).toEqual(new Date(2026, 0, 5, 22, 30));
  expect(at('22:30-06:00', new Date(2026, 0, 5, 6, 0))).toEqual(new Date(2026, 0, 5, 22, 30));
  expect(at('22:30-06:00', new Date(2026, 0, 5, 5, 59))).toBeUndefined();
  expect(at('00:00-07:00', new Date(2026, 11, 31, 7, 0, 1))).toEqual(new Date(2027, 0, 1));
  expect(at(null, new Date())).toBeUndefined();
  expect(at('00:00-07:00', new Date(2026, 0, 5, 23, 0), 'cancelled')).toBeUndefined();
});
