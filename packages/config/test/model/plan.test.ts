import { describe, expect, test } from 'vitest';
import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asPlanId,
  asSlot,
  decodePlan,
  encodePlan,
  goalText,
  normalGoal,
  type Plan,
  type PlanGoal,
  planState,
} from '../../src/model/index.ts';

const [ONE, TWO, THREE] = [asGroupId(1), asGroupId(2), asGroupId(3)];
const move = { first: asSlot(0), last: asSlot(9), to: TWO };
const plan = (over: Partial<Plan> = {}): Plan => ({
  id: asPlanId(3),
  goal: { kind: 'move', moves: [move] },
  epoch: asEpoch(7),
  moves: [{ ...move, from: ONE, keysCount: 12, bytes: null }],
  estimate: {
    slotsCount: 10,
    keysCount: 12,
    bytes: null,
    durationMs: 5,
    groups: [{ group: ONE, slotsBefore: 10, slotsAfter: 0, memoryBytes: 1, memoryAfterBytes: null, maxMemoryBytes: 0 }],
    balance: { before: 50, after: 100 },
    biggestKeys: [{ key: '"k"', slot: asSlot(3), db: 0, bytes: 9 }],
    warnings: ['w'],
    basis: ['b'],
  },
  migration: null,
  actor: 'alice',
  createdAt: '2026-01-01T00:00:00.000Z',
  ...over,
});

const goals: PlanGoal[] = [
  { kind: 'move', moves: [move] },
  { kind: 'rebalance', by: 'memory', weights: [{ group: TWO, weight: 3 }] },
  { kind: 'drain', group: ONE, by: 'keys' },
];

describe('a plan', () => {
  test.each(goals)('for %j is read as it was written', (goal) => {
    expect(decodePlan(encodePlan(plan({ goal })))).toEqual(plan({ goal }));
  });

  test('of an older version says nothing of the balance', () => {
    const { balance: _, ...estimate } = plan().estimate;
    expect(decodePlan(Buffer.from(JSON.stringify({ ...plan(), estimate }))).estimate.balance).toBeNull();
  });

  test.each([
    ['no JSON', '{'],
    ['another goal', JSON.stringify({ ...plan(), goal: { kind: 'shuffle' } })],
    ['another measure', JSON.stringify({ ...plan(), goal: { kind: 'drain', group: 1, by: 'colour' } })],
    ['a range that runs backwards', JSON.stringify({ ...plan(), moves: [{ ...plan().moves[0], last: 0, first: 5 }] })],
    ['slot 1024', JSON.stringify({ ...plan(), moves: [{ ...plan().moves[0], last: 1024 }] })],
    ['an estimate without warnings', JSON.stringify({ ...plan(), estimate: { ...plan().estimate, warnings: undefined } })],
    ['fewer keys than none', JSON.stringify({ ...plan(), moves: [{ ...plan().moves[0], keysCount: -1 }] })],
    ['no actor', JSON.stringify({ ...plan(), actor: undefined })],
  ])('with %s is corrupt', (_, text) => {
    expect(() => decodePlan(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_CORRUPT' }));
  });

  test('is pending at its epoch, stale at any other, and applied for good', () => {
    expect(planState(plan(), asEpoch(7))).toBe('pending');
    expect(planState(plan(), asEpoch(8))).toBe('stale');
    expect(planState(plan(), null)).toBe('stale');
    expect(planState(plan({ migration: asMigrationId(1) }), asEpoch(8))).toBe('applied');
  });
});

describe('a goal', () => {
  const rebalance = (...weights: [group: typeof ONE, weight: number][]): PlanGoal => ({
    kind: 'rebalance',
    by: 'slots',
    weights: weights.map(([group, weight]) => ({ group, weight })),
  });

  test('has one spelling, whatever the order of its weights', () => {
    expect(normalGoal(rebalance([THREE, 2], [TWO, 1], [ONE, 0]))).toEqual(rebalance([ONE, 0], [THREE, 2]));
    expect(JSON.stringify(normalGoal({ by: 'slots', group: ONE, kind: 'drain' }))).toBe('{"kind":"drain","group":1,"by":"slots"}');
  });

  test.each([
    ['two weights for a group', rebalance([ONE, 2], [ONE, 3])],
    ['a weight below zero', rebalance([ONE, -1])],
    ['half a weight', rebalance([ONE, 0.5])],
    ['a weight above the largest', rebalance([ONE, 1001])],
  ])('with %s is refused', (_, goal) => {
    expect(() => normalGoal(goal)).toThrow(expect.objectContaining({ code: 'CODIS_E_BAD_REQUEST' }));
  });

  test('is said in words', () => {
    expect(goals.map(goalText)).toEqual([
      'move slots 0-9 to group 2',
      'rebalance by memory, group 2 with weight 3',
      'drain group 1 by keys',
    ]);
  });
});
