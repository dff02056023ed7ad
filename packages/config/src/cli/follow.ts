// Watching a migration until it ends. Only ever looks: going away stops nothing.

import type { MigrationView } from '../api/index.ts';
import { CodisError } from '../model/index.ts';
import { EXIT } from './failures.ts';
import type { Session } from './session.ts';

const POLL_MS = 250;
const LINE_EVERY_MS = 5000;
const BAR_WIDTH = 20;

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

/** `[######....] 412/1024 slots  31000 keys`, and what it waits for. */
export function progressLine({ id, state, slotsDone, slotsTotal, keysSwept, waiting }: MigrationView): string {
  const filled = slotsTotal === 0 ? BAR_WIDTH : Math.floor((slotsDone / slotsTotal) * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
  const reason = waiting === null ? '' : `  waiting: ${waiting}`;
  return `migration ${id} [${bar}] ${slotsDone}/${slotsTotal} slots  ${keysSwept} keys  ${state}${reason}`;
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
