// Goal: a cursor survives being a number, below what clients expect; and what is no cursor gets Redis's verdict.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Cursor,
  decodeCursor,
  encodeCursor,
  fullEpoch,
  parseCursor,
  type Reach,
  reachOf,
  tablesOf,
} from '../../../src/worker/cluster-wide/scan-cursor.ts';

const cursors: fc.Arbitrary<Cursor> = fc.record({
  at: fc.bigInt(0n, 2n ** 31n - 1n),
  group: fc.integer({ min: 1, max: 9999 }),
  epoch: fc.integer({ min: 0, max: 32_767 }),
  reach: fc.integer({ min: 0, max: 3 }).map((reach) => reach as Reach),
  descending: fc.boolean(),
});

test('every cursor is a number above 0 and below 2^63, and comes back from it', () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      const number = encodeCursor(cursor) as bigint;
      expect(number > 0n && number < 2n ** 63n).toBe(true);
      expect(decodeCursor(number)).toEqual(cursor);
    }),
  );
});

test('any number of 64 bits is some cursor', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (number) => {
      const { at, group, epoch, reach } = decodeCursor(number);
      expect(at < 2n ** 31n && group < 16_384 && epoch < 32_768 && reach < 4).toBe(true);
    }),
  );
});

test('a server’s cursor of more than 31 bits does not fit', () => {
  const cursor: Cursor = { at: 2n ** 31n, group: 1, epoch: 0, reach: 0, descending: false };
  expect(encodeCursor(cursor)).toBeNull();
  expect(encodeCursor({ ...cursor, at: 2n ** 31n - 1n })).not.toBeNull();
});

test('the epoch meant is the nearest one, more likely in the past', () => {
  fc.assert(
    fc.property(fc.integer({ min: 40_000, max: 2 ** 40 }), fc.integer({ min: -1000, max: 31_744 }), (now, behind) => {
      expect(fullEpoch((now - behind) % 32_768, now)).toBe(now - behind);
    }),
  );
});

test('a reach goes back as far as it was made for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100_000 }), (tables) => {
      expect(tablesOf(reachOf(tables)) ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(tables);
    }),
  );
});

describe('the text of a cursor', () => {
  test.each([
    ['0', 0n],
    ['', 0n],
    ['17', 17n],
    ['+17', 17n],
    ['0017', 17n],
    ['-1', 2n ** 64n - 1n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['5\0x', 5n],
  ])('%j is a number to Redis', (text, value) => {
    expect(parseCursor(text)).toBe(value);
  });

  test.each(['18446744073709551616', '-', '+', 'x', '1x', ' 1', '1 ', '0x10', '1.0', '--1'])('%j is not', (text) => {
    expect(parseCursor(text)).toBeNull();
  });
});
