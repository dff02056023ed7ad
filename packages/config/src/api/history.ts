// What the cluster did lately, as numbers over time. Kept by the dashboard that is asked, in memory, since it started.

/** Rates are per second over the time since the point before; null: not known. */
export interface StatsPointView {
  /** ISO 8601. */
  readonly at: string;
  readonly opsPerSecond: number | null;
  readonly errorsPerSecond: number | null;
  /** Of whole requests as the proxies see them, in milliseconds; null also while there are none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Clients connected to all proxies. */
  readonly sessions: number | null;
  /** Of the masters. */
  readonly usedMemoryBytes: number | null;
  readonly keysCount: number | null;
}

export type HistoryRangeName = '15m' | '1h' | '6h' | '24h';

/** `GET /history?range=`. Columns of equal length, oldest first. */
export interface HistoryView {
  readonly range: HistoryRangeName;
  /** Between two points. */
  readonly stepSeconds: number;
  /** Unix time in seconds. */
  readonly times: readonly number[];
  readonly series: HistorySeriesView;
  readonly markers: readonly HistoryMarkerView[];
}

export interface HistorySeriesView {
  readonly opsPerSecond: readonly (number | null)[];
  readonly errorsPerSecond: readonly (number | null)[];
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  readonly sessions: readonly (number | null)[];
  readonly usedMemoryBytes: readonly (number | null)[];
  readonly keysCount: readonly (number | null)[];
}

/** Something that happened, to be drawn on the axis of time. */
export interface HistoryMarkerView {
  /** Unix time in seconds. */
  readonly time: number;
  readonly kind: 'event' | 'alert';
  readonly text: string;
  /** The number of the event; null for an alert. */
  readonly event: number | null;
}

/** One proxy, as it says at its admin address. Null: it did not answer, or has no two readings yet. */
export interface ProxyStatsView {
  readonly id: string;
  /** When it was asked, ISO 8601. */
  readonly at: string;
  readonly opsPerSecond: number | null;
  readonly errorsPerSecond: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly sessions: number | null;
  /** Whether it takes clients. */
  readonly serving: boolean | null;
  readonly uptimeSeconds: number | null;
  readonly version: string | null;
  /** Of all its processes, 100 is one core. */
  readonly cpuPercent: number | null;
  /** 99th percentile of how late the event loop of its worst worker was, in the last seconds. */
  readonly lagP99Ms: number | null;
  readonly memoryBytes: number | null;
  readonly workersCount: number | null;
  readonly workerRestartsCount: number | null;
  /** Why nothing is known, in words; null when it answered. */
  readonly problem: string | null;
}

/** `GET /proxies/{proxy}/stats`. */
export interface ProxyDetailView extends ProxyStatsView {
  /** By number. */
  readonly workers: readonly ProxyWorkerView[];
  /** By calls, most first. Counts are over the life of its workers. */
  readonly commands: readonly CommandStatsView[];
}

/** One worker process: it has one event loop, which one core can keep busy. Null: not known yet. */
export interface ProxyWorkerView {
  readonly worker: number;
  readonly pid: number;
  readonly sessions: number;
  readonly opsPerSecond: number | null;
  readonly errorsPerSecond: number | null;
  readonly cpuPercent: number | null;
  /** How late its event loop was in the last seconds: median, 99th percentile, and the most. */
  readonly lagP50Ms: number | null;
  readonly lagP99Ms: number | null;
  readonly lagMaxMs: number | null;
  readonly memoryBytes: number;
  /** The slot table it routes by; -1: none yet. */
  readonly epoch: number;
}

export interface CommandStatsView {
  readonly command: string;
  readonly callsCount: number;
  readonly callsPerSecond: number | null;
}
