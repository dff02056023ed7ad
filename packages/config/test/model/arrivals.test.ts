// What a migration has moved, and what goes back where it came from.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Arrival,
  addServer,
  arrivalsOf,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  checkWayBack,
  completeMove,
  decodeArrivals,
  emptyTopology,
  type GroupId,
  lastMoves,
  lockSlots,
  movesBack,
  offlineSlots,
  type Slot,
  startMigrating,
  type Topology,
  targets,
  verificationOf,
  verificationText,
} from '../../src/model/index.ts';
import { lastMoveRuns } from '../../src/status/index.ts';

const [ONE, TWO, THREE] = [asGroupId(1), asGroupId(2), asGroupId(3)];
const [ID, OTHER] = [asMigrationId(4), asMigrationId(5)];
const AT = '2026-01-01T00:00:00.000Z';
const slots = (...numbers: number[]): Slot[] => numbers.map((number) => asSlot(number));
const start = [ONE, TWO, THREE].reduce(
  (topology, group) => addServer(topology, { group, addr: asServerAddr(`host${group}:1`), role: 'master' }),
  emptyTopology(),
);
const all = assignSlots(start, { first: asSlot(0), last: asSlot(99), owner: ONE });

const locked = (topology: Topology, which: Slot[], to: GroupId = TWO, migration = ID) =>
  lockSlots(topology, { slots: which, to, migration, epoch: asEpoch(7), leaseMs: 100 });
const migrating = (topology: Topology, which: Slot[], to: GroupId = TWO, migration = ID) =>
  startMigrating(locked(topology, which, to, migration), { slots: which, migration });
const moved = (topology: Topology, which: Slot[], to: GroupId = TWO, migration = ID) =>
  completeMove(migrating(topology, which, to, migration), { slots: which, migration });

test('slots that arrive together are kept as runs', () => {
  const arrival = { from: ONE, to: TWO, at: AT, looked: 10 };
  expect(arrivalsOf(slots(0, 1, 2, 5, 7, 8), arrival)).toEqual([
    { first: 0, last: 2, ...arrival },
    { first: 5, last: 5, ...arrival },
    { first: 7, last: 8, ...arrival },
  ]);
});

describe('what goes back', () => {
  const arrivals = arrivalsOf(slots(0, 1, 2, 3), { from: ONE, to: TWO, at: AT, looked: 10 });
  const topology = locked(migrating(moved(all, slots(0, 1, 2, 3)), slots(4, 5)), slots(6));
  const job = { id: ID, arrivals };

  test('of those under way: what is locked and what is between two groups', () => {
    expect(movesBack(topology, job, 'current')).toEqual([{ first: 4, last: 6, to: ONE }]);
    expect(movesBack(all, { id: ID, arrivals: [] }, 'current')).toEqual([]);
  });

  test('of all: what has moved too, but not what another has moved on or somebody took offline', () => {
    expect(movesBack(topology, job, 'all')).toEqual([{ first: 0, last: 6, to: ONE }]);
    const later = moved(offlineSlots(topology, { first: asSlot(0), last: asSlot(0) }), slots(2), THREE, OTHER);
    expect(movesBack(migrating(later, slots(3), THREE, OTHER), job, 'all')).toEqual([
      { first: 1, last: 1, to: ONE },
      { first: 4, last: 6, to: ONE },
    ]);
  });

  test('has somewhere to go, or that is said', () => {
    const gone = { ...topology, groups: topology.groups.filter(({ id }) => id !== ONE) };
    const moves = movesBack(topology, job, 'all');
    expect(() => checkWayBack(topology, moves)).not.toThrow();
    expect(() => checkWayBack(gone, moves)).toThrow('slots 0-6 came from group 1, and there is no group 1 any more');
    const masterless = { ...topology, groups: [{ id: ONE, servers: [] }] };
    expect(() => checkWayBack(masterless, moves)).toThrow('slots 0-6 came from group 1, which has no master now');
  });

  test('is every slot once, where it was before, whatever has arrived and what has not', () => {
    const stage = fc.constantFrom('waiting', 'locked', 'migrating', 'arrived');
    const owner = fc.constantFrom(ONE, THREE);
    fc.assert(
      fc.property(fc.array(fc.record({ stage, owner }), { minLength: 1, maxLength: 30 }), (each) => {
        let now = start;
        const records: Arrival[] = [];
        for (const [number, { owner }] of each.entries()) {
          now = assignSlots(now, { first: asSlot(number), last: asSlot(number), owner });
        }
        for (const [number, { stage, owner }] of each.entries()) {
          const [slot] = slots(number);
          if (stage === 'locked') now = locked(now, [slot!]);
          if (stage === 'migrating') now = migrating(now, [slot!]);
          if (stage !== 'arrived') continue;
          now = moved(now, [slot!]);
          records.push(...arrivalsOf([slot!], { from: owner, to: TWO, at: AT, looked: 10 }));
        }
        const back = (which: 'current' | 'all') => [...targets({ moves: movesBack(now, { id: ID, arrivals: records }, which) })];
        const expected = (...stages: string[]) =>
          each.flatMap(({ stage, owner }, number) => (stages.includes(stage) ? [[number, owner]] : []));
        expect(back('current')).toEqual(expected('locked', 'migrating'));
        expect(back('all')).toEqual(expected('locked', 'migrating', 'arrived'));
      }),
    );
  });
});

test('the last move of a slot is its newest, whichever record it stands in', () => {
  const by = (first: number, last: number, at: string, from: GroupId, to: GroupId) => ({
    ...arrivalsOf(slots(first), { from, to, at, looked: 0 })[0]!,
    last: asSlot(last),
  });
  const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
  const moves = lastMoves([
    { id: OTHER, arrivals: [by(2, 4, early, TWO, THREE), by(6, 6, late, TWO, ONE)] },
    { id: ID, arrivals: [by(0, 3, late, ONE, TWO), by(6, 6, late, ONE, TWO)] },
  ]);
  expect(lastMoveRuns(moves)).toEqual([
    { first: 0, last: 3, migration: ID, from: ONE, to: TWO, at: late },
    { first: 4, last: 4, migration: OTHER, from: TWO, to: THREE, at: early },
    { first: 6, last: 6, migration: OTHER, from: TWO, to: ONE, at: late },
  ]);
});

test('what was proved is told in one sentence', () => {
  const batch = (first: number, at: string, looked: number | null) =>
    arrivalsOf(slots(first, first + 1, first + 5), { from: ONE, to: TWO, at, looked });
  expect(verificationText(verificationOf([]))).toBeNull();
  expect(verificationOf([...batch(0, AT, 10), ...batch(10, 'later', 7), ...batch(20, 'last', null)])).toEqual({
    slotsCount: 9,
    batchesCount: 3,
    keysLooked: 17,
    withoutPassCount: 1,
  });
  expect(verificationText(verificationOf(batch(0, AT, 1)))).toBe(
    '3 slots arrived in 1 batch; 1 ended with a pass over all of the source that found no key of it (1 key looked at)',
  );
  expect(verificationText(verificationOf(batch(0, AT, null)))).toBe(
    '3 slots arrived in 1 batch; 1 had all handed over that the source had, and nothing had been written there since it was looked through',
  );
});

test('a record of an older version has none, and nonsense is refused', () => {
  expect(decodeArrivals(undefined)).toEqual([]);
  const [arrival] = arrivalsOf(slots(3), { from: ONE, to: TWO, at: AT, looked: 10 });
  expect(decodeArrivals(JSON.parse(JSON.stringify([arrival])))).toEqual([arrival]);
  for (const bad of [{}, [{ ...arrival, at: 7 }], [{ ...arrival, first: -1 }]]) expect(() => decodeArrivals(bad)).toThrow();
});
