// What the coordinator holds, read for one turn of the controller.
//
// Invariant: the proxies are read after the topology. A lock that this topology shows was therefore written before the proxies were listed, and a
// proxy that registered later reads the lock itself before it serves.

import { type Coordinator, migrationPath, PATHS } from '../coordinator/index.ts';
import {
  asEpoch,
  CodisError,
  decodeMigration,
  decodeTopology,
  holdsSlots,
  isOpen,
  type Migration,
  type MigrationId,
  type ProxyView,
  type VersionedTopology,
} from '../model/index.ts';
import { listProxies } from '../operations/index.ts';

/** A migration that is not over, and the version its node was read at. */
export interface Job {
  readonly migration: Migration;
  readonly version: number;
}

export interface World extends VersionedTopology {
  readonly proxies: readonly ProxyView[];
  /** In order of id: those that run or are paused, and those that were cancelled but still have slots in a move or were not closed. */
  readonly jobs: readonly Job[];
}

/** Throws CODIS_E_CONFLICT when its record is gone. */
export async function readJob(coordinator: Coordinator, id: MigrationId): Promise<Job> {
  const entry = await coordinator.read(migrationPath(id));
  if (!entry) throw new CodisError('CODIS_E_CONFLICT', `the record of migration ${id} is gone`);
  return { migration: decodeMigration(entry.data), version: entry.version };
}

/** Null while the product has no slot table. `over` remembers the migrations that need never be read again. */
export async function readWorld(coordinator: Coordinator, over: Set<string>): Promise<World | null> {
  const topology = await coordinator.read(PATHS.topology);
  if (!topology) return null;
  const versioned = { epoch: asEpoch(topology.version), topology: decodeTopology(topology.data) };
  const proxies = await listProxies(coordinator);
  return { ...versioned, proxies, jobs: await readJobs(coordinator, versioned, over) };
}

async function readJobs(coordinator: Coordinator, { topology }: VersionedTopology, over: Set<string>): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const name of await coordinator.list(PATHS.migrations)) {
    if (over.has(name)) continue;
    const entry = await coordinator.read(`${PATHS.migrations}/${name}`);
    if (!entry) continue;
    const migration = decodeMigration(entry.data);
    if (isOpen(migration) || migration.endedAt === null || holdsSlots(topology, migration)) {
      jobs.push({ migration, version: entry.version });
    } else {
      over.add(name);
    }
  }
  return jobs;
}
