// Proxies beside servers: what stands out, and what can't be told.

import { asGroupId, asServerAddr, emptyTopology, type Topology } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { type LatencyReading, latencyView } from '../../src/observe/latency.ts';

const topology: Topology = {
  ...emptyTopology(),
  groups: [1, 2, 3].map((id) => ({
    id: asGroupId(id),
    servers: [
      { addr: asServerAddr(`m${id}:1`), role: 'master' as const },
      { addr: asServerAddr(`r${id}:1`), role: 'replica' as const },
    ],
  })),
};
const line = (addr: string, p50Micros: number, p99Micros = p50Micros * 2, requests = 1000) => ({
  addr,
  seconds: 20,
  requests,
  p50Micros,
  p99Micros,
});
const reading = (...servers: LatencyReading['servers'][number][]): LatencyReading => ({ missing: 0, servers });
const view = (told: Record<string, LatencyReading | string>) => latencyView(new Map(Object.entries(told)), { at: 'now', topology });
const outliers = (told: Record<string, LatencyReading | string>) =>
  view(told).cells.flatMap(({ proxy, server, outlier }) => (outlier === null ? [] : [`${proxy} ${server}`]));

const usual = (...slow: string[]) => reading(...['m1:1', 'm2:1', 'm3:1'].map((addr) => line(addr, slow.includes(addr) ? 9000 : 300)));

describe('the latency of servers', () => {
  test('is a cell for each proxy that answers and each master, and each replica that was asked', () => {
    const { cells, servers, proxies, basis, findings } = view({
      p1: reading(line('m1:1', 300), line('r2:1', 400)),
      p2: 'it has no session',
    });
    expect(servers.map(({ addr, group, role }) => [addr, group, role])).toEqual([
      ['m1:1', 1, 'master'],
      ['m2:1', 2, 'master'],
      ['r2:1', 2, 'replica'],
      ['m3:1', 3, 'master'],
    ]);
    expect(proxies).toEqual([
      { id: 'p1', problem: null },
      { id: 'p2', problem: 'it has no session' },
    ]);
    expect(cells).toHaveLength(4);
    expect(cells[0]).toEqual({ proxy: 'p1', server: 'm1:1', requestsCount: 1000, p50Ms: 0.3, p99Ms: 0.6, outlier: null });
    expect(cells[1]).toMatchObject({ requestsCount: 0, p50Ms: null, p99Ms: null, outlier: null });
    expect(findings).toEqual([]);
    expect(basis[1]).toBe('proxy p2 could not be asked: it has no session');
  });

  test('stands out on one way', () => {
    const told = { p1: usual('m2:1'), p2: usual() };
    expect(outliers(told)).toEqual(['p1 m2:1']);
    expect(view(told).findings).toEqual([
      'server m2:1 is slow for proxy p1: its median is 9 ms; that of the others is 0.3 ms; look at the way between them',
    ]);
  });

  test('stands out for one server at all proxies, or for one proxy at all servers', () => {
    expect(view({ p1: usual('m2:1'), p2: usual('m2:1') }).findings).toEqual([
      expect.stringMatching(/^server m2:1 is slow for every proxy: /),
    ]);
    expect(view({ p1: usual(), p2: usual('m1:1', 'm2:1', 'm3:1'), p3: usual() }).findings).toEqual([
      expect.stringMatching(/^every server is slow for proxy p2: /),
    ]);
  });

  test('stands out by its slowest requests alone', () => {
    const jumpy = reading(line('m1:1', 300), line('m2:1', 300, 30_000), line('m3:1', 300));
    expect(outliers({ p1: jumpy, p2: usual() })).toEqual(['p1 m2:1']);
  });

  test('does not where there is too little to tell: few requests, few others, little in milliseconds', () => {
    expect(outliers({ p1: reading(line('m1:1', 9000, 18_000, 49), line('m2:1', 300), line('m3:1', 300)) })).toEqual([]);
    expect(outliers({ p1: reading(line('m1:1', 9000), line('m2:1', 300)) })).toEqual([]);
    expect(outliers({ p1: reading(line('m1:1', 400, 500), line('m2:1', 100), line('m3:1', 100)) })).toEqual([]);
  });
});
