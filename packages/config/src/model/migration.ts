// A migration: a persisted job that moves slots to groups, and the pure decision what to do next for it.
//
// The job does not record how far its current batch is: the topology does (locked and migrating slots name their
// migration), so a controller that dies at any line is replaced by one that looks and goes on. `nextAction` is that look.
//
// A cancelled migration takes no new slots. Those it had locked are released where they are; those whose keys are between two groups
// arrive, for turning them round would take as long and ask for another lock. Each slot ends whole on one side.

import { CodisError } from './errors.ts';
import { asGroupId, asMigrationId, asSlot, type Epoch, type GroupId, type MigrationId, type Slot } from './ids.ts';
import { slotsWhere } from './slot-machine.ts';
import { findGroup, type LockedSlot, type MigratingSlot, masterOf, type SlotState, slotState, type Topology } from './topology.ts';

/** Slots first..last (both included) shall end up in group `to`. */
export interface Move {
  readonly first: Slot;
  readonly last: Slot;
  readonly to: GroupId;
}

export type MigrationState = 'running' | 'done' | 'cancelled';

export interface MigrationProgress {
  readonly slotsTotal: number;
  readonly slotsDone: number;
  /** Keys that the controller's sweeps handed over; what proxies handed over on demand is not in it. */
  readonly keysSwept: number;
}

/** `migrations/<seq>`. */
export interface Migration {
  readonly id: MigrationId;
  readonly moves: readonly Move[];
  /** Pause between two batches of keys, as Codis's --delay. */
  readonly delayMs: number;
  readonly state: MigrationState;
  readonly progress: MigrationProgress;
  /** Why it is not getting on just now, in words; null while it is. */
  readonly waiting: string | null;
  /** Who asked for it. */
  readonly actor: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly endedAt: string | null;
}

/** What the controller does next for a migration; each is idempotent, and safe to repeat after a crash. */
export type Action =
  /** Nothing is left to do: every slot has arrived, or the migration was cancelled and none is between two groups. */
  | { readonly kind: 'done' }
  /** Check that `to` holds no key of `slots`, then lock them. */
  | { readonly kind: 'lock'; readonly slots: readonly Slot[]; readonly from: GroupId; readonly to: GroupId }
  /** Wait until every proxy has acked `epoch`, then start migrating; past the lease, unlock. */
  | { readonly kind: 'await-acks'; readonly slots: readonly Slot[]; readonly epoch: Epoch; readonly leaseMs: number }
  /** Release the locks of a cancelled migration. */
  | { readonly kind: 'unlock'; readonly slots: readonly Slot[] }
  /** Hand over what `from` still has of `slots`; when a full pass finds nothing, complete the move. */
  | { readonly kind: 'sweep'; readonly slots: readonly Slot[]; readonly from: GroupId; readonly to: GroupId }
  /** Nothing can be done until somebody mends what `reason` says. */
  | { readonly kind: 'blocked'; readonly reason: string };

/** The next thing to do for `migration`, from what the coordinator holds and nothing else. Finishes what is in a move first; then
 *  takes the next batch of at most `batchSlots` slots that share source and target. */
export function nextAction(topology: Topology, migration: Migration, batchSlots: number): Action {
  const locked = firstOf(topology, migration, 'locked');
  if (locked) return migration.state === 'running' ? awaitAcks(topology, locked) : release(topology, migration);
  const migrating = firstOf(topology, migration, 'migrating');
  if (migrating) return sweep(topology, migrating);
  return migration.state === 'running' ? nextBatch(topology, migration, batchSlots) : { kind: 'done' };
}

/** Whether some slot is locked or migrating by this migration. */
export function holdsSlots(topology: Topology, migration: Pick<Migration, 'id'>): boolean {
  return topology.slots.some((state) => (state.kind === 'locked' || state.kind === 'migrating') && state.migration === migration.id);
}

function firstOf<K extends 'locked' | 'migrating'>(
  topology: Topology,
  { id }: Migration,
  kind: K,
): Extract<SlotState, { kind: K }> | undefined {
  return topology.slots.find(
    (state): state is Extract<SlotState, { kind: K }> => state.kind === kind && 'migration' in state && state.migration === id,
  );
}

function awaitAcks(topology: Topology, { migration, epoch, leaseMs }: LockedSlot): Action {
  const slots = slotsWhere(topology, (state) => state.kind === 'locked' && state.migration === migration && state.epoch === epoch);
  return { kind: 'await-acks', slots, epoch, leaseMs };
}

function release(topology: Topology, { id }: Migration): Action {
  return { kind: 'unlock', slots: slotsWhere(topology, (state) => state.kind === 'locked' && state.migration === id) };
}

function sweep(topology: Topology, { from, to, migration }: MigratingSlot): Action {
  const slots = slotsWhere(
    topology,
    (state) => state.kind === 'migrating' && state.migration === migration && state.from === from && state.to === to,
  );
  return { kind: 'sweep', slots, from, to };
}

function nextBatch(topology: Topology, migration: Migration, batchSlots: number): Action {
  const slots: Slot[] = [];
  let pair: { from: GroupId; to: GroupId } | undefined;
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (state.kind === 'online' && state.owner === to) continue;
    if (state.kind !== 'online') return { kind: 'blocked', reason: whyNot(slot, state) };
    pair ??= { from: state.owner, to };
    if (state.owner !== pair.from || to !== pair.to) break;
    slots.push(slot);
    if (slots.length >= batchSlots) break;
  }
  if (!pair) return { kind: 'done' };
  for (const id of [pair.from, pair.to]) {
    const group = findGroup(topology, id);
    if (!group || !masterOf(group)) return { kind: 'blocked', reason: `group ${id} has no master` };
  }
  return { kind: 'lock', slots, ...pair };
}

function whyNot(slot: Slot, state: Exclude<SlotState, { kind: 'online' }>): string {
  if (state.kind === 'offline') return `slot ${slot} was taken offline; give it to a group to go on`;
  return `slot ${slot} is being moved by migration ${state.migration}`;
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
      delayMs: count(value, 'delayMs'),
      state: decodeState(value['state']),
      progress: decodeProgress(value['progress']),
      waiting: value['waiting'] === null ? null : text(value, 'waiting'),
      actor: text(value, 'actor'),
      createdAt: text(value, 'createdAt'),
      endedAt: value['endedAt'] === null ? null : text(value, 'endedAt'),
    };
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `a migration can't be read: ${(cause as Error).message}`, { cause });
  }
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
  if (value === 'running' || value === 'done' || value === 'cancelled') return value;
  throw new TypeError(`its state is ${JSON.stringify(value)}`);
}

function decodeProgress(value: unknown): MigrationProgress {
  if (typeof value !== 'object' || value === null) throw new TypeError('progress is missing');
  const progress = value as Record<string, unknown>;
  return { slotsTotal: count(progress, 'slotsTotal'), slotsDone: count(progress, 'slotsDone'), keysSwept: count(progress, 'keysSwept') };
}

function count(from: Record<string, unknown>, field: string): number {
  const value = from[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`${field} is ${JSON.stringify(value)}`);
}

function text(from: Record<string, unknown>, field: string): string {
  const value = from[field];
  if (typeof value === 'string') return value;
  throw new TypeError(`${field} is ${JSON.stringify(value)}`);
}
