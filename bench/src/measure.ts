// Measures what each subject spends on a request: rounds in turns, so that whatever else the machine does meets all of them alike.
//
//   round 1: SET/1 before after · SET/16 after before · SET/100 before after …      round 2: the other way round …

import { type Load, type LoadResult, runLoad } from './load.ts';
import { type Cores, cpuNs } from './process.ts';
import type { Running } from './proxies.ts';

/** One subject under one load in one round. */
export interface Sample extends LoadResult {
  readonly cpuUsPerRequest: number;
}

export interface Measurement {
  readonly load: Load;
  /** By subject, then by round. */
  readonly samples: readonly Sample[][];
}

export interface MeasureOptions {
  readonly subjects: readonly Running[];
  readonly loads: readonly Load[];
  readonly rounds: number;
  /** Where the load runs. */
  readonly loadCores: Cores;
  readonly say: (text: string) => void;
}

/** Every load once for each subject to warm up, which is thrown away; then `rounds` times. */
export async function measure({ subjects, loads, rounds, loadCores, say }: MeasureOptions): Promise<Measurement[]> {
  const samples = await inRounds({ rounds, things: loads, subjects, say }, (load, subject, isWarmUp) => {
    const requests = isWarmUp ? load.requests * (subject.warmUpTimes ?? 1) : load.requests;
    return sampleOf(subject, [{ ...load, requests }], loadCores);
  });
  return loads.map((load, at) => ({ load, samples: samples[at] ?? [] }));
}

interface Rounds<Thing, S> {
  readonly rounds: number;
  readonly things: readonly Thing[];
  readonly subjects: readonly S[];
  readonly say: (text: string) => void;
}

/** Does each thing to each subject in every round, and begins with another subject each time. The first round warms up and is thrown away. Gives what came of
 *  it by thing, subject, round. */
export async function inRounds<Thing, S, Sample>(
  { rounds, things, subjects, say }: Rounds<Thing, S>,
  take: (thing: Thing, subject: S, isWarmUp: boolean) => Promise<Sample>,
): Promise<Sample[][][]> {
  const results = things.map(() => subjects.map((): Sample[] => []));
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [at, thing] of things.entries()) {
      for (const subject of inTurn(subjects.length, round + at)) {
        const sample = await take(thing, subjects[subject] as S, round === 0);
        if (round > 0) results[at]?.[subject]?.push(sample);
      }
    }
  }
  return results;
}

/** The numbers below `count`, beginning with another one each turn. */
export function inTurn(count: number, turn: number): number[] {
  return Array.from({ length: count }, (_, at) => (at + turn) % count);
}

/** Several loads at one time count as one. */
export async function sampleOf({ workerPids, port }: Running, loads: readonly Load[], cores: Cores): Promise<Sample> {
  const cpu = () => workerPids.reduce((sum, pid) => sum + cpuNs(pid), 0);
  const before = cpu();
  const results = await Promise.all(loads.map((load) => runLoad(load, port, cores)));
  const requests = loads.reduce((sum, load) => sum + load.requests, 0);
  return {
    cpuUsPerRequest: (cpu() - before) / 1000 / requests,
    requestsPerSecond: results.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0),
    p50Ms: Math.max(...results.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...results.map(({ p99Ms }) => p99Ms)),
  };
}
