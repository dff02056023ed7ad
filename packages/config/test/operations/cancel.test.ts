// Cancelling with a roll-back, as records: what is written, and what is refused. That slots do go back is in migration/roll-back.test.ts.

import { describe, expect, test } from 'vitest';
import { migrationPath, PATHS } from '../../src/coordinator/index.ts';
import {
  arrivalsOf,
  asEpoch,
  asSlot,
  completeMove,
  encodeMigration,
  encodeTopology,
  lockSlots,
  type Migration,
  type Move,
  type Slot,
  startMigrating,
  type Topology,
} from '../../src/model/index.ts';
import {
  type Caller,
  cancelMigration,
  createMigration,
  listEvents,
  listMigrations,
  offlineRange,
  readMigration,
  readTopology,
} from '../../src/operations/index.ts';
import { G1, G2, newCluster, refusal } from './support.ts';

const move = (first: number, last: number): Move => ({ first: asSlot(first), last: asSlot(last), to: G2 });
const slots = (first: number, last: number): Slot[] => Array.from({ length: last - first + 1 }, (_, n) => asSlot(first + n));

/** Of ten slots 0 and 1 have arrived, 2 and 3 are between the groups, 4 is locked. */
async function begun(): Promise<{ caller: Caller; migration: Migration }> {
  const { caller } = await newCluster();
  const { coordinator } = caller;
  const migration = await createMigration(caller, { moves: [move(0, 9)], keysPerSecond: 500, durable: true });
  const { epoch, topology } = await readTopology(caller);
  const step = (which: Slot[]) => ({ slots: which, migration: migration.id });
  const lock = (from: Topology, which: Slot[]) => lockSlots(from, { ...step(which), to: G2, epoch: asEpoch(epoch + 1), leaseMs: 1000 });
  const arrived = completeMove(startMigrating(lock(topology, slots(0, 1)), step(slots(0, 1))), step(slots(0, 1)));
  const between = startMigrating(lock(arrived, slots(2, 3)), step(slots(2, 3)));
  const record = { ...migration, arrivals: arrivalsOf(slots(0, 1), { from: G1, to: G2, at: new Date().toISOString(), looked: 0 }) };
  const result = await coordinator.commit([
    { op: 'set', path: PATHS.topology, data: encodeTopology(lock(between, slots(4, 4))), version: epoch },
    { op: 'set', path: migrationPath(migration.id), data: encodeMigration(record), version: 0 },
  ]);
  expect(result.ok).toBe(true);
  return { caller, migration: record };
}

describe('a migration that is cancelled and taken back', () => {
  test.each([
    ['current', [{ first: 2, last: 4, to: G1 }], 3],
    ['all', [{ first: 0, last: 4, to: G1 }], 5],
  ] as const)(
    '%s: the way back is on record with the cancel, in the same manner, and each names the other',
    async (rollBack, moves, count) => {
      const { caller, migration } = await begun();
      const events = (await listEvents(caller.coordinator)).length;
      const cancelled = await cancelMigration(caller, { id: migration.id, rollBack });
      expect(cancelled).toMatchObject({ state: 'cancelled', endedAt: null, takenBackBy: 2, takesBack: null });
      const back = await readMigration(caller.coordinator, cancelled.takenBackBy!);
      expect(back).toMatchObject({
        state: 'running',
        moves,
        takesBack: 1,
        takenBackBy: null,
        durable: true,
        throttle: migration.throttle,
        comment: 'takes migration 1 back',
        progress: { slotsTotal: count },
      });
      const all = await listEvents(caller.coordinator);
      expect(all).toHaveLength(events + 1);
      expect(all[0]).toMatchObject({
        action: 'migration.cancel',
        object: expect.stringMatching(/^migration 1, taken back by migration 2: slots [02]-4 → group 1$/),
        after: `cancelled, ${count} slots taken back`,
      });
    },
  );

  test('without it leaves no way back', async () => {
    const { caller, migration } = await begun();
    expect(await cancelMigration(caller, { id: migration.id })).toMatchObject({ state: 'cancelled', takenBackBy: null });
    expect(await listMigrations(caller.coordinator)).toHaveLength(1);
  });

  test('before anything was begun has nothing to take back', async () => {
    const { caller } = await newCluster();
    const { id } = await createMigration(caller, { moves: [move(0, 9)] });
    expect(await cancelMigration(caller, { id, rollBack: 'all' })).toMatchObject({ takenBackBy: null, endedAt: expect.any(String) });
    expect(await listMigrations(caller.coordinator)).toHaveLength(1);
  });

  test('is taken back once: asked again, that is said', async () => {
    const { caller, migration } = await begun();
    await cancelMigration(caller, { id: migration.id, rollBack: 'all' });
    await expect(cancelMigration(caller, { id: migration.id, rollBack: 'all' })).rejects.toMatchObject({
      code: 'CODIS_E_CONFLICT',
      message: 'migration 1 is cancelled already, and migration 2 takes it back',
    });
  });

  test('asked twice at once, one of the two does it', async () => {
    const { caller, migration } = await begun();
    const both = await Promise.allSettled([1, 2].map(() => cancelMigration(caller, { id: migration.id, rollBack: 'all' })));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await listMigrations(caller.coordinator)).toHaveLength(2);
  });

  test('leaves out what was taken offline since, and keeps its slots from others', async () => {
    const { caller, migration } = await begun();
    await offlineRange(caller, { first: asSlot(0), last: asSlot(0) });
    const { takenBackBy } = await cancelMigration(caller, { id: migration.id, rollBack: 'all' });
    expect((await readMigration(caller.coordinator, takenBackBy!)).moves).toEqual([{ first: 1, last: 4, to: G1 }]);
    expect(await refusal(caller, () => createMigration(caller, { moves: [{ first: asSlot(1), last: asSlot(1), to: G1 }] }))).toBe(
      'CODIS_E_SLOT_IN_MOVE',
    );
  });

  test('is refused, and goes on, when the group that the slots came from has no master any more', async () => {
    const { caller, migration } = await begun();
    const { topology, epoch } = await readTopology(caller);
    const masterless = { ...topology, groups: topology.groups.map((group) => (group.id === G1 ? { ...group, servers: [] } : group)) };
    await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology(masterless), version: epoch }]);
    await expect(cancelMigration(caller, { id: migration.id, rollBack: 'current' })).rejects.toThrow('came from group 1');
    expect((await readMigration(caller.coordinator, migration.id)).state).toBe('running');
  });
});
