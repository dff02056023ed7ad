// Goal: a rebalance is balanced, moves as few slots as can be, and never touches what is not its own.
// Method: properties over any topology; the least number of moves is held against a bound that is derived from the counts alone, not from the planner.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addGroup,
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  drain,
  emptyTopology,
  type Group,
  type GroupId,
  type Migration,
  masterOf,
  type PlannedMove,
  plannedMoves,
  rebalance,
  SLOT_COUNT,
  type SlotState,
  slotState,
  type Topology,
  targets,
} from '../../src/model/index.ts';
import { topologies } from './arbitraries.ts';

const NO_RUN: readonly Pick<Migration, 'moves'>[] = [];

/** Groups 1..n with masters, and slots online by their counts. */
function clusterOf(counts: readonly number[]): Topology {
  const groups = counts.map(
    (_, index): Group => ({
      id: asGroupId(index + 1),
      servers: [{ addr: asServerAddr(`host${index}:1`), role: 'master' }],
    }),
  );
  const owners = counts.flatMap((count, index) => new Array<SlotState>(count).fill({ kind: 'online', owner: asGroupId(index + 1) }));
  return { groups, slots: [...owners, ...new Array<SlotState>(SLOT_COUNT - owners.length).fill({ kind: 'offline' })] };
}

function applied(topology: Topology, moves: readonly PlannedMove[]): Topology {
  const slots = topology.slots.slice();
  for (const [slot, to] of targets({ moves })) slots[slot] = { kind: 'online', owner: to };
  return { ...topology, slots };
}

/** Slots per group as they will be when every move is over. */
function countsOf(topology: Topology): Map<GroupId, number> {
  const counts = new Map(topology.groups.map(({ id }) => [id, 0]));
  for (const state of topology.slots) {
    const id = state.kind === 'offline' ? null : state.kind === 'online' ? state.owner : state.to;
    if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

const movedSlots = (moves: readonly PlannedMove[]) => [...targets({ moves })].map(([slot]) => slot);

/** Several groups with any number of slots each, online everywhere or with a rest that is offline; shuffled into runs. */
const clusters = fc
  .record({
    cuts: fc.array(fc.nat(SLOT_COUNT), { minLength: 1, maxLength: 8 }),
    order: fc.array(fc.tuple(fc.nat(SLOT_COUNT - 1), fc.nat(SLOT_COUNT - 1)), { maxLength: 40 }),
  })
  .map(({ cuts, order }) => {
    const ends = [0, ...cuts.toSorted((a, b) => a - b)];
    const topology = clusterOf(ends.slice(1).map((end, index) => end - (ends[index] ?? 0)));
    const slots = topology.slots.slice();
    for (const [a, b] of order) [slots[a], slots[b]] = [slots[b] as SlotState, slots[a] as SlotState];
    return { ...topology, slots };
  });

const weightsOf = (topology: Topology, list: readonly number[]) =>
  new Map(topology.groups.map(({ id }, index) => [id, list[index % list.length] ?? 1]));
const weightLists = fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }).filter((list) => (list[0] ?? 0) > 0);

describe('a rebalance by slots', () => {
  test('leaves every group within one slot of its weighted share, with the fewest moves that can do it', () => {
    fc.assert(
      fc.property(clusters, weightLists, (topology, list) => {
        const weights = weightsOf(topology, list);
        const moves = rebalance({ topology, weights });
        const before = countsOf(topology);
        const after = countsOf(applied(topology, moves));
        const total = [...before.values()].reduce((sum, count) => sum + count, 0);
        const weightSum = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
        let mustGive = 0;
        let mustTake = 0;
        for (const [id, count] of before) {
          const share = (total * (weights.get(id) ?? 0)) / weightSum;
          expect(Math.abs((after.get(id) ?? 0) - share)).toBeLessThan(1);
          mustGive += Math.max(0, count - Math.ceil(share));
          mustTake += Math.max(0, Math.floor(share) - count);
        }
        expect(movedSlots(moves)).toHaveLength(Math.max(mustGive, mustTake));
      }),
      { numRuns: 500 },
    );
  });

  test('of three groups and a new one takes a quarter of the slots, one run from each', () => {
    expect(rebalance({ topology: clusterOf([342, 341, 341, 0]) })).toEqual([
      { first: 256, last: 341, from: 1, to: 4 },
      { first: 598, last: 682, from: 2, to: 4 },
      { first: 939, last: 1023, from: 3, to: 4 },
    ]);
  });

  test('of what is even moves nothing', () => {
    expect(rebalance({ topology: clusterOf([342, 341, 341]) })).toEqual([]);
    expect(rebalance({ topology: clusterOf([341, 341, 342]) })).toEqual([]);
    expect(rebalance({ topology: emptyTopology() })).toEqual([]);
  });

  test('has nobody to give to when every weight is 0, and knows no weight of a group that is not there', () => {
    const topology = clusterOf([512, 512]);
    const weights = new Map([
      [asGroupId(1), 0],
      [asGroupId(2), 0],
    ]);
    expect(() => rebalance({ topology, weights })).toThrow(/no group is left/);
    expect(() => rebalance({ topology, weights: new Map([[asGroupId(9), 1]]) })).toThrow(/there is no group 9/);
  });

  test('counts slots that are under way where they will be, and leaves them alone', () => {
    const topology = clusterOf([512, 512, 0]);
    const running = [{ moves: [{ first: asSlot(0), last: asSlot(199), to: asGroupId(3) }] }];
    const moves = rebalance({ topology, running });
    expect(Math.min(...movedSlots(moves))).toBeGreaterThan(199);
    expect(
      [...countsOf(applied(applied(topology, plannedMoves(topology, running[0]!.moves)), moves)).values()].toSorted((a, b) => a - b),
    ).toEqual([341, 341, 342]);
  });

  test('passes over a group without a master, both ways', () => {
    const topology = addGroup(clusterOf([1000, 24]), asGroupId(3));
    const headless = { ...topology, groups: topology.groups.map((group) => (group.id === 2 ? { ...group, servers: [] } : group)) };
    expect(rebalance({ topology: headless })).toEqual([]);
    expect([...new Set(rebalance({ topology }).map(({ to }) => to))]).toEqual([2]);
  });
});

const costLists = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 50 });
const kinds = fc.record({ weights: weightLists, costs: fc.option(costLists, { nil: undefined }), drained: fc.boolean() });

describe('whatever the topology, the weights and the costs, a plan', () => {
  const plan = (
    topology: Topology,
    { weights, costs, drained }: { weights: number[]; costs: number[] | undefined; drained: boolean },
    running = NO_RUN,
  ) => {
    const costsBySlot = costs && Array.from({ length: SLOT_COUNT }, (_, slot) => costs[(slot * 7) % costs.length] ?? 0);
    const group = topology.groups[0]!.id;
    if (drained) return drain({ topology, costs: costsBySlot, running, group });
    return rebalance({ topology, weights: weightsOf(topology, weights), costs: costsBySlot, running });
  };

  test('moves each slot once, from the group that owns it to another with a master, and nothing that is in a move, offline or asked for', () => {
    fc.assert(
      fc.property(topologies, kinds, fc.nat(SLOT_COUNT - 1), (topology, kind, slot) => {
        const to = topology.groups.at(-1)!.id;
        const running = [{ moves: [{ first: asSlot(slot), last: asSlot(Math.min(slot + 20, SLOT_COUNT - 1)), to }] }];
        const moves = plan(topology, kind, running);
        expect(new Set(movedSlots(moves)).size).toBe(movedSlots(moves).length);
        const busy = new Set([...targets(running[0]!)].map(([taken]) => taken));
        for (const { from, to: target, ...range } of moves) {
          expect(from).not.toBe(target);
          expect(masterOf(topology.groups.find(({ id }) => id === target)!)).toBeDefined();
          for (const moved of movedSlots([{ ...range, from, to: target }])) {
            expect(slotState(topology, moved)).toEqual({ kind: 'online', owner: from });
            expect(busy.has(moved)).toBe(false);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is the same when asked again, and leaves nothing to do', () => {
    fc.assert(
      fc.property(topologies, kinds, (topology, kind) => {
        const moves = plan(topology, kind);
        expect(plan(topology, kind)).toEqual(moves);
        expect(plan(applied(topology, moves), kind)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a rebalance by what slots weigh', () => {
  const loadsOf = (topology: Topology, costs: readonly number[]) => {
    const loads = new Map(topology.groups.map(({ id }) => [id, 0]));
    for (const [slot, state] of topology.slots.entries()) {
      if (state.kind === 'online') loads.set(state.owner, (loads.get(state.owner) ?? 0) + (costs[slot] ?? 0));
    }
    return loads;
  };

  test('leaves no group further from its share than the heaviest slot weighs', () => {
    fc.assert(
      fc.property(clusters, weightLists, costLists, (topology, list, some) => {
        const costs = Array.from({ length: SLOT_COUNT }, (_, slot) => some[(slot * 13) % some.length] ?? 0);
        const weights = weightsOf(topology, list);
        const loads = loadsOf(applied(topology, rebalance({ topology, weights, costs })), costs);
        const total = [...loads.values()].reduce((sum, load) => sum + load, 0);
        const weightSum = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
        for (const [id, load] of loads) {
          const share = (total * (weights.get(id) ?? 0)) / weightSum;
          expect(Math.abs(load - share)).toBeLessThanOrEqual(Math.max(...costs) + 2);
          if (weights.get(id) === 0) expect(load).toBe(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('moves the few heavy slots and not the many light ones', () => {
    const topology = clusterOf([512, 512]);
    const costs = Array.from({ length: SLOT_COUNT }, (_, slot) => (slot < 4 ? 1000 : 1));
    expect(movedSlots(rebalance({ topology, costs }))).toHaveLength(2);
  });

  test('spreads empty slots as a rebalance by slots does', () => {
    const topology = clusterOf([512, 512, 0]);
    const after = countsOf(applied(topology, rebalance({ topology, costs: new Array<number>(SLOT_COUNT).fill(0) })));
    expect([...after.values()].toSorted((a, b) => a - b)).toEqual([341, 341, 342]);
  });

  test('takes neighbours where they weigh about the same', () => {
    const costs = Array.from({ length: SLOT_COUNT }, (_, slot) => 1000 + ((slot * 37) % 50));
    expect(rebalance({ topology: clusterOf([342, 341, 341, 0]), costs }).length).toBeLessThanOrEqual(6);
  });
});

describe('a drain', () => {
  test('empties the group, takes nothing from others, and fills those first that have least', () => {
    fc.assert(
      fc.property(clusters, (topology) => {
        fc.pre(topology.groups.length > 1);
        const [group] = topology.groups.map(({ id }) => id) as [GroupId];
        const before = countsOf(topology);
        const after = countsOf(applied(topology, drain({ topology, group })));
        expect(after.get(group)).toBe(0);
        const others = [...after].filter(([id]) => id !== group);
        for (const [id, count] of others) {
          expect(count).toBeGreaterThanOrEqual(before.get(id) ?? 0);
          if (count > (before.get(id) ?? 0)) expect(count).toBeLessThanOrEqual(Math.min(...others.map(([, other]) => other)) + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('needs another group that has a master, a master of its own, and a group', () => {
    expect(() => drain({ topology: clusterOf([1024]), group: asGroupId(1) })).toThrow(/no group is left/);
    expect(() => drain({ topology: clusterOf([1024]), group: asGroupId(2) })).toThrow(/there is no group 2/);
    const topology = addServer(addGroup(emptyTopology(), asGroupId(1)), { group: asGroupId(2), addr: asServerAddr('a:1'), role: 'master' });
    expect(() => drain({ topology, group: asGroupId(1) })).toThrow(/group 1 has no master/);
    expect(drain({ topology, group: asGroupId(2) })).toEqual([]);
  });
});

test('asked-for moves are split by where the slots are, without those that are there already', () => {
  const topology = clusterOf([400, 400, 224]);
  expect(plannedMoves(topology, [{ first: asSlot(390), last: asSlot(900), to: asGroupId(2) }])).toEqual([
    { first: 390, last: 399, from: 1, to: 2 },
    { first: 800, last: 900, from: 3, to: 2 },
  ]);
});
