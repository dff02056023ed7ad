import { describe, expect, test } from 'vitest';
import { migrationPath, PATHS } from '../../src/coordinator/index.ts';
import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asSlot,
  encodeMigration,
  encodeTopology,
  lockSlots,
  type Move,
  offlineSlots,
} from '../../src/model/index.ts';
import {
  addGroup,
  type Caller,
  cancelMigration,
  createMigration,
  listEvents,
  listMigrations,
  offlineRange,
  readMigration,
  readTopology,
} from '../../src/operations/index.ts';
import { ACTOR, G1, G2, newCluster, refusal, withCommit } from './support.ts';

const move = (first: number, last: number, to = G2): Move => ({ first: asSlot(first), last: asSlot(last), to });
const create = (caller: Caller, ...moves: Move[]) => createMigration(caller, { moves, delayMs: 10 });

describe('a migration', () => {
  test('is recorded with its totals, who asked, and an event', async () => {
    const { caller } = await newCluster();
    const migration = await create(caller, move(500, 520));
    expect(migration).toMatchObject({
      id: 1,
      state: 'running',
      actor: ACTOR,
      durable: false,
      throttle: { delayMs: 10, keysPerSecond: null },
      endedAt: null,
    });
    expect(migration.progress).toMatchObject({ slotsTotal: 21, slotsDone: 9, keysSwept: 0, keysLeft: null });
    expect(await readMigration(caller.coordinator, migration.id)).toEqual(migration);
    expect((await listEvents(caller.coordinator))[0]).toMatchObject({
      action: 'migration.create',
      object: 'migration 1: slots 500-520 → group 2',
    });
  });

  test('gets a number of its own, also when several are asked for at once', async () => {
    const { caller } = await newCluster();
    await Promise.all([create(caller, move(0, 1)), create(caller, move(2, 3)), create(caller, move(4, 5))]);
    expect((await listMigrations(caller.coordinator)).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test.each([
    ['whose range runs backwards', [move(5, 4)], 'CODIS_E_BAD_SLOT'],
    ['that names a slot twice', [move(0, 5), move(5, 9)], 'CODIS_E_BAD_SLOT'],
    ['to a group that is not there', [move(0, 5, asGroupId(9))], 'CODIS_E_UNKNOWN_GROUP'],
    ['to a group without a master', [move(0, 5, asGroupId(3))], 'CODIS_E_NO_MASTER'],
    ['of a slot that belongs to no group', [move(100, 101)], 'CODIS_E_SLOT_OFFLINE'],
  ])('%s is refused', async (_, moves, code) => {
    const { caller } = await newCluster();
    await addGroup(caller, { group: asGroupId(3) });
    await offlineRange(caller, { first: asSlot(100), last: asSlot(100) });
    expect(await refusal(caller, () => create(caller, ...moves))).toBe(code);
    expect(await listMigrations(caller.coordinator)).toEqual([]);
  });

  test('that shares a slot with a running one is refused; after that one has ended it is not', async () => {
    const { caller } = await newCluster();
    const first = await create(caller, move(0, 10));
    expect(await refusal(caller, () => create(caller, move(10, 20)))).toBe('CODIS_E_SLOT_IN_MOVE');
    await cancelMigration(caller, { id: first.id });
    expect((await create(caller, move(10, 20))).id).toBe(2);
  });

  test('is checked again when the topology changes while it is written', async () => {
    const { caller } = await newCluster();
    const { coordinator } = caller;
    let overtaken = false;
    const racing = withCommit(coordinator, async (ops) => {
      if (!overtaken) {
        overtaken = true;
        const { topology } = await readTopology(caller);
        const data = encodeTopology(offlineSlots(topology, { first: asSlot(5), last: asSlot(5) }));
        await coordinator.commit([{ op: 'set', path: PATHS.topology, data }]);
      }
      return coordinator.commit(ops);
    });
    await expect(create({ ...caller, coordinator: racing }, move(0, 9))).rejects.toMatchObject({ code: 'CODIS_E_SLOT_OFFLINE' });
    expect(await listMigrations(coordinator)).toEqual([]);
  });

  test('decided on at another epoch is stale', async () => {
    const { caller } = await newCluster();
    const stale = { moves: [move(0, 1)], delayMs: 0, expectedEpoch: asEpoch(0) };
    expect(await refusal(caller, () => createMigration(caller, stale))).toBe('CODIS_E_STALE');
  });

  test('that is cancelled between batches has ended; in the middle of one it ends when its slots have arrived', async () => {
    const { caller } = await newCluster();
    const idle = await create(caller, move(0, 10));
    expect(await cancelMigration(caller, { id: idle.id })).toMatchObject({ state: 'cancelled', endedAt: expect.any(String) });
    const busy = await create(caller, move(20, 30));
    const { epoch, topology } = await readTopology(caller);
    const lock = { slots: [asSlot(20)], to: G2, migration: busy.id, epoch: asEpoch(epoch + 1), leaseMs: 1000 };
    await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology(lockSlots(topology, lock)), version: epoch }]);
    expect(await cancelMigration(caller, { id: busy.id })).toMatchObject({ state: 'cancelled', endedAt: null });
  });

  test('that has ended, or is not there, can’t be cancelled', async () => {
    const { caller } = await newCluster();
    const done = await create(caller, move(0, 10));
    await caller.coordinator.commit([{ op: 'set', path: migrationPath(done.id), data: encodeMigration({ ...done, state: 'done' }) }]);
    expect(await refusal(caller, () => cancelMigration(caller, { id: done.id }))).toBe('CODIS_E_CONFLICT');
    expect(await refusal(caller, () => cancelMigration(caller, { id: asMigrationId(99) }))).toBe('CODIS_E_UNKNOWN_MIGRATION');
    await expect(readMigration(caller.coordinator, asMigrationId(99))).rejects.toMatchObject({ code: 'CODIS_E_UNKNOWN_MIGRATION' });
  });

  test('to where its slots are already is nothing to do, and allowed', async () => {
    const { caller } = await newCluster();
    expect((await create(caller, move(0, 10, G1))).progress).toMatchObject({ slotsTotal: 11, slotsDone: 11 });
  });
});
