// What all workers have measured of the servers, as one line for each. Pure.

import { bucketStart, type ServerLatencySeen } from '../worker/server-latency.ts';

export interface ServerLatencyLine {
  readonly addr: string;
  /** The longest that a worker has counted. */
  readonly seconds: number;
  readonly requests: number;
  /** Null: there were no requests. */
  readonly p50Micros: number | null;
  readonly p99Micros: number | null;
}

/** In the order of their addresses. */
export function mergeLatency(all: readonly (readonly ServerLatencySeen[])[]): ServerLatencyLine[] {
  const servers = new Map<string, { seconds: number; counts: Map<number, number> }>();
  for (const { addr, seconds, counts } of all.flat()) {
    const known = servers.get(addr) ?? { seconds: 0, counts: new Map<number, number>() };
    for (const [bucket, count] of counts) known.counts.set(bucket, (known.counts.get(bucket) ?? 0) + count);
    servers.set(addr, { ...known, seconds: Math.max(known.seconds, seconds) });
  }
  return [...servers]
    .map(([addr, { seconds, counts }]) => ({
      addr,
      seconds: Math.round(seconds * 10) / 10,
      requests: [...counts.values()].reduce((sum, count) => sum + count, 0),
      p50Micros: percentile(counts, 0.5),
      p99Micros: percentile(counts, 0.99),
    }))
    .sort((a, b) => a.addr.localeCompare(b.addr, 'en', { numeric: true }));
}

/** The time below which `share` of the requests took, by proportion within its bucket. */
function percentile(counts: ReadonlyMap<number, number>, share: number): number | null {
  let rest = [...counts.values()].reduce((sum, count) => sum + count, 0) * share;
  if (rest === 0) return null;
  for (const [bucket, count] of [...counts].sort(([a], [b]) => a - b)) {
    const [start, end] = [bucketStart(bucket), bucketStart(bucket + 1)];
    if (rest <= count) return Math.round(start + (end - start) * (rest / count));
    rest -= count;
  }
  return null;
}
