// A migration: a persisted job that moves slots to groups. Here is its record; next-actions.ts decides what to do for it.
//
// The job does not record how far its current batches are: the topology does (locked and migrating slots name their
// migration), so a controller that dies at any line is replaced by one that looks and goes on.
//
// A paused migration takes no new slots and sweeps none; what is between two groups stays there, and clients' requests go on handing keys over. A cancelled
// one takes no new slots either. Those it had locked are released where they are; those whose keys are between two groups
// arrive, for turning them round would take as long and ask for another lock. Each slot ends whole on one side. Another migration may take them back then (arrivals.ts).

import { type Arrival, decodeArrivals } from './arrivals.ts';
import { CodisError } from './errors.ts';
import { asGroupId, asMigrationId, asSlot, type GroupId, type MigrationId, type Slot } from './ids.ts';
import { findGroup, masterOf, type SlotState, slotState, type Topology } from './topology.ts';
import { parseWindow, windowText } from './window.ts';

/** Slots first..last (both included) shall end up in group `to`. */
export interface Move {
  readonly first: Slot;
  readonly last: Slot;
  readonly to: GroupId;
}

export type MigrationState = 'running' | 'paused' | 'done' | 'cancelled';

/** What a migration may take of the servers; null: no limit. It holds for all its lanes together, and may be changed while it runs. */
export interface Throttle {
  /** Pause after each batch of keys, as Codis's --delay. */
  readonly delayMs: number;
  readonly keysPerSecond: number | null;
  /** Of memory at the source. */
  readonly bytesPerSecond: number | null;
  /** For how long one batch may block the source, which is what a request that meets it waits. */
  readonly addedP99Ms: number | null;
  /** Of a source's time, 1 to 100; null: what its clients leave. */
  readonly sharePercent: number | null;
  /** How many slots of one pair of groups are in a move at a time, at most; from the next batch of slots on. Null: as many as is good. */
  readonly slotsAtOnce: number | null;
  /** The times of day between which it runs, as `windowText` writes them, by the clock of who carries it out; null: at any time. */
  readonly window: string | null;
}

export const UNTHROTTLED: Throttle = {
  delayMs: 0,
  keysPerSecond: null,
  bytesPerSecond: null,
  addedP99Ms: null,
  sharePercent: null,
  slotsAtOnce: null,
  window: null,
};

export interface MigrationProgress {
  readonly slotsTotal: number;
  readonly slotsDone: number;
  /** Keys that the controller's sweeps handed over, and their memory at the source. Those that proxies had handed over before, or clients deleted, are in it if a
   *  sweep knew of them already. */
  readonly keysSwept: number;
  readonly bytesSwept: number;
  /** About how many are still to be swept; null while nobody knows. */
  readonly keysLeft: number | null;
  /** Keys swept in a second, lately; null while nothing is swept. */
  readonly keysPerSecond: number | null;
  /** How long it will still take, about, when that was written last; null while nobody knows. Sources are swept side by side and differ, so it is no quotient of the other two. */
  readonly secondsLeft: number | null;
  /** How often a look, a lock or a batch of it failed and was tried again. */
  readonly retries: number;
}

/** Before its controller has looked. */
export const NOTHING_SWEPT: MigrationProgress = {
  slotsTotal: 0,
  slotsDone: 0,
  keysSwept: 0,
  bytesSwept: 0,
  keysLeft: null,
  keysPerSecond: null,
  secondsLeft: null,
  retries: 0,
};

/** `migrations/<seq>`. */
export interface Migration {
  readonly id: MigrationId;
  readonly moves: readonly Move[];
  readonly throttle: Throttle;
  /** A key leaves the source only when all replicas of the target's group have it. */
  readonly durable: boolean;
  readonly state: MigrationState;
  readonly progress: MigrationProgress;
  /** What it has moved, in the order of arrival. */
  readonly arrivals: readonly Arrival[];
  /** It brings back what that one moved, once that one has ended. */
  readonly takesBack: MigrationId | null;
  /** That one brings back what this one moved. */
  readonly takenBackBy: MigrationId | null;
  /** Why it is not getting on just now, in words; null while it is. */
  readonly waiting: string | null;
  /** While it stands still outside of its window: when that opens, ISO 8601. Null otherwise. */
  readonly resumesAt: string | null;
  /** Who asked for it. */
  readonly actor: string;
  /** Why, in their words; null: they did not say. */
  readonly comment: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly endedAt: string | null;
}

/** Whether it is still to be carried out: it runs, or will again. */
export function isOpen({ state }: Pick<Migration, 'state'>): boolean {
  return state === 'running' || state === 'paused';
}

/** Every slot of the migration with its target, in order. */
export function* targets(migration: Pick<Migration, 'moves'>): Generator<[Slot, GroupId]> {
  for (const { first, last, to } of migration.moves) {
    for (let slot: number = first; slot <= last; slot++) yield [slot as Slot, to];
  }
}

/** How many of its slots are where the migration wants them. */
export function slotsDone(topology: Topology, migration: Pick<Migration, 'moves'>): number {
  let count = 0;
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (state.kind === 'online' && state.owner === to) count++;
  }
  return count;
}

/** Throws CODIS_E_BAD_SLOT for a range that runs backwards or a slot that stands in two moves; CODIS_E_UNKNOWN_GROUP or CODIS_E_NO_MASTER for
 *  a target that can't take slots; CODIS_E_SLOT_OFFLINE or CODIS_E_SLOT_IN_MOVE for a slot that can't move now. */
export function checkMoves(topology: Topology, moves: readonly Move[]): void {
  const seen = new Set<Slot>();
  for (const { first, last, to } of moves) {
    if (last < first) throw new CodisError('CODIS_E_BAD_SLOT', `the range ${first}..${last} runs backwards`);
    const group = findGroup(topology, to);
    if (!group) throw new CodisError('CODIS_E_UNKNOWN_GROUP', `there is no group ${to}`);
    if (!masterOf(group)) throw new CodisError('CODIS_E_NO_MASTER', `group ${to} has no master, so no slot can move there`);
    for (let slot: number = first; slot <= last; slot++) {
      if (seen.has(slot as Slot)) throw new CodisError('CODIS_E_BAD_SLOT', `slot ${slot} stands in two moves`);
      seen.add(slot as Slot);
      checkMovable(slot as Slot, slotState(topology, slot as Slot));
    }
  }
}

function checkMovable(slot: Slot, state: SlotState): void {
  if (state.kind === 'offline')
    throw new CodisError('CODIS_E_SLOT_OFFLINE', `slot ${slot} belongs to no group, so there is nothing to move`);
  if (state.kind !== 'online') {
    throw new CodisError('CODIS_E_SLOT_IN_MOVE', `slot ${slot} is being moved by migration ${state.migration}`);
  }
}

/** The bytes stored at `migrations/<seq>`. */
export const encodeMigration = (migration: Migration): Buffer => Buffer.from(JSON.stringify(migration));

/** Reads what `encodeMigration` wrote; throws CODIS_E_COORDINATOR_CORRUPT, naming what is wrong, on anything else. */
export function decodeMigration(data: Uint8Array): Migration {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>;
    return {
      id: asMigrationId(value['id'] as number),
      moves: decodeMoves(value['moves']),
      throttle: decodeThrottle(value['throttle']),
      durable: flag(value, 'durable'),
      state: decodeState(value['state']),
      progress: decodeProgress(value['progress']),
      arrivals: decodeArrivals(value['arrivals']),
      takesBack: idOrNull(value['takesBack']),
      takenBackBy: idOrNull(value['takenBackBy']),
      waiting: value['waiting'] === null ? null : text(value, 'waiting'),
      // A record of an older version has none.
      resumesAt: value['resumesAt'] === undefined || value['resumesAt'] === null ? null : text(value, 'resumesAt'),
      actor: text(value, 'actor'),
      // A record of an older version has none.
      comment: value['comment'] === undefined || value['comment'] === null ? null : text(value, 'comment'),
      createdAt: text(value, 'createdAt'),
      endedAt: value['endedAt'] === null ? null : text(value, 'endedAt'),
    };
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `a migration can't be read: ${(cause as Error).message}`, { cause });
  }
}

/** A record of an older version has none. */
function idOrNull(value: unknown): MigrationId | null {
  return value === undefined || value === null ? null : asMigrationId(value as number);
}

function decodeMoves(value: unknown): Move[] {
  if (!Array.isArray(value)) throw new TypeError('moves is not a list');
  return value.map((move: Record<string, number>) => {
    const decoded = { first: asSlot(count(move, 'first')), last: asSlot(count(move, 'last')), to: asGroupId(count(move, 'to')) };
    if (decoded.last < decoded.first) throw new TypeError(`the range ${decoded.first}..${decoded.last} runs backwards`);
    return decoded;
  });
}

function decodeState(value: unknown): MigrationState {
  if (value === 'running' || value === 'paused' || value === 'done' || value === 'cancelled') return value;
  throw new TypeError(`its state is ${JSON.stringify(value)}`);
}

function decodeProgress(value: unknown): MigrationProgress {
  if (typeof value !== 'object' || value === null) throw new TypeError('progress is missing');
  const progress = value as Record<string, unknown>;
  return {
    slotsTotal: count(progress, 'slotsTotal'),
    slotsDone: count(progress, 'slotsDone'),
    keysSwept: count(progress, 'keysSwept'),
    bytesSwept: count(progress, 'bytesSwept'),
    keysLeft: countOrNull(progress, 'keysLeft'),
    keysPerSecond: countOrNull(progress, 'keysPerSecond'),
    // A record of an older version does not have it.
    secondsLeft: progress['secondsLeft'] === undefined ? null : countOrNull(progress, 'secondsLeft'),
    retries: progress['retries'] === undefined ? 0 : count(progress, 'retries'),
  };
}

function decodeThrottle(value: unknown): Throttle {
  if (typeof value !== 'object' || value === null) throw new TypeError('throttle is missing');
  const throttle = value as Record<string, unknown>;
  return {
    delayMs: count(throttle, 'delayMs'),
    keysPerSecond: countOrNull(throttle, 'keysPerSecond'),
    bytesPerSecond: countOrNull(throttle, 'bytesPerSecond'),
    addedP99Ms: countOrNull(throttle, 'addedP99Ms'),
    // Records of earlier versions have none.
    sharePercent: throttle['sharePercent'] === undefined ? null : countOrNull(throttle, 'sharePercent'),
    slotsAtOnce: throttle['slotsAtOnce'] === undefined ? null : countOrNull(throttle, 'slotsAtOnce'),
    window: throttle['window'] === undefined || throttle['window'] === null ? null : windowText(parseWindow(text(throttle, 'window'))),
  };
}

function count(from: Record<string, unknown>, field: string): number {
  const value = from[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`${field} is ${JSON.stringify(value)}`);
}

function countOrNull(from: Record<string, unknown>, field: string): number | null {
  return from[field] === null ? null : count(from, field);
}

function flag(from: Record<string, unknown>, field: string): boolean {
  const value = from[field];
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${field} is ${JSON.stringify(value)}`);
}

function text(from: Record<string, unknown>, field: string): string {
  const value = from[field];
  if (typeof value === 'string') return value;
  throw new TypeError(`${field} is ${JSON.stringify(value)}`);
}
