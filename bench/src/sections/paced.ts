// How long requests take when a proxy has less to do than it can: everyone is asked the same, and it is due whether or not they keep up.

import { setTimeout as delay } from 'node:timers/promises';
import { type Phase, phaseOf, type Span } from '../answers.ts';
import { Clients } from '../clients.ts';
import type { Figure } from '../figures.ts';
import { CLIENTS, KEYS_COUNT, runLoad } from '../load.ts';
import { inRounds } from '../measure.ts';
import type { Running, Subject } from '../proxies.ts';
import { say } from '../workbench.ts';
import { type BenchSection, fillKeys, type Ground, LOAD_CORES, withSubjects } from './section.ts';

/** Of what the slowest proxy can do. */
const SHARE = 0.4;
/** More than this the load, which shares a core with the servers, does not ask for without being late itself. */
const RATE_MAX = 5_000;
const WARM_MS = 250;
/** The machine has things of its own to do, for some milliseconds about once a second, whoever runs then, and a hundredth of all requests is soon reached. So each
 *  round is several turns, and such moments meet all alike. */
const TURN_MS = 1000;
/** A turn begins after a pause of up to this, by chance: else turns could keep in step with what the machine does once a second, and meet it always or never. */
const PAUSE_MS_MAX = 1000;

export const paced: BenchSection = {
  id: 'paced',
  title: 'The same offered load',
  about: `${CLIENTS} clients together send so many requests a second, evenly: ${SHARE * 100} % of what the slowest of all can do, at most ${RATE_MAX}. Nine in ten are GET, the others SET. A request's time counts from when it was due, so it contains what the load itself is late, which is the same for all. The clients stay connected. A round is several turns of a second, between which the others have theirs and chance makes a pause; its percentiles are of the requests of all of them.`,
  async measure(ground: Ground): Promise<Figure[]> {
    const { scale, subjects } = ground;
    return withSubjects(ground, async (running) => {
      const rate = await rateOf(running, scale.requests);
      say(`${rate} requests/s`);
      const { rounds, pacedTurns: turns } = scale;
      const pacers = running.map((subject) => new Pacer(subject, rate));
      try {
        for (const pacer of pacers) await pacer.start();
        const [spans = []] = await inRounds({ rounds: rounds * turns, things: [rate], subjects: pacers, say }, (_, pacer, isWarmUp) => {
          return pacer.turn(isWarmUp ? turns * TURN_MS * pacer.warmUpTimes : TURN_MS);
        });
        return figuresBySubject(subjects, spans, turns);
      } finally {
        for (const pacer of pacers) pacer.stop();
      }
    });
  },
};

/** `spans` by subject, `turns` of them a round. */
function figuresBySubject(subjects: readonly Subject[], spans: readonly Span[][], turns: number): Figure[] {
  return subjects.flatMap(({ name: subject }, at) => {
    const seen = inGroups(spans[at] ?? [], turns).map(phaseOf);
    const figure = (measure: Figure['measure'], pick: (phase: Phase) => number): Figure => {
      return { section: 'paced', load: 'GET and SET', subject, measure, rounds: seen.map(pick) };
    };
    return [
      figure('rate', (phase) => phase.requestsPerSecond),
      figure('p50', (phase) => phase.p50Ms),
      figure('p99', (phase) => phase.p99Ms),
    ];
  });
}

/** Of what the slowest does. */
async function rateOf(subjects: readonly Running[], requests: number): Promise<number> {
  const rates: number[] = [];
  for (const subject of subjects) {
    await fillKeys(subject);
    rates.push((await runLoad({ command: 'GET', pipeline: 1, requests }, subject.port, LOAD_CORES)).requestsPerSecond);
  }
  return Math.round(Math.min(RATE_MAX, SHARE * Math.min(...rates)));
}

/** The clients of one subject, who rest while others have their turns. */
class Pacer {
  readonly warmUpTimes: number;
  readonly #clients: Clients;

  constructor({ port, warmUpTimes = 1 }: Running, rate: number) {
    this.warmUpTimes = warmUpTimes;
    this.#clients = new Clients({ port, keys: benchmarkKeys(), clientsCount: CLIENTS, rate });
  }

  async start(): Promise<void> {
    await this.#clients.start();
    await this.#clients.rest();
  }

  async turn(watchMs: number): Promise<Span> {
    const { answers } = this.#clients;
    await delay(Math.random() * PAUSE_MS_MAX);
    this.#clients.resume();
    await delay(WARM_MS);
    const fromMs = Date.now();
    await delay(watchMs);
    const toMs = Date.now();
    await this.#clients.rest();
    const span = answers.span(fromMs, toMs);
    answers.clear();
    return span;
  }

  stop(): void {
    this.#clients.stop();
  }
}

function inGroups<T>(things: readonly T[], size: number): T[][] {
  return Array.from({ length: things.length / size }, (_, group) => things.slice(group * size, (group + 1) * size));
}

/** As redis-benchmark calls them. */
export function benchmarkKeys(): string[] {
  return Array.from({ length: KEYS_COUNT }, (_, index) => `key:${String(index).padStart(12, '0')}`);
}
