// codis-config migration …: looking after moves of slots. They are started with `slot migrate`.

import { type Command, Option } from 'commander';
import type {
  AdoptMigrationRequest,
  CancelMigrationRequest,
  MigrationSlotsView,
  MigrationsView,
  MigrationView,
  ThrottleRequest,
} from '../../api/index.ts';
import { migrationArgument, numberOption } from '../arguments.ts';
import { reportMigration, type WaitOptions, waitFor, waitOptions } from '../carry-out.ts';
import type { Call } from '../client.ts';
import { followMigration } from '../follow.ts';
import type { Answer, Table } from '../output.ts';
import { type Session, sessionOf } from '../session.ts';
import { type ThrottleOptions, throttleOf, throttleOptions, throttleText } from '../throttle.ts';
import { clockText } from '../units.ts';
import { rangeText, slotsText } from './changes.ts';
import { explainCommand } from './explain.ts';

export function migrationCommands(program: Command): void {
  const migration = program.command('migration').description('moves of slots that were asked for');
  migration
    .command('list')
    .description('all migrations, oldest first')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<MigrationsView>('/migrations');
      session.print(answerOf(view, view.migrations));
    });
  migration
    .command('show')
    .description('one migration')
    .argument('<id>', 'migration id', migrationArgument)
    .action(async (id: number, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<MigrationView>(`/migrations/${id}`);
      session.print({ ...answerOf(view, [view]), notes: aboutOne(view) });
    });
  migration
    .command('watch')
    .description('show progress until it has ended; Ctrl-C leaves it running')
    .argument('<id>', 'migration id', migrationArgument)
    .option('--timeout <seconds>', 'give up watching after this long', numberOption('--timeout', { min: 1, max: 1_000_000 }))
    .action(async (id: number, { timeout }: { timeout?: number }, command: Command) => {
      const session = sessionOf(command);
      process.exitCode = await followMigration(session, { id, timeoutMs: (timeout ?? Number.POSITIVE_INFINITY) * 1000 });
      const view = await session.get<MigrationView>(`/migrations/${id}`);
      session.print({ ...answerOf(view, [view]), notes: aboutOne(view) });
    });
  slotsCommand(migration);
  explainCommand(migration, {
    description: 'why is a migration as it is?',
    argument: ['<id>', 'migration id', migrationArgument],
    query: 'migration',
  });
  steeringCommands(migration);
  adoptCommand(migration);
}

function slotsCommand(migration: Command): void {
  migration
    .command('slots')
    .description('how far each slot of a migration is')
    .argument('<id>', 'migration id', migrationArgument)
    .action(async (id: number, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<MigrationSlotsView>(`/migrations/${id}/slots`);
      const rows = view.slots.map(({ first, last, stage, from, to, at }) => [
        rangeText(first, last),
        last - first + 1,
        stage,
        from,
        to,
        at,
      ]);
      session.print({
        json: view,
        table: { head: ['SLOTS', 'COUNT', 'STAGE', 'FROM', 'TO', 'ARRIVED'], rows },
        names: view.slots.map(({ first, last }) => rangeText(first, last)),
      });
    });
}

function adoptCommand(migration: Command): void {
  const command = migration
    .command('adopt')
    .description('give a move whose record is gone its record back, so that it goes on or can be cancelled');
  waitOptions(throttleOptions(command))
    .argument('<id>', 'the migration that the slots name', migrationArgument)
    .option('--dry-run', 'only say what would be on record')
    .action(async (id: number, options: ThrottleOptions & WaitOptions, self: Command) => {
      const session = sessionOf(self);
      const body: AdoptMigrationRequest = { dryRun: session.dryRun, ...throttleOf(options) };
      const view = await session.look<MigrationView>({ method: 'POST', path: `/migrations/${id}/adopt`, body });
      const moves = view.moves.map(({ first, last, to }) => `${slotsText(first, last)} to group ${to}`).join(', ');
      const on = (is: string) => `migration ${id} ${is} on record as ${view.state}: ${moves}`;
      if (session.dryRun) return session.print({ json: view, table: on('would be'), names: [id], notes: ['nothing was changed'] });
      return reportMigration(session, { id, begun: { json: view, table: on('is'), names: [id] }, ...options });
    });
}

interface Steering {
  readonly id: number;
  readonly verb: 'pause' | 'resume' | 'throttle';
  /** What is told of it then. */
  readonly said: string;
  readonly body?: ThrottleRequest;
}

function steeringCommands(migration: Command): void {
  migration
    .command('pause')
    .description('stop handing keys over until it is resumed; clients go on')
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, _, command: Command) => steer(sessionOf(command), { id, verb: 'pause', said: 'is paused' }));
  waitOptions(migration.command('resume').description('go on with a paused migration'))
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, options: WaitOptions, command: Command) =>
      steer(sessionOf(command), { id, verb: 'resume', said: 'goes on' }, options),
    );
  cancelCommand(migration);
  throttleOptions(migration.command('throttle').description('change what a migration may take of the servers, while it runs'))
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, options: ThrottleOptions, command: Command) =>
      steer(sessionOf(command), { id, verb: 'throttle', said: 'is throttled anew', body: throttleOf(options) }),
    );
}

async function steer(session: Session, { id, verb, said, body }: Steering, options: WaitOptions = {}): Promise<void> {
  const call: Call = { method: 'POST', path: `/migrations/${id}/${verb}`, ...(body ? { body } : {}) };
  const view = await session.change<MigrationView>(call);
  if (view === null) return;
  if (options.wait) return waitFor(session, { id, ...options });
  session.print({ json: view, table: `migration ${id} ${said}`, names: [id] });
}

interface CancelOptions extends WaitOptions {
  readonly rollBack?: 'current' | 'all';
}

function cancelCommand(migration: Command): void {
  waitOptions(
    migration.command('cancel').description('stop a migration, and if asked take back what it moved; every slot ends whole on one side'),
  )
    .argument('<id>', 'migration id', migrationArgument)
    .addOption(
      new Option(
        '--roll-back <what>',
        'have another migration bring slots back where they came from: current, those that are under way and arrive first; all, also those that have moved',
      ).choices(['current', 'all']),
    )
    .action((id: number, options: CancelOptions, command: Command) => cancel(sessionOf(command), id, options));
}

async function cancel(session: Session, id: number, { rollBack, ...options }: CancelOptions): Promise<void> {
  const body: CancelMigrationRequest = rollBack === undefined ? {} : { rollBack };
  const view = await session.change<MigrationView>({ method: 'POST', path: `/migrations/${id}/cancel`, body });
  if (view === null) return;
  const back = view.takenBackBy;
  if (options.wait) {
    return back === null ? waitFor(session, { id, cancelled: true, ...options }) : waitFor(session, { id: back, ...options });
  }
  const notes = [
    ...(view.endedAt === null ? ['slots that are between two groups still arrive'] : []),
    ...(rollBack !== undefined && back === null ? ['there was nothing to take back'] : []),
    ...(back === null ? [] : [`migration ${back} takes back what it moved; watch it with: codis-config migration watch ${back}`]),
  ];
  session.print({ json: view, table: `migration ${id} is cancelled`, names: [id], notes });
}

function answerOf(json: unknown, migrations: readonly MigrationView[]): Answer {
  return { json, table: tableOf(migrations), wide: wideTableOf(migrations), names: migrations.map(({ id }) => id) };
}

/** What a table has no room for. */
function aboutOne({ verified, stalled, takesBack, takenBackBy, comment, resumesAt }: MigrationView): string[] {
  return [
    ...(comment === null ? [] : [`why: ${comment}`]),
    ...(resumesAt === null ? [] : [`its window opens at ${resumesAt}`]),
    ...(stalled === null ? [] : [`stalled since ${stalled.since}: ${stalled.reason}`]),
    ...(takesBack === null ? [] : [`it takes migration ${takesBack} back`]),
    ...(takenBackBy === null ? [] : [`migration ${takenBackBy} takes it back`]),
    ...(verified === null ? [] : [`verified: ${verified.text}`]),
  ];
}

function wideTableOf(migrations: readonly MigrationView[]): Table {
  const { head, rows } = tableOf(migrations);
  return {
    head: [...head, 'BYTES', 'KEYS/S', 'DURABLE', 'ENDED', 'STALLED', 'COMMENT', 'THROTTLE', 'TAKES BACK', 'TAKEN BACK BY'],
    rows: rows.map((row, index) => {
      const { bytesSwept, keysPerSecond, durable, endedAt, stalled, comment, throttle, takesBack, takenBackBy } = migrations[
        index
      ] as MigrationView;
      const reason = stalled === null ? null : `since ${stalled.since}: ${stalled.reason}`;
      const told = [bytesSwept, keysPerSecond, durable ? 'yes' : 'no', endedAt, reason, comment, throttleText(throttle)];
      return [...row, ...told, takesBack, takenBackBy];
    }),
  };
}

function tableOf(migrations: readonly MigrationView[]): Table {
  return {
    head: ['ID', 'STATE', 'MOVES', 'DONE', 'KEYS', 'LEFT', 'ETA', 'RETRIES', 'CREATED', 'BY', 'WAITING'],
    rows: migrations.map(
      ({ id, state, moves, slotsDone, slotsTotal, keysSwept, keysLeft, secondsLeft, retries, createdAt, actor, waiting }) => [
        id,
        state,
        moves.map(({ first, last, to }) => `${rangeText(first, last)}→${to}`).join(','),
        `${slotsDone}/${slotsTotal}`,
        keysSwept,
        keysLeft,
        secondsLeft === null ? null : clockText(secondsLeft),
        retries,
        createdAt,
        actor,
        waiting,
      ],
    ),
  };
}
