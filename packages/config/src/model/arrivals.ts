// Which slots a migration has moved, from where and when; and how they get back.
//
// A slot whose keys are between two groups can't turn round: clients work on them at the target. So nothing is undone: what is under way arrives, and another migration brings
// it back.

import { CodisError } from './errors.ts';
import { asGroupId, asSlot, type GroupId, type MigrationId, type Slot } from './ids.ts';
import type { Move } from './migration.ts';
import { findGroup, masterOf, type SlotState, type Topology } from './topology.ts';

/** Slots first..last (both included), which left group `from` and arrived together. */
export interface Arrival {
  readonly first: Slot;
  readonly last: Slot;
  readonly from: GroupId;
  readonly to: GroupId;
  /** ISO 8601. */
  readonly at: string;
  /** How many keys of `from` were looked at by the pass that found none of these slots any more; null: no pass was needed, for nothing had been written there since all that was seen
   *  was handed over. */
  readonly looked: number | null;
}

/** Of slots that have arrived together. */
export function arrivalsOf(slots: readonly Slot[], arrival: Omit<Arrival, 'first' | 'last'>): Arrival[] {
  const runs: { first: Slot; last: Slot }[] = [];
  for (const slot of slots) {
    const run = runs.at(-1);
    if (run && run.last + 1 === slot) run.last = slot;
    else runs.push({ first: slot, last: slot });
  }
  return runs.map((run) => ({ ...run, ...arrival }));
}

/** What was proved when slots arrived. */
export interface Verification {
  /** Slots that this migration moved, in so many batches. */
  readonly slotsCount: number;
  readonly batchesCount: number;
  /** Looked at by the last passes over the sources, which found none of these slots any more. */
  readonly keysLooked: number;
  /** Batches that needed no pass. */
  readonly withoutPassCount: number;
}

/** Runs of one batch stand one after the other, with the same time and way. */
export function verificationOf(arrivals: readonly Arrival[]): Verification {
  const batches = new Map(arrivals.map((arrival) => [`${arrival.at} ${arrival.from} ${arrival.to}`, arrival]));
  const looked = [...batches.values()].map((arrival) => arrival.looked);
  return {
    slotsCount: arrivals.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    batchesCount: batches.size,
    keysLooked: looked.reduce((sum: number, count) => sum + (count ?? 0), 0),
    withoutPassCount: looked.filter((count) => count === null).length,
  };
}

/** In one sentence; null for a migration that moved nothing. */
export function verificationText({ slotsCount, batchesCount, keysLooked, withoutPassCount }: Verification): string | null {
  if (slotsCount === 0) return null;
  const counted = (count: number, thing: string, things = `${thing}s`) => `${count} ${count === 1 ? thing : things}`;
  const passes = batchesCount - withoutPassCount;
  return [
    `${counted(slotsCount, 'slot')} arrived in ${counted(batchesCount, 'batch', 'batches')}`,
    ...(passes === 0
      ? []
      : [
          `${passes} ended with a pass over all of the source that found no key of ${passes === 1 ? 'it' : 'them'} (${counted(keysLooked, 'key')} looked at)`,
        ]),
    ...(withoutPassCount === 0
      ? []
      : [`${withoutPassCount} had all handed over that the source had, and nothing had been written there since it was looked through`]),
  ].join('; ');
}

/** A slot's last move. */
export interface LastMove extends Pick<Arrival, 'from' | 'to' | 'at'> {
  readonly migration: MigrationId;
}

/** By slot, the newest that is on record. Of moves that came at one time the later migration's counts. */
export function lastMoves(
  migrations: readonly { readonly id: MigrationId; readonly arrivals: readonly Arrival[] }[],
): ReadonlyMap<Slot, LastMove> {
  const moves = new Map<Slot, LastMove>();
  for (const { id, arrivals } of migrations.toSorted((a, b) => a.id - b.id)) {
    for (const { first, last, from, to, at } of arrivals) {
      const move = { migration: id, from, to, at };
      for (let slot: number = first; slot <= last; slot++) {
        const known = moves.get(slot as Slot);
        if (known === undefined || Date.parse(known.at) <= Date.parse(at)) moves.set(slot as Slot, move);
      }
    }
  }
  return moves;
}

/** What a migration takes back: `current`, the slots that are under way; `all`, those that it has moved too. */
export type RollBack = 'current' | 'all';

/** What is taken back, slot by slot in order: where each came from. What it had moved and somebody else has moved on, or taken offline, is not in it. */
export function movesBack(
  { slots }: Topology,
  { id, arrivals }: { readonly id: MigrationId; readonly arrivals: readonly Arrival[] },
  rollBack: RollBack,
): Move[] {
  const came = rollBack === 'all' ? arrivedFrom(arrivals) : new Map<number, Pick<Arrival, 'from' | 'to'>>();
  const moves: { first: Slot; last: Slot; to: GroupId }[] = [];
  for (const [slot, state] of slots.entries() as IterableIterator<[Slot, SlotState]>) {
    const to = originOf(state, id, came.get(slot));
    if (to === null) continue;
    const run = moves.at(-1);
    if (run && run.last + 1 === slot && run.to === to) run.last = slot;
    else moves.push({ first: slot, last: slot, to });
  }
  return moves;
}

function arrivedFrom(arrivals: readonly Arrival[]): Map<number, Pick<Arrival, 'from' | 'to'>> {
  const came = new Map<number, Pick<Arrival, 'from' | 'to'>>();
  for (const { first, last, from, to } of arrivals) for (let slot: number = first; slot <= last; slot++) came.set(slot, { from, to });
  return came;
}

/** A lock that is released may yet have become a move by then, so it counts as under way. */
function originOf(state: SlotState, id: MigrationId, came: Pick<Arrival, 'from' | 'to'> | undefined): GroupId | null {
  if (state.kind === 'locked' || state.kind === 'migrating') return state.migration === id ? state.from : null;
  return state.kind === 'online' && came?.to === state.owner ? came.from : null;
}

/** Throws CODIS_E_UNKNOWN_GROUP or CODIS_E_NO_MASTER when slots can't go back where they came from. */
export function checkWayBack(topology: Topology, moves: readonly Move[]): void {
  for (const { first, last, to } of moves) {
    const slots = first === last ? `slot ${first}` : `slots ${first}-${last}`;
    const group = findGroup(topology, to);
    if (!group) throw new CodisError('CODIS_E_UNKNOWN_GROUP', `${slots} came from group ${to}, and there is no group ${to} any more`);
    if (!masterOf(group)) throw new CodisError('CODIS_E_NO_MASTER', `${slots} came from group ${to}, which has no master now`);
  }
}

/** Throws a TypeError for what is no list of arrivals. A record of an older version has none. */
export function decodeArrivals(value: unknown): Arrival[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new TypeError('arrivals is not a list');
  return value.map(({ first, last, from, to, at, looked }: Record<string, unknown>) => {
    if (typeof at !== 'string') throw new TypeError('an arrival has no time');
    if (looked !== null && typeof looked !== 'number') throw new TypeError('an arrival does not say how it was proved');
    return {
      first: asSlot(first as number),
      last: asSlot(last as number),
      from: asGroupId(from as number),
      to: asGroupId(to as number),
      at,
      looked,
    };
  });
}
