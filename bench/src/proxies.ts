// What can be measured: how it is started in front of Redis servers, and which processes do the work. Here is Codis; its peers are in peers.ts.
//
// Codis is set up as an operator does it: by its own dashboard and codis-config, which are gone before anything is measured. What is not about places has its default.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CORES, type Cores, freePort, isReady, listens, type Program, start, until, untilGone } from './process.ts';

const run = promisify(execFile);

export interface Subject {
  readonly name: string;
  /** What exactly was measured: a commit, a version. */
  readonly version: string;
  /** Everything up to its start. `redis`: ports of the servers; `dir`: for its files. */
  prepare(options: { redis: readonly number[]; dir: string }): Promise<Prepared>;
}

/** Can be started, stopped and started again. */
export interface Prepared {
  readonly port: number;
  /** Starts it and waits for nothing. */
  launch(cores: Cores): Program;
  /** Of what was launched and serves clients. */
  running(program: Program): Promise<Running>;
  /** Starts it and waits until it serves clients. */
  start(cores: Cores): Promise<Running>;
}

export interface Running {
  readonly port: number;
  /** The processes that the clients are connected to. */
  readonly workerPids: readonly number[];
  /** How many times longer than a round it is warmed up; once unless said. */
  readonly warmUpTimes?: number;
  stop(): Promise<void>;
  /** As `kill -9` does. */
  kill(): Promise<void>;
}

const PROGRAMS = { proxy: 'packages/proxy/bin/codis-proxy.js', dashboard: 'packages/dashboard/bin/codis-dashboard.js' };
const CLI = 'packages/config/bin/codis-config.js';
const BUILT = 'packages/proxy/dist/worker/main.js';
/** V8 compiles what runs often while it runs, and all that is measured is what it costs from then on. */
const WARM_UP_TIMES = 4;
/** How much of a log goes into an error. */
const LOG_SHOWN = 2000;
/** Where the dashboard of a proxy that is set up runs. */
const SETUP_CORES = CORES[0] ?? '0';

/** The build in a checkout. Throws when it is not built. */
export async function codisBuild(name: string, checkout: string, { workers = 1 } = {}): Promise<Subject> {
  const top = resolve(checkout);
  if (!existsSync(join(top, BUILT))) throw new Error(`${top} is not built: run npm install and npx tsc -b there`);
  const git = run('git', ['-C', top, 'describe', '--always', '--dirty', '--abbrev=12']);
  const version = await git.then(
    ({ stdout }) => stdout.trim(),
    () => 'not in git',
  );
  return { name, version, prepare: (options) => prepareCodis(top, { ...options, workers }) };
}

async function prepareCodis(
  top: string,
  { redis, dir, workers }: { redis: readonly number[]; dir: string; workers: number },
): Promise<Prepared> {
  mkdirSync(dir, { recursive: true });
  const [port, adminPort, dashboardPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(dir, 'config.ini');
  writeFileSync(config, configText({ port, adminPort, dashboardPort, workers }));
  const program = (which: keyof typeof PROGRAMS, cores: Cores) =>
    start(cores, process.execPath, [join(top, PROGRAMS[which]), '-c', config], join(dir, `${which}.log`));
  await setUp({ top, config, redis, dashboardPort, dashboard: program('dashboard', SETUP_CORES) });
  return prepared({
    port,
    log: join(dir, 'proxy.log'),
    launch: (cores) => program('proxy', cores),
    pidsOf: () => workersOf(adminPort, workers),
    warmUpTimes: WARM_UP_TIMES,
  });
}

interface Recipe {
  readonly port: number;
  /** Where what it prints goes. */
  readonly log: string;
  launch(cores: Cores): Program;
  pidsOf(program: Program): Promise<number[]>;
  readonly warmUpTimes?: number;
}

/** What all that can be started have in common. */
export function prepared({ port, log, launch, pidsOf, warmUpTimes = 1 }: Recipe): Prepared {
  const running = async (program: Program): Promise<Running> => {
    const workerPids = await pidsOf(program);
    const gone = async () => void (await Promise.all(workerPids.map(untilGone)));
    return { port, workerPids, warmUpTimes, stop: () => program.stop().then(gone), kill: () => program.kill().then(gone) };
  };
  const startAndWait = async (cores: Cores) => {
    const program = launch(cores);
    try {
      await until(`port ${port}`, () => listens(port));
      return await running(program);
    } catch (error) {
      await program.stop();
      throw new Error(`${String(error)}\n${readFileSync(log, 'utf8').slice(-LOG_SHOWN)}`, { cause: error });
    }
  };
  return { port, launch, running, start: startAndWait };
}

function configText({
  port,
  adminPort,
  dashboardPort,
  workers,
}: Record<'port' | 'adminPort' | 'dashboardPort' | 'workers', number>): string {
  const settings = {
    product_name: 'bench',
    coordinator: 'filesystem',
    coordinator_dir: 'coordinator',
    dashboard_addr: `127.0.0.1:${dashboardPort}`,
    proxy_id: 'bench_1',
    proxy_addr: `127.0.0.1:${port}`,
    admin_addr: `127.0.0.1:${adminPort}`,
    workers,
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

/** As many slots to each of the servers, every one a group of its own. */
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

async function workersOf(adminPort: number, count: number): Promise<number[]> {
  const status = (await (await fetch(`http://127.0.0.1:${adminPort}/status`)).json()) as { workers: { pid: number }[] };
  if (status.workers.length !== count) throw new Error(`workers expected: ${count}, seen: ${status.workers.length}`);
  return status.workers.map(({ pid }) => pid);
}
