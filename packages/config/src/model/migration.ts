// A migration: a persisted job that moves slots to groups, and the pure decision what to do next for it.
//
// The job does not record how far its current batch is: the topology does (locked and migrating slots name their
// migration), so a controller that dies at any line is replaced by one that looks and goes on. `nextAction` is that look.

import { CodisError } from './errors.ts';
import { asGroupId, asMigrationId, asSlot, type Epoch, type GroupId, type MigrationId, type Slot } from './ids.ts';
import { slotsWhere } from './slot-machine.ts';
import { findGroup, masterOf, type SlotState, slotState, type Topology } from './topology.ts';

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

/** What the controller does next for a running migration; each is idempotent, and safe to repeat after a crash. */
export type Action =
  | { readonly kind: 'done' }
  /** Check that `to` holds no key of `slots`, then lock them. */
  | { readonly kind: 'lock'; readonly slots: readonly Slot[]; readonly from: GroupId; readonly to: GroupId }
  /** Wait until every proxy has acked `epoch`, then start migrating; past the lease, unlock. */
  | { readonly kind: 'await-acks'; readonly slots: readonly Slot[]; readonly epoch: Epoch; readonly leaseMs: number }
  /** Hand over what `from` still has of `slots`; when a full pass finds nothing, complete the move. */
  | { readonly kind: 'sweep'; readonly slots: readonly Slot[]; readonly from: GroupId; readonly to: GroupId }
  /** Nothing can be done until somebody mends what `reason` says. */
  | { readonly kind: 'blocked'; readonly reason: string };

/** The next thing to do for `migration`, from what the coordinator holds and nothing else. Finishes what is in a move first; then
 *  takes the next batch of at most `batchSlots` slots that share source and target. */
export function nextAction(topology: Topology, migration: Migration, batchSlots: number): Action {
  const mine = (kind: SlotState['kind']) => (state: SlotState) =>
    state.kind === kind && (state.kind === 'locked' || state.kind === 'migrating') && state.migration === migration.id;
  const locked = slotsWhere(topology, mine('locked'))[0];
  if (locked !== undefined) return awaitAcks(topology, locked);
  const migrating = slotsWhere(topology, mine('migrating'))[0];
  if (migrating !== undefined) return sweep(topology, migrating);
  return nextBatch(topology, migration, batchSlots);
}

function awaitAcks(topology: Topology, slot: Slot): Action {
  const lock = slotState(topology, slot);
  if (lock.kind !== 'locked') throw new TypeError('not locked');
  const slots = slotsWhere(
    topology,
    (state) => state.kind === 'locked' && state.migration === lock.migration && state.epoch === lock.epoch,
  );
  return { kind: 'await-acks', slots, epoch: lock.epoch, leaseMs: lock.leaseMs };
}

function sweep(topology: Topology, slot: Slot): Action {
  const move = slotState(topology, slot);
  if (move.kind !== 'migrating') throw new TypeError('not migrating');
  const { from, to, migration } = move;
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

/** Throws CODIS_E_COORDINATOR_CORRUPT. */
export function decodeMigration(data: Uint8Array): Migration {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Migration;
    const moves = value.moves.map(({ first, last, to }) => ({ first: asSlot(first), last: asSlot(last), to: asGroupId(to) }));
    if (!['running', 'done', 'cancelled'].includes(value.state)) throw new TypeError(`its state is ${JSON.stringify(value.state)}`);
    return { ...value, id: asMigrationId(value.id), moves };
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `a migration can't be read: ${(cause as Error).message}`, { cause });
  }
}
