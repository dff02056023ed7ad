import { describe, expect, test } from 'vitest';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  assignSlots,
  differingMoves,
  emptyTopology,
  type Move,
} from '../../src/model/index.ts';

const [ONE, TWO, THREE] = [asGroupId(1), asGroupId(2), asGroupId(3)];
const move = (first: number, last: number, to = TWO): Move => ({ first: asSlot(first), last: asSlot(last), to });
const topology = [ONE, TWO, THREE].reduce(
  (grown, group) => addServer(grown, { group, addr: asServerAddr(`127.0.0.1:${group}`), role: 'master' }),
  emptyTopology(),
);
const assigned = assignSlots(assignSlots(topology, { first: asSlot(0), last: asSlot(9), owner: ONE }), {
  first: asSlot(10),
  last: asSlot(19),
  owner: THREE,
});

describe('the difference between two ways', () => {
  test('is nothing when they move the same slots, however they are cut', () => {
    expect(differingMoves(assigned, { planned: [move(0, 4), move(5, 9)], now: [move(0, 9)] })).toEqual([]);
  });

  test('is told in runs of slots that are at one group and differ in the same way', () => {
    const planned = [move(0, 5), move(8, 12)];
    const now = [move(0, 2), move(3, 4, THREE), move(8, 8)];
    expect(differingMoves(assigned, { planned, now })).toEqual([
      { first: 3, last: 4, from: 1, planned: 2, now: 3 },
      { first: 5, last: 5, from: 1, planned: 2, now: null },
      { first: 9, last: 9, from: 1, planned: 2, now: null },
      { first: 10, last: 12, from: 3, planned: 2, now: null },
    ]);
  });

  test('has slots that only one of them moves, in order, also those of nobody', () => {
    expect(differingMoves(assigned, { planned: [move(30, 30)], now: [move(1, 1)] })).toEqual([
      { first: 1, last: 1, from: 1, planned: null, now: 2 },
      { first: 30, last: 30, from: null, planned: 2, now: null },
    ]);
  });
});
