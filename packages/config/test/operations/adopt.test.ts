import { describe, expect, test } from 'vitest';
import { migrationPath, PATHS } from '../../src/coordinator/index.ts';
import { asEpoch, asMigrationId, asSlot, encodeTopology, lockSlots, startMigrating } from '../../src/model/index.ts';
import { adoptMigration, type Caller, createMigration, listEvents, listMigrations, readTopology } from '../../src/operations/index.ts';
import { ACTOR, G2, newCluster, refusal, withCommit } from './support.ts';

const LOST = asMigrationId(7);

/** Slots 3, 4 and 9 are in a move by a migration that has no record. */
async function newLostMove({ durable = false } = {}): Promise<Caller> {
  const { caller } = await newCluster();
  const { epoch, topology } = await readTopology(caller);
  const slots = [3, 4, 9].map(asSlot);
  const lock = { slots, to: G2, migration: LOST, durable, epoch: asEpoch(epoch + 1), leaseMs: 1000 };
  const moving = startMigrating(lockSlots(topology, lock), { slots: slots.slice(0, 2), migration: LOST });
  await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology(moving), version: epoch }]);
  return caller;
}

describe('a move without a record', () => {
  test.each([false, true])('gets one for exactly its slots, with an event (durable: %s)', async (durable) => {
    const caller = await newLostMove({ durable });
    const { epoch } = await readTopology(caller);

    const adopted = await adoptMigration(caller, { id: LOST });

    expect(adopted).toMatchObject({
      id: LOST,
      moves: [
        { first: 3, last: 4, to: G2 },
        { first: 9, last: 9, to: G2 },
      ],
      durable,
      state: 'running',
      actor: ACTOR,
      endedAt: null,
      progress: { slotsTotal: 3, slotsDone: 0 },
    });
    expect(await listMigrations(caller.coordinator)).toEqual([adopted]);
    expect((await listEvents(caller.coordinator))[0]).toMatchObject({
      action: 'migration.adopt',
      object: 'migration 7: slots 3-4 → group 2, slot 9 → group 2',
    });
    expect((await readTopology(caller)).epoch).toBe(epoch);
  });

  test('is only looked at with dryRun', async () => {
    const caller = await newLostMove();
    const events = (await listEvents(caller.coordinator)).length;
    expect((await adoptMigration(caller, { id: LOST, dryRun: true })).progress.slotsTotal).toBe(3);
    expect(await listMigrations(caller.coordinator)).toEqual([]);
    expect(await listEvents(caller.coordinator)).toHaveLength(events);
  });

  test('gets one once, whoever asks how often, also at the same time', async () => {
    const caller = await newLostMove();
    const [first, second] = await Promise.all([adoptMigration(caller, { id: LOST }), adoptMigration(caller, { id: LOST })]);
    expect(second).toEqual(first);
    expect(await adoptMigration(caller, { id: LOST })).toEqual(first);
    expect((await listEvents(caller.coordinator)).filter(({ action }) => action === 'migration.adopt')).toHaveLength(1);
  });

  test('that has moved on meanwhile is looked at anew', async () => {
    const caller = await newLostMove();
    let overtaken = false;
    const racing = withCommit(caller.coordinator, async (ops) => {
      if (!overtaken) {
        overtaken = true;
        const { topology } = await readTopology(caller);
        const slots = topology.slots.map((state, slot) => (slot === 9 ? topology.slots[8]! : state));
        await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology({ ...topology, slots }) }]);
      }
      return caller.coordinator.commit(ops);
    });
    expect((await adoptMigration({ ...caller, coordinator: racing }, { id: LOST })).moves).toEqual([{ first: 3, last: 4, to: G2 }]);
  });

  test('keeps its number from others', async () => {
    const caller = await newLostMove();
    const other = await createMigration(caller, { moves: [{ first: asSlot(100), last: asSlot(100), to: G2 }] });
    expect(other.id).toBe(LOST + 1);
    expect(await caller.coordinator.read(migrationPath(LOST))).toBeNull();
  });
});

test('what no slot names is not made up', async () => {
  const caller = await newLostMove();
  expect(await refusal(caller, () => adoptMigration(caller, { id: asMigrationId(8) }))).toBe('CODIS_E_UNKNOWN_MIGRATION');
});
