// Watching a migration until it ends. Only ever looks: going away stops nothing.

import type { MigrationView } from '../api/index.ts';
import { CodisError } from '../model/index.ts';
import { EXIT } from './failures.ts';
import type { Session } from './session.ts';

const POLL_MS = 250;
const LINE_EVERY_MS = 5000;
const BAR_WIDTH = 20;
const BYTES_PER_MIB = 1024 * 1024;

export interface FollowOptions {
  readonly id: number;
  /** Infinity: until it ends. */
  readonly timeoutMs: number;
}

/** Shows progress on stderr until the migration has ended; returns the exit code. Throws CODIS_E_TIMEOUT. Ctrl-C detaches. */
export async function followMigration(session: Session, { id, timeoutMs }: FollowOptions): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  const progress = progressPrinter();
  const detached = detachOnInterrupt();
  try {
    for (;;) {
      const migration = await session.client.get<MigrationView>(`/migrations/${id}`);
      progress.show(migration);
      if (migration.endedAt !== null) return migration.state === 'done' ? EXIT.ok : EXIT.cancelled;
      if (performance.now() >= deadline) {
        const { slotsDone, slotsTotal } = migration;
        throw new CodisError(
          'CODIS_E_TIMEOUT',
          `migration ${id} is at ${slotsDone} of ${slotsTotal} slots after ${timeoutMs / 1000} s; it goes on by itself`,
        );
      }
      if (await detached.within(POLL_MS)) return detach(session, id);
    }
  } finally {
    progress.end();
    detached.dispose();
  }
}

function detach(session: Session, id: number): number {
  session.note(`migration ${id} goes on; watch it again with: codis-config migration watch ${id}`);
  return EXIT.ok;
}

/** `[######....] 412/1024 slots  31000 keys  12.0 MiB  9000 keys/s  ETA 00:00:31`, and what it waits for. */
export function progressLine(migration: MigrationView): string {
  const { id, state, slotsDone, slotsTotal, keysSwept, bytesSwept, keysPerSecond, secondsLeft, waiting } = migration;
  const filled = Math.floor(shareDone(migration) * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
  const parts = [
    `migration ${id} [${bar}] ${slotsDone}/${slotsTotal} slots`,
    `${keysSwept} keys`,
    `${(bytesSwept / BYTES_PER_MIB).toFixed(1)} MiB`,
    ...(state === 'running' && keysPerSecond !== null ? [`${keysPerSecond} keys/s`] : []),
    ...(secondsLeft === null ? [] : [`ETA ${durationText(secondsLeft)}`]),
    state,
    ...(waiting === null ? [] : [`waiting: ${waiting}`]),
  ];
  return parts.join('  ');
}

/** By keys, where it is known how many there are; slots arrive many at a time. */
function shareDone({ slotsDone, slotsTotal, keysSwept, keysLeft, state }: MigrationView): number {
  if (state === 'done' || slotsTotal === 0) return 1;
  const bySlots = slotsDone / slotsTotal;
  return keysLeft === null || keysSwept + keysLeft === 0 ? bySlots : Math.max(bySlots, keysSwept / (keysSwept + keysLeft));
}

/** `hh:mm:ss`. */
export function durationText(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** On a terminal one line that is redrawn; elsewhere a line when something changed, at most every few seconds, and at the end. */
function progressPrinter(): { show(migration: MigrationView): void; end(): void } {
  const { stderr } = process;
  let last = '';
  let printedAt = Number.NEGATIVE_INFINITY;
  return {
    show: (migration) => {
      const line = progressLine(migration);
      if (stderr.isTTY) stderr.write(`\r\x1b[K${line.slice(0, Math.max((stderr.columns || 80) - 1, 20))}`);
      else if (line !== last && (migration.endedAt !== null || performance.now() - printedAt >= LINE_EVERY_MS)) {
        printedAt = performance.now();
        last = line;
        stderr.write(`${line}\n`);
      }
    },
    end: () => {
      if (stderr.isTTY) stderr.write('\n');
    },
  };
}

function detachOnInterrupt(): { within(ms: number): Promise<boolean>; dispose(): void } {
  let interrupted = false;
  let wake: (() => void) | undefined;
  const onInterrupt = () => {
    interrupted = true;
    wake?.();
  };
  process.on('SIGINT', onInterrupt);
  return {
    within: (ms) =>
      new Promise((done) => {
        if (interrupted) return done(true);
        const timer = setTimeout(() => done(interrupted), ms);
        wake = () => {
          clearTimeout(timer);
          done(true);
        };
      }),
    dispose: () => process.off('SIGINT', onInterrupt),
  };
}
