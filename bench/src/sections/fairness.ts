// What a client with one request at a time notices of others that send ten thousand at once.

import { setTimeout as delay } from 'node:timers/promises';
import type { Phase } from '../answers.ts';
import { Clients } from '../clients.ts';
import type { Figure } from '../figures.ts';
import { type Load, loadText } from '../load.ts';
import { inRounds, type Sample, sampleOf } from '../measure.ts';
import { until } from '../process.ts';
import type { Running } from '../proxies.ts';
import { say } from '../workbench.ts';
import { benchmarkKeys } from './paced.ts';
import { type BenchSection, fillKeys, type Ground, LOAD_CORES, severalRounds, withSubjects } from './section.ts';

const FLOOD: Load = { command: 'GET', pipeline: 10_000, requests: 0, clients: 10 };
const WARM_MS = 300;
/** Less than between two answers. */
const MOMENT_MS = 0.001;

interface Seen {
  readonly lone: Phase;
  readonly flood: Sample;
}

export const fairness: BenchSection = {
  id: 'fairness',
  title: 'A lone client beside ten greedy ones',
  about: `One client sends its next request when it has its answer (nine in ten are GET), while \`${loadText({ ...FLOOD, requests: 1_000_000 })}\` runs.`,
  async measure(ground: Ground): Promise<Figure[]> {
    const { scale, subjects } = ground;
    return withSubjects(ground, async (running) => {
      for (const subject of running) await fillKeys(subject);
      const requests = scale.requests * 100;
      const seen = await inRounds({ rounds: severalRounds(scale), things: [requests], subjects: running, say }, besideFlood);
      return subjects.flatMap(({ name: subject }, at) => {
        const rounds = seen[0]?.[at] ?? [];
        const place = { section: 'fairness', subject };
        return [
          { ...place, load: 'the lone client', measure: 'p50', rounds: rounds.map(({ lone }) => lone.p50Ms) },
          { ...place, load: 'the lone client', measure: 'p99', rounds: rounds.map(({ lone }) => lone.p99Ms) },
          { ...place, load: 'the greedy ones', measure: 'rate', rounds: rounds.map(({ flood }) => flood.requestsPerSecond) },
        ] satisfies Figure[];
      });
    });
  },
};

async function besideFlood(requests: number, subject: Running): Promise<Seen> {
  const clients = new Clients({ port: subject.port, keys: benchmarkKeys(), clientsCount: 1, rate: null });
  const flood = sampleOf(subject, [{ ...FLOOD, requests }], LOAD_CORES);
  await delay(WARM_MS);
  const fromMs = Date.now();
  await clients.start();
  try {
    const sample = await flood;
    const endedMs = Date.now();
    // What it asked for while they were there may be answered when they are gone.
    await until('an answer to the lone client', async () => clients.answers.firstSince(endedMs) !== undefined);
    const lastMs = clients.answers.firstSince(endedMs) ?? endedMs;
    return { lone: clients.answers.phase(fromMs, lastMs + MOMENT_MS), flood: sample };
  } finally {
    clients.stop();
  }
}
