// How a batch is cut so that its big keys fit into the list, and into a few seconds.

import { describe, expect, test } from 'vitest';
import { BATCH_BYTES_MAX, chooseBatch, type FoundKey } from '../../../src/migration/big-keys/choose.ts';
import { asSlot, BIG_KEY_NAMES_BYTES_MAX, BIG_KEYS_MAX } from '../../../src/model/index.ts';

const SLOTS = [1, 2, 3, 4].map(asSlot);
const found = (slot: number, key: string, bytes = 100): FoundKey => ({ slot: asSlot(slot), db: 0, key, bytes });
const keysOf = (batch: ReturnType<typeof chooseBatch>, slot: number) => (batch.bigKeys.get(asSlot(slot)) ?? []).map(({ key }) => key);

test('without big keys a batch is all of its slots', () => {
  expect(chooseBatch(SLOTS, [found(9, 'elsewhere')])).toEqual({ slots: SLOTS, bigKeys: new Map(), unlisted: [] });
});

test('a slot’s keys are listed the smallest first', () => {
  const batch = chooseBatch(SLOTS, [found(2, 'middle', 5), found(2, 'large', 9), found(2, 'small', 1), found(4, 'x')]);
  expect(batch.slots).toEqual(SLOTS);
  expect(keysOf(batch, 2)).toEqual(['small', 'middle', 'large']);
  expect(keysOf(batch, 4)).toEqual(['x']);
});

describe('a batch ends before the slot whose keys', () => {
  test('take more time than a batch may', () => {
    const batch = chooseBatch(SLOTS, [found(1, 'a', BATCH_BYTES_MAX), found(3, 'b', 1)]);
    expect(batch.slots).toEqual([1, 2]);
    expect(chooseBatch([3, 4].map(asSlot), [found(3, 'b', 1)]).slots).toEqual([3, 4]);
  });

  test('are too many', () => {
    const many = Array.from({ length: BIG_KEYS_MAX }, (_, n) => found(1, `k${n}`));
    expect(chooseBatch(SLOTS, many).slots).toEqual(SLOTS);
    expect(chooseBatch(SLOTS, [...many, found(2, 'one more')]).slots).toEqual([1]);
  });

  test('have names that are too long', () => {
    const long = 'x'.repeat(BIG_KEY_NAMES_BYTES_MAX / 2);
    expect(chooseBatch(SLOTS, [found(1, long), found(2, long)]).slots).toEqual(SLOTS);
    expect(chooseBatch(SLOTS, [found(1, long), found(2, long), found(3, 'x')]).slots).toEqual([1, 2]);
  });
});

describe('of a single slot with more than can be listed', () => {
  test('the largest keys are listed, and the rest is named', () => {
    const many = Array.from({ length: BIG_KEYS_MAX + 2 }, (_, n) => found(1, `k${n}`, 1000 - n));
    const batch = chooseBatch(SLOTS, many);
    expect(batch.slots[0]).toBe(1);
    expect(keysOf(batch, 1)).toHaveLength(BIG_KEYS_MAX);
    expect(batch.unlisted.map(({ key }) => key)).toEqual([`k${BIG_KEYS_MAX}`, `k${BIG_KEYS_MAX + 1}`]);
  });

  test('a key whose name alone is too long is named, and others are listed', () => {
    const batch = chooseBatch(SLOTS, [found(1, 'x'.repeat(BIG_KEY_NAMES_BYTES_MAX + 1)), found(1, 'y')]);
    expect(batch.slots).toEqual(SLOTS);
    expect([keysOf(batch, 1), batch.unlisted.length]).toEqual([['y'], 1]);
  });
});
