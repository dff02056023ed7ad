// Time × slot: bytes that come minute by minute, and the picture of them.

import { expect, test } from 'vitest';
import {
  busiest,
  busiestPlace,
  type Heat,
  heatOf,
  highest,
  NOT_KNOWN,
  orderOf,
  raster,
  rateOf,
  shade,
  wholeOf,
  windowAt,
} from '../../web/src/lib/heat.ts';

const FROM = 1_700_000_040;
const ORDER = orderOf([], 'slot');

/** Minutes whose slots all have the level of the minute, but for `special`. */
function view(from: number, minuteLevels: readonly number[], special: Readonly<Record<number, number>> = {}) {
  const levels = Buffer.concat(minuteLevels.map((level) => Buffer.from(Array.from({ length: 1024 }, (_, slot) => special[slot] ?? level))));
  const rest = { stepSeconds: 60, first: 0, last: 1023, least: 0.01, ratio: 1.085 };
  return { from, minutesCount: minuteLevels.length, levels: levels.toString('base64'), ...rest };
}

const known = (...all: Parameters<typeof view>): Heat => heatOf(view(...all), null)!;

test('what comes later is put behind what is known, and the minute at hand is taken anew', () => {
  const before = known(FROM, [1, 2, 3]);
  const after = heatOf(view(FROM + 120, [9, 4]), before)!;
  expect(after).toMatchObject({ from: FROM, minutes: 4 });
  expect([0, 1, 2, 3].map((minute) => after.levels[minute * 1024])).toEqual([1, 2, 9, 4]);
  // After a gap, or from another dashboard that began later: only that.
  expect(heatOf(view(FROM + 600, [5]), before)).toMatchObject({ from: FROM + 600, minutes: 1 });
  expect(heatOf(view(FROM - 600, [5]), before)).toMatchObject({ from: FROM - 600, minutes: 1 });
  expect(heatOf({ ...view(FROM, []), from: null }, before)).toBe(before);
});

test('no more than six hours are kept', () => {
  const before = known(FROM, new Array<number>(360).fill(7));
  const after = heatOf(view(FROM + 359 * 60, [8, 9]), before)!;
  expect(after).toMatchObject({ from: FROM + 60, minutes: 360 });
  expect(after.levels.length).toBe(360 * 1024);
  expect([357, 358, 359].map((minute) => after.levels[minute * 1024])).toEqual([7, 8, 9]);
});

test('nothing, not known and a rate are three things', () => {
  const heat = known(FROM, [0], { 1: NOT_KNOWN, 2: 1, 3: 100 });
  expect([0, 1, 2].map((slot) => rateOf(heat, 0, slot))).toEqual([0, null, 0.01]);
  expect(rateOf(heat, 0, 3)).toBeCloseTo(0.01 * 1.085 ** 99);
  expect(highest(heat)).toBe(100);
});

test('a picture smaller than the table loses no busy slot, and a larger one repeats it', () => {
  const heat = known(FROM, [0, NOT_KNOWN], { 513: 200 });
  const small = raster(heat, ORDER, wholeOf(heat), { width: 1, height: 512 });
  expect(small[256]).toBe(200);
  expect(small.filter((level) => level === 200).length).toBe(1);
  expect(small[0]).toBe(0);
  const window = { firstMinute: 0, lastMinute: 1, firstRow: 512, lastRow: 514 };
  const large = raster(heat, ORDER, window, { width: 4, height: 6 });
  expect([...large]).toEqual([
    ...[0, 0, NOT_KNOWN, NOT_KNOWN],
    ...[0, 0, NOT_KNOWN, NOT_KNOWN],
    ...[200, 200, 200, 200],
    ...[200, 200, 200, 200],
    ...[0, 0, NOT_KNOWN, NOT_KNOWN],
    ...[0, 0, NOT_KNOWN, NOT_KNOWN],
  ]);
});

test('by group, its slots are together, and those of no group last', () => {
  const of = (group: number | null) => ({ state: 'online' as const, group, to: null, migration: null });
  const order = orderOf([of(2), of(1), of(null), of(2), ...new Array<ReturnType<typeof of>>(1020).fill(of(1))], 'group');
  expect(order.slice(0, 3)).toEqual([1, 4, 5]);
  expect(order.slice(-3)).toEqual([0, 3, 2]);
});

test('the busiest are those with most requests in what is looked at', () => {
  const heat = known(FROM, [0, 0], { 5: 50, 9: 90, 11: NOT_KNOWN });
  expect(busiest(heat, ORDER, wholeOf(heat), 10).map(({ slot }) => slot)).toEqual([9, 5]);
  expect(busiest(heat, ORDER, { ...wholeOf(heat), lastRow: 8 }, 10).map(({ slot }) => slot)).toEqual([5]);
  expect(busiest(heat, ORDER, wholeOf(heat), 1)).toEqual([{ slot: 9, mean: rateOf(heat, 0, 9), peak: rateOf(heat, 0, 9), peakMinute: 0 }]);
});

test('brighter never means darker, from the first step to the last', () => {
  for (const brightness of [1, 50, 100]) {
    const shades = Array.from({ length: 254 }, (_, at) => shade(at + 1, { max: 254, brightness }));
    expect(shades[0]).toBe(0);
    expect(shades.every((value, at) => value >= (shades[at - 1] ?? 0) && value <= 1)).toBe(true);
  }
  expect(shade(100, { max: 254, brightness: 80 })).toBeGreaterThan(shade(100, { max: 254, brightness: 20 }));
});

test('who points at a point gets what it is painted as', () => {
  const heat = known(FROM, [3, NOT_KNOWN, 5], { 513: 200, 514: 0, 515: NOT_KNOWN });
  for (const order of [ORDER, ORDER.toReversed()]) {
    for (const size of [
      { width: 1, height: 512 },
      { width: 2, height: 700 },
      { width: 7, height: 3000 },
    ]) {
      const points = raster(heat, order, wholeOf(heat), size);
      for (const x of [0, size.width - 1]) {
        for (let y = 0; y < size.height; y++) {
          const { minute, row } = busiestPlace(heat, order, windowAt(wholeOf(heat), size, { x, y }));
          expect(heat.levels[minute * 1024 + order[row]!]).toBe(points[y * size.width + x]);
        }
      }
    }
  }
  // Zoomed in, one place has many points.
  const window = { firstMinute: 1, lastMinute: 2, firstRow: 513, lastRow: 514 };
  expect(windowAt(window, { width: 100, height: 10 }, { x: 99, y: 4 })).toEqual({
    firstMinute: 2,
    lastMinute: 2,
    firstRow: 513,
    lastRow: 513,
  });
});
