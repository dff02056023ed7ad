// codis-config slowlog: slow requests, as proxies and servers saw them.

import { type Command, Option } from 'commander';
import type { SlowEntryView, SlowLogView } from '../../api/index.ts';
import { groupArgument, numberOption } from '../arguments.ts';
import { queryText } from '../client.ts';
import type { Table } from '../output.ts';
import { sessionOf } from '../session.ts';

const ARGS_SHOWN = 40;

export function slowLogCommand(program: Command): void {
  program
    .command('slowlog')
    .description('slow requests, as proxies and servers saw them, newest first')
    .option('--limit <count>', 'at most this many', numberOption('--limit', { min: 1, max: 1000 }), 50)
    .option('--group <id>', 'only at this group', groupArgument)
    .option('--command <name>', 'only this Redis command')
    .option('--prefix <text>', 'only keys that begin so')
    .addOption(new Option('--source <who>', 'only as seen by').choices(['proxy', 'server']))
    .action(async (options: object, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<SlowLogView>(`/slowlog?${queryText(options)}`);
      const names = view.entries.map(({ where, id }) => `${where}/${id}`);
      session.print({ json: view, table: tableOf(view.entries), wide: wideTableOf(view.entries), names, notes: view.notes });
    });
}

function tableOf(entries: readonly SlowEntryView[]): Table {
  return {
    head: ['AT', 'MS', 'WHERE', 'COMMAND', 'KEY', 'SLOT', 'GROUP', 'MIGRATION'],
    rows: entries.map(({ at, micros, where, command, key, slot, group, migration }) => [
      at,
      ms(micros),
      where,
      command,
      key === null ? null : shortened(key),
      slot,
      group,
      migration,
    ]),
  };
}

function wideTableOf(entries: readonly SlowEntryView[]): Table {
  const { head, rows } = tableOf(entries);
  return {
    head: [...head, 'IN PROXY', 'HELD', 'AT SERVER', 'CLIENT', 'ARGUMENTS'],
    rows: rows.map((row, index) => {
      const { split, client, args } = entries[index] as SlowEntryView;
      const times = split === null ? [null, null, null] : [ms(split.proxy), ms(split.held), ms(split.server)];
      return [...row, ...times, client, args.join(' ')];
    }),
  };
}

function ms(micros: number): number {
  return Math.round(micros / 100) / 10;
}

function shortened(text: string): string {
  return text.length <= ARGS_SHOWN ? text : `${text.slice(0, ARGS_SHOWN - 1)}…`;
}
