// Locks that nobody came back for. A lock is a lease: whoever has seen it for its `leaseMs`, by a monotonic clock of its own, may roll it
// back by compare-and-set, so a dead controller leaves no slot locked. Proxies and dashboards all watch; the first one wins.
//
// Sightings go in and come out; the caller keeps them and owns the clock. Clocks of different processes are never compared.

import type { Epoch } from './ids.ts';
import { type LockedSlot, OFFLINE, type SlotState, type Topology } from './topology.ts';

/** When each lock, named by the epoch that made it, was first seen: milliseconds of the observer's monotonic clock. */
export type LockSightings = ReadonlyMap<Epoch, number>;

export const NO_SIGHTINGS: LockSightings = new Map();

/** The sightings after looking at `topology`: locks that are gone are forgotten, new ones are first seen now. */
export function observeLocks(sightings: LockSightings, topology: Topology, nowMs: number): LockSightings {
  const seen = new Map<Epoch, number>();
  for (const lock of locksOf(topology)) seen.set(lock.epoch, sightings.get(lock.epoch) ?? nowMs);
  return seen;
}

/** When the first of the locks runs out, by the same clock; null when nothing is locked. Call `rollBackExpiredLocks` then. */
export function nextLockDeadline(sightings: LockSightings, topology: Topology): number | null {
  let earliest: number | null = null;
  for (const lock of locksOf(topology)) {
    const deadline = deadlineOf(sightings, lock);
    if (deadline !== null && (earliest === null || deadline < earliest)) earliest = deadline;
  }
  return earliest;
}

/** `topology` with every lock undone whose lease has passed, or null when none has. To be written by compare-and-set at the epoch of
 *  `topology`. Safe whatever the controller does meanwhile: a locked slot has not moved a key. */
export function rollBackExpiredLocks(topology: Topology, sightings: LockSightings, nowMs: number): Topology | null {
  const expired = (state: SlotState): state is LockedSlot => {
    if (state.kind !== 'locked') return false;
    const deadline = deadlineOf(sightings, state);
    return deadline !== null && nowMs >= deadline;
  };
  if (!topology.slots.some(expired)) return null;
  return { ...topology, slots: topology.slots.map((state) => (expired(state) ? { kind: 'online', owner: state.from } : state)) };
}

function deadlineOf(sightings: LockSightings, lock: LockedSlot): number | null {
  const firstSeenMs = sightings.get(lock.epoch);
  return firstSeenMs === undefined ? null : firstSeenMs + lock.leaseMs;
}

/** One locked slot of each run of slots that were locked together. */
function* locksOf(topology: Topology): Generator<LockedSlot> {
  let previous: SlotState = OFFLINE;
  for (const state of topology.slots) {
    if (state.kind === 'locked' && !(previous.kind === 'locked' && previous.epoch === state.epoch)) yield state;
    previous = state;
  }
}
