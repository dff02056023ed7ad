// The last six hours of each slot, a byte a minute.

import { expect, test } from 'vitest';
import { levelOf, SlotHistory } from '../../src/observe/slot-history.ts';

const MINUTE = 60_000;
const BEGIN = 28_512_340 * MINUTE;
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER, first: 0, last: 1023 };
const rates = (rate: number | null) => new Array<number | null>(1024).fill(rate);
const bytes = (levels: string) => [...Buffer.from(levels, 'base64')];

test('a rate comes back to within five in a hundred, and nothing is no rate', () => {
  const { least, ratio } = new SlotHistory().view(ALL);
  for (const rate of [0.01, 0.1, 1, 7, 100, 12_345, 999_999]) {
    const level = levelOf(rate);
    expect(level).toBeGreaterThan(0);
    expect(level).toBeLessThan(255);
    expect(Math.abs(least * ratio ** (level - 1) - rate) / rate).toBeLessThan(0.05);
  }
  expect(levelOf(0)).toBe(0);
  expect(levelOf(1e-9)).toBe(1);
  expect(levelOf(1e12)).toBe(254);
});

test('a minute is the mean of what was seen in it; one that nobody looked at is not known', () => {
  const history = new SlotHistory();
  history.add(BEGIN, rates(10));
  history.add(BEGIN + 50_000, rates(30));
  history.add(BEGIN + 2 * MINUTE, [...rates(5).slice(0, 1000), ...rates(null).slice(0, 24)]);
  const view = history.view({ ...ALL, first: 999, last: 1000 });
  expect(view).toMatchObject({ from: BEGIN / 1000, stepSeconds: 60, minutesCount: 3, first: 999, last: 1000 });
  expect(bytes(view.levels)).toEqual([levelOf(20), levelOf(20), 255, 255, levelOf(5), 255]);
});

test('six hours are kept, also over a gap and past the end of the ring', () => {
  const history = new SlotHistory();
  expect(history.view(ALL)).toMatchObject({ from: null, minutesCount: 0, levels: '' });
  for (let minute = 0; minute < 400; minute++) history.add(BEGIN + minute * MINUTE, rates(minute + 1));
  const view = history.view({ ...ALL, first: 7, last: 7 });
  expect(view).toMatchObject({ from: BEGIN / 1000 + 40 * 60, minutesCount: 360 });
  expect(bytes(view.levels)).toEqual(Array.from({ length: 360 }, (_, index) => levelOf(index + 41)));
  history.add(BEGIN + 1000 * MINUTE, rates(1));
  expect(bytes(history.view({ ...ALL, first: 7, last: 7 }).levels)).toEqual([...new Array<number>(359).fill(255), levelOf(1)]);
});

test('a clock that is set back changes nothing that was kept', () => {
  const history = new SlotHistory();
  history.add(BEGIN + 5 * MINUTE, rates(1));
  history.add(BEGIN, rates(9));
  expect(history.view(ALL).minutesCount).toBe(1);
});

test('only what was asked for is told', () => {
  const history = new SlotHistory();
  for (let minute = 0; minute < 10; minute++) history.add(BEGIN + minute * MINUTE, rates(minute));
  const from = BEGIN / 1000 + 3 * 60;
  const view = history.view({ from: from + 30, to: from + 60, first: 5, last: 6 });
  expect(view).toMatchObject({ from, minutesCount: 2 });
  expect(bytes(view.levels)).toEqual([levelOf(3), levelOf(3), levelOf(4), levelOf(4)]);
  expect(history.view({ ...ALL, to: 60 }).minutesCount).toBe(0);
});
