// The load: redis-benchmark, one command at one pipeline depth, on the core that the proxy under test does not use.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pinned } from './process.ts';

export interface Load {
  readonly command: 'GET' | 'SET';
  readonly pipeline: number;
  readonly requests: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

const CLIENTS = 50;
const VALUE_BYTES = 64;
/** Few enough that all are there after a first round of SET. */
const KEYS = 10_000;
const TIMEOUT_MS = 300_000;

/** Without port and core: as it stands in the results. */
export function loadArgs({ command, pipeline, requests }: Load): string[] {
  const shape = ['-c', CLIENTS, '-d', VALUE_BYTES, '-r', KEYS, '-n', requests, '-P', pipeline];
  return ['-t', command.toLowerCase(), ...shape.map(String), '--csv'];
}

/** Puts it on `port` until all requests are answered. Rejects when redis-benchmark fails, or says something else than numbers. */
export async function runLoad(load: Load, port: number, core: number): Promise<LoadResult> {
  const { file, args } = pinned(core, 'redis-benchmark', ['-h', '127.0.0.1', '-p', String(port), ...loadArgs(load)]);
  const { stdout } = await promisify(execFile)(file, args, { timeout: TIMEOUT_MS });
  return parseCsv(stdout, load.command);
}

/** The line of `command` in what `redis-benchmark --csv` prints: a header of names, then a line for each test. */
export function parseCsv(text: string, command: string): LoadResult {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, cell = '']) => cell));
  const header = rows.find(([first]) => first === 'test') ?? [];
  const row = rows.find(([first]) => first === command) ?? [];
  const number = (name: string) => Number(row[header.indexOf(name)] ?? Number.NaN);
  const result = { requestsPerSecond: number('rps'), p99Ms: number('p99_latency_ms') };
  if (!(result.requestsPerSecond > 0) || !(result.p99Ms >= 0)) throw new Error(`redis-benchmark gave no numbers for ${command}: ${text}`);
  return result;
}
