// The end of every command that starts a migration: say how to watch it, or with --wait watch it to its end.

import type { Command } from 'commander';
import type { MigrationView } from '../api/index.ts';
import { numberOption } from './arguments.ts';
import { EXIT } from './failures.ts';
import { followMigration } from './follow.ts';
import type { Answer } from './output.ts';
import type { Session } from './session.ts';

export interface CarryOutOptions {
  readonly delay: number;
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** Adds --delay, --wait and --timeout. */
export function carryOutOptions(command: Command): Command {
  return command
    .option('--delay <ms>', 'pause between two batches of keys', numberOption('--delay', { min: 0, max: 60_000 }), 0)
    .option('--wait', 'show progress until it has ended')
    .option('--timeout <seconds>', 'with --wait: give up watching after this long', numberOption('--timeout', { min: 1, max: 1_000_000 }));
}

/** Prints `begun`, or with --wait how migration `id` ended, and sets the exit code. */
export async function reportMigration(
  session: Session,
  { id, begun, wait, timeout }: Omit<CarryOutOptions, 'delay'> & { id: number; begun: Answer },
): Promise<void> {
  if (!wait) {
    session.print({ ...begun, notes: [...(begun.notes ?? []), `watch it with: codis-config migration watch ${id}`] });
    return;
  }
  process.exitCode = await followMigration(session, { id, timeoutMs: (timeout ?? Number.POSITIVE_INFINITY) * 1000 });
  const ended = await session.client.get<MigrationView>(`/migrations/${id}`);
  const verdict = process.exitCode === EXIT.ok && ended.endedAt === null ? 'goes on' : `is ${ended.state}`;
  session.print({
    json: ended,
    table: `migration ${id} ${verdict}: ${ended.slotsDone} of ${ended.slotsTotal} slots are there`,
    names: [id],
  });
}
