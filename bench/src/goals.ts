// What Codis is to reach, and whether it did: as a ratio to a peer in the same rounds, or as a number.

import { type Figure, findFigure, type Measure } from './figures.ts';
import { ratios, type Summary, summarize } from './statistics.ts';

export interface Goal {
  readonly section: string;
  readonly load: string;
  readonly measure: Measure;
  /** Codis unless said. */
  readonly subject?: string;
  /** Divided by this one's, round by round; without it the figure itself is judged. */
  readonly beside?: string;
  readonly relation: '≤' | '<' | '≥';
  readonly limit: number;
}

export interface Verdict {
  readonly goal: Goal;
  readonly seen: Summary;
  readonly met: boolean;
  /** Whether both quartiles lie on the side of the median: else the next run may say otherwise. */
  readonly clear: boolean;
}

const MAIN = 'main';
const cpu = (load: string, beside: string, limit: number): Goal => ({ section: MAIN, load, measure: 'cpu', beside, relation: '≤', limit });

export const GOALS: readonly Goal[] = [
  ...['GET', 'SET'].flatMap((command) => [
    cpu(`${command}, pipeline 1`, 'HAProxy', 1),
    cpu(`${command}, pipeline 1`, 'twemproxy', 0.95),
    cpu(`${command}, pipeline 16`, 'twemproxy', 0.7),
    cpu(`${command}, pipeline 100`, 'twemproxy', 0.3),
  ]),
  ...['MGET', 'MSET'].map((command) => cpu(`${command} of 100 keys`, 'twemproxy', 0.7)),
  ...['GET', 'SET'].map(
    (command): Goal => ({ section: MAIN, load: `${command}, 1 MB`, measure: 'rate', beside: 'HAProxy', relation: '≥', limit: 0.8 }),
  ),
  { section: 'paced', load: 'GET and SET', measure: 'p99', beside: 'twemproxy', relation: '≤', limit: 1 },
  { section: 'clients', load: '10,000 clients', measure: 'resident', relation: '≤', limit: 150 },
  { section: 'clients', load: '10,000 clients', measure: 'perClient', relation: '≤', limit: 10 },
  { section: 'large', load: '500 MB to a client that reads 10 MB/s', measure: 'growth', relation: '<', limit: 64 },
  ...['GET, pipeline 1', 'GET, pipeline 16'].map(
    (load): Goal => ({ section: 'workers', load, measure: 'cpu', subject: '2 workers', beside: '1 worker', relation: '≤', limit: 1.1 }),
  ),
  { section: 'start', load: 'first answer', measure: 'start', relation: '<', limit: 1000 },
];

/** Null when the figures are not there. Throws when two sides have not the same rounds. */
export function judge(goal: Goal, figures: readonly Figure[]): Verdict | null {
  const { section, load, measure, subject = 'Codis', beside } = goal;
  const figure = findFigure(figures, { section, load, measure, subject });
  const other = beside === undefined ? undefined : findFigure(figures, { section, load, measure, subject: beside });
  if (figure === undefined || (beside !== undefined && other === undefined)) return null;
  const seen = summarize(other === undefined ? figure.rounds : ratios(figure.rounds, other.rounds));
  const met = holds(goal, seen.median);
  return { goal, seen, met, clear: holds(goal, seen.low) === met && holds(goal, seen.high) === met };
}

function holds({ relation, limit }: Goal, value: number): boolean {
  if (relation === '<') return value < limit;
  return relation === '≤' ? value <= limit : value >= limit;
}
