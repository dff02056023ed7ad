// How SCAN goes through all groups while slots move under it.
//
//   first pass:   group 1 ▶ group 2 ▶ … ▶ last      every key of a slot at the group that has it, or at both sides of a move
//   then, while something moved that the pass may have missed:
//   next pass:    last ▶ … ▶ group 1                only the slots that moved, the other way round; and so on
//
// Invariant: a key that is there from the first call to the last is returned. A pass that began at the table of epoch e meets every key of a slot
// without a move since e, by SCAN's own promise. It also meets those of a slot with one move, when its source is scanned to the end before its target is
// begun: a key that was not met at the source has left it by then, and stays at the target. All other slots are left to the next pass (`uncovered`), which begins
// at the table held then; a pass leaves nothing when it began after the moves did and the directions agree. So the scan ends one or two passes after slots
// stop moving to and fro, also while a move that was begun stands still.
//
// Tables are those of the worker that is asked. They may lag behind those of the workers asked before: then no key has moved that a table of this
// worker does not show, for its proxy has not taken up the lock. A worker that can't tell what moved since e lets another pass scan everything.

import type { Slot, SlotState } from '@codis/config/model';
import type { MoveHistory, Order, SlotSet } from '../move-history.ts';
import { ALL, type Cursor, FIRST, fullEpoch, type Pass, reachOf, tablesOf } from './scan-cursor.ts';

const ASCENDING: Order = (from, to) => from < to;
const DESCENDING: Order = (from, to) => from > to;

/** What a worker knows at the moment. */
export interface Ground {
  readonly epoch: number;
  readonly slots: readonly SlotState[];
  readonly history: MoveHistory;
}

/** Where to scan for a client that came with `cursor` (null: one that begins); null when nothing is left to scan. */
export function placeFor(cursor: Cursor | null, ground: Ground): Cursor | null {
  if (cursor === null) return begin({ reach: FIRST, descending: false, epoch: ground.epoch }, ground);
  const [group] = groupsFrom(cursor, cursor.group, ground);
  if (group === undefined) return nextPass(cursor, ground);
  return group === cursor.group ? cursor : { ...cursor, group, at: 0n };
}

/** What comes after `place`, where the server has answered with its cursor `next`; null when the scan is over. */
export function placeAfter(place: Cursor, next: bigint, ground: Ground): Cursor | null {
  if (next !== 0n) return { ...place, at: next };
  const group = groupsFrom(place, place.group, ground).find((id) => id !== place.group);
  return group === undefined ? nextPass(place, ground) : { ...place, group, at: 0n };
}

/** Whether a key of `slot` that was found at `place` is to be returned. */
export function wantedAt(place: Cursor, ground: Ground): (slot: Slot) => boolean {
  const asked = slotsOf(place, ground);
  return (slot) => asked?.[slot] !== 0 && mayHold(ground.slots[slot] as SlotState, place.group);
}

/** Whether keys of a slot in this state may be in `group`. */
export function mayHold(state: SlotState, group: number): boolean {
  if (state.kind === 'offline') return false;
  return state.kind === 'online' ? state.owner === group : state.from === group || state.to === group;
}

/** The groups that may have keys of `slots` (null: of any), in ascending order. */
export function groupsOf(slots: SlotSet | null, states: readonly SlotState[]): number[] {
  const groups = new Set<number>();
  for (const [slot, state] of states.entries()) {
    if (state.kind === 'offline' || slots?.[slot] === 0) continue;
    if (state.kind === 'online') groups.add(state.owner);
    else groups.add(state.from).add(state.to);
  }
  return [...groups].sort((a, b) => a - b);
}

function begin(pass: Pass, ground: Ground): Cursor | null {
  const [group] = groupsFrom(pass, pass.descending ? Number.POSITIVE_INFINITY : 0, ground);
  return group === undefined ? null : { ...pass, group, at: 0n };
}

/** A pass has gone through all groups. */
function nextPass(pass: Pass, ground: Ground): Cursor | null {
  const { epoch, history } = ground;
  const since = sinceOf(pass, ground);
  const left = history.uncovered({ since, until: epoch }, pass.descending ? DESCENDING : ASCENDING);
  const asked = slotsOf(pass, ground);
  if (left !== null && !left.some((is, slot) => is === 1 && asked?.[slot] !== 0)) return null;
  const reach = left === null ? ALL : reachOf(epoch - since);
  return begin({ reach, descending: !pass.descending, epoch }, ground);
}

/** The groups a pass still has to scan, beginning with number `from` if that is one, in its order. */
function groupsFrom(pass: Pass, from: number, ground: Ground): number[] {
  const groups = groupsOf(slotsOf(pass, ground), ground.slots);
  return pass.descending ? groups.filter((id) => id <= from).reverse() : groups.filter((id) => id >= from);
}

/** The slots that a pass is about, what the one before it, which went the other way, has left; null for all. */
function slotsOf({ reach, descending, epoch }: Pass, ground: Ground): SlotSet | null {
  const tables = tablesOf(reach);
  if (tables === null) return null;
  const until = fullEpoch(epoch, ground.epoch);
  return ground.history.uncovered({ since: Math.max(0, until - tables), until }, descending ? ASCENDING : DESCENDING);
}

function sinceOf({ epoch }: Pass, ground: Ground): number {
  return Math.min(fullEpoch(epoch, ground.epoch), ground.epoch);
}
