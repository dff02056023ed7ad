// From what proxies count to what they do per second. Pure: two readings of one proxy in, numbers out; null for what two readings don't tell.

import type { ProxyStatsView, ProxyWorkerView, StatsPointView, StatusView } from '@codis/config/api';

/** What a proxy says at /status of its admin address, as far as it is used here. */
export interface ProxyReading {
  readonly id: string;
  readonly version: string;
  readonly startedAt: string;
  readonly serving: boolean;
  readonly workerRestarts: number;
  readonly workers: readonly WorkerReading[];
}

export interface WorkerReading {
  readonly worker: number;
  readonly pid: number;
  readonly epoch: number;
  readonly clients: number;
  readonly requests: number;
  readonly errors: number;
  readonly rssBytes: number;
  readonly cpuMicros: number;
  /** In microseconds, of the last seconds. */
  readonly loopLag: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Requests by time: entry b counts what took less than 2^b microseconds. */
  readonly latency: readonly number[];
  readonly calls: Readonly<Record<string, number>>;
}

/** `atMs`: by a clock that only goes forward. */
export interface TimedReading {
  readonly atMs: number;
  readonly reading: ProxyReading;
}

/** What happened between two readings. */
export interface Activity {
  readonly seconds: number;
  readonly requests: number;
  readonly errors: number;
  readonly cpuMicros: number;
  readonly latency: readonly number[];
}

/** A worker that is new, or whose counters were reset, counts from nought. Null without an earlier reading. */
export function activityBetween(before: TimedReading | null, now: TimedReading): Activity | null {
  if (!before || now.atMs <= before.atMs) return null;
  const known = new Map(before.reading.workers.map((worker) => [worker.pid, worker]));
  let requests = 0;
  let errors = 0;
  let cpuMicros = 0;
  const latency: number[] = [];
  for (const worker of now.reading.workers) {
    const last = known.get(worker.pid);
    requests += grown(last?.requests, worker.requests);
    errors += grown(last?.errors, worker.errors);
    cpuMicros += grown(last?.cpuMicros, worker.cpuMicros);
    for (const [bucket, count] of worker.latency.entries()) latency[bucket] = (latency[bucket] ?? 0) + grown(last?.latency[bucket], count);
  }
  return { seconds: (now.atMs - before.atMs) / 1000, requests, errors, cpuMicros, latency };
}

function grown(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before;
}

/** The time below which `share` of the requests were answered, in milliseconds, between the borders of its bucket by proportion; null without requests. */
export function percentileMs(latency: readonly number[], share: number): number | null {
  const total = latency.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let rest = total * share;
  for (const [bucket, count] of latency.entries()) {
    if (count === 0 || rest > count) {
      rest -= count;
      continue;
    }
    const low = bucket === 0 ? 0 : 2 ** (bucket - 1);
    return rounded((low + (2 ** bucket - low) * (rest / count)) / 1000, 3);
  }
  return rounded(2 ** (latency.length - 1) / 1000, 3);
}

/** `at`, `nowMs`: time of day of the reading. */
export function proxyStats(timed: TimedReading, activity: Activity | null, { at, nowMs }: { at: string; nowMs: number }): ProxyStatsView {
  const { id, version, startedAt, serving, workerRestarts, workers } = timed.reading;
  const sum = (read: (worker: WorkerReading) => number) => workers.reduce((total, worker) => total + read(worker), 0);
  const started = Date.parse(startedAt);
  return {
    id,
    at,
    opsPerSecond: activity && rounded(activity.requests / activity.seconds, 1),
    errorsPerSecond: activity && rounded(activity.errors / activity.seconds, 2),
    p50Ms: activity && percentileMs(activity.latency, 0.5),
    p99Ms: activity && percentileMs(activity.latency, 0.99),
    sessions: sum(({ clients }) => clients),
    serving,
    uptimeSeconds: Number.isNaN(started) ? null : Math.max(0, Math.floor((nowMs - started) / 1000)),
    version,
    cpuPercent: activity && Math.round(activity.cpuMicros / activity.seconds / 10_000),
    lagP99Ms: worstLagMs(workers),
    memoryBytes: sum(({ rssBytes }) => rssBytes),
    workersCount: workers.length,
    workerRestartsCount: workerRestarts,
    problem: null,
  };
}

function worstLagMs(workers: readonly WorkerReading[]): number | null {
  const lags = workers.flatMap(({ loopLag }) => (loopLag === null ? [] : [loopLag.p99]));
  return lags.length === 0 ? null : milliseconds(Math.max(...lags));
}

/** Each worker by itself, in the order of their numbers: what it did since `before`. */
export function workerViews(before: TimedReading | null, now: TimedReading): ProxyWorkerView[] {
  const views = now.reading.workers.map((worker): ProxyWorkerView => {
    const { pid, clients, rssBytes, epoch, loopLag } = worker;
    const activity = activityBetween(before, { atMs: now.atMs, reading: { ...now.reading, workers: [worker] } });
    return {
      worker: worker.worker,
      pid,
      sessions: clients,
      opsPerSecond: activity && rounded(activity.requests / activity.seconds, 1),
      errorsPerSecond: activity && rounded(activity.errors / activity.seconds, 2),
      cpuPercent: activity && Math.round(activity.cpuMicros / activity.seconds / 10_000),
      lagP50Ms: loopLag && milliseconds(loopLag.p50),
      lagP99Ms: loopLag && milliseconds(loopLag.p99),
      lagMaxMs: loopLag && milliseconds(loopLag.max),
      memoryBytes: rssBytes,
      epoch,
    };
  });
  return views.toSorted((a, b) => a.worker - b.worker);
}

const milliseconds = (micros: number): number => rounded(micros / 1000, 2);

export function silentProxy(id: string, { at, problem }: { at: string; problem: string }): ProxyStatsView {
  const unknown = {
    opsPerSecond: null,
    errorsPerSecond: null,
    p50Ms: null,
    p99Ms: null,
    sessions: null,
    serving: null,
    uptimeSeconds: null,
  };
  const machine = { cpuPercent: null, lagP99Ms: null, memoryBytes: null, workersCount: null, workerRestartsCount: null };
  return { id, at, ...unknown, version: null, ...machine, problem };
}

/** The whole cluster at one time. Proxies that are silent are not in the sums; when all are, or none is known yet, these are null. Keys and memory are null when a master did not answer. */
export function statsPoint({
  at,
  status,
  activities,
  sessions,
}: {
  at: string;
  status: Pick<StatusView, 'groups'> | null;
  activities: readonly Activity[];
  sessions: readonly number[];
}): StatsPointView {
  const latency: number[] = [];
  for (const activity of activities) {
    for (const [bucket, count] of activity.latency.entries()) latency[bucket] = (latency[bucket] ?? 0) + count;
  }
  const rate = (read: (activity: Activity) => number, digits: number) =>
    activities.length === 0
      ? null
      : rounded(
          activities.reduce((sum, activity) => sum + read(activity) / activity.seconds, 0),
          digits,
        );
  return {
    at,
    opsPerSecond: rate(({ requests }) => requests, 1),
    errorsPerSecond: rate(({ errors }) => errors, 2),
    p50Ms: percentileMs(latency, 0.5),
    p95Ms: percentileMs(latency, 0.95),
    p99Ms: percentileMs(latency, 0.99),
    sessions: sessions.length === 0 ? null : sessions.reduce((sum, count) => sum + count, 0),
    usedMemoryBytes: status && sumOfMasters(status, ({ usedMemoryBytes }) => usedMemoryBytes),
    keysCount: status && sumOfMasters(status, ({ keysCount }) => keysCount),
  };
}

type Server = StatusView['groups'][number]['servers'][number];

function sumOfMasters({ groups }: Pick<StatusView, 'groups'>, read: (server: Server) => number | null): number | null {
  let sum = 0;
  for (const server of groups.flatMap(({ servers }) => servers)) {
    if (server.role !== 'master') continue;
    const value = read(server);
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
