// The end of every command that starts a migration: say how to watch it, or with --wait watch it to its end.

import type { Command } from 'commander';
import type { MannerRequest, MigrationView } from '../api/index.ts';
import { numberOption } from './arguments.ts';
import { EXIT } from './failures.ts';
import { followMigration } from './follow.ts';
import type { Answer } from './output.ts';
import type { Session } from './session.ts';
import { type ThrottleOptions, throttleOf, throttleOptions } from './throttle.ts';

export interface CarryOutOptions extends ThrottleOptions {
  readonly durable?: boolean;
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** Adds --durable, --wait, --timeout, and what it may take of the servers. */
export function carryOutOptions(command: Command): Command {
  return throttleOptions(command)
    .option('--durable', 'keys leave their group only when all replicas of the new one have them')
    .option('--wait', 'show progress until it has ended')
    .option('--timeout <seconds>', 'with --wait: give up watching after this long', numberOption('--timeout', { min: 1, max: 1_000_000 }));
}

/** How the options want the slots moved. */
export function mannerOf(options: CarryOutOptions): MannerRequest {
  return { durable: options.durable ?? false, ...throttleOf(options) };
}

/** Prints `begun`, or with --wait how migration `id` ended, and sets the exit code. */
export async function reportMigration(
  session: Session,
  { id, begun, wait, timeout }: Pick<CarryOutOptions, 'wait' | 'timeout'> & { id: number; begun: Answer },
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
