// What to do next for a migration, from what the coordinator holds and nothing else. A pair of groups is a lane: what its slots go through is
// one action after the other, and different lanes don't wait for each other.
//
// Invariant: following these actions to the end moves every slot once, and leaves each whole on one side, whenever it is paused, resumed or cancelled.

import type { Epoch, GroupId, MigrationId, Slot } from './ids.ts';
import { isOpen, type Migration, type Move, slotsDone, targets } from './migration.ts';
import { slotsWhere } from './slot-machine.ts';
import { findGroup, type LockedSlot, type MigratingSlot, masterOf, type SlotState, slotState, type Topology } from './topology.ts';

/** One thing that the controller does for a migration; each is idempotent, and safe to repeat after a crash. */
export type Action =
  /** Nothing is left to do: every slot has arrived, or the migration was cancelled and none is between two groups. */
  | { readonly kind: 'done' }
  /** Check that nothing stands in the way, then lock them. */
  | { readonly kind: 'lock'; readonly slots: readonly Slot[]; readonly from: GroupId; readonly to: GroupId }
  /** Wait until every proxy has acked `epoch`, then start migrating; past the lease, unlock. */
  | { readonly kind: 'await-acks'; readonly slots: readonly Slot[]; readonly epoch: Epoch; readonly leaseMs: number }
  /** Release the locks of a migration that does not run. */
  | { readonly kind: 'unlock'; readonly slots: readonly Slot[] }
  /** Hand over what `from` still has of `slots`; when a full pass finds nothing, complete the move. */
  | { readonly kind: 'sweep'; readonly slots: readonly Slot[]; readonly from: GroupId; readonly to: GroupId }
  /** Nothing can be done about some slots until somebody mends what `reason` says. */
  | { readonly kind: 'blocked'; readonly reason: string };

/** What is to be done for `migration`, in this order: locks that stand, slots that are migrating, then a batch of at most `batchSlots` more for each pair
 *  of groups that has none in a move. While it is paused only the slots that list big keys are gone on with, until none is listed: who writes those waits. */
export function nextActions(topology: Topology, migration: Migration, batchSlots: number): readonly Action[] {
  const actions = [
    ...lockedBatches(topology, migration),
    ...migratingBatches(topology, migration).filter(
      ({ slots }) => migration.state !== 'paused' || slots.some((slot) => listsBigKeys(topology, slot)),
    ),
    ...(migration.state === 'running' ? newBatches(topology, migration, batchSlots) : []),
  ];
  if (actions.length > 0) return actions;
  const finished = !isOpen(migration) || slotsDone(topology, migration) === countOf(migration);
  return finished && !holdsSlots(topology, migration) ? [{ kind: 'done' }] : [];
}

/** The one of `others`, which have not ended, that has to end before this one may begin; null: it may. */
export function comesAfter<Other extends Pick<Migration, 'id'>>(
  topology: Topology,
  migration: Pick<Migration, 'id' | 'takesBack'>,
  others: readonly Other[],
): Other | null {
  if (migration.takesBack === null || holdsSlots(topology, migration)) return null;
  return others.find(({ id }) => id === migration.takesBack) ?? null;
}

/** The migrations that have a slot locked or migrating, whether or not they are on record. */
export function migrationsIn({ slots }: Topology): ReadonlySet<MigrationId> {
  const ids = new Set<MigrationId>();
  for (const state of slots) if (state.kind === 'locked' || state.kind === 'migrating') ids.add(state.migration);
  return ids;
}

/** What the slots say of the migration that has them in a move. */
export function heldMoves(topology: Topology, id: MigrationId): { moves: Move[]; durable: boolean } {
  const moves: { first: Slot; last: Slot; to: GroupId }[] = [];
  let durable = false;
  for (const [slot, state] of topology.slots.entries() as IterableIterator<[Slot, SlotState]>) {
    if (!isHeldBy(state, { id })) continue;
    durable ||= state.durable === true;
    const run = moves.at(-1);
    if (run && run.last + 1 === slot && run.to === state.to) run.last = slot;
    else moves.push({ first: slot, last: slot, to: state.to });
  }
  return { moves, durable };
}

/** Whether some slot is locked or migrating by this migration. */
export function holdsSlots(topology: Topology, migration: Pick<Migration, 'id'>): boolean {
  return topology.slots.some((state) => isHeldBy(state, migration));
}

function isHeldBy(state: SlotState, { id }: Pick<Migration, 'id'>): state is LockedSlot | MigratingSlot {
  return (state.kind === 'locked' || state.kind === 'migrating') && state.migration === id;
}

function countOf(migration: Migration): number {
  let count = 0;
  for (const _ of targets(migration)) count++;
  return count;
}

/** Slots that were locked together are waited for together. */
function lockedBatches(topology: Topology, migration: Migration): Action[] {
  const locks = new Map<Epoch, LockedSlot>();
  for (const state of topology.slots) if (state.kind === 'locked' && isHeldBy(state, migration)) locks.set(state.epoch, state);
  return [...locks.values()].map(({ epoch, leaseMs }) => {
    const slots = slotsWhere(topology, (state) => state.kind === 'locked' && isHeldBy(state, migration) && state.epoch === epoch);
    return migration.state === 'running' ? { kind: 'await-acks', slots, epoch, leaseMs } : { kind: 'unlock', slots };
  });
}

function listsBigKeys(topology: Topology, slot: Slot): boolean {
  const state = slotState(topology, slot);
  return state.kind === 'migrating' && state.bigKeys !== undefined;
}

function migratingBatches(topology: Topology, migration: Migration): Extract<Action, { kind: 'sweep' }>[] {
  return pairsOf(topology, migration, ['migrating']).map(({ from, to }) => {
    const slots = slotsWhere(
      topology,
      (state) => state.kind === 'migrating' && isHeldBy(state, migration) && state.from === from && state.to === to,
    );
    return { kind: 'sweep', slots, from, to };
  });
}

interface Pair {
  readonly from: GroupId;
  readonly to: GroupId;
}

const isSamePair = (a: Pair, b: Pair): boolean => a.from === b.from && a.to === b.to;

/** The pairs of groups that have a slot of this migration in one of these states, in order of their first slot. */
function pairsOf(topology: Topology, migration: Migration, kinds: readonly SlotState['kind'][]): Pair[] {
  const pairs: Pair[] = [];
  for (const state of topology.slots) {
    if (!kinds.includes(state.kind) || !isHeldBy(state, migration)) continue;
    if (!pairs.some((pair) => isSamePair(pair, state))) pairs.push({ from: state.from, to: state.to });
  }
  return pairs;
}

/** The next batch of every pair that has none under way. What stands in the way of one slot does not hold up others. */
function newBatches(topology: Topology, migration: Migration, batchSlots: number): Action[] {
  const busy = pairsOf(topology, migration, ['locked', 'migrating']);
  const batches: (Pair & { readonly slots: Slot[] })[] = [];
  let obstacle: string | null = null;
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (state.kind === 'online' && state.owner === to) continue;
    if (state.kind !== 'online') {
      if (!isHeldBy(state, migration)) obstacle ??= whyNot(slot, state);
      continue;
    }
    const pair = { from: state.owner, to };
    if (busy.some((other) => isSamePair(other, pair))) continue;
    let batch = batches.find((other) => isSamePair(other, pair));
    if (batch === undefined) {
      batch = { ...pair, slots: [] };
      batches.push(batch);
    }
    if (batch.slots.length < batchSlots) batch.slots.push(slot);
  }
  const actions: Action[] = batches.map((batch) => {
    const masterless = [batch.from, batch.to].find((id) => !hasMaster(topology, id));
    return masterless === undefined ? { kind: 'lock', ...batch } : { kind: 'blocked', reason: `group ${masterless} has no master` };
  });
  return obstacle === null ? actions : [...actions, { kind: 'blocked', reason: obstacle }];
}

function hasMaster(topology: Topology, id: GroupId): boolean {
  const group = findGroup(topology, id);
  return group !== undefined && masterOf(group) !== undefined;
}

function whyNot(slot: Slot, state: Exclude<SlotState, { kind: 'online' }>): string {
  if (state.kind === 'offline') return `slot ${slot} was taken offline; give it to a group to go on`;
  return `slot ${slot} is being moved by migration ${state.migration}`;
}
