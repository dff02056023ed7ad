// Where the rows of a long table are, of which most were never measured.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowHeights } from '../../web/src/lib/row-heights.ts';

test('rows lie one below the other, whatever was measured', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.record({ index: fc.nat(299), height: fc.integer({ min: 1, max: 200 }) })),
      fc.nat(60_000),
      (count, found, y) => {
        const model = new RowHeights();
        model.replace(Array.from({ length: count }, (_, index) => index));
        const known = found.filter(({ index }) => index < count);
        for (const one of known) model.measure([one]);
        const heights = new Map(known.map(({ index, height }) => [index, height]));
        for (const [index, height] of heights) expect(Math.abs(model.top(index + 1) - model.top(index) - height)).toBeLessThan(0.03);
        expect(model.top(0)).toBe(0);
        expect(model.top(count)).toBe(model.total);
        const at = model.at(y);
        expect(model.top(at)).toBeLessThanOrEqual(y);
        expect(y < model.top(at + 1) || at === count - 1).toBe(true);
      },
    ),
  );
});

test('a row keeps its height when others come before it', () => {
  const model = new RowHeights();
  model.replace(['b', 'c']);
  expect(model.measure([{ index: 1, height: 90 }])).toBe(true);
  expect(model.measure([{ index: 1, height: 90 }])).toBe(false);
  model.replace(['a', 'b', 'c']);
  expect(model.top(3) - model.top(2)).toBe(90);
  expect(model.indexOf('c')).toBe(2);
  expect(model.keyAt(2)).toBe('c');
});

test('of no rows there is nothing', () => {
  const model = new RowHeights();
  model.replace(['a']);
  model.replace([]);
  expect(model.total).toBe(0);
  expect(model.at(100)).toBe(0);
  expect(model.keyAt(0)).toBe(undefined);
  expect(model.indexOf('a')).toBe(undefined);
});
