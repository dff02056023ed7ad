// Topologies and slots for property tests.

import fc from 'fast-check';
import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  type Group,
  type GroupId,
  type Role,
  SLOT_COUNT,
  type SlotState,
  type Topology,
} from '../../src/model/index.ts';

export const groupIds = fc.uniqueArray(fc.integer({ min: 1, max: 9999 }), { minLength: 2, maxLength: 5 });

function groupOf(id: number, serversCount: number): Group {
  const role = (index: number): Role => (index === 0 ? 'master' : 'replica');
  const servers = Array.from({ length: serversCount }, (_, index) => ({
    addr: asServerAddr(`host-${id}-${index}:6379`),
    role: role(index),
    ...(index % 2 === 1 ? { zone: `az-${id % 3}` } : {}),
    ...(index > 1 ? { replicaReads: false as const } : {}),
  }));
  return { id: asGroupId(id), servers };
}

function stateIn(ids: readonly GroupId[]): fc.Arbitrary<SlotState> {
  const move = fc.shuffledSubarray([...ids], { minLength: 2, maxLength: 2 }).map(([from, to]) => ({ from: from!, to: to! }));
  const migration = fc.integer({ min: 1, max: 1000 }).map(asMigrationId);
  const lock = fc.record({ epoch: fc.nat(100_000).map(asEpoch), leaseMs: fc.integer({ min: 1, max: 60_000 }) });
  return fc.oneof(
    fc.constant<SlotState>({ kind: 'offline' }),
    fc.constantFrom(...ids).map((owner): SlotState => ({ kind: 'online', owner })),
    fc.tuple(move, migration).map(([sides, id]): SlotState => ({ kind: 'migrating', ...sides, migration: id })),
    fc.tuple(move, migration, lock).map(([sides, id, rest]): SlotState => ({ kind: 'locked', ...sides, migration: id, ...rest })),
  );
}

/** Any topology that keeps its invariants: a few runs of slots in a few states. */
export const topologies: fc.Arbitrary<Topology> = groupIds.chain((numbers) => {
  const groups = numbers.toSorted((a, b) => a - b).map((id, index) => groupOf(id, index + 1));
  const ids = groups.map(({ id }) => id);
  const run = fc.tuple(stateIn(ids), fc.integer({ min: 1, max: 300 }));
  return fc.array(run, { minLength: 1, maxLength: 30 }).map((runs) => {
    const slots = runs.flatMap(([state, length]) => new Array<SlotState>(length).fill(state)).slice(0, SLOT_COUNT);
    while (slots.length < SLOT_COUNT) slots.push({ kind: 'offline' });
    return { slots, groups };
  });
});

export const anySlot = fc.nat(SLOT_COUNT - 1).map(asSlot);
