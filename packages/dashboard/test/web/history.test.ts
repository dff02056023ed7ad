import { expect, test } from 'vitest';
import { appended, type History, marked } from '../../web/src/lib/history.ts';

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

test('what happened is added once, in order of time', () => {
  const marker = (time: number, text: string, event: number | null) =>
    ({ time, text, event, kind: event === null ? 'alert' : 'event' }) as const;
  const before = marked(historyOf([100], [1]), [marker(90, 'later', 2), marker(80, 'first', 1)]);
  expect(before.markers.map(({ text }) => text)).toEqual(['first', 'later']);
  expect(marked(before, [marker(90, 'later', 2)])).toBe(before);
  expect(marked(before, [marker(90, 'later', 2), marker(85, 'an alert', null)]).markers.map(({ text }) => text)).toEqual([
    'first',
    'an alert',
    'later',
  ]);
});
