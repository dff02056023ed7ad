// A move whose record is gone: slots that the topology says a migration moves, of which nobody knows any more (the record was deleted by hand, or the coordinator
// is an older copy of itself). It is given its record back, for exactly these slots: then the controller goes on with it, and it can be paused and cancelled.
//
// Invariant: the topology is not touched. The record gets the number that the slots name, so what was locked or between two groups goes on as what it was.

import { migrationPath, PATHS } from '../coordinator/index.ts';
import { CodisError, encodeMigration, heldMoves, type Migration, type MigrationId, type Throttle } from '../model/index.ts';
import type { Caller } from './caller.ts';
import { commitAudited, readTopology } from './commit.ts';
import { checkOverlap, listMigrations, movesText, newMigration, standing } from './migrations.ts';

export interface AdoptRequest extends Partial<Throttle> {
  readonly id: MigrationId;
  readonly dryRun?: boolean;
}

/** Gives the migration its record back, or gives the one that it has, as it is. Changes nothing with `dryRun`. What it was throttled to is gone with the old record. Throws
 *  CODIS_E_UNKNOWN_MIGRATION when no slot is in a move by it, and as `checkOverlap`. */
export async function adoptMigration(caller: Caller, { id, dryRun = false, ...throttle }: AdoptRequest): Promise<Migration> {
  const found = await findOrphan(caller, { id, ...throttle });
  if (found.known || dryRun) return found.migration;
  try {
    return await commitAudited(caller, async () => {
      const { known, migration, epoch } = await findOrphan(caller, { id, ...throttle });
      if (known) throw new OnRecord(migration);
      return {
        ops: [
          { op: 'check', path: PATHS.topology, version: epoch },
          { op: 'create', path: migrationPath(id), data: encodeMigration(migration) },
        ],
        event: {
          action: 'migration.adopt',
          object: `migration ${id}: ${movesText(migration.moves)}`,
          epoch: null,
          before: 'no record',
          after: standing(migration),
        },
        value: migration,
      };
    });
  } catch (error) {
    if (error instanceof OnRecord) return error.migration;
    throw error;
  }
}

/** Somebody else was faster. */
class OnRecord extends Error {
  readonly migration: Migration;

  constructor(migration: Migration) {
    super('on record already');
    this.migration = migration;
  }
}

/** `known`: it has a record. */
async function findOrphan(
  caller: Caller,
  { id, ...throttle }: Omit<AdoptRequest, 'dryRun'>,
): Promise<{ known: boolean; migration: Migration; epoch: number }> {
  const { epoch, topology } = await readTopology(caller);
  const existing = await listMigrations(caller.coordinator);
  const known = existing.find((migration) => migration.id === id);
  if (known) return { known: true, migration: known, epoch };
  const { moves, durable } = heldMoves(topology, id);
  if (moves.length === 0) throw new CodisError('CODIS_E_UNKNOWN_MIGRATION', `there is no migration ${id}, and no slot is in a move by it`);
  checkOverlap(existing, moves);
  return { known: false, migration: newMigration(topology, { id, moves, durable, actor: caller.actor, ...throttle }), epoch };
}
