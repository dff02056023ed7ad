// What a plan is reckoned with.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  assignSlots,
  balanceOf,
  blockingOf,
  durationAt,
  emptyTopology,
  rebalance,
  UNTHROTTLED,
} from '../../src/model/index.ts';

const [ONE, TWO, THREE] = [asGroupId(1), asGroupId(2), asGroupId(3)];
const at = (over: Partial<typeof UNTHROTTLED>, keysCount: number | null = 100_000, bytes: number | null = 10_000_000) =>
  durationAt({ keysCount, bytes }, { ...UNTHROTTLED, ...over });

describe('how long keys take', () => {
  test('is what the slower of keys and bytes takes at full speed, and more with each limit', () => {
    expect(at({})).toBe(2000);
    expect(at({}, 100, 1_000_000_000)).toBe(10_000);
    expect(at({ keysPerSecond: 5000 })).toBe(20_000);
    expect(at({ bytesPerSecond: 1_000_000 })).toBe(10_000);
    expect(at({ sharePercent: 10 })).toBe(20_000);
    expect(at({ delayMs: 10 })).toBe(2000 + 50 * 10);
    expect(at({ delayMs: 10, keysPerSecond: 100 })).toBe(1_000_000);
    expect(at({}, null)).toBeNull();
    expect(at({}, 100_000, null)).toBe(2000);
  });

  test('is never less for a stricter limit', () => {
    const limit = fc.option(fc.integer({ min: 1, max: 1_000_000 }));
    fc.assert(
      fc.property(limit, fc.integer({ min: 1, max: 100 }), fc.nat(1000), (keysPerSecond, sharePercent, delayMs) => {
        const loose = at({ keysPerSecond, delayMs })!;
        expect(loose).toBeGreaterThanOrEqual(at({})!);
        expect(at({ keysPerSecond, sharePercent, delayMs })).toBeGreaterThanOrEqual(loose);
        expect(at({ keysPerSecond: Math.max(1, Math.floor((keysPerSecond ?? 1_000_000) / 2)), delayMs })).toBeGreaterThanOrEqual(loose);
      }),
    );
  });
});

test('a key holds up others by its size, and from a size on only those who write it', () => {
  expect(blockingOf(1_000_000, { pieceFromBytes: 4_194_304 })).toEqual({ inPieces: false, blockingMs: 10 });
  expect(blockingOf(500_000_000, { pieceFromBytes: 4_194_304 })).toEqual({ inPieces: true, blockingMs: 5000 });
});

describe('the balance', () => {
  const groups = [ONE, TWO].reduce(
    (topology, group) => addServer(topology, { group, addr: asServerAddr(`host${group}:1`), role: 'master' }),
    emptyTopology(),
  );
  const all = assignSlots(groups, { first: asSlot(0), last: asSlot(1023), owner: ONE });
  const half = { first: asSlot(0), last: asSlot(511), from: ONE, to: TWO };

  test('is how much stands where an even spread has it, by slots or by what they weigh', () => {
    expect(balanceOf(all, [half], { weights: [] })).toEqual({ before: 50, after: 100 });
    expect(balanceOf(all, [{ ...half, last: asSlot(255) }], { weights: [] })).toEqual({ before: 50, after: 75 });
    const costs = Array.from({ length: 1024 }, (_, slot) => (slot === 0 ? 1000 : 0));
    expect(balanceOf(all, [half], { weights: [], costs })).toEqual({ before: 50, after: 50 });
    expect(balanceOf(all, [], { weights: [{ group: TWO, weight: 0 }] })).toEqual({ before: 100, after: 100 });
    expect(balanceOf(groups, [], { weights: [] })).toEqual({ before: 100, after: 100 });
  });

  test('is better or the same after a rebalance, and all but 100', () => {
    const three = addServer(all, { group: THREE, addr: asServerAddr('host3:1'), role: 'master' });
    const weight = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(weight, weight, (two, other) => {
        const weights = [
          { group: TWO, weight: two },
          { group: THREE, weight: other },
        ];
        const moves = rebalance({ topology: three, weights: new Map(weights.map(({ group, weight }) => [group, weight])) });
        const { before, after } = balanceOf(three, moves, { weights });
        expect(after).toBeGreaterThanOrEqual(before);
        expect(after).toBeGreaterThan(99);
      }),
    );
  });
});
