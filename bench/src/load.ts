// The load: redis-benchmark, one command at one pipeline depth, on the core that the proxy under test does not use.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cores, pinned } from './process.ts';

export interface Load {
  readonly command: 'GET' | 'SET' | 'MGET' | 'MSET';
  readonly pipeline: number;
  readonly requests: number;
  /** Keys of one MGET or MSET. */
  readonly keysEach?: number;
  readonly valueBytes?: number;
  /** How many different keys there are: few enough that all are there after a first round of SET. */
  readonly keysCount?: number;
  readonly clients?: number;
  readonly db?: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const CLIENTS = 50;
const VALUE_BYTES = 64;
export const KEYS_COUNT = 10_000;
const TIMEOUT_MS = 300_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** redis-benchmark puts a number in its place. */
const ANY_KEY = 'key:__rand_int__';

/** Without port and core: as it stands in the results. */
export function loadArgs(load: Load): string[] {
  const { command, pipeline, requests, clients = CLIENTS, valueBytes = VALUE_BYTES, keysCount = KEYS_COUNT, db } = load;
  const shape = [
    '-c',
    clients,
    '-d',
    valueBytes,
    '-r',
    keysCount,
    '-n',
    requests,
    '-P',
    pipeline,
    ...(db === undefined ? [] : ['--dbnum', db]),
  ];
  const options = [...shape.map(String), '--csv'];
  return load.keysEach === undefined ? ['-t', command.toLowerCase(), ...options] : [...options, ...words(load)];
}

function words({ command, keysEach = 0, valueBytes = VALUE_BYTES }: Load): string[] {
  const each = command === 'MSET' ? [ANY_KEY, 'x'.repeat(valueBytes)] : [ANY_KEY];
  return [command, ...Array.from({ length: keysEach }, () => each).flat()];
}

/** What a person types, cut short where it repeats itself. */
export function loadText(load: Load): string {
  if (load.keysEach === undefined) return `redis-benchmark ${loadArgs(load).join(' ')}`;
  const shown = loadArgs(load).slice(0, -words(load).length);
  return `redis-benchmark ${[...shown, load.command, ANY_KEY].join(' ')} … (${load.keysEach} keys)`;
}

/** Puts it on `port` until all requests are answered. Rejects when redis-benchmark fails, or says something else than numbers. */
export async function runLoad(load: Load, port: number, cores: Cores): Promise<LoadResult> {
  const { file, args } = pinned(cores, 'redis-benchmark', ['-h', '127.0.0.1', '-p', String(port), ...loadArgs(load)]);
  const { stdout } = await promisify(execFile)(file, args, { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX });
  return parseCsv(stdout, load.command);
}

/** The line of `command` in what `redis-benchmark --csv` prints: a header of names, then a line for each test, named by its command. */
export function parseCsv(text: string, command: string): LoadResult {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, cell = '']) => cell));
  const header = rows.find(([first]) => first === 'test') ?? [];
  const row = rows.find(([first]) => first?.split(' ')[0] === command) ?? [];
  const number = (name: string) => Number(row[header.indexOf(name)] ?? Number.NaN);
  const result = { requestsPerSecond: number('rps'), p50Ms: number('p50_latency_ms'), p99Ms: number('p99_latency_ms') };
  if (!(result.requestsPerSecond > 0) || !(result.p50Ms >= 0) || !(result.p99Ms >= 0)) {
    throw new Error(`redis-benchmark gave no numbers for ${command}: ${text}`);
  }
  return result;
}
