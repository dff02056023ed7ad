// Numbers made of what proxies count, and kept in rings.

import { asServerAddr } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { Clocks } from '../../src/observe/clocks.ts';
import { History } from '../../src/observe/history.ts';
import {
  activityBetween,
  type ProxyReading,
  percentileMs,
  proxyStats,
  statsPoint,
  type WorkerReading,
  workerViews,
} from '../../src/observe/rates.ts';
import { ratesBetween, type SlotCounts } from '../../src/observe/slot-rates.ts';
import { follow, stalledOf } from '../../src/observe/stalls.ts';
import { down, group, migration, point, server, status } from '../facts.ts';

const worker = (over: Partial<WorkerReading> = {}): WorkerReading => ({
  worker: 1,
  pid: 1,
  epoch: 1,
  loopLag: null,
  clients: 1,
  requests: 100,
  errors: 0,
  rssBytes: 1,
  cpuMicros: 0,
  latency: [0, 0, 100],
  calls: {},
  ...over,
});
const reading = (atMs: number, ...workers: WorkerReading[]): { atMs: number; reading: ProxyReading } => ({
  atMs,
  reading: { id: 'p1', version: '1', startedAt: '2026-01-01T00:00:00Z', serving: true, workerRestarts: 0, workers },
});

describe('what a proxy does between two readings', () => {
  test('is what its workers counted since', () => {
    const activity = activityBetween(reading(0, worker()), reading(2000, worker({ requests: 300, errors: 2, latency: [0, 0, 150] })));
    expect(activity).toEqual({ seconds: 2, requests: 200, errors: 2, cpuMicros: 0, latency: [0, 0, 50] });
  });

  test('counts a new worker, and one whose counters were reset, from nought', () => {
    const activity = activityBetween(
      reading(0, worker()),
      reading(1000, worker({ requests: 10, latency: [0, 0, 10] }), worker({ pid: 2, requests: 5, latency: [0, 0, 5] })),
    );
    expect(activity).toMatchObject({ requests: 15, latency: [0, 0, 15] });
  });

  test('is not known from one', () => {
    expect(activityBetween(null, reading(0, worker()))).toBeNull();
  });
});

describe('the workers of a proxy', () => {
  const lag = (p99: number) => ({ p50: 100, p99, max: 2 * p99 });
  const before = reading(0, worker({ worker: 2, pid: 12 }), worker({ pid: 11, loopLag: lag(500) }));
  const now = reading(
    2000,
    worker({ worker: 2, pid: 12, requests: 500, errors: 4, cpuMicros: 1_500_000, loopLag: lag(30_000) }),
    worker({ pid: 13, requests: 20, loopLag: null }),
  );

  test('are told one by one, in their order', () => {
    expect(workerViews(before, now)).toMatchObject([
      { worker: 1, pid: 13, opsPerSecond: 10, lagP50Ms: null, lagP99Ms: null, lagMaxMs: null },
      { worker: 2, pid: 12, opsPerSecond: 200, errorsPerSecond: 2, cpuPercent: 75, lagP50Ms: 0.1, lagP99Ms: 30, lagMaxMs: 60 },
    ]);
    expect(workerViews(null, now)[0]).toMatchObject({ opsPerSecond: null, cpuPercent: null });
  });

  test('make the lag of the proxy: that of the worst', () => {
    const told = (timed: typeof now) => proxyStats(timed, null, { at: 'now', nowMs: 0 }).lagP99Ms;
    expect(told(now)).toBe(30);
    expect(told(reading(0, worker()))).toBeNull();
  });
});

describe('requests by slot', () => {
  const counts = (atMs: number, over: Partial<SlotCounts> & { first?: number } = {}): SlotCounts => ({
    atMs,
    requests: Array.from({ length: 1024 }, (_, slot) => (slot === 0 ? (over.first ?? 0) : 7)),
    workers: 2,
    restarts: 0,
    ...over,
  });
  const between = (before: SlotCounts, now: SlotCounts) => ratesBetween(new Map([['p1', before]]), new Map([['p1', now]]));

  test('are what all proxies counted', () => {
    const { opsPerSecond, basis } = ratesBetween(
      new Map([
        ['p1', counts(0)],
        ['p2', counts(0, { first: 100 })],
      ]),
      new Map([
        ['p1', counts(2000, { first: 50 })],
        ['p2', counts(2000, { first: 110 })],
      ]),
    );
    expect(opsPerSecond.slice(0, 2)).toEqual([30, 0]);
    expect(opsPerSecond).toHaveLength(1024);
    expect(basis).toBe('requests: counted by all 2 proxies over 2.0 s');
  });

  test('are not known where a worker came or went, or a proxy was not asked before', () => {
    for (const change of [{ workers: 1 }, { restarts: 1 }]) {
      const { opsPerSecond, basis } = between(counts(0), counts(1000, { first: 5, ...change }));
      expect(opsPerSecond[0]).toBeNull();
      expect(basis).toMatch(/^requests are not known: proxy p1 has another number of workers/);
    }
    expect(ratesBetween(new Map(), new Map([['p1', counts(0)]])).opsPerSecond[5]).toBeNull();
  });

  test('are not known once when a count begins anew', () => {
    expect(between(counts(0, { first: 2 ** 32 - 1 }), counts(1000, { first: 5 })).opsPerSecond.slice(0, 2)).toEqual([null, 0]);
  });
});

describe('a percentile', () => {
  test('lies within its bucket, by proportion', () => {
    const latency = new Array<number>(32).fill(0);
    latency[10] = 100;
    expect(percentileMs(latency, 0.5)).toBeCloseTo(0.768, 3);
    latency[20] = 1;
    expect(percentileMs(latency, 0.5)).toBeLessThan(1.1);
    expect(percentileMs(latency, 0.999)).toBeGreaterThan(500);
  });

  test('of no request is not known', () => {
    expect(percentileMs([], 0.5)).toBeNull();
  });
});

describe('a point', () => {
  test('sums proxies and masters, and knows nothing where one is silent', () => {
    const activity = { seconds: 2, requests: 200, errors: 4, cpuMicros: 0, latency: [] };
    const known = statsPoint({ at: 'now', status: status(), activities: [activity, activity], sessions: [1, 2] });
    expect(known).toMatchObject({ opsPerSecond: 200, errorsPerSecond: 4, sessions: 3, keysCount: 200, usedMemoryBytes: 20_000_000 });
    const broken = status({ groups: [group(1, [server('m:1', 'master', down)]), group(2)] });
    expect(statsPoint({ at: 'now', status: broken, activities: [], sessions: [] })).toMatchObject({
      opsPerSecond: null,
      sessions: null,
      keysCount: null,
    });
  });
});

test('how far a clock is off is known from when its server was asked last', () => {
  const clocks = new Clocks();
  const addr = asServerAddr('m:1');
  clocks.onProbe({ addr, clockMs: 5000.4 }, 2000);
  expect([...clocks.skews]).toEqual([['m:1', 3000]]);
  clocks.onProbe({ addr, clockMs: null }, 2000);
  expect(clocks.skews.size).toBe(0);
});

describe('history', () => {
  const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1000).toISOString();

  test('is fine lately and coarse further back: means of rates, the worst of latencies', () => {
    const history = new History();
    for (let second = 0; second < 20; second += 2) history.add(point({ at: at(second), opsPerSecond: second, p99Ms: second }));
    expect(history.view('15m').times).toHaveLength(10);
    const hour = history.view('1h');
    expect(hour.times).toEqual([1_800_000_000, 1_800_000_010]);
    expect(hour.series.opsPerSecond).toEqual([4, 14]);
    expect(hour.series.p99Ms).toEqual([8, 18]);
    expect(history.view('24h').times).toHaveLength(1);
  });

  test('is bounded, and skips what it does not know', () => {
    const history = new History();
    for (let second = 0; second < 4000; second += 2) history.add(point({ at: at(second), opsPerSecond: second % 4 === 0 ? null : 7 }));
    const { times, series } = history.view('15m');
    expect(times).toHaveLength(450);
    expect(times[0]).toBe(1_800_000_000 + 4000 - 900);
    expect(series.opsPerSecond.slice(0, 2)).toEqual([null, 7]);
    expect(new Set(history.view('1h').series.opsPerSecond)).toEqual(new Set([7]));
  });

  test('has the marks of its time', () => {
    const history = new History();
    history.add(point({ at: at(0) }));
    history.mark({ time: 1_700_000_000, kind: 'event', text: 'before', event: 1 });
    history.mark({ time: 1_800_000_001, kind: 'alert', text: 'then', event: null });
    expect(history.view('15m').markers).toMatchObject([{ text: 'then' }]);
    expect(history.takeFresh().map(({ text }) => text)).toEqual(['before', 'then']);
    expect(history.takeFresh()).toEqual([]);
  });
});

describe('a migration', () => {
  const record = (over = {}) => {
    const { slotsDone, keysSwept, bytesSwept, keysLeft, ...rest } = migration(over);
    return { ...rest, progress: { slotsDone, keysSwept, bytesSwept, keysLeft } } as never;
  };

  test('is stalled when nothing of it changed for half a minute, and not while it is paused', () => {
    const start = follow(new Map(), [record()], { nowMs: 0, now: 'noon' });
    expect(stalledOf(start, record(), 29_999)).toBeNull();
    expect(stalledOf(start, record({ waiting: 'a lock' }), 30_000)).toEqual({ since: 'noon', reason: 'a lock' });
    const same = follow(start, [record()], { nowMs: 20_000, now: 'later' });
    expect(stalledOf(same, record(), 30_000)).toMatchObject({ since: 'noon' });
    const moved = follow(same, [record({ keysSwept: 11 })], { nowMs: 25_000, now: 'later' });
    expect(stalledOf(moved, record(), 31_000)).toBeNull();
    expect(follow(start, [record({ state: 'paused' })], { nowMs: 1, now: 'later' }).size).toBe(0);
  });

  test('that stands still outside of its window is not stalled before that opens', () => {
    const [noon, later] = ['2026-01-01T12:00:00.000Z', '2026-01-01T23:00:00.000Z'];
    const closed = record({ resumesAt: '2026-01-01T22:00:00.000Z' });
    expect(follow(new Map(), [closed], { nowMs: 0, now: noon }).size).toBe(0);
    expect(follow(new Map(), [closed], { nowMs: 0, now: later }).size).toBe(1);
  });

  test('that was cancelled is stalled while its last slots do not arrive; one that takes it back only waits for that', () => {
    const cancelled = record({ state: 'cancelled' });
    const back = record({ id: 4, takesBack: 3 });
    const start = follow(new Map(), [cancelled, back], { nowMs: 0, now: 'noon' });
    expect(stalledOf(start, cancelled, 30_000)).toMatchObject({ since: 'noon' });
    expect(stalledOf(start, back, 30_000)).toBeNull();
    const after = follow(start, [record({ state: 'cancelled', endedAt: 'then' }), back], { nowMs: 40_000, now: 'later' });
    expect(stalledOf(after, cancelled, 80_000)).toBeNull();
    expect(stalledOf(after, back, 70_000)).toMatchObject({ since: 'later' });
  });
});
