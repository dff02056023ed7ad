// Migrations as records: asked for, listed, paused, throttled; cancel.ts cancels. The controller (migration/) carries them out.
//
// Invariant: no two migrations that are not over name the same slot, and a migration is only created against the topology its moves were checked on.

import { type Coordinator, migrationPath, type Op, PATHS } from '../coordinator/index.ts';
import {
  asMigrationId,
  CodisError,
  checkMoves,
  decodeMigration,
  encodeMigration,
  isOpen,
  type Migration,
  type MigrationId,
  type Move,
  migrationsIn,
  NOTHING_SWEPT,
  parseWindow,
  type Slot,
  slotsDone,
  type Throttle,
  type Topology,
  targets,
  UNTHROTTLED,
  type VersionedTopology,
  windowText,
} from '../model/index.ts';
import { type Caller, checkExpected, type Expecting } from './caller.ts';
import { commitAudited, readTopology } from './commit.ts';
import type { EventText } from './event-text.ts';
import { rangeText } from './slots.ts';

/** In order of id. */
export async function listMigrations(coordinator: Coordinator): Promise<Migration[]> {
  const names = await coordinator.list(PATHS.migrations);
  const entries = await Promise.all(names.map((name) => coordinator.read(`${PATHS.migrations}/${name}`)));
  return entries.filter((entry) => entry !== null).map(({ data }) => decodeMigration(data));
}

/** As `listMigrations`, for who looks often: what has ended does not change any more and is read once. */
export function migrationLister(coordinator: Coordinator): () => Promise<Migration[]> {
  const ended = new Map<string, Migration>();
  return async () => {
    const names = await coordinator.list(PATHS.migrations);
    const all = await Promise.all(
      names.map(async (name) => {
        const known = ended.get(name);
        if (known) return known;
        const entry = await coordinator.read(`${PATHS.migrations}/${name}`);
        const migration = entry && decodeMigration(entry.data);
        if (migration && migration.endedAt !== null) ended.set(name, migration);
        return migration;
      }),
    );
    return all.filter((migration) => migration !== null);
  };
}

/** Throws CODIS_E_UNKNOWN_MIGRATION. */
export async function readMigration(coordinator: Coordinator, id: MigrationId): Promise<Migration> {
  return (await readVersioned(coordinator, id)).migration;
}

/** How slots are to be moved. */
export interface MigrationManner extends Partial<Throttle> {
  readonly durable?: boolean;
  readonly comment?: string;
}

export interface MigrationRequest extends MigrationManner {
  readonly moves: readonly Move[];
}

/** Asks for slots to be moved. Throws as `checkMoves`, and CODIS_E_SLOT_IN_MOVE for a slot that a running migration names. */
export function createMigration(caller: Caller, request: Expecting & MigrationRequest): Promise<Migration> {
  return commitAudited(caller, async () => {
    const current = await readTopology(caller);
    checkExpected(current.epoch, request);
    const { migration, ops } = await migrationOps(caller, current, request);
    return {
      ops,
      event: {
        action: 'migration.create',
        object: `migration ${migration.id}: ${movesText(request.moves)}`,
        epoch: null,
        before: 'none',
        after: standing(migration),
      },
      value: migration,
    };
  });
}

/** A migration that may be made now, and the steps that add it to a commit, which is refused at any other epoch. Throws as `createMigration`. */
export async function migrationOps(
  { coordinator, actor }: Caller,
  { epoch, topology }: VersionedTopology,
  { moves, ...manner }: MigrationRequest,
): Promise<{ migration: Migration; ops: Op[] }> {
  checkMoves(topology, moves);
  const existing = await listMigrations(coordinator);
  checkOverlap(existing, moves);
  const id = nextId(topology, existing);
  const migration = newMigration(topology, { id, moves, actor, ...manner });
  const ops: Op[] = [
    { op: 'check', path: PATHS.topology, version: epoch },
    { op: 'create', path: migrationPath(id), data: encodeMigration(migration) },
  ];
  return { migration, ops };
}

/** No slot names it, nor does any record. */
export function nextId(topology: Topology, existing: readonly Migration[]): MigrationId {
  return asMigrationId(Math.max(existing.at(-1)?.id ?? 0, ...migrationsIn(topology)) + 1);
}

export function newMigration(
  topology: Topology,
  {
    id,
    moves,
    durable = false,
    actor,
    comment,
    takesBack = null,
    ...throttle
  }: MigrationRequest & { id: MigrationId; actor: string; takesBack?: MigrationId | null },
): Migration {
  return {
    id,
    moves,
    throttle: throttled(UNTHROTTLED, throttle),
    durable,
    state: 'running',
    progress: { ...NOTHING_SWEPT, slotsTotal: [...targets({ moves })].length, slotsDone: slotsDone(topology, { moves }) },
    arrivals: [],
    takesBack,
    takenBackBy: null,
    waiting: null,
    resumesAt: null,
    actor,
    comment: comment ?? null,
    createdAt: new Date().toISOString(),
    endedAt: null,
  };
}

/** `throttle` with what `change` names. Throws as `parseWindow`. */
function throttled(
  throttle: Throttle,
  {
    delayMs = throttle.delayMs,
    keysPerSecond = throttle.keysPerSecond,
    bytesPerSecond = throttle.bytesPerSecond,
    addedP99Ms = throttle.addedP99Ms,
    sharePercent = throttle.sharePercent,
    slotsAtOnce = throttle.slotsAtOnce,
    window = throttle.window,
  }: Partial<Throttle>,
): Throttle {
  const spelt = window === null ? null : windowText(parseWindow(window));
  return { delayMs, keysPerSecond, bytesPerSecond, addedP99Ms, sharePercent, slotsAtOnce, window: spelt };
}

/** Throws CODIS_E_SLOT_IN_MOVE for a slot that one of `existing` names which is not over. */
export function checkOverlap(existing: readonly Migration[], moves: readonly Move[]): void {
  const wanted = new Set<Slot>();
  for (const [slot] of targets({ moves })) wanted.add(slot);
  for (const migration of existing) {
    if (!isOpen(migration)) continue;
    for (const [slot] of targets(migration)) {
      if (!wanted.has(slot)) continue;
      throw new CodisError('CODIS_E_SLOT_IN_MOVE', `slot ${slot} is part of migration ${migration.id}, which is ${migration.state}`);
    }
  }
}

/** Takes no new slots and sweeps none until it is resumed; the batch of keys under way is finished. Nothing changes for one that is paused. Throws
 *  CODIS_E_UNKNOWN_MIGRATION, or CODIS_E_CONFLICT when it has ended. */
export function pauseMigration(caller: Caller, { id }: { id: MigrationId }): Promise<Migration> {
  return changeOpen(caller, id, { action: 'migration.pause', object: `migration ${id}` }, (migration) => ({
    ...migration,
    state: 'paused',
    resumesAt: null,
  }));
}

/** Goes on with a paused one. Throws as `pauseMigration`. */
export function resumeMigration(caller: Caller, { id }: { id: MigrationId }): Promise<Migration> {
  return changeOpen(caller, id, { action: 'migration.resume', object: `migration ${id}` }, (migration) => ({
    ...migration,
    state: 'running',
    waiting: null,
    resumesAt: null,
  }));
}

/** Changes what it may take, from the next batch of keys on. What `throttle` does not name stays. Throws as `pauseMigration`. */
export function throttleMigration(caller: Caller, { id, ...throttle }: { id: MigrationId } & Partial<Throttle>): Promise<Migration> {
  const object = `migration ${id}: ${JSON.stringify(throttle)}`;
  return changeOpen(caller, id, { action: 'migration.throttle', object }, (migration) => ({
    ...migration,
    throttle: throttled(migration.throttle, throttle),
  }));
}

function changeOpen(
  caller: Caller,
  id: MigrationId,
  event: Pick<EventText, 'action' | 'object'>,
  change: (migration: Migration) => Migration,
): Promise<Migration> {
  return commitAudited(caller, async () => {
    const { migration, version } = await readVersioned(caller.coordinator, id);
    checkOpen(migration);
    const changed = change(migration);
    return {
      ops: [{ op: 'set', path: migrationPath(id), data: encodeMigration(changed), version }],
      event: { ...event, epoch: null, before: standing(migration), after: standing(changed) },
      value: changed,
    };
  });
}

/** How one is to go on, in words for the audit log. */
export function standing({ state, throttle, durable }: Migration): string {
  const limits = Object.entries(throttle).filter(([name, value]) => value !== UNTHROTTLED[name as keyof Throttle]);
  return [state, ...(durable ? ['durable'] : []), ...limits.map(([name, value]) => `${name} ${value}`)].join(', ');
}

/** Throws CODIS_E_CONFLICT for one that has ended. */
export function checkOpen(migration: Migration): void {
  if (isOpen(migration)) return;
  const back = migration.takenBackBy === null ? '' : `, and migration ${migration.takenBackBy} takes it back`;
  throw new CodisError('CODIS_E_CONFLICT', `migration ${migration.id} is ${migration.state} already${back}`);
}

/** Throws CODIS_E_UNKNOWN_MIGRATION. */
export async function readVersioned(coordinator: Coordinator, id: MigrationId): Promise<{ migration: Migration; version: number }> {
  const entry = await coordinator.read(migrationPath(id));
  if (!entry) throw new CodisError('CODIS_E_UNKNOWN_MIGRATION', `there is no migration ${id}`);
  return { migration: decodeMigration(entry.data), version: entry.version };
}

export function movesText(moves: readonly Move[]): string {
  return moves.map((move) => `${rangeText(move)} → group ${move.to}`).join(', ');
}
