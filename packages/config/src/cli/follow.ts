// Watching a migration until it ends. Only ever looks: going away stops nothing.

import type { MigrationView } from '../api/index.ts';
import { CodisError, isCodisError } from '../model/index.ts';
import { EXIT } from './failures.ts';
import { progressBlock, progressLine } from './progress.ts';
import type { Session } from './session.ts';

const POLL_MS = 250;
const LINE_EVERY_MS = 5000;
/** Rates are told over at least so long. */
const RATE_OVER_MS = 2000;
const COLUMNS_DEFAULT = 80;
const COLUMNS_MIN = 20;

export interface FollowOptions {
  readonly id: number;
  /** Infinity: until it ends. */
  readonly timeoutMs: number;
}

/** Shows progress on stderr until the migration has ended; returns the exit code. Throws CODIS_E_TIMEOUT. Ctrl-C detaches. */
export async function followMigration(session: Session, { id, timeoutMs }: FollowOptions): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  const show = process.stderr.isTTY ? blockPrinter() : linePrinter();
  const rate = byteRate();
  const look = patientLook(session, id);
  const detached = detachOnInterrupt();
  try {
    for (;;) {
      const migration = await look();
      show(migration, rate(migration.bytesSwept));
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
    detached.dispose();
  }
}

/** The migration as it is now, or as it was last seen while no dashboard answers: one that was killed is started again, and the migration goes on then. Throws what the first look throws. */
function patientLook(session: Session, id: number): () => Promise<MigrationView> {
  let last: MigrationView | undefined;
  let isAway = false;
  return async () => {
    try {
      last = await session.get<MigrationView>(`/migrations/${id}`);
      if (isAway) session.note('the dashboard answers again');
      isAway = false;
    } catch (error) {
      if (last === undefined || !isCodisError(error, 'CODIS_E_DASHBOARD_UNREACHABLE')) throw error;
      if (!isAway) session.note(`${error.message}; still watching, for the migration goes on as soon as a dashboard runs`);
      isAway = true;
    }
    return last;
  };
}

function detach(session: Session, id: number): number {
  session.note(`migration ${id} goes on; watch it again with: codis-config migration watch ${id}`);
  return EXIT.ok;
}

type Show = (migration: MigrationView, bytesPerSecond: number | null) => void;

/** On a terminal: one block that is redrawn in place. */
function blockPrinter(): Show {
  const { stderr } = process;
  let height = 0;
  return (migration, bytesPerSecond) => {
    const columns = Math.max((stderr.columns || COLUMNS_DEFAULT) - 1, COLUMNS_MIN);
    const lines = progressBlock(migration, bytesPerSecond, columns);
    const back = height === 0 ? '' : `\x1b[${height}A`;
    stderr.write(`${back}\r\x1b[J${lines.join('\n')}\n`);
    height = lines.length;
  };
}

/** Elsewhere: a line every few seconds, and one at the end. */
function linePrinter(): Show {
  let printedAt = Number.NEGATIVE_INFINITY;
  return (migration, bytesPerSecond) => {
    if (migration.endedAt === null && performance.now() - printedAt < LINE_EVERY_MS) return;
    printedAt = performance.now();
    process.stderr.write(`${progressLine(migration, bytesPerSecond)}\n`);
  };
}

/** Tells how fast a number grows, lately; null until it was seen for long enough. */
function byteRate(): (bytes: number) => number | null {
  let from: { bytes: number; at: number } | undefined;
  let rate: number | null = null;
  return (bytes) => {
    const at = performance.now();
    from ??= { bytes, at };
    if (at - from.at >= RATE_OVER_MS) {
      rate = ((bytes - from.bytes) / (at - from.at)) * 1000;
      from = { bytes, at };
    }
    return rate;
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
