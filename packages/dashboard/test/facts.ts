// A cluster that is well, as plain data: what unit tests change one thing of.

import type {
  GroupStatusView,
  MigrationView,
  ProxyEntryView,
  ProxyStatsView,
  ProxyWorkerView,
  ServerStatusView,
  StatsPointView,
  StatusView,
  TopologyView,
} from '@codis/config/api';
import { UNTHROTTLED } from '@codis/config/model';
import type { Facts } from '../src/explain/checks.ts';

export const AT = '2026-01-01T00:00:00.000Z';

export function server(addr: string, role: 'master' | 'replica', over: Partial<ServerStatusView> = {}): ServerStatusView {
  return {
    addr,
    role,
    zone: null,
    replicaReads: true,
    up: true,
    observedRole: role,
    linkUp: role === 'replica' ? true : null,
    sync: null,
    version: '7.0.15',
    keysCount: 100,
    usedMemoryBytes: 10_000_000,
    maxMemoryBytes: 0,
    replicates: role === 'replica' ? 'm:1' : null,
    offset: 1000,
    lagBytes: role === 'replica' ? 0 : null,
    lagSeconds: role === 'replica' ? 0 : null,
    opsPerSecond: 5,
    uptimeSeconds: 60,
    problem: null,
    ...over,
  };
}

export const down = {
  up: false,
  observedRole: null,
  version: null,
  keysCount: null,
  usedMemoryBytes: null,
  maxMemoryBytes: null,
  offset: null,
  lagBytes: null,
  lagSeconds: null,
  problem: 'connection refused',
} as const;

export function group(id: number, servers?: ServerStatusView[]): GroupStatusView {
  return { id, slotsCount: 512, servers: servers ?? [server(`m${id}:1`, 'master'), server(`r${id}:1`, 'replica')] };
}

export function proxy(id: string, over: Partial<ProxyEntryView> = {}): ProxyEntryView {
  return { id, addr: `${id}:19000`, adminAddr: `${id}:11080`, wanted: 'online', state: 'online', epoch: 7, pid: 1, startedAt: AT, ...over };
}

export function proxyStats(id: string, over: Partial<ProxyStatsView> = {}): ProxyStatsView {
  return {
    id,
    at: AT,
    opsPerSecond: 1000,
    errorsPerSecond: 0,
    p50Ms: 0.2,
    p99Ms: 1,
    sessions: 10,
    serving: true,
    uptimeSeconds: 3600,
    version: '0.1.0',
    cpuPercent: 10,
    lagP99Ms: 1,
    memoryBytes: 100_000_000,
    workersCount: 2,
    workerRestartsCount: 0,
    problem: null,
    ...over,
  };
}

export function worker(number: number, over: Partial<ProxyWorkerView> = {}): ProxyWorkerView {
  return {
    worker: number,
    pid: 100 + number,
    sessions: 5,
    opsPerSecond: 500,
    errorsPerSecond: 0,
    cpuPercent: 10,
    lagP50Ms: 0.1,
    lagP99Ms: 1,
    lagMaxMs: 3,
    memoryBytes: 50_000_000,
    epoch: 7,
    ...over,
  };
}

export function migration(over: Partial<MigrationView> = {}): MigrationView {
  return {
    id: 3,
    state: 'running',
    moves: [{ first: 100, last: 199, to: 2 }],
    throttle: UNTHROTTLED,
    durable: false,
    slotsTotal: 100,
    slotsDone: 50,
    keysSwept: 10,
    bytesSwept: 1000,
    keysLeft: 10,
    keysPerSecond: 5,
    secondsLeft: 2,
    retries: 0,
    verified: null,
    resumesAt: null,
    takesBack: null,
    takenBackBy: null,
    waiting: null,
    stalled: null,
    actor: 'test',
    comment: null,
    createdAt: AT,
    endedAt: null,
    ...over,
  };
}

export function point(over: Partial<StatsPointView> = {}): StatsPointView {
  return {
    at: AT,
    opsPerSecond: 2000,
    errorsPerSecond: 0,
    p50Ms: 0.2,
    p95Ms: 0.5,
    p99Ms: 1,
    sessions: 20,
    usedMemoryBytes: 1e7,
    keysCount: 200,
    ...over,
  };
}

export function status(over: Partial<StatusView> = {}): StatusView {
  return {
    product: 'test',
    verdict: 'healthy',
    summary: 'Healthy',
    since: AT,
    problems: [],
    warnings: [],
    causes: [],
    keys: { knownCount: 200, estimatedCount: 200, unknownGroups: [] },
    epoch: 7,
    slots: { total: 1024, served: 1024, offline: 0, moving: 0 },
    groups: [group(1), group(2)],
    proxies: [proxy('p1'), proxy('p2')],
    migrationsRunning: 0,
    elected: true,
    readAt: AT,
    ...over,
  };
}

const online = (owner: number) => ({ state: 'online', group: owner, to: null, migration: null }) as const;

export function topology(over: Partial<TopologyView> = {}): TopologyView {
  return {
    epoch: 7,
    slots: [
      { first: 0, last: 511, ...online(1) },
      { first: 512, last: 1023, ...online(2) },
    ],
    groups: [
      { id: 1, slotsCount: 512, servers: [{ addr: 'm1:1', role: 'master', zone: null, replicaReads: true }] },
      { id: 2, slotsCount: 512, servers: [{ addr: 'm2:1', role: 'master', zone: null, replicaReads: true }] },
    ],
    ...over,
  };
}

export function facts(over: Partial<Facts> = {}): Facts {
  return {
    status: status(),
    topology: topology(),
    migrations: [],
    proxies: [proxyStats('p1'), proxyStats('p2')],
    workers: new Map(['p1', 'p2'].map((id) => [id, [worker(0), worker(1)]])),
    unconfirmed: new Map(),
    hasController: true,
    ...over,
  };
}
