// What moved, and when, as the tables that this worker was given tell it: for whatever looks at one server after the other while keys go from
// one to the next (SCAN, KEYS, FLUSHALL), and must know which slots it has to look at again.
//
// A pass that begins at the table of epoch e and looks at every group in some order meets each key of a slot that
//   - had no move under way since e, or
//   - had one move only, from a group that was looked at before the group it goes to.
// All other slots are `uncovered`. That holds because no key moves before this proxy has taken up a table that locks its slot (DESIGN §3): a move that is
// not in the tables has not begun.
//
// Invariant: what is not known counts as moved. Tables may be passed over; a slot can't go away and come back unseen in fewer than MISSED_MAX + 1 of them.

import { type Group, type GroupId, masterOf, SLOT_COUNT, type SlotState, type VersionedTopology } from '@codis/config/model';

/** From locked through migrating, online and locked to migrating the other way, before it is online as in the beginning: four tables between. */
const MISSED_MAX = 3;
/** Moves remembered: some 200 bytes each. */
const MOVES_MAX = 16_384;

/** The keys of `slot` have gone from one group to another; group 0 is none. Began and ended: the first table that may have shown it, and the first that
 *  showed its end. */
interface Move {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
  readonly began: number;
  readonly ended: number;
}

/** The order of a pass: whether group `from` is looked at before group `to`. */
export type Order = (from: number, to: number) => boolean;

/** From one table to another, given by their epochs. */
export interface Window {
  readonly since: number;
  readonly until: number;
}

/** For each slot 1 or 0. */
export type SlotSet = Uint8Array;

export class MoveHistory {
  /** Moves that have ended, oldest first. */
  #moves: Move[] = [];
  /** For slots in a move: the first table that may have shown it. */
  readonly #began = new Float64Array(SLOT_COUNT);
  /** The last table that gave a group another master. */
  readonly #promoted = new Map<GroupId, number>();
  readonly #movesMax: number;
  #table: VersionedTopology | null = null;
  #knownSince = 0;
  /** Asked again for every page of a scan. */
  #answered: (Window & { readonly order: Order; readonly epoch: number; readonly slots: SlotSet }) | null = null;

  constructor(movesMax = MOVES_MAX) {
    this.#movesMax = movesMax;
  }

  /** Takes the next table; epochs go up. */
  onTable(next: VersionedTopology): void {
    const previous = this.#table;
    this.#table = next;
    if (previous === null || next.epoch - previous.epoch > MISSED_MAX + 1) {
      this.#forget(next.epoch);
      return;
    }
    this.#promotions(previous.topology.groups, next);
    const began = previous.epoch + 1;
    for (const [slot, state] of next.topology.slots.entries()) {
      this.#step(slot, previous.topology.slots[slot] as SlotState, state, { began, ended: next.epoch });
    }
    if (this.#moves.length > this.#movesMax) this.#forgetOldest();
  }

  /** Whether everything is known that happened after the table of `epoch`. */
  knows(epoch: number): boolean {
    return epoch >= this.#knownSince;
  }

  /** The slots that a pass from the table of `since` to that of `until` has not covered; null when that is not known. */
  uncovered({ since, until }: Window, order: Order): SlotSet | null {
    const epoch = this.#table?.epoch ?? -1;
    if (!this.knows(since) || until > epoch) return null;
    const known = this.#answered;
    if (known?.since === since && known.until === until && known.order === order && known.epoch === epoch) return known.slots;
    const slots = new Uint8Array(SLOT_COUNT);
    const seen = new Uint8Array(SLOT_COUNT);
    this.#eachMove(since, until, (slot, from, to) => {
      if (seen[slot] === 1 || from === 0 || to === 0 || !order(from, to)) slots[slot] = 1;
      seen[slot] = 1;
    });
    this.#addPromoted(since, slots);
    this.#answered = { since, until, order, epoch, slots };
    return slots;
  }

  /** The groups that keys of `slots` (null: of any) have gone or are going to since the table of `since`; null when that is not known. */
  targets(since: number, slots: SlotSet | null): Set<number> | null {
    if (!this.knows(since)) return null;
    const groups = new Set<number>();
    this.#eachMove(since, Number.POSITIVE_INFINITY, (slot, _, to) => {
      if (to !== 0 && (slots === null || slots[slot] === 1)) groups.add(to);
    });
    return groups;
  }

  /** Moves that were under way at some time between two tables, those that still are included. */
  #eachMove(since: number, until: number, found: (slot: number, from: number, to: number) => void): void {
    for (const move of this.#moves) if (move.ended > since && move.began <= until) found(move.slot, move.from, move.to);
    for (const [slot, state] of this.#table?.topology.slots.entries() ?? []) {
      if ((state.kind === 'locked' || state.kind === 'migrating') && (this.#began[slot] as number) <= until) {
        found(slot, state.from, state.to);
      }
    }
  }

  #step(slot: number, previous: SlotState, next: SlotState, when: { began: number; ended: number }): void {
    const moving = migrationOf(next);
    if (moving !== 0 && moving === migrationOf(previous)) return;
    const here = homeOf(previous);
    const there = homeOf(next);
    const via = previous.kind === 'migrating' ? previous.to : there;
    if (via !== here) {
      const began = migrationOf(previous) === 0 ? when.began : (this.#began[slot] as number);
      this.#moves.push({ slot, from: here, to: via, began, ended: when.ended });
    }
    if (via !== there) this.#moves.push({ slot, from: via, to: there, ...when });
    if (moving !== 0) this.#began[slot] = when.began;
  }

  #promotions(before: readonly Group[], { epoch, topology }: VersionedTopology): void {
    const masters = new Map(before.map((group) => [group.id, masterOf(group)]));
    for (const group of topology.groups) if (masters.get(group.id) !== masterOf(group)) this.#promoted.set(group.id, epoch);
  }

  /** A server's own cursor means nothing to another server: what a group had was not seen whole when it changed its master meanwhile. */
  #addPromoted(since: number, slots: SlotSet): void {
    const promoted = new Set<number>();
    for (const [group, epoch] of this.#promoted) if (epoch > since) promoted.add(group);
    if (promoted.size === 0) return;
    for (const [slot, state] of this.#table?.topology.slots.entries() ?? []) if (promoted.has(homeOf(state))) slots[slot] = 1;
    this.#eachMove(since, Number.POSITIVE_INFINITY, (slot, from, to) => {
      if (promoted.has(from) || promoted.has(to)) slots[slot] = 1;
    });
  }

  #forget(epoch: number): void {
    this.#moves = [];
    this.#promoted.clear();
    this.#began.fill(0);
    this.#knownSince = epoch;
  }

  #forgetOldest(): void {
    const dropped = this.#moves.splice(0, Math.ceil(this.#movesMax / 2));
    this.#knownSince = Math.max(this.#knownSince, dropped.at(-1)?.ended ?? 0);
  }
}

/** The group that has the keys of a slot before a move; 0 for none. */
function homeOf(state: SlotState): number {
  switch (state.kind) {
    case 'offline':
      return 0;
    case 'online':
      return state.owner;
    case 'locked':
    case 'migrating':
      return state.from;
  }
}

/** The migration that has locked or moves a slot; 0 for none. */
function migrationOf(state: SlotState): number {
  return state.kind === 'locked' || state.kind === 'migrating' ? state.migration : 0;
}
