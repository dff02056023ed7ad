// A whole product over two Redis servers, as an operator starts it: a dashboard, two proxies with one worker each, a coordinator in files. All slots are group 1's
// in the beginning. Programs run wherever the kernel puts them.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, isReady, listens, type Program, startAnywhere, until } from './process.ts';

const run = promisify(execFile);
const PROXIES = ['bench_1', 'bench_2'];
const CLI = 'packages/config/bin/codis-config.js';
const LAST_SLOT = '1023';

export interface Moved {
  /** Milliseconds since 1970: when the migration was asked for, and when it had ended. */
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

export interface Product {
  /** Where clients connect. */
  readonly port: number;
  /** Moves slots 0..`last` with their keys, and waits for that. */
  migrate(last: number, group: 1 | 2): Promise<Moved>;
  /** How many hand-overs all proxies have asked for on demand. */
  handOvers(): Promise<number>;
  stop(): Promise<void>;
}

export async function startProduct({ redis, dir }: { redis: readonly number[]; dir: string }): Promise<Product> {
  mkdirSync(dir, { recursive: true });
  const dashboardPort = await freePort();
  const programs: Program[] = [];
  const launch = (program: 'dashboard' | 'proxy', config: string, log: string) =>
    programs.push(startAnywhere(process.execPath, [`packages/${program}/bin/codis-${program}.js`, '-c', config], join(dir, log)));
  const stop = async () => void (await Promise.all(programs.map((program) => program.stop())));
  try {
    const proxies: { id: string; config: string; port: number; adminPort: number }[] = [];
    for (const id of PROXIES) {
      const ports = { port: await freePort(), adminPort: await freePort(), dashboardPort };
      const config = join(dir, `${id}.ini`);
      writeFileSync(config, configText(id, ports));
      proxies.push({ id, config, port: ports.port, adminPort: ports.adminPort });
    }
    const [first] = proxies;
    if (first === undefined) throw new Error('no proxy');
    const cli = async (...words: string[]) => (await run(process.execPath, [CLI, '-c', first.config, ...words])).stdout;
    launch('dashboard', first.config, 'dashboard.log');
    await until('the dashboard', () => isReady(dashboardPort));
    await cli('slot', 'init');
    for (const [index, port] of redis.entries()) await cli('server', 'add', String(index + 1), `127.0.0.1:${port}`, 'master');
    await cli('slot', 'range-set', '0', LAST_SLOT, '1', 'online');
    for (const { id, config, port } of proxies) {
      launch('proxy', config, `${id}.log`);
      await until(`proxy ${id}; see ${dir}`, () => listens(port));
    }
    return {
      port: first.port,
      migrate: async (last, group) => movedOf(await cli('-o', 'json', 'slot', 'migrate', '0', String(last), String(group), '--wait')),
      handOvers: () => handOversOf(proxies.map(({ adminPort }) => adminPort)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configText(id: string, { port, adminPort, dashboardPort }: { port: number; adminPort: number; dashboardPort: number }): string {
  const settings = {
    product_name: 'bench',
    coordinator: 'filesystem',
    coordinator_dir: 'coordinator',
    dashboard_addr: `127.0.0.1:${dashboardPort}`,
    proxy_id: id,
    proxy_addr: `127.0.0.1:${port}`,
    admin_addr: `127.0.0.1:${adminPort}`,
    workers: 1,
    log_level: 'info',
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/** From what `slot migrate --wait` prints as JSON. Throws unless it is done. */
export function movedOf(json: string): Moved {
  const { state, createdAt, endedAt } = JSON.parse(json) as { state: string; createdAt: string; endedAt: string };
  if (state !== 'done') throw new Error(`the migration is ${state}: ${json}`);
  return { beganAtMs: Date.parse(createdAt), endedAtMs: Date.parse(endedAt) };
}

async function handOversOf(adminPorts: readonly number[]): Promise<number> {
  const texts = await Promise.all(adminPorts.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()));
  return texts.reduce((sum, text) => sum + counterOf(text, 'codis_proxy_hand_overs_total'), 0);
}

/** A counter without labels in what /metrics answers. Throws when it is not there. */
export function counterOf(text: string, name: string): number {
  const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`there is no ${name}`);
  return Number(value);
}
