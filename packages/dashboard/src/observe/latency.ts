// How long each server takes as each proxy sees it, and what stands out. What proxies answer is checked before it is believed.

import type { LatencyCellView, LatencyServerView, LatencyView } from '@codis/config/api';
import type { ProxyView, Topology } from '@codis/config/model';
import { askEach } from './proxies.ts';

/** As a proxy tells it at its admin address. */
export interface LatencyReading {
  readonly missing: number;
  readonly servers: readonly {
    readonly addr: string;
    readonly seconds: number;
    readonly requests: number;
    readonly p50Micros: number | null;
    readonly p99Micros: number | null;
  }[];
}

/** Of fewer requests a percentile says little. */
const REQUESTS_MIN = 50;
/** With fewer to compare there are no others to stand out from. */
const CELLS_MIN = 3;
/** What stands out takes so many times as long as the median of the others, and longer by so much: medians, and 99th percentiles. */
const TIMES = 3;
const APART_MS = { p50Ms: 0.5, p99Ms: 2 } as const;

/** By proxy: what it told, or why it could not be asked. Never rejects. */
export function readLatency(proxies: readonly ProxyView[]): Promise<ReadonlyMap<string, LatencyReading | string>> {
  return askEach(proxies, '/latency', readingIn);
}

/** Pure. */
export function latencyView(
  told: ReadonlyMap<string, LatencyReading | string>,
  { at, topology }: { at: string; topology: Topology },
): LatencyView {
  const readings = [...told].flatMap(([id, reading]) => (typeof reading === 'string' ? [] : [{ id, reading }]));
  const used = new Set(readings.flatMap(({ reading }) => reading.servers.filter(({ requests }) => requests > 0).map(({ addr }) => addr)));
  const servers = topology.groups.flatMap(({ id, servers: members }): LatencyServerView[] =>
    members.filter(({ addr, role }) => role === 'master' || used.has(addr)).map(({ addr, role }) => ({ addr, group: id, role })),
  );
  const bare = readings.flatMap(({ id, reading }) => servers.map(({ addr }) => cellOf(id, addr, reading)));
  const cells = bare.map((cell) => ({ ...cell, outlier: whyOutlier(cell, bare) }));
  return {
    at,
    proxies: [...told].map(([id, reading]) => ({ id, problem: typeof reading === 'string' ? reading : null })),
    servers,
    cells,
    findings: findingsOf(cells),
    basis: basisOf(told),
  };
}

type Cell = Omit<LatencyCellView, 'outlier'>;

function cellOf(proxy: string, server: string, { servers }: LatencyReading): Cell {
  const line = servers.find(({ addr }) => addr === server);
  const ms = (micros: number | null | undefined) => (micros == null ? null : Number((micros / 1000).toFixed(3)));
  return { proxy, server, requestsCount: line?.requests ?? 0, p50Ms: ms(line?.p50Micros), p99Ms: ms(line?.p99Micros) };
}

const isKnown = ({ requestsCount }: Cell): boolean => requestsCount >= REQUESTS_MIN;

/** In a sentence; null when it does not stand out. */
function whyOutlier(cell: Cell, all: readonly Cell[]): string | null {
  const others = all.filter((other) => other !== cell && isKnown(other));
  if (!isKnown(cell) || others.length < CELLS_MIN - 1) return null;
  for (const [name, field] of [
    ['median', 'p50Ms'],
    ['99th percentile', 'p99Ms'],
  ] as const) {
    const usual = medianOf(others.flatMap((other) => other[field] ?? []));
    const own = cell[field];
    if (own === null || usual === null || own < usual * TIMES || own - usual < APART_MS[field]) continue;
    return `its ${name} is ${own} ms; that of the others is ${usual} ms`;
  }
  return null;
}

function medianOf(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}

/** A server that is slow for all proxies, a proxy to which all servers are slow, and what is left: single ways. */
function findingsOf(cells: readonly LatencyCellView[]): string[] {
  const known = cells.filter(isKnown);
  const all = (field: 'proxy' | 'server') =>
    [...new Set(known.map((cell) => cell[field]))].filter((name) => {
      const line = known.filter((cell) => cell[field] === name);
      return line.length > 1 && line.every(({ outlier }) => outlier !== null);
    });
  const [servers, proxies] = [all('server'), all('proxy')];
  const single = known.filter(({ proxy, server, outlier }) => outlier !== null && !servers.includes(server) && !proxies.includes(proxy));
  return [
    ...servers.map((server) => `server ${server} is slow for every proxy: look at the server itself, its slow log and its CPU`),
    ...proxies.map((proxy) => `every server is slow for proxy ${proxy}: look at its workers, with codis-config proxy info ${proxy}`),
    ...single.map(({ proxy, server, outlier }) => `server ${server} is slow for proxy ${proxy}: ${outlier}; look at the way between them`),
  ];
}

function basisOf(told: ReadonlyMap<string, LatencyReading | string>): string[] {
  if (told.size === 0) return ['no proxy is registered'];
  return [...told].map(([id, reading]) => {
    if (typeof reading === 'string') return `proxy ${id} could not be asked: ${reading}`;
    const seconds = Math.max(0, ...reading.servers.map((server) => server.seconds));
    const left = reading.missing === 0 ? '' : `; ${reading.missing} of its workers did not answer`;
    return `proxy ${id}: requests of the last ${seconds} s, from when they were read to when their reply was there${left}`;
  });
}

function readingIn(text: string, addr: string): LatencyReading {
  const { missing, servers } = JSON.parse(text) as Partial<Record<keyof LatencyReading, unknown>>;
  if (typeof missing !== 'number' || !Array.isArray(servers) || !servers.every(isLine)) {
    throw new Error(`what answers at ${addr} does not tell how long servers take`);
  }
  return { missing, servers };
}

function isLine(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { addr, seconds, requests, p50Micros, p99Micros } = value as Record<string, unknown>;
  const times = [p50Micros, p99Micros].every((time) => time === null || typeof time === 'number');
  return typeof addr === 'string' && typeof seconds === 'number' && typeof requests === 'number' && times;
}
