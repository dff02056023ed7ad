// Measures what each subject spends on a request: rounds in turns, so that whatever else the machine does meets all of them alike.
//
//   round 1: SET/1 before after · SET/16 after before · SET/100 before after …      round 2: the other way round …

import { type Load, type LoadResult, runLoad } from './load.ts';
import { cpuNs } from './process.ts';
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
  readonly loadCore: number;
  readonly say: (text: string) => void;
}

/** Every load once for each subject to warm up, which is thrown away; then `rounds` times. */
export async function measure({ subjects, loads, rounds, loadCore, say }: MeasureOptions): Promise<Measurement[]> {
  const results = loads.map((load) => ({ load, samples: subjects.map((): Sample[] => []) }));
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [at, { load, samples }] of results.entries()) {
      for (const subject of inTurn(subjects.length, round + at)) {
        const sample = await sampleOf(subjects[subject] as Running, load, loadCore);
        if (round > 0) samples[subject]?.push(sample);
      }
    }
  }
  return results;
}

/** The numbers below `count`, beginning with another one each turn. */
export function inTurn(count: number, turn: number): number[] {
  return Array.from({ length: count }, (_, at) => (at + turn) % count);
}

async function sampleOf({ workerPid, port }: Running, load: Load, core: number): Promise<Sample> {
  const before = cpuNs(workerPid);
  const result = await runLoad(load, port, core);
  return { ...result, cpuUsPerRequest: (cpuNs(workerPid) - before) / 1000 / load.requests };
}
