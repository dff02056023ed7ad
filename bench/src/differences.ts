// Two results beside each other: what became better or worse, and what is noise.

import { type Figure, findFigure, MEASURES, type Results, summaryOf } from './figures.ts';
import { GOALS, type Goal, judge } from './goals.ts';
import type { Summary } from './statistics.ts';
import { renderFacts, renderTable, withSpread } from './table.ts';

export interface Difference {
  readonly figure: Figure;
  readonly before: Summary;
  readonly after: Summary;
  /** Of medians; rounds of two runs don't belong together. */
  readonly ratio: number;
  /** `same` where the middle halves of both overlap. */
  readonly verdict: 'better' | 'worse' | 'same';
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** What only one of them has. */
  readonly missing: readonly string[];
}

export function compareResults(before: Results, after: Results): Comparison {
  const pairs = before.figures.map((figure) => ({ figure, other: findFigure(after.figures, figure) }));
  const differences = pairs.flatMap(({ figure, other }) => (other === undefined ? [] : [differenceOf(figure, other)]));
  const gone = pairs.filter(({ other }) => other === undefined).map(({ figure }) => `${nameOf(figure)}: only in the first`);
  const come = after.figures.filter((figure) => findFigure(before.figures, figure) === undefined);
  return { differences, missing: [...gone, ...come.map((figure) => `${nameOf(figure)}: only in the second`)] };
}

function differenceOf(figure: Figure, other: Figure): Difference {
  const [before, after] = [summaryOf(figure), summaryOf(other)];
  const overlap = before.low <= after.high && after.low <= before.high;
  const isLess = after.median < before.median;
  const isBetter = isLess === (MEASURES[figure.measure].better === 'less');
  return { figure, before, after, ratio: after.median / before.median, verdict: overlap ? 'same' : isBetter ? 'better' : 'worse' };
}

const nameOf = ({ section, load, subject, measure }: Figure): string => `${section}, ${load}, ${subject}, ${MEASURES[measure].title}`;

/** Machines that differ make numbers that can't be compared; ratios to a peer still can. */
export function renderComparison(before: Results, after: Results): string {
  const { differences, missing } = compareResults(before, after);
  const facts = [...new Set([...Object.keys(before.facts), ...Object.keys(after.facts)])];
  const changed = facts.filter((name) => before.facts[name] !== after.facts[name]);
  const about = Object.fromEntries(changed.map((name) => [name, `${before.facts[name] ?? 'none'} → ${after.facts[name] ?? 'none'}`]));
  const parts = ['# Two results\n', renderFacts(about)];
  if (before.facts['machine'] !== after.facts['machine']) {
    parts.push('The machines differ: compare the goals, which are ratios to a peer of the same run, and not the figures.\n');
  }
  const goals = GOALS.map((goal) => goalRow(goal, before.figures, after.figures)).filter((row) => row !== null);
  if (goals.length > 0) parts.push('## Goals\n', renderTable(['what', 'before', 'after', 'goal', 'met'], goals));
  const rows = differences.map(({ figure, before: old, after: young, ratio, verdict }) => {
    const { title, digits } = MEASURES[figure.measure];
    return [`${figure.load}, ${figure.subject}: ${title}`, withSpread(old, digits), withSpread(young, digits), ratio.toFixed(3), verdict];
  });
  parts.push('## Figures\n', renderTable(['what', 'before', 'after', 'after / before', ''], rows));
  if (missing.length > 0) parts.push(missing.map((what) => `- ${what}\n`).join(''));
  return parts.join('\n');
}

function goalRow(goal: Goal, before: readonly Figure[], after: readonly Figure[]): string[] | null {
  const [old, young] = [judge(goal, before), judge(goal, after)];
  if (old === null || young === null) return null;
  const { load, measure, subject = 'Codis', beside, relation, limit } = goal;
  const digits = beside === undefined ? MEASURES[measure].digits : 2;
  const yes = (met: boolean) => (met ? 'yes' : 'NO');
  const what = `${load}: ${MEASURES[measure].title}, ${beside === undefined ? subject : `${subject} / ${beside}`}`;
  return [
    what,
    withSpread(old.seen, digits),
    withSpread(young.seen, digits),
    `${relation} ${limit}`,
    `${yes(old.met)} → ${yes(young.met)}`,
  ];
}
