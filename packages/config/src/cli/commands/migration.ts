// codis-config migration …: looking after moves of slots. They are started with `slot migrate`.

import type { Command } from 'commander';
import type { AdoptMigrationRequest, MigrationsView, MigrationView, ThrottleRequest } from '../../api/index.ts';
import { migrationArgument, numberOption } from '../arguments.ts';
import { durationText, followMigration } from '../follow.ts';
import type { Table } from '../output.ts';
import { type Session, sessionOf } from '../session.ts';
import { type ThrottleOptions, throttleOf, throttleOptions } from '../throttle.ts';
import { rangeText, slotsText } from './changes.ts';

export function migrationCommands(program: Command): void {
  const migration = program.command('migration').description('moves of slots that were asked for');
  migration
    .command('list')
    .description('all migrations, oldest first')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<MigrationsView>('/migrations');
      session.print({ json: view, table: tableOf(view.migrations), names: view.migrations.map(({ id }) => id) });
    });
  migration
    .command('show')
    .description('one migration')
    .argument('<id>', 'migration id', migrationArgument)
    .action(async (id: number, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<MigrationView>(`/migrations/${id}`);
      session.print({ json: view, table: tableOf([view]), names: [view.id] });
    });
  migration
    .command('watch')
    .description('show progress until it has ended; Ctrl-C leaves it running')
    .argument('<id>', 'migration id', migrationArgument)
    .option('--timeout <seconds>', 'give up watching after this long', numberOption('--timeout', { min: 1, max: 1_000_000 }))
    .action(async (id: number, { timeout }: { timeout?: number }, command: Command) => {
      const session = sessionOf(command);
      process.exitCode = await followMigration(session, { id, timeoutMs: (timeout ?? Number.POSITIVE_INFINITY) * 1000 });
      const view = await session.client.get<MigrationView>(`/migrations/${id}`);
      session.print({ json: view, table: tableOf([view]), names: [view.id] });
    });
  steeringCommands(migration);
  adoptCommand(migration);
}

function adoptCommand(migration: Command): void {
  throttleOptions(
    migration.command('adopt').description('give a move whose record is gone its record back, so that it goes on or can be cancelled'),
  )
    .argument('<id>', 'the migration that the slots name', migrationArgument)
    .option('--dry-run', 'only say what would be on record')
    .action(async (id: number, { dryRun = false, ...options }: ThrottleOptions & { dryRun?: boolean }, command: Command) => {
      const session = sessionOf(command);
      const request: AdoptMigrationRequest = { dryRun, ...throttleOf(options) };
      const view = await session.client.post<MigrationView>(`/migrations/${id}/adopt`, request);
      const moves = view.moves.map(({ first, last, to }) => `${slotsText(first, last)} to group ${to}`).join(', ');
      const [is, notes] = dryRun ? ['would be', ['nothing was changed']] : ['is', [`watch it with: codis-config migration watch ${id}`]];
      session.print({ json: view, table: `migration ${id} ${is} on record as ${view.state}: ${moves}`, names: [id], notes });
    });
}

function steeringCommands(migration: Command): void {
  migration
    .command('pause')
    .description('stop handing keys over until it is resumed; clients go on')
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, _, command: Command) => steer(sessionOf(command), { id, verb: 'pause', said: 'is paused' }));
  migration
    .command('resume')
    .description('go on with a paused migration')
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, _, command: Command) => steer(sessionOf(command), { id, verb: 'resume', said: 'goes on' }));
  migration
    .command('cancel')
    .description('stop a migration; every slot ends whole on one side')
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, _, command: Command) => steer(sessionOf(command), { id, verb: 'cancel', said: 'is cancelled' }));
  throttleOptions(migration.command('throttle').description('change what a migration may take of the servers, while it runs'))
    .argument('<id>', 'migration id', migrationArgument)
    .action((id: number, options: ThrottleOptions, command: Command) =>
      steer(sessionOf(command), { id, verb: 'throttle', said: 'is throttled anew', body: throttleOf(options) }),
    );
}

interface Steering {
  readonly id: number;
  readonly verb: 'pause' | 'resume' | 'cancel' | 'throttle';
  /** What is told of it then. */
  readonly said: string;
  readonly body?: ThrottleRequest;
}

async function steer(session: Session, { id, verb, said, body }: Steering): Promise<void> {
  const view = await session.client.post<MigrationView>(`/migrations/${id}/${verb}`, body);
  const notes = verb === 'cancel' && view.endedAt === null ? ['slots that are between two groups still arrive'] : [];
  session.print({ json: view, table: `migration ${id} ${said}`, names: [id], notes });
}

function tableOf(migrations: readonly MigrationView[]): Table {
  return {
    head: ['ID', 'STATE', 'MOVES', 'DONE', 'KEYS', 'LEFT', 'ETA', 'CREATED', 'BY', 'WAITING'],
    rows: migrations.map(({ id, state, moves, slotsDone, slotsTotal, keysSwept, keysLeft, secondsLeft, createdAt, actor, waiting }) => [
      id,
      state,
      moves.map(({ first, last, to }) => `${rangeText(first, last)}→${to}`).join(','),
      `${slotsDone}/${slotsTotal}`,
      keysSwept,
      keysLeft,
      secondsLeft === null ? null : durationText(secondsLeft),
      createdAt,
      actor,
      waiting,
    ]),
  };
}
