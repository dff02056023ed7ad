// codis-config … explain: why something is as it is, what was looked at to tell, and what to do.

import type { Command } from 'commander';
import type { ExplainView } from '../../api/index.ts';
import { oneLine, renderTable, type Table } from '../output.ts';
import { sessionOf } from '../session.ts';

interface Explained {
  readonly description: string;
  /** The argument's name, what it is, and what checks it. */
  readonly argument: readonly [name: string, description: string, parse: (text: string) => number | string];
  readonly query: 'slot' | 'group' | 'proxy' | 'migration';
}

/** Adds `explain` to a noun. */
export function explainCommand(noun: Command, { description, argument: [name, about, parse], query }: Explained): void {
  noun
    .command('explain')
    .description(description)
    .argument(name, about, parse)
    .action(async (value: number | string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<ExplainView>(`/explain?${query}=${encodeURIComponent(value)}`);
      const checks: Table = {
        head: ['RESULT', 'CHECK', 'EVIDENCE'],
        rows: view.because.map(({ check, result, evidence }) => [result, check, evidence]),
      };
      const hints = view.try.map(({ label, cli }) => (cli === null ? label : `${label}: ${cli}`));
      const text = [
        `${view.level}: ${view.verdict}\n\n${renderTable(checks).trimEnd()}`,
        ...hints.map((hint) => `try:   ${oneLine(hint)}`),
      ];
      session.print({ json: view, table: text.join('\n'), wide: checks, names: [view.level] });
    });
}
