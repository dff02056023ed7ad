// The console's files and an API that says what a test wants: for clusters larger than a test can start. It listens on 127.0.0.1.

import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type {
  GroupStatusView,
  LiveEventName,
  LiveEvents,
  LiveSnapshotView,
  ProxyEntryView,
  SlotRunView,
  StatusView,
} from '@codis/config/api';
import { freePort, REPO } from '../harness/process.ts';

const DIST = join(REPO, 'packages/dashboard/web/dist');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const AT = '2026-01-01T00:00:00.000Z';
const SESSION: object = { authRequired: false, readOnly: false, user: null, role: 'admin', csrf: null, product: 'large' };

const NOT_FOUND = { detail: 'not in this fake', code: 'CODIS_E_NOT_FOUND', status: 404, try: [] };

export interface FakeApi {
  readonly url: string;
  /** Sends an event to everybody who listens. */
  send<Name extends LiveEventName>(name: Name, data: LiveEvents[Name]): void;
  close(): Promise<void>;
}

type Answer = () => object;

/** `answers`: what is at paths below /api/v1, by the path without its query; a function is called at each request. */
export async function startFakeApi(snapshot: LiveSnapshotView, answers: Readonly<Record<string, object | Answer>> = {}): Promise<FakeApi> {
  const port = await freePort();
  const listeners = new Set<ServerResponse>();
  const write = (to: ServerResponse, name: string, data: unknown) => to.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/api/v1/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      write(response, 'snapshot', snapshot);
      listeners.add(response);
      return;
    }
    if (path.startsWith('/api/')) {
      const answer = { '/session': SESSION, ...answers }[path.slice('/api/v1'.length)];
      response.writeHead(answer ? 200 : 404, { 'content-type': answer ? 'application/json' : 'application/problem+json' });
      response.end(JSON.stringify(typeof answer === 'function' ? (answer as Answer)() : (answer ?? NOT_FOUND)));
      return;
    }
    const file = extname(path) === '' ? '/index.html' : path;
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(join(DIST, file)));
  });
  const beat = setInterval(() => {
    for (const listener of listeners) write(listener, 'beat', { at: AT });
  }, 2000);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${port}`,
    send: (name, data) => {
      for (const listener of listeners) write(listener, name, data);
    },
    close: () => {
      clearInterval(beat);
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** A healthy cluster whose slots go round the groups one by one, which is the most that can be told apart. */
export function largeCluster({ groups, proxies }: { groups: number; proxies: number }): LiveSnapshotView {
  const groupStatuses = Array.from({ length: groups }, (_, index) => groupStatus(index + 1, 1024 / groups));
  const status: StatusView = {
    product: 'large',
    verdict: 'healthy',
    summary: 'Healthy: 1024 of 1024 slots served',
    since: AT,
    problems: [],
    warnings: [],
    causes: [],
    keys: { knownCount: 1000, estimatedCount: 1000, unknownGroups: [] },
    epoch: 1,
    slots: { total: 1024, served: 1024, offline: 0, moving: 0 },
    groups: groupStatuses,
    proxies: Array.from({ length: proxies }, (_, index) => proxy(`proxy_${index + 1}`)),
    migrationsRunning: 0,
    elected: true,
    readAt: AT,
  };
  const point = {
    at: AT,
    opsPerSecond: null,
    errorsPerSecond: null,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    sessions: null,
    usedMemoryBytes: null,
    keysCount: null,
  };
  return {
    at: AT,
    status,
    topology: {
      epoch: 1,
      slots: roundRobin(groups, 0),
      groups: groupStatuses.map(({ id, slotsCount, servers }) => ({
        id,
        slotsCount,
        servers: servers.map(({ addr, role, zone, replicaReads }) => ({ addr, role, zone, replicaReads })),
      })),
    },
    migrations: [],
    alerts: { alerts: [], evaluatedAt: AT },
    stats: { point, proxies: [], gone: [] },
  };
}

/** Every slot with another group than its neighbours, beginning with another group at each `shift`. */
export function roundRobin(groups: number, shift: number): SlotRunView[] {
  return Array.from({ length: 1024 }, (_, slot) => ({
    first: slot,
    last: slot,
    state: 'online',
    group: ((slot + shift) % groups) + 1,
    to: null,
    migration: null,
  }));
}

function groupStatus(id: number, slotsCount: number): GroupStatusView {
  const server = (port: number, role: 'master' | 'replica') => ({
    addr: `10.0.0.${id}:${port}`,
    role,
    zone: null,
    replicaReads: true,
    up: true,
    observedRole: role,
    linkUp: role === 'replica' ? true : null,
    sync: null,
    replicates: role === 'replica' ? `10.0.0.${id}:6379` : null,
    offset: 1,
    lagBytes: role === 'replica' ? 0 : null,
    lagSeconds: role === 'replica' ? 0 : null,
    version: '7.0.15',
    keysCount: 10,
    usedMemoryBytes: 1e6,
    maxMemoryBytes: 0,
    opsPerSecond: 1,
    uptimeSeconds: 60,
    problem: null,
  });
  return { id, slotsCount, servers: [server(6379, 'master'), server(6380, 'replica')] };
}

function proxy(id: string): ProxyEntryView {
  return { id, addr: '10.0.1.1:19000', adminAddr: '10.0.1.1:11080', wanted: 'online', state: 'online', epoch: 1, pid: 1, startedAt: AT };
}
