// A whole product for a test, out of the programs a user runs: real redis-servers in groups, codis-dashboard, codis-proxy processes, and
// codis-config to steer it. Everything on 127.0.0.1 and free ports, over the filesystem coordinator or a ZooKeeper that is given.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Child, eventually, freePort, REPO, scratchDir, start } from './process.ts';
import { type RedisServer, startRedis } from './redis.ts';

export interface ClusterOptions {
  /** How many proxies to start; the first is proxy_1. */
  readonly proxies?: number;
  /** How many groups; slots are spread evenly over them. */
  readonly groups?: number;
  /** Replicas per group. */
  readonly replicas?: number;
  /** `host:port` of ZooKeeper servers; the filesystem coordinator unless given. */
  readonly zk?: string;
  /** Redis servers and a dashboard only: no slot table, no groups, no proxy. */
  readonly bare?: boolean;
  /** Further lines of config.ini. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** redis.conf's words for every server. */
  readonly redisConfig?: Readonly<Record<string, string>>;
}

export interface ProxyProcess {
  readonly id: string;
  readonly port: number;
  readonly adminPort: number;
  child: Child;
  /** Kills it if it runs, and starts it again at the same addresses; resolves once it serves. */
  restart(): Promise<void>;
  /** The primary and its workers. */
  pids(): Promise<number[]>;
  /** A new client, closed with the cluster. */
  client(options?: { db?: number; password?: string }): Redis;
  status(): Promise<ProxyStatusView>;
}

/** The part of a proxy's /status that tests look at. */
export interface ProxyStatusView {
  readonly serving: boolean;
  readonly epoch: { readonly held: number; readonly applied: number; readonly acknowledged: number };
  readonly coordinator: { readonly state: string; readonly staleSince: string | null };
  readonly workerRestarts: number;
  readonly workers: readonly {
    readonly worker: number;
    readonly pid: number;
    readonly rssBytes: number;
    readonly backendBytesIn: number;
    readonly clients: number;
    readonly requests: number;
    readonly held: number;
    readonly tryAgain: number;
    readonly handOvers: number;
    readonly calls: Readonly<Record<string, number>>;
  }[];
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cluster {
  readonly configFile: string;
  /** Of the filesystem coordinator. */
  readonly coordinatorDir: string;
  readonly dashboardPort: number;
  /** By group, the master first. Group ids start at 1. */
  readonly servers: RedisServer[][];
  readonly proxies: ProxyProcess[];
  dashboard: Child;
  /** Runs codis-config against this cluster. */
  cli(...args: string[]): Promise<CliResult>;
  /** As `cli`, and throws unless it exits 0; returns stdout. */
  cliOk(...args: string[]): Promise<string>;
  /** Asks the dashboard's API, at a path below /api/v1; throws unless that goes well. For what is asked again and again: no process for each time. */
  ask<View>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<View>;
  startDashboard(): Promise<void>;
  /** Starts one more dashboard, at an address of its own; stopped with the cluster. */
  startAnotherDashboard(): Promise<Child>;
  startProxy(id: string): Promise<ProxyProcess>;
  stop(): Promise<void>;
}

const SESSION_TIMEOUT_MS = 3000;
const COORDINATOR_DIR = 'coordinator';

/** Starts it and waits until every proxy serves. `stop` it in afterAll. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const dir = scratchDir('cluster');
  const dashboardPort = await freePort();
  const configFile = join(dir, 'config.ini');
  writeFileSync(configFile, renderConfig(options, dashboardPort));
  const clients: Redis[] = [];
  const cli = (...args: string[]) => run([join(REPO, 'packages/config/bin/codis-config.js'), '-c', configFile, ...args]);
  const moreDashboards: Child[] = [];
  const dashboard = startProgram('dashboard', configFile);
  const cluster: Cluster = {
    configFile,
    coordinatorDir: join(dir, COORDINATOR_DIR),
    dashboardPort,
    servers: await startServers(options),
    proxies: [],
    dashboard,
    cli,
    cliOk: async (...args) => {
      const result = await cli(...args);
      if (result.code !== 0) throw new Error(`codis-config ${args.join(' ')} exited ${result.code}:\n${result.stderr}${result.stdout}`);
      return result.stdout;
    },
    ask: async <View>(method: string, path: string, body?: object) => {
      const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const response = await fetch(`http://127.0.0.1:${dashboardPort}/api/v1${path}`, { method, ...content });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as View;
    },
    startDashboard: async () => {
      cluster.dashboard = startProgram('dashboard', configFile);
      await untilDashboard(cluster.dashboard, dashboardPort);
    },
    startAnotherDashboard: async () => {
      const port = await freePort();
      const child = startProgram('dashboard', configFile, ['--dashboard-addr', `127.0.0.1:${port}`]);
      moreDashboards.push(child);
      await untilDashboard(child, port);
      return child;
    },
    startProxy: async (id) => {
      const proxy = await startProxy(id, configFile, clients);
      cluster.proxies.push(proxy);
      await untilServing(proxy);
      return proxy;
    },
    stop: async () => {
      for (const client of clients) client.disconnect();
      await Promise.all([
        ...cluster.proxies.map(({ child }) => child.stop()),
        cluster.dashboard.stop(),
        ...moreDashboards.map((child) => child.stop()),
      ]);
      await Promise.all(cluster.servers.flat().map((server) => server.stop()));
    },
  };
  await untilDashboard(cluster.dashboard, dashboardPort);
  if (options.bare) return cluster;
  await assignSlots(cluster);
  for (let number = 1; number <= (options.proxies ?? 2); number++) {
    cluster.proxies.push(await startProxy(`proxy_${number}`, configFile, clients));
  }
  await Promise.all(cluster.proxies.map(untilServing));
  return cluster;
}

function renderConfig(options: ClusterOptions, dashboardPort: number): string {
  const settings = {
    product_name: 'test',
    ...(options.zk ? { coordinator: 'zookeeper', zk: options.zk } : { coordinator: 'filesystem', coordinator_dir: COORDINATOR_DIR }),
    zk_session_timeout: SESSION_TIMEOUT_MS,
    dashboard_addr: `127.0.0.1:${dashboardPort}`,
    workers: 1,
    log_level: 'debug',
    // A busy machine is no reason for a move to begin anew; and several batches show more than one.
    slot_lock_lease_ms: 2000,
    migration_batch_slots: 64,
    ...options.settings,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

function startServers({ groups = 2, replicas = 0, redisConfig }: ClusterOptions): Promise<RedisServer[][]> {
  const config = redisConfig ? { config: { ...redisConfig } } : {};
  const startGroup = () => Promise.all(Array.from({ length: 1 + replicas }, () => startRedis(config)));
  return Promise.all(Array.from({ length: groups }, startGroup));
}

/** As `codis-config slot init`, `server add` and `slot range-set` do it, without a process for each. */
async function assignSlots({ ask, servers: groups }: Cluster): Promise<void> {
  await ask('POST', '/slots/init', { force: false });
  for (const [index, servers] of groups.entries()) {
    const group = index + 1;
    for (const [at, { addr }] of servers.entries()) {
      await ask('POST', `/groups/${group}/servers`, { addr, role: at === 0 ? 'master' : 'replica', force: false });
    }
    const first = Math.floor((1024 * index) / groups.length);
    const last = Math.floor((1024 * group) / groups.length) - 1;
    await ask('PUT', '/slots/range', { first, last, group });
  }
}

function startProgram(program: 'dashboard' | 'proxy', configFile: string, flags: readonly string[] = []): Child {
  const name = `codis-${program}`;
  return start('node', [join(REPO, `packages/${program}/bin/${name}.js`), '-c', configFile, ...flags], { name });
}

async function untilDashboard(dashboard: Child, port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/readyz`;
  await eventually(async () => (await fetch(url)).ok, { what: `the dashboard: ${dashboard.output()}`, timeoutMs: 20_000 });
}

async function untilServing(proxy: ProxyProcess): Promise<void> {
  const what = `${proxy.id} to serve`;
  try {
    await eventually(async () => (await proxy.status()).serving, { what, timeoutMs: 20_000 });
  } catch (cause) {
    throw new Error(`${what}: ${proxy.child.output().slice(-2000)}`, { cause });
  }
}

async function startProxy(id: string, configFile: string, clients: Redis[]): Promise<ProxyProcess> {
  const port = await freePort();
  const adminPort = await freePort();
  const flags = ['--proxy-id', id, '--proxy-addr', `127.0.0.1:${port}`, '--admin-addr', `127.0.0.1:${adminPort}`];
  const proxy: ProxyProcess = {
    id,
    port,
    adminPort,
    child: startProgram('proxy', configFile, flags),
    restart: async () => {
      await proxy.child.stop();
      proxy.child = startProgram('proxy', configFile, flags);
      await untilServing(proxy);
    },
    pids: async () => [proxy.child.pid, ...(await proxy.status()).workers.map(({ pid }) => pid)],
    client: (options = {}) => {
      const client = new Redis({ host: '127.0.0.1', port, protocol: 2, maxRetriesPerRequest: 0, retryStrategy: () => 50, ...options });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    status: async () => (await (await fetch(`http://127.0.0.1:${adminPort}/status`)).json()) as ProxyStatusView,
  };
  return proxy;
}

/** Runs a program of ours to its end. */
export function run(args: readonly string[]): Promise<CliResult> {
  return new Promise((done, failed) => {
    const child = spawn('node', args, { cwd: REPO, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.on('error', failed);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}
