// codis-config status and events: looking, changing nothing.

import type { Command } from 'commander';
import type { EventsView, StatusView } from '../../api/index.ts';
import { numberOption } from '../arguments.ts';
import { EXIT } from '../failures.ts';
import type { Table } from '../output.ts';
import { sessionOf } from '../session.ts';

export function statusCommands(program: Command): void {
  program
    .command('status')
    .description('is it well? Exit code 7 when it is not')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<StatusView>('/status');
      session.print({
        json: view,
        table: serversTable(view),
        headline: view.summary,
        names: [view.verdict],
        notes: [...view.problems, ...view.warnings],
      });
      if (view.verdict !== 'healthy') process.exitCode = EXIT.unhealthy;
    });
  program
    .command('events')
    .description('who changed what, newest first')
    .option('--since <number>', 'only events with a higher number', numberOption('--since', { min: 0, max: 1e12 }))
    .option('--limit <count>', 'at most this many', numberOption('--limit', { min: 1, max: 1000 }), 50)
    .action(async ({ since, limit }: { since?: number; limit: number }, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<EventsView>(`/events?limit=${limit}${since === undefined ? '' : `&since=${since}`}`);
      const rows = view.events.map(({ seq, at, actor, action, object, epoch }) => [seq, at, actor, action, object, epoch]);
      const table = { head: ['SEQ', 'AT', 'BY', 'ACTION', 'OBJECT', 'EPOCH'], rows };
      session.print({ json: view, table, names: view.events.map(({ seq }) => seq) });
    });
}

function serversTable({ groups }: StatusView): Table {
  const rows = groups.flatMap(({ id, slotsCount, servers }) =>
    servers.map(({ addr, role, up, problem, keysCount, usedMemoryBytes, version }) => [
      id,
      slotsCount,
      addr,
      role,
      up ? (problem === null ? 'up' : 'wrong') : 'down',
      keysCount,
      usedMemoryBytes,
      version,
    ]),
  );
  return { head: ['GROUP', 'SLOTS', 'SERVER', 'ROLE', 'STATE', 'KEYS', 'MEMORY', 'REDIS'], rows };
}
