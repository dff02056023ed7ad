// The results as a page to read: what it depends on, which goals are met, and a table for each section.

import { type Figure, findFigure, MEASURES, type Measure, type Results, summaryOf } from './figures.ts';
import { GOALS, type Goal, judge } from './goals.ts';
import { ratios, summarize } from './statistics.ts';
import { renderFacts, renderTable, withSpread } from './table.ts';

export interface Section {
  readonly id: string;
  readonly title: string;
  /** How it is measured, in a sentence or two. */
  readonly about: string;
}

export function renderReport(results: Results, { title, sections }: { title: string; sections: readonly Section[] }): string {
  const parts = [`# ${title}\n`, renderFacts(results.facts)];
  if (results.notes.length > 0) parts.push(results.notes.map((note) => `- not measured: ${note}\n`).join(''));
  if (sections.some(({ id }) => GOALS.some(({ section }) => section === id))) parts.push('## Goals\n', goalsTable(results.figures));
  for (const { id, title, about } of sections) {
    const figures = results.figures.filter(({ section }) => section === id);
    if (figures.length > 0) parts.push(`## ${title}\n`, `${about}\n`, figuresTable(figures));
  }
  return parts.join('\n');
}

function goalsTable(figures: readonly Figure[]): string {
  const rows = GOALS.map((goal) => {
    const verdict = judge(goal, figures);
    const seen = verdict === null ? '' : withSpread(verdict.seen, goal.beside === undefined ? MEASURES[goal.measure].digits : 2);
    return [nameOf(goal), seen, `${goal.relation} ${goal.limit}`, verdict === null ? 'not measured' : words(verdict)];
  });
  return renderTable(['what', 'seen', 'goal', 'met'], rows);
}

function nameOf({ load, measure, subject = 'Codis', beside }: Goal): string {
  const side = beside === undefined ? subject : `${subject} / ${beside}`;
  return `${load}: ${MEASURES[measure].title}, ${side}`;
}

function words({ met, clear }: { met: boolean; clear: boolean }): string {
  return `${met ? 'yes' : 'NO'}${clear ? '' : ', within the noise'}`;
}

/** A row for each load and subject. Where CPU was measured, the first subject of the load is what the others are divided by, round by round. */
function figuresTable(figures: readonly Figure[]): string {
  const measures = (Object.keys(MEASURES) as Measure[]).filter((measure) => figures.some((figure) => figure.measure === measure));
  const places = [...new Map(figures.map((figure) => [`${figure.load}\n${figure.subject}`, figure])).values()];
  const hasRatio = measures.includes('cpu') && new Set(figures.map(({ subject }) => subject)).size > 1;
  const rows = places.map(({ section, load, subject }) => {
    const cells = measures.map((measure) => {
      const figure = findFigure(figures, { section, load, subject, measure });
      return figure === undefined ? '' : withSpread(summaryOf(figure), MEASURES[measure].digits);
    });
    return [load, subject, ...cells, ...(hasRatio ? [cpuRatio(figures, { section, load, subject })] : [])];
  });
  const header = ['load', 'subject', ...measures.map((measure) => MEASURES[measure].title)];
  return renderTable(hasRatio ? [...header, "CPU of the first / this one's"] : header, rows);
}

function cpuRatio(figures: readonly Figure[], place: { section: string; load: string; subject: string }): string {
  const first = figures.find(({ load, measure }) => load === place.load && measure === 'cpu');
  const figure = findFigure(figures, { ...place, measure: 'cpu' });
  if (first === undefined || figure === undefined || first === figure) return '';
  return withSpread(summarize(ratios(first.rounds, figure.rounds)), 2);
}
