// codis-config status and events: looking, changing nothing.

import { type Command, Option } from 'commander';
import type { EventsView, GroupStatusView, ProxyEntryView, StatusView } from '../../api/index.ts';
import { numberOption } from '../arguments.ts';
import { queryText } from '../client.ts';
import { EXIT } from '../failures.ts';
import { type Answer, type Format, renderTable, type Table } from '../output.ts';
import { sessionOf } from '../session.ts';
import { bytesOfText, bytesText, countText } from '../units.ts';

/** What a terminal of 24 lines has room for beside the groups. */
const NOTES_ON_TERMINAL = 3;

export function statusCommands(program: Command): void {
  program
    .command('status')
    .description('is it well? Exit code 7 when it is not')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<StatusView>('/status');
      session.print(statusAnswer(view, { format: session.format, isTerminal: process.stderr.isTTY }));
      if (view.verdict !== 'healthy') process.exitCode = EXIT.unhealthy;
    });
  program
    .command('events')
    .description('who changed what, newest first')
    .option('--since <number>', 'only events with a higher number', numberOption('--since', { min: 0, max: 1e12 }))
    .option('--before <number>', 'only events with a lower number', numberOption('--before', { min: 1, max: 1e12 }))
    .option('--limit <count>', 'at most this many', numberOption('--limit', { min: 1, max: 1000 }), 50)
    .option('--actor <part>', 'only those by somebody whose name has this in it')
    .option('--action <part>', 'only such: slot.assign, or migration')
    .option('--object <part>', 'only those about something that is called so: group 2')
    .addOption(new Option('--result <result>', 'only what was done, denied, or failed').choices(['done', 'denied', 'failed']))
    .action(async (options: object, command: Command) => {
      const session = sessionOf(command);
      session.print(eventsAnswer(await session.get<EventsView>(`/events?${queryText(options)}`)));
    });
}

/** A line for each group; every server with `-o wide`. A terminal gets no more notes than it has room for. */
export function statusAnswer(view: StatusView, { format, isTerminal }: { format: Format; isTerminal: boolean }): Answer {
  const { groups, proxies, verdict, summary } = view;
  const footer = [`proxies: ${proxiesText(proxies)}; migrations: ${view.migrationsRunning} running`, `keys: ${keysText(view)}`];
  const table = groups.length === 0 ? '' : `${renderTable(groupsTable(groups))}\n`;
  const answer = { json: view, headline: summary, table: `${table}${footer.join('\n')}`, wide: serversTable(groups), names: [verdict] };
  return { ...answer, notes: notesOf(view, format === 'table' && isTerminal) };
}

function notesOf({ problems, warnings, causes }: StatusView, isShort: boolean): string[] {
  const hint = causes.flatMap(({ try: hints }) => hints.flatMap(({ cli }) => cli ?? []))[0];
  const hints = hint === undefined ? [] : [`try ${hint}`];
  const all = [...problems, ...warnings];
  if (!isShort || all.length <= NOTES_ON_TERMINAL) return [...all, ...hints];
  const shown = all.slice(0, NOTES_ON_TERMINAL - 1);
  return [...shown, `and ${all.length - shown.length} more; all of them: codis-config status -o wide`, ...hints];
}

function proxiesText(proxies: readonly ProxyEntryView[]): string {
  if (proxies.length === 0) return 'none is registered';
  const states = [...new Set(proxies.map(({ state }) => state))];
  return states.map((state) => `${proxies.filter((proxy) => proxy.state === state).length} ${state}`).join(', ');
}

function keysText({ keys: { knownCount, estimatedCount, unknownGroups } }: StatusView): string {
  if (unknownGroups.length === 0) return countText(knownCount);
  const of = estimatedCount === null ? '' : ` of about ${countText(estimatedCount)}`;
  const groups = unknownGroups.length === 1 ? `group ${unknownGroups[0]}` : `groups ${unknownGroups.join(', ')}`;
  return `${countText(knownCount)}${of}; those of ${groups} are not known`;
}

function groupsTable(groups: readonly GroupStatusView[]): Table {
  return {
    head: ['GROUP', 'SLOTS', 'MASTER', 'STATE', 'REPLICAS', 'KEYS', 'MEMORY'],
    rows: groups.map(({ id, slotsCount, servers }) => {
      const master = servers.find(({ role }) => role === 'master');
      const replicas = servers.filter(({ role }) => role === 'replica');
      const good = replicas.filter(({ up, problem }) => up && problem === null);
      const memory = master ? memoryText(master) : null;
      const backed = replicas.length === 0 ? 'none' : `${good.length}/${replicas.length} ok`;
      return [id, slotsCount, master?.addr ?? 'none', master ? stateText(master) : null, backed, master?.keysCount ?? null, memory];
    }),
  };
}

type Server = GroupStatusView['servers'][number];

function stateText({ up, problem }: Server): string {
  if (!up) return 'down';
  return problem === null ? 'up' : 'wrong';
}

function memoryText({ usedMemoryBytes: used, maxMemoryBytes: max }: Server): string | null {
  if (used === null) return null;
  return max ? bytesOfText(used, max) : bytesText(used);
}

function serversTable(groups: readonly GroupStatusView[]): Table {
  const head = [
    'GROUP',
    'SLOTS',
    'SERVER',
    'ROLE',
    'STATE',
    'KEYS',
    'MEMORY',
    'MAX MEMORY',
    'REPLICATES',
    'LAG',
    'LAG S',
    'OPS',
    'REDIS',
    'PROBLEM',
  ];
  const rows = groups.flatMap(({ id, slotsCount, servers }) =>
    servers.map((server) => [
      id,
      slotsCount,
      server.addr,
      server.role,
      stateText(server),
      server.keysCount,
      server.usedMemoryBytes,
      server.maxMemoryBytes,
      server.replicates,
      server.lagBytes,
      server.lagSeconds,
      server.opsPerSecond,
      server.version,
      server.problem,
    ]),
  );
  return { head, rows };
}

function eventsAnswer(view: EventsView): Answer {
  const { events, older } = view;
  return {
    json: view,
    table: {
      head: ['SEQ', 'AT', 'BY', 'ACTION', 'OBJECT', 'EPOCH', 'RESULT'],
      rows: events.map(({ seq, at, actor, action, object, epoch, result }) => [seq, at, actor, action, object, epoch, result]),
    },
    wide: {
      head: ['SEQ', 'AT', 'BY', 'VIA', 'IP', 'ACTION', 'OBJECT', 'EPOCH', 'RESULT', 'BEFORE', 'AFTER', 'DETAIL', 'MIGRATION', 'PLAN'],
      rows: events.map((event) => [
        event.seq,
        event.at,
        event.actor,
        event.via,
        event.ip,
        event.action,
        event.object,
        event.epoch,
        event.result,
        event.before,
        event.after,
        event.detail,
        event.migration,
        event.plan,
      ]),
    },
    names: events.map(({ seq }) => seq),
    notes: older === null ? [] : [`there are older ones: say the same with --before ${older}`],
  };
}
