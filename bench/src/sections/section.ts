// What every section of `npm run bench` is given and gives.

import type { Figure } from '../figures.ts';
import { KEYS_COUNT, type Load, runLoad } from '../load.ts';
import type { Sample } from '../measure.ts';
import { CORES, type Cores } from '../process.ts';
import type { Subject } from '../proxies.ts';
import type { Section } from '../report.ts';
import type { Workbench } from '../workbench.ts';

/** The proxy has a core of its own; load and servers share the other. Where there is only one, the figures are worth little. */
export const PROXY_CORES: Cores = CORES[0] ?? '0';
export const LOAD_CORES: Cores = CORES[1] ?? PROXY_CORES;
export const SERVERS_COUNT = 2;
/** Keys are chosen by chance: then one in twenty thousand is not there. */
const FILL_TIMES = 10;

export interface Scale {
  readonly rounds: number;
  /** Requests of one run, unpipelined. */
  readonly requests: number;
  /** How long whatever is watched for a time is watched. */
  readonly watchMs: number;
  /** A round of the same offered load: so many turns of a second. */
  readonly pacedTurns: number;
  readonly largeReplyBytes: number;
  /** Clients in all, where most of them are idle. */
  readonly crowd: readonly [number, number];
  /** How many groups, and how many databases in use, where it is seen what more of them cost. */
  readonly groups: readonly number[];
  readonly databases: readonly number[];
}

export interface Ground {
  readonly bench: Workbench;
  readonly scale: Scale;
  /** Ports of redis-servers on the load's core, for whoever needs no others. */
  readonly redis: readonly number[];
  /** Codis first. */
  readonly subjects: readonly Subject[];
  readonly notes: string[];
}

export interface BenchSection extends Section {
  measure(ground: Ground): Promise<Figure[]>;
}

/** What redis-benchmark and the kernel tell of one subject under one load. */
export function figuresOf(place: { section: string; load: string; subject: string }, samples: readonly Sample[]): Figure[] {
  return [
    { ...place, measure: 'cpu', rounds: samples.map(({ cpuUsPerRequest }) => cpuUsPerRequest) },
    { ...place, measure: 'rate', rounds: samples.map(({ requestsPerSecond }) => requestsPerSecond) },
    { ...place, measure: 'p50', rounds: samples.map(({ p50Ms }) => p50Ms) },
    { ...place, measure: 'p99', rounds: samples.map(({ p99Ms }) => p99Ms) },
  ];
}

/** Starts all subjects for as long as `work` lasts. */
export async function withSubjects<T>(
  { bench, redis, subjects }: Pick<Ground, 'bench' | 'redis' | 'subjects'>,
  work: (running: Awaited<ReturnType<Workbench['start']>>[]) => Promise<T>,
): Promise<T> {
  const running = [];
  for (const subject of subjects) running.push(await bench.start(subject, { redis, cores: PROXY_CORES }));
  const result = await work(running);
  for (const subject of running) await bench.stop(subject);
  return result;
}

/** All keys of 64 bytes that loads ask for. */
export async function fillKeys({ port }: { port: number }, db?: number): Promise<void> {
  const load: Load = { command: 'SET', pipeline: 16, requests: KEYS_COUNT * FILL_TIMES, ...(db === undefined ? {} : { db }) };
  await runLoad(load, port, LOAD_CORES);
}

/** For what takes long and varies little. */
export function severalRounds({ rounds }: Scale): number {
  return Math.max(Math.ceil(rounds / 3), 1);
}
