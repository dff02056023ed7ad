// What was measured, as it is kept: every round of every figure, so that whoever compares two results can see how far to trust a difference. The tables are made
// of this and nothing else.

import { type Summary, summarize } from './statistics.ts';

export interface MeasureKind {
  readonly title: string;
  readonly digits: number;
  readonly better: 'less' | 'more';
}

export const MEASURES = {
  cpu: { title: 'CPU, µs/request', digits: 2, better: 'less' },
  rate: { title: 'requests/s', digits: 0, better: 'more' },
  p50: { title: 'p50, ms', digits: 3, better: 'less' },
  p99: { title: 'p99, ms', digits: 3, better: 'less' },
  resident: { title: 'resident, MB', digits: 1, better: 'less' },
  perClient: { title: 'KB for each client more', digits: 2, better: 'less' },
  growth: { title: 'resident, MB more', digits: 1, better: 'less' },
  start: { title: 'start to answer, ms', digits: 0, better: 'less' },
  op: { title: 'ns/op', digits: 1, better: 'less' },
} as const satisfies Record<string, MeasureKind>;

export type Measure = keyof typeof MEASURES;

export interface Figure {
  readonly section: string;
  /** What was done, in words: `GET, pipeline 16`. */
  readonly load: string;
  readonly subject: string;
  readonly measure: Measure;
  readonly rounds: readonly number[];
}

export interface Results {
  readonly format: 1;
  /** Machine, versions, command. */
  readonly facts: Readonly<Record<string, string>>;
  readonly figures: readonly Figure[];
  /** What could not be measured, and why. */
  readonly notes: readonly string[];
}

export function summaryOf(figure: Figure): Summary {
  return summarize(figure.rounds);
}

export interface Place {
  readonly section: string;
  readonly load: string;
  readonly subject: string;
  readonly measure: Measure;
}

export function findFigure(figures: readonly Figure[], { section, load, subject, measure }: Place): Figure | undefined {
  return figures.find(
    (figure) => figure.section === section && figure.load === load && figure.subject === subject && figure.measure === measure,
  );
}

/** From a file. Throws for what is not such a file. */
export function parseResults(text: string): Results {
  const value = JSON.parse(text) as Partial<Results>;
  if (value.format !== 1 || !Array.isArray(value.figures) || typeof value.facts !== 'object') {
    throw new Error('these are no results of npm run bench');
  }
  for (const figure of value.figures as Figure[]) {
    if (!Object.hasOwn(MEASURES, figure.measure)) throw new Error(`there is no measure ${figure.measure}`);
    if (!Array.isArray(figure.rounds) || !figure.rounds.every(Number.isFinite)) throw new Error(`${figure.load}: rounds are no numbers`);
  }
  return value as Results;
}

/** One line for each figure, so that a difference can be read. */
export function writeResults({ figures, ...rest }: Results): string {
  const lines = figures.map((figure) => `    ${JSON.stringify({ ...figure, rounds: figure.rounds.map(rounded) })}`);
  const head = JSON.stringify(rest, null, 2).replace(/\n\}$/, '');
  return `${head},\n  "figures": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

const rounded = (value: number): number => Number(value.toPrecision(6));
