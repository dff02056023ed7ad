// What the numbers depend on: the machine, its load, and the versions of everything.

import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export async function machineFacts(): Promise<Record<string, string>> {
  const cores = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return {
    machine: `${cores[0]?.model.trim() ?? 'unknown'}, ${cores.length} cores, ${memory}, Linux ${release()}`,
    'load when it began': loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
    node: process.version,
    redis: await firstLine('redis-server', '--version'),
    load: await firstLine('redis-benchmark', '--version'),
  };
}

async function firstLine(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, args);
  return stdout.split('\n')[0]?.trim() ?? '';
}
