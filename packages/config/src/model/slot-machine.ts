// The life of a slot. These functions are the only doors between its states; each refuses the impossible and returns a new
// topology. None of them does anything else: the caller writes the result by compare-and-set.
//
//   offline ──assign──▶ online(A) ──lock──▶ locked(A→B) ──startMigrating──▶ migrating(A→B) ──completeMove──▶ online(B)
//                          ▲                    │  all proxies have acked       source has no key left
//                          └──────unlock────────┘
//
// A slot may list big keys from its lock on (big-keys.ts); it is completed when none is left.
//
// Invariant: a slot in a move (locked, migrating) changes only through the migration that owns it.

import { type KeyName, type ListedKey, sameKey } from './big-keys.ts';
import { CodisError } from './errors.ts';
import type { Epoch, GroupId, MigrationId, Slot } from './ids.ts';
import { invariant } from './invariant.ts';
import { type LockedSlot, type MigratingSlot, OFFLINE, requireMaster, type SlotState, slotState, type Topology } from './topology.ts';

/** Gives slots first..last, which belong to no group yet, to a group that has a master. Throws CODIS_E_SLOT_ONLINE for a slot that another group serves:
 *  its keys would be hidden, and proxies would go on writing them until they see the change. Also CODIS_E_SLOT_IN_MOVE, CODIS_E_BAD_SLOT, and as
 *  requireMaster. */
export function assignSlots(topology: Topology, { first, last, owner }: { first: Slot; last: Slot; owner: GroupId }): Topology {
  requireMaster(topology, owner);
  return setSettled(topology, { first, last }, { kind: 'online', owner }, (slot, state) => {
    if (state.kind === 'online' && state.owner !== owner) {
      throw new CodisError(
        'CODIS_E_SLOT_ONLINE',
        `slot ${slot} is served by group ${state.owner}, so it can't just be given to group ${owner}`,
      );
    }
  });
}

/** Takes slots first..last out of service. Throws CODIS_E_SLOT_IN_MOVE or CODIS_E_BAD_SLOT. */
export function offlineSlots(topology: Topology, change: { first: Slot; last: Slot }): Topology {
  return setSettled(topology, change, OFFLINE);
}

/** Starts a move: online(from) → locked(from→to). `epoch` is the one this change will be written as: the current one plus 1. `bigKeys`, by slot, are
 *  those that shall move in pieces: acknowledging the lock means that every proxy knows them. */
export function lockSlots(
  topology: Topology,
  lock: {
    slots: readonly Slot[];
    to: GroupId;
    migration: MigrationId;
    durable?: boolean;
    epoch: Epoch;
    leaseMs: number;
    bigKeys?: ReadonlyMap<Slot, readonly KeyName[]>;
  },
): Topology {
  requireMaster(topology, lock.to);
  const { slots, durable, bigKeys, ...move } = lock;
  return change(topology, slots, (slot, state) => {
    if (state.kind === 'offline')
      throw new CodisError('CODIS_E_SLOT_OFFLINE', `slot ${slot} belongs to no group, so there is nothing to move`);
    if (state.kind !== 'online') throw inMove(slot, state);
    if (state.owner === lock.to) throw new CodisError('CODIS_E_CONFLICT', `slot ${slot} is in group ${lock.to} already`);
    requireMaster(topology, state.owner);
    const keys = (bigKeys?.get(slot) ?? []).map(({ db, key }): ListedKey => ({ db, key, phase: 'copying' }));
    return { kind: 'locked', from: state.owner, ...move, ...(durable ? { durable } : {}), ...listed(keys) };
  });
}

/** locked → migrating, allowed once every proxy that must has acknowledged the lock's epoch. */
export function startMigrating(topology: Topology, step: { slots: readonly Slot[]; migration: MigrationId }): Topology {
  return change(topology, step.slots, (slot, state) => {
    const { from, to, migration, durable, bigKeys = [] } = own(slot, state, 'locked', step.migration);
    return { kind: 'migrating', from, to, migration, ...(durable ? { durable } : {}), ...listed(bigKeys) };
  });
}

/** migrating → online(to), allowed once the source was seen to hold no key of these slots. */
export function completeMove(topology: Topology, step: { slots: readonly Slot[]; migration: MigrationId }): Topology {
  return change(topology, step.slots, (slot, state) => {
    const { to, bigKeys } = own(slot, state, 'migrating', step.migration);
    invariant(bigKeys === undefined, 'a slot is complete when no big key of it is listed any more');
    return { kind: 'online', owner: to };
  });
}

/** Which listed key a step is about. */
export interface BigKeyStep extends KeyName {
  readonly slot: Slot;
  readonly migration: MigrationId;
}

/** copying → switching, allowed once its copy is complete. `epoch` is the one this change will be written as. */
export function startSwitching(topology: Topology, step: BigKeyStep & { epoch: Epoch }): Topology {
  const { db, key, epoch } = step;
  return changeBigKey(topology, step, 'copying', [{ db, key, phase: 'switching', epoch }]);
}

/** switching → copying. Safe as long as the key is at the source and not at the target. */
export function stopSwitching(topology: Topology, step: BigKeyStep): Topology {
  const { db, key } = step;
  return changeBigKey(topology, step, 'switching', [{ db, key, phase: 'copying' }]);
}

/** Out of the list: from now on it is like any other key of its slot. Allowed once every proxy has acknowledged that it is switching. */
export function unlistBigKey(topology: Topology, step: BigKeyStep): Topology {
  return changeBigKey(topology, step, 'switching', []);
}

function changeBigKey(topology: Topology, step: BigKeyStep, phase: ListedKey['phase'], to: readonly ListedKey[]): Topology {
  return change(topology, [step.slot], (slot, state) => {
    const migrating = own(slot, state, 'migrating', step.migration);
    const bigKeys = migrating.bigKeys ?? [];
    const at = bigKeys.findIndex((bigKey) => sameKey(bigKey, step) && bigKey.phase === phase);
    if (at < 0) throw new CodisError('CODIS_E_CONFLICT', `slot ${slot} does not list that big key as ${phase} any more`);
    const { bigKeys: _, ...rest } = migrating;
    return { ...rest, ...listed(bigKeys.toSpliced(at, 1, ...to)) };
  });
}

/** A slot without big keys says nothing of them. */
function listed(bigKeys: readonly ListedKey[]): { bigKeys?: readonly ListedKey[] } {
  return bigKeys.length > 0 ? { bigKeys } : {};
}

/** locked → online(from): the lock is given up. Safe at any time, for a locked slot has not moved a key. */
export function unlockSlots(topology: Topology, step: { slots: readonly Slot[]; migration: MigrationId }): Topology {
  return change(topology, step.slots, (slot, state) => ({ kind: 'online', owner: own(slot, state, 'locked', step.migration).from }));
}

/** The slots for which `test` holds, in order. */
export function slotsWhere(topology: Topology, test: (state: SlotState) => boolean): Slot[] {
  const found: Slot[] = [];
  for (const [slot, state] of topology.slots.entries()) if (test(state)) found.push(slot as Slot);
  return found;
}

function setSettled(
  topology: Topology,
  { first, last }: { first: Slot; last: Slot },
  next: SlotState,
  check: (slot: Slot, state: SlotState) => void = () => undefined,
): Topology {
  if (last < first) throw new CodisError('CODIS_E_BAD_SLOT', `the range ${first}..${last} runs backwards`);
  const slots: Slot[] = [];
  for (let slot = first as number; slot <= last; slot++) slots.push(slot as Slot);
  return change(topology, slots, (slot, state) => {
    if (state.kind === 'locked' || state.kind === 'migrating') throw inMove(slot, state);
    check(slot, state);
    return next;
  });
}

function change(topology: Topology, slots: readonly Slot[], to: (slot: Slot, state: SlotState) => SlotState): Topology {
  const next = topology.slots.slice();
  for (const slot of slots) next[slot] = to(slot, slotState(topology, slot));
  return { ...topology, slots: next };
}

type InMove = LockedSlot | MigratingSlot;

function own<K extends InMove['kind']>(slot: Slot, state: SlotState, kind: K, migration: MigrationId): Extract<InMove, { kind: K }> {
  if (state.kind !== kind || (state as InMove).migration !== migration) {
    throw new CodisError('CODIS_E_CONFLICT', `slot ${slot} is not ${kind} by migration ${migration} any more (it is ${state.kind})`);
  }
  return state as Extract<InMove, { kind: K }>;
}

function inMove(slot: Slot, state: InMove): CodisError {
  return new CodisError(
    'CODIS_E_SLOT_IN_MOVE',
    `slot ${slot} is being moved from group ${state.from} to group ${state.to} by migration ${state.migration}`,
  );
}
