// Cancelling a migration, and taking back what it has moved.
//
// Invariant: who takes back is on record as soon as the migration is cancelled, in one commit; so whoever dies in between leaves nothing half done.

import { migrationPath, type Op, PATHS } from '../coordinator/index.ts';
import {
  checkWayBack,
  encodeMigration,
  holdsSlots,
  type Migration,
  type MigrationId,
  movesBack,
  type RollBack,
  slotsDone,
  type Topology,
  targets,
} from '../model/index.ts';
import type { Caller } from './caller.ts';
import { commitAudited, readTopology } from './commit.ts';
import { checkOpen, checkOverlap, listMigrations, movesText, newMigration, nextId, readVersioned } from './migrations.ts';

export interface CancelRequest {
  readonly id: MigrationId;
  /** What goes back where it came from, by another migration (`takenBackBy`); where there is nothing to take back, none is made. */
  readonly rollBack?: RollBack | undefined;
}

/** Stops a migration: slots that have not begun to move stay where they are, those between two groups still arrive (then `endedAt` is null, and the
 *  controller sets it). Throws CODIS_E_UNKNOWN_MIGRATION, or CODIS_E_CONFLICT when it has ended already; with `rollBack` also as `checkWayBack` and `checkOverlap`. */
export function cancelMigration(caller: Caller, { id, rollBack }: CancelRequest): Promise<Migration> {
  return commitAudited(caller, async () => {
    const { epoch, topology } = await readTopology(caller);
    const { migration, version } = await readVersioned(caller.coordinator, id);
    checkOpen(migration);
    const back = rollBack === undefined ? null : await takeBack(caller, topology, { migration, rollBack });
    const cancelled: Migration = {
      ...migration,
      progress: { ...migration.progress, slotsDone: slotsDone(topology, migration) },
      state: 'cancelled',
      waiting: null,
      resumesAt: null,
      takenBackBy: back?.id ?? null,
      endedAt: holdsSlots(topology, migration) ? null : new Date().toISOString(),
    };
    const ops: Op[] = [
      { op: 'check', path: PATHS.topology, version: epoch },
      { op: 'set', path: migrationPath(id), data: encodeMigration(cancelled), version },
    ];
    if (back !== null) ops.push({ op: 'create', path: migrationPath(back.id), data: encodeMigration(back) });
    return {
      ops,
      event: {
        action: 'migration.cancel',
        object: `migration ${id}${back === null ? '' : `, taken back by migration ${back.id}: ${movesText(back.moves)}`}`,
        epoch: null,
        before: migration.state,
        after: back === null ? cancelled.state : `${cancelled.state}, ${countText(back)} taken back`,
      },
      value: cancelled,
    };
  });
}

/** In the manner of the one that is taken back. Null when there is nothing to take back. */
async function takeBack(
  { coordinator, actor }: Caller,
  topology: Topology,
  { migration, rollBack }: { migration: Migration; rollBack: RollBack },
): Promise<Migration | null> {
  const moves = movesBack(topology, migration, rollBack);
  if (moves.length === 0) return null;
  checkWayBack(topology, moves);
  const existing = await listMigrations(coordinator);
  checkOverlap(
    existing.filter(({ id }) => id !== migration.id),
    moves,
  );
  const { durable, throttle } = migration;
  const comment = `takes migration ${migration.id} back`;
  return newMigration(topology, { id: nextId(topology, existing), moves, durable, ...throttle, actor, comment, takesBack: migration.id });
}

function countText({ moves }: Migration): string {
  const count = [...targets({ moves })].length;
  return `${count} ${count === 1 ? 'slot' : 'slots'}`;
}
