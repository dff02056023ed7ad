// The proxies under test. Each knows how to start itself in front of two Redis servers, and which process does the work.
//
// Codis is set up as an operator does it: by its own dashboard and codis-config, which are gone before anything is measured.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isReady, listens, type Program, start, until } from './process.ts';

const run = promisify(execFile);

export interface Subject {
  readonly name: string;
  /** What exactly was measured: a commit, a version. */
  readonly version: string;
  /** `redis`: ports of the servers; `dir`: for its files. */
  start(options: { redis: readonly number[]; core: number; dir: string }): Promise<Running>;
}

export interface Running {
  readonly port: number;
  /** The process that the clients are connected to. */
  readonly workerPid: number;
  stop(): Promise<void>;
}

const PROGRAMS = { proxy: 'packages/proxy/bin/codis-proxy.js', dashboard: 'packages/dashboard/bin/codis-dashboard.js' };
const CLI = 'packages/config/bin/codis-config.js';
const BUILT = 'packages/proxy/dist/worker/main.js';

/** The build in a checkout. Throws when it is not built. */
export async function codisBuild(name: string, checkout: string): Promise<Subject> {
  const top = resolve(checkout);
  if (!existsSync(join(top, BUILT))) throw new Error(`${top} is not built: run npm install and npx tsc -b there`);
  const { stdout } = await run('git', ['-C', top, 'describe', '--always', '--dirty', '--abbrev=12']);
  return { name, version: stdout.trim(), start: (options) => startCodis(top, options) };
}

async function startCodis(top: string, { redis, core, dir }: { redis: readonly number[]; core: number; dir: string }): Promise<Running> {
  mkdirSync(dir, { recursive: true });
  const [port, adminPort, dashboardPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(dir, 'config.ini');
  writeFileSync(config, configText({ port, adminPort, dashboardPort }));
  const program = (which: keyof typeof PROGRAMS) =>
    start(core, process.execPath, [join(top, PROGRAMS[which]), '-c', config], join(dir, `${which}.log`));
  await setUp({ top, config, redis, dashboardPort, dashboard: program('dashboard') });
  const proxy = program('proxy');
  try {
    await until(`the proxy; see ${dir}`, () => listens(port));
    return { port, workerPid: await workerOf(adminPort), stop: () => proxy.stop() };
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}

function configText({ port, adminPort, dashboardPort }: { port: number; adminPort: number; dashboardPort: number }): string {
  const settings = {
    product_name: 'bench',
    coordinator: 'filesystem',
    coordinator_dir: 'coordinator',
    dashboard_addr: `127.0.0.1:${dashboardPort}`,
    proxy_id: 'bench_1',
    proxy_addr: `127.0.0.1:${port}`,
    admin_addr: `127.0.0.1:${adminPort}`,
    workers: 1,
    log_level: 'warn',
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

interface SetUp {
  readonly top: string;
  readonly config: string;
  readonly redis: readonly number[];
  readonly dashboardPort: number;
  readonly dashboard: Program;
}

/** Half of the slots to each of the servers. */
async function setUp({ top, config, redis, dashboardPort, dashboard }: SetUp): Promise<void> {
  const cli = (...words: string[]) => run(process.execPath, [join(top, CLI), '-c', config, ...words]);
  try {
    await until('the dashboard', () => isReady(dashboardPort));
    await cli('slot', 'init');
    for (const [index, port] of redis.entries()) {
      const slots = [index, index + 1].map((part) => Math.floor((1024 * part) / redis.length));
      const range = [String(slots[0]), String((slots[1] ?? 0) - 1)];
      await cli('server', 'add', String(index + 1), `127.0.0.1:${port}`, 'master');
      await cli('slot', 'range-set', ...range, String(index + 1), 'online');
    }
  } finally {
    await dashboard.stop();
  }
}

async function workerOf(adminPort: number): Promise<number> {
  const status = (await (await fetch(`http://127.0.0.1:${adminPort}/status`)).json()) as { workers: { pid: number }[] };
  const [worker, ...others] = status.workers;
  if (worker === undefined || others.length > 0) throw new Error(`one worker was expected, not ${status.workers.length}`);
  return worker.pid;
}
