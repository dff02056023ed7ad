// Goal: a cluster-aware client, with the default settings of its library, finds the live proxies as its nodes, spreads over them, and goes on when one
// stops or another joins.
// Method: three groups behind two proxies; for each library the same story, told once.

import { GlideClusterClient } from '@valkey/valkey-glide';
import { Cluster as IoredisCluster, Redis } from 'ioredis';
import { Cluster as IovalkeyCluster } from 'iovalkey';
import { createCluster } from 'redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeSockets } from './clients/glide.ts';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, start } from './harness/process.ts';

const KEYS = Array.from({ length: 200 }, (_, at) => `user:${at}`);

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 2, groups: 3, settings: { workers: 2 } });
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  removeSockets();
});

/** What a test asks of a library. */
interface ClusterClient {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  close(): void | Promise<void>;
}

interface Library {
  readonly name: string;
  /** `refresh`: asks for the nodes anew every second, where the library has such a setting. */
  connect(port: number, refresh?: 'refresh'): ClusterClient | Promise<ClusterClient>;
  readonly canRefresh: boolean;
}

const LIBRARIES: readonly Library[] = [
  {
    name: 'ioredis',
    canRefresh: true,
    connect: (port, refresh) => {
      const client = new IoredisCluster([{ host: '127.0.0.1', port }], refresh ? { slotsRefreshInterval: 1000 } : {});
      client.on('error', () => undefined);
      return { get: (key) => client.get(key), set: (key, value) => client.set(key, value), close: () => client.disconnect() };
    },
  },
  {
    name: 'iovalkey',
    canRefresh: true,
    connect: (port, refresh) => {
      const client = new IovalkeyCluster([{ host: '127.0.0.1', port }], refresh ? { slotsRefreshInterval: 1000 } : {});
      client.on('error', () => undefined);
      return { get: (key) => client.get(key), set: (key, value) => client.set(key, value), close: () => client.disconnect() };
    },
  },
  {
    name: 'node-redis',
    canRefresh: false,
    connect: async (port) => {
      const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
      client.on('error', () => undefined);
      client.on('node-error', () => undefined);
      await client.connect();
      return { get: (key) => client.get(key), set: (key, value) => client.set(key, value), close: () => client.destroy() };
    },
  },
  {
    name: 'valkey-glide',
    canRefresh: true,
    connect: async (port, refresh) => {
      const client = await GlideClusterClient.createClient({
        addresses: [{ host: '127.0.0.1', port }],
        ...(refresh ? { periodicChecks: { duration_in_sec: 1 } } : {}),
      });
      return {
        get: async (key) => (await client.get(key))?.toString() ?? null,
        set: (key, value) => client.set(key, value),
        close: () => client.close(),
      };
    },
  },
];

/** How many reads and writes a proxy was sent so far. */
async function commandsOf(proxy: ProxyProcess): Promise<number> {
  const { workers } = await proxy.status();
  return workers.reduce((sum, { calls }) => sum + (calls['get'] ?? 0) + (calls['set'] ?? 0), 0);
}

async function writeAndRead(client: ClusterClient, value: string): Promise<void> {
  await Promise.all(KEYS.map((key) => client.set(key, value)));
  expect(new Set(await Promise.all(KEYS.map((key) => client.get(key))))).toEqual(new Set([value]));
}

/** Commands until all of a round succeed: what was under way when a proxy went may fail, as with any node of a cluster. */
async function untilItWorks(client: ClusterClient, value: string): Promise<void> {
  await eventually(
    async () => {
      await writeAndRead(client, value);
      return true;
    },
    { what: 'a round without an error', timeoutMs: 30_000 },
  );
}

/** Runs rounds of commands until `proxy` was sent some. */
async function untilItReaches(client: ClusterClient, proxy: ProxyProcess): Promise<void> {
  const before = await commandsOf(proxy);
  await eventually(
    async () => {
      await writeAndRead(client, 'again');
      return (await commandsOf(proxy)) > before;
    },
    { what: `${proxy.id} to get commands`, timeoutMs: 60_000 },
  );
}

const proxyAt = (index: number): ProxyProcess => cluster.proxies[index] as ProxyProcess;

async function stopProxy(index: number): Promise<void> {
  const [proxy] = cluster.proxies.splice(index, 1);
  await proxy?.child.stop('SIGTERM');
}

let proxiesStarted = 2;
const newId = (): string => `proxy_${++proxiesStarted}`;

beforeEach(async () => {
  while (cluster.proxies.length < 2) await cluster.startProxy(newId());
});

describe.each(LIBRARIES)('$name', ({ connect }) => {
  test('reads and writes over all groups, spread over both proxies', async () => {
    await untilBothAreKnown();
    const before = await Promise.all(cluster.proxies.map(commandsOf));
    const client = await connect(proxyAt(0).port);
    await writeAndRead(client, 'first');
    await client.close();
    const after = await Promise.all(cluster.proxies.map(commandsOf));
    for (const [at, count] of after.entries()) expect(count).toBeGreaterThan(before[at] as number);
  });

  test('goes on with the other proxy when one stops', async () => {
    await untilBothAreKnown();
    const client = await connect(proxyAt(1).port);
    await writeAndRead(client, 'before');
    await stopProxy(0);
    await untilItWorks(client, 'after');
    await client.close();
  });
});

/** valkey-glide asks for the nodes at most every 15 s or so, whatever it is told. */
const JOIN_MS = 90_000;

describe.each(LIBRARIES.filter(({ canRefresh }) => canRefresh))('$name', ({ connect }) => {
  test('finds a proxy that joins at its next refresh', { timeout: JOIN_MS }, async () => {
    await stopProxy(1);
    const client = await connect(proxyAt(0).port, 'refresh');
    await untilItWorks(client, 'alone');
    await untilItReaches(client, await cluster.startProxy(newId()));
    await client.close();
  });
});

test('a worker that replaces one that died tells of both proxies', async () => {
  await untilBothAreKnown();
  const proxy = proxyAt(0);
  for (const { pid } of (await proxy.status()).workers) process.kill(pid, 'SIGKILL');
  await eventually(async () => (await nodesOf(proxy)) === 2, { what: 'a new worker to tell of both' });
});

test('a proxy that is taken offline is not told of, and one that was killed no longer than its session lasts', async () => {
  await untilBothAreKnown();
  await cluster.cliOk('proxy', 'offline', proxyAt(1).id);
  await eventually(async () => (await nodesOf(proxyAt(0))) === 1, { what: 'the proxy that is offline to be left out' });
  await cluster.cliOk('proxy', 'online', proxyAt(1).id);
  await untilBothAreKnown();
  const [killed] = cluster.proxies.splice(1, 1);
  await killed?.child.stop('SIGKILL');
  await eventually(async () => (await nodesOf(proxyAt(0))) === 1, { what: 'the proxy that is dead to be left out', timeoutMs: 15_000 });
});

test('redis-cli -c reads and writes keys of any slot', async () => {
  for (const key of KEYS.slice(0, 10)) {
    expect(await output('redis-cli', ['-c', '-p', String(proxyAt(0).port), 'set', key, 'by hand'])).toBe('OK\n');
    expect(await output('redis-cli', ['-c', '-p', String(proxyAt(1).port), 'get', key])).toBe('by hand\n');
  }
});

test('redis-benchmark --cluster runs its tests over both proxies', async () => {
  await untilBothAreKnown();
  const before = await Promise.all(cluster.proxies.map(commandsOf));
  const args = ['-p', String(proxyAt(0).port), '--cluster', '-t', 'get,set', '-n', '1000', '-r', '1000', '-c', '4', '-q'];
  const told = await output('redis-benchmark', args);
  expect(told).toContain('Cluster has 2 master nodes');
  expect(told).toMatch(/SET: .* requests per second/);
  const after = await Promise.all(cluster.proxies.map(commandsOf));
  for (const [at, count] of after.entries()) expect(count).toBeGreaterThan(before[at] as number);
});

async function output(program: string, args: readonly string[]): Promise<string> {
  const child = start(program, args);
  await child.exited();
  return child.output();
}

/** Both proxies tell of two nodes. */
async function untilBothAreKnown(): Promise<void> {
  for (const proxy of cluster.proxies) {
    await eventually(async () => (await nodesOf(proxy)) === 2, { what: `${proxy.id} to tell of both` });
  }
}

/** Of how many nodes a proxy tells. A connection that a worker was given when it died is never answered. */
async function nodesOf(proxy: ProxyProcess): Promise<number> {
  const client = new Redis({ port: proxy.port, commandTimeout: 1000, retryStrategy: null });
  client.on('error', () => undefined);
  try {
    return ((await client.cluster('SLOTS')) as unknown[]).length;
  } finally {
    client.disconnect();
  }
}
