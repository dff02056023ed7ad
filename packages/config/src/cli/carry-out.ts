// The end of every command that starts a migration: say how to watch it, or with --wait watch it to its end.

import type { Command } from 'commander';
import type { MannerRequest, MigrationView } from '../api/index.ts';
import { numberOption } from './arguments.ts';
import { EXIT } from './failures.ts';
import { followMigration } from './follow.ts';
import type { Answer } from './output.ts';
import type { Session } from './session.ts';
import { type ThrottleOptions, throttleOf, throttleOptions } from './throttle.ts';

export interface CarryOutOptions extends ThrottleOptions, WaitOptions {
  readonly durable?: boolean;
  readonly comment?: string;
}

/** Adds --durable, --wait, --timeout, --comment, and what it may take of the servers. */
export function carryOutOptions(command: Command): Command {
  return waitOptions(
    throttleOptions(command)
      .option('--durable', 'keys leave their group only when all replicas of the new one have them')
      .option('--comment <text>', 'why, for who looks at it later'),
  );
}

export interface WaitOptions {
  readonly wait?: boolean;
  readonly timeout?: number;
}

/** Adds --wait, --no-wait and --timeout. */
export function waitOptions(command: Command): Command {
  return command
    .option('--wait', 'show progress until it has ended')
    .option('--no-wait', 'come back at once, which is what it does unless told')
    .option('--timeout <seconds>', 'with --wait: give up watching after this long', numberOption('--timeout', { min: 1, max: 1_000_000 }));
}

/** How the options want the slots moved. */
export function mannerOf(options: CarryOutOptions): MannerRequest {
  const comment = options.comment === undefined ? {} : { comment: options.comment };
  return { durable: options.durable ?? false, ...comment, ...throttleOf(options) };
}

/** Prints `begun`, or with --wait how migration `id` ended, and sets the exit code. */
export async function reportMigration(
  session: Session,
  { id, begun, wait, timeout }: WaitOptions & { id: number; begun: Answer },
): Promise<void> {
  if (!wait) {
    session.print({ ...begun, notes: [...(begun.notes ?? []), `watch it with: codis-config migration watch ${id}`] });
    return;
  }
  await waitFor(session, { id, ...(timeout === undefined ? {} : { timeout }) });
}

/** Shows progress until migration `id` has ended, says how, and sets the exit code. With `cancelled` that is what was wanted of it. */
export async function waitFor(
  session: Session,
  { id, timeout, cancelled = false }: WaitOptions & { id: number; cancelled?: boolean },
): Promise<void> {
  const code = await followMigration(session, { id, timeoutMs: (timeout ?? Number.POSITIVE_INFINITY) * 1000 });
  process.exitCode = cancelled && code === EXIT.cancelled ? EXIT.ok : code;
  const ended = await session.get<MigrationView>(`/migrations/${id}`);
  const verdict = ended.endedAt === null ? 'goes on' : `is ${ended.state}`;
  session.print({
    json: ended,
    table: `migration ${id} ${verdict}: ${ended.slotsDone} of ${ended.slotsTotal} slots are there`,
    names: [id],
  });
}
