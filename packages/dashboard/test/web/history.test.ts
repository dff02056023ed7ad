import { expect, test } from 'vitest';
import { appended, type History } from '../../web/src/lib/history.ts';

const NONE = { errorsPerSecond: null, p50Ms: null, p95Ms: null, p99Ms: null, sessions: null, usedMemoryBytes: null, keysCount: null };
const column = (length: number) => new Array<number | null>(length).fill(null);

function historyOf(times: number[], ops: (number | null)[]): History {
  const rest = Object.fromEntries(Object.keys(NONE).map((name) => [name, column(times.length)])) as unknown as Omit<
    History['series'],
    'opsPerSecond'
  >;
  return { range: '15m', stepSeconds: 10, times, series: { ...rest, opsPerSecond: ops }, markers: [] };
}

const pointAt = (seconds: number, opsPerSecond: number | null) => ({ at: new Date(seconds * 1000).toISOString(), opsPerSecond, ...NONE });

test('a new point is added at its step, and not before', () => {
  const before = historyOf([100, 110], [1, 2]);
  expect(appended(before, pointAt(115, 3))).toBe(before);
  const after = appended(before, pointAt(120, null));
  expect(after.times).toEqual([100, 110, 120]);
  expect(after.series.opsPerSecond).toEqual([1, 2, null]);
  expect(after.series.keysCount).toHaveLength(3);
});

test('what is older than the range is forgotten', () => {
  const after = appended(historyOf([100, 900, 1000], [1, 2, 3]), pointAt(1010, 4));
  expect(after.times).toEqual([900, 1000, 1010]);
  expect(after.series.opsPerSecond).toEqual([2, 3, 4]);
});

test('the first point of all is taken, and one without a time is not', () => {
  expect(appended(historyOf([], []), pointAt(5, 1)).times).toEqual([5]);
  const empty = historyOf([], []);
  expect(appended(empty, { ...pointAt(5, 1), at: 'never' })).toBe(empty);
});
