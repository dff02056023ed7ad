// The doors between the states of a slot: each opens from one state only, and none leaves a topology that breaks its invariants.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addServer,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  CodisError,
  checkTopology,
  completeMove,
  type ErrorCode,
  emptyTopology,
  lockSlots,
  offlineSlots,
  type SlotState,
  slotState,
  slotsWhere,
  startMigrating,
  type Topology,
  unlockSlots,
} from '../../src/model/index.ts';

const [ONE, TWO, BARE] = [asGroupId(1), asGroupId(2), asGroupId(3)];
const [MINE, OTHER] = [asMigrationId(1), asMigrationId(2)];
const SLOT = asSlot(7);
const only = { first: SLOT, last: SLOT };

const groups: Topology = {
  ...addServer(addServer(emptyTopology(), { group: ONE, addr: asServerAddr('a:1'), role: 'master' }), {
    group: TWO,
    addr: asServerAddr('b:1'),
    role: 'master',
  }),
};
const base: Topology = { ...groups, groups: [...groups.groups, { id: BARE, servers: [] }] };

const DOORS = {
  assign: (topology: Topology) => assignSlots(topology, { ...only, owner: ONE }),
  offline: (topology: Topology) => offlineSlots(topology, only),
  lock: (topology: Topology) => lockSlots(topology, { slots: [SLOT], to: TWO, migration: MINE, epoch: asEpoch(5), leaseMs: 100 }),
  startMigrating: (topology: Topology) => startMigrating(topology, { slots: [SLOT], migration: MINE }),
  completeMove: (topology: Topology) => completeMove(topology, { slots: [SLOT], migration: MINE }),
  unlock: (topology: Topology) => unlockSlots(topology, { slots: [SLOT], migration: MINE }),
};
type Door = keyof typeof DOORS;

const move = { from: ONE, to: TWO, migration: MINE };
const STATES = {
  offline: { kind: 'offline' },
  online: { kind: 'online', owner: ONE },
  locked: { kind: 'locked', ...move, epoch: asEpoch(5), leaseMs: 100 },
  migrating: { kind: 'migrating', ...move },
  arrived: { kind: 'online', owner: TWO },
  'locked by another': { kind: 'locked', ...move, migration: OTHER, epoch: asEpoch(4), leaseMs: 100 },
  'migrating by another': { kind: 'migrating', ...move, migration: OTHER },
} as const satisfies Record<string, SlotState>;
type StateName = keyof typeof STATES;

const topologyIn = (state: SlotState): Topology => ({ ...base, slots: base.slots.with(SLOT, state) });

/** Where each door leads from each state: a state, or the error it refuses with. */
const TABLE: Record<StateName, Record<Door, StateName | ErrorCode>> = {
  offline: {
    assign: 'online',
    offline: 'offline',
    lock: 'CODIS_E_SLOT_OFFLINE',
    startMigrating: 'CODIS_E_CONFLICT',
    completeMove: 'CODIS_E_CONFLICT',
    unlock: 'CODIS_E_CONFLICT',
  },
  online: {
    assign: 'online',
    offline: 'offline',
    lock: 'locked',
    startMigrating: 'CODIS_E_CONFLICT',
    completeMove: 'CODIS_E_CONFLICT',
    unlock: 'CODIS_E_CONFLICT',
  },
  locked: {
    assign: 'CODIS_E_SLOT_IN_MOVE',
    offline: 'CODIS_E_SLOT_IN_MOVE',
    lock: 'CODIS_E_SLOT_IN_MOVE',
    startMigrating: 'migrating',
    completeMove: 'CODIS_E_CONFLICT',
    unlock: 'online',
  },
  migrating: {
    assign: 'CODIS_E_SLOT_IN_MOVE',
    offline: 'CODIS_E_SLOT_IN_MOVE',
    lock: 'CODIS_E_SLOT_IN_MOVE',
    startMigrating: 'CODIS_E_CONFLICT',
    completeMove: 'arrived',
    unlock: 'CODIS_E_CONFLICT',
  },
  arrived: {
    assign: 'CODIS_E_SLOT_ONLINE',
    offline: 'offline',
    lock: 'CODIS_E_CONFLICT',
    startMigrating: 'CODIS_E_CONFLICT',
    completeMove: 'CODIS_E_CONFLICT',
    unlock: 'CODIS_E_CONFLICT',
  },
  'locked by another': {
    assign: 'CODIS_E_SLOT_IN_MOVE',
    offline: 'CODIS_E_SLOT_IN_MOVE',
    lock: 'CODIS_E_SLOT_IN_MOVE',
    startMigrating: 'CODIS_E_CONFLICT',
    completeMove: 'CODIS_E_CONFLICT',
    unlock: 'CODIS_E_CONFLICT',
  },
  'migrating by another': {
    assign: 'CODIS_E_SLOT_IN_MOVE',
    offline: 'CODIS_E_SLOT_IN_MOVE',
    lock: 'CODIS_E_SLOT_IN_MOVE',
    startMigrating: 'CODIS_E_CONFLICT',
    completeMove: 'CODIS_E_CONFLICT',
    unlock: 'CODIS_E_CONFLICT',
  },
};

const CASES = Object.entries(TABLE).flatMap(([state, doors]) =>
  Object.entries(doors).map(([door, outcome]) => [state as StateName, door as Door, outcome] as const),
);

test.each(CASES)('from %s, %s gives %s', (state, door, outcome) => {
  const topology = topologyIn(STATES[state]);
  const before = structuredClone(topology);
  if (outcome in STATES) expect(slotState(DOORS[door](topology), SLOT)).toEqual(STATES[outcome as StateName]);
  else expect(() => DOORS[door](topology)).toThrow(expect.objectContaining({ code: outcome }));
  expect(topology).toEqual(before);
});

describe('changes of many slots', () => {
  test('are all or nothing', () => {
    const topology = assignSlots(base, { first: asSlot(0), last: asSlot(1), owner: ONE });
    const lock = { to: TWO, migration: MINE, epoch: asEpoch(1), leaseMs: 1 };
    expect(() => lockSlots(topology, { ...lock, slots: [asSlot(0), asSlot(2)] })).toThrow(/slot 2/);
    const locked = lockSlots(topology, { ...lock, slots: [asSlot(0), asSlot(1)] });
    expect(slotsWhere(locked, ({ kind }) => kind === 'locked')).toEqual([0, 1]);
  });

  test('touch no other slot', () => {
    const topology = assignSlots(base, { first: asSlot(10), last: asSlot(20), owner: ONE });
    expect(topology.slots.filter(({ kind }) => kind === 'online').length).toBe(11);
    expect(slotState(topology, asSlot(9)).kind).toBe('offline');
    expect(slotState(topology, asSlot(21)).kind).toBe('offline');
  });

  test('a range that runs backwards is refused', () => {
    const backwards = { first: asSlot(2), last: asSlot(1) };
    expect(() => assignSlots(base, { ...backwards, owner: ONE })).toThrow(expect.objectContaining({ code: 'CODIS_E_BAD_SLOT' }));
    expect(() => offlineSlots(base, backwards)).toThrow(expect.objectContaining({ code: 'CODIS_E_BAD_SLOT' }));
  });

  test('a group that is missing or has no master gets no slot', () => {
    const missing = asGroupId(9);
    const lock = { slots: [SLOT], migration: MINE, epoch: asEpoch(1), leaseMs: 1 };
    expect(() => assignSlots(base, { ...only, owner: BARE })).toThrow(expect.objectContaining({ code: 'CODIS_E_NO_MASTER' }));
    expect(() => assignSlots(base, { ...only, owner: missing })).toThrow(expect.objectContaining({ code: 'CODIS_E_UNKNOWN_GROUP' }));
    const topology = topologyIn(STATES.online);
    expect(() => lockSlots(topology, { ...lock, to: BARE })).toThrow(expect.objectContaining({ code: 'CODIS_E_NO_MASTER' }));
    expect(() => lockSlots(topology, { ...lock, to: missing })).toThrow(expect.objectContaining({ code: 'CODIS_E_UNKNOWN_GROUP' }));
    const fromBare = topologyIn({ kind: 'online', owner: BARE });
    expect(() => lockSlots(fromBare, { ...lock, to: TWO })).toThrow(expect.objectContaining({ code: 'CODIS_E_NO_MASTER' }));
  });
});

test('whatever is tried in whatever order, the invariants of a topology hold', () => {
  const slots = fc.uniqueArray(fc.nat(4).map(asSlot), { minLength: 1, maxLength: 4 });
  const range = fc.tuple(fc.nat(4), fc.nat(4)).map(([first, last]) => ({ first: asSlot(first), last: asSlot(last) }));
  const group = fc.constantFrom(ONE, TWO, BARE);
  const migration = fc.constantFrom(MINE, OTHER);
  type Change = (topology: Topology, epoch: number) => Topology;
  const changes: fc.Arbitrary<Change> = fc.oneof(
    fc.tuple(range, group).map(
      ([at, owner]): Change =>
        (topology) =>
          assignSlots(topology, { ...at, owner }),
    ),
    range.map(
      (at): Change =>
        (topology) =>
          offlineSlots(topology, at),
    ),
    fc.tuple(slots, group, migration).map(
      ([list, to, id]): Change =>
        (topology, epoch) =>
          lockSlots(topology, { slots: list, to, migration: id, epoch: asEpoch(epoch), leaseMs: 1 }),
    ),
    fc.tuple(slots, migration).map(
      ([list, id]): Change =>
        (topology) =>
          startMigrating(topology, { slots: list, migration: id }),
    ),
    fc.tuple(slots, migration).map(
      ([list, id]): Change =>
        (topology) =>
          completeMove(topology, { slots: list, migration: id }),
    ),
    fc.tuple(slots, migration).map(
      ([list, id]): Change =>
        (topology) =>
          unlockSlots(topology, { slots: list, migration: id }),
    ),
  );
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 60, size: 'max' }), (sequence) => {
      let topology = assignSlots(base, { first: asSlot(0), last: asSlot(4), owner: ONE });
      for (const [n, change] of sequence.entries()) {
        try {
          topology = change(topology, n + 1);
        } catch (error) {
          expect(error).toBeInstanceOf(CodisError);
        }
        checkTopology(topology);
      }
    }),
  );
});
