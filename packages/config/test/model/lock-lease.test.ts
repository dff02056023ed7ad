import { expect, test } from 'vitest';
import {
  addServer,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  emptyTopology,
  lockSlots,
  NO_SIGHTINGS,
  nextLockDeadline,
  observeLocks,
  rollBackExpiredLocks,
  slotState,
  startMigrating,
} from '../../src/model/index.ts';

const [ONE, TWO] = [asGroupId(1), asGroupId(2)];
const MIGRATION = asMigrationId(1);
const empty = [ONE, TWO].reduce(
  (topology, group) => addServer(topology, { group, addr: asServerAddr(`h${group}:1`), role: 'master' }),
  emptyTopology(),
);
const start = assignSlots(empty, { first: asSlot(0), last: asSlot(9), owner: ONE });
const lock = (topology: typeof start, slots: number[], epoch: number, leaseMs = 100) =>
  lockSlots(topology, { slots: slots.map(asSlot), to: TWO, migration: MIGRATION, epoch: asEpoch(epoch), leaseMs });

test('a lock runs out when it has been seen for its lease, and not before', () => {
  const topology = lock(start, [1, 2], 5);
  const sightings = observeLocks(NO_SIGHTINGS, topology, 1000);
  expect(nextLockDeadline(sightings, topology)).toBe(1100);
  expect(rollBackExpiredLocks(topology, sightings, 1099)).toBeNull();
  const rolledBack = rollBackExpiredLocks(topology, sightings, 1100);
  expect(rolledBack).toEqual(start);
});

test('seeing it again does not prolong it', () => {
  const topology = lock(start, [1], 5);
  const sightings = observeLocks(observeLocks(NO_SIGHTINGS, topology, 1000), topology, 1090);
  expect(nextLockDeadline(sightings, topology)).toBe(1100);
});

test('a lock that was never seen does not run out', () => {
  const topology = lock(start, [1], 5);
  expect(nextLockDeadline(NO_SIGHTINGS, topology)).toBeNull();
  expect(rollBackExpiredLocks(topology, NO_SIGHTINGS, 1e9)).toBeNull();
});

test('the next lock of the same slot is another lock, with a lease of its own', () => {
  const first = observeLocks(NO_SIGHTINGS, lock(start, [1], 5), 1000);
  expect(observeLocks(first, start, 1050).size).toBe(0);
  const again = lock(start, [1], 7);
  const sightings = observeLocks(first, again, 1090);
  expect(rollBackExpiredLocks(again, sightings, 1150)).toBeNull();
  expect(rollBackExpiredLocks(again, sightings, 1190)).toEqual(start);
});

test('each lock has its own time: only those that ran out are undone', () => {
  const topology = lock(lock(start, [1, 5], 5), [2, 3], 6, 300);
  const sightings = observeLocks(NO_SIGHTINGS, topology, 0);
  expect(nextLockDeadline(sightings, topology)).toBe(100);
  const rolledBack = rollBackExpiredLocks(topology, sightings, 200)!;
  expect([1, 2, 3, 5].map((slot) => slotState(rolledBack, asSlot(slot)).kind)).toEqual(['online', 'locked', 'locked', 'online']);
});

test('a slot that is migrating is past its lock and never rolled back', () => {
  const topology = startMigrating(lock(start, [1], 5), { slots: [asSlot(1)], migration: MIGRATION });
  expect(observeLocks(NO_SIGHTINGS, topology, 0).size).toBe(0);
  expect(rollBackExpiredLocks(topology, new Map([[asEpoch(5), 0]]), 1e9)).toBeNull();
});
