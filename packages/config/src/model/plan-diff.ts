// How one way to reach a goal differs from another, slot by slot. Pure.

import type { GroupId, Slot } from './ids.ts';
import { type Move, targets } from './migration.ts';
import { groupsIn, slotState, type Topology } from './topology.ts';

/** Slots that two ways treat differently. Null: they stay where they are. */
export interface MoveDifference {
  readonly first: Slot;
  readonly last: Slot;
  /** Who has them now; null for nobody. */
  readonly from: GroupId | null;
  readonly planned: GroupId | null;
  readonly now: GroupId | null;
}

/** In order of slots, as the fewest runs. */
export function differingMoves(topology: Topology, { planned, now }: { planned: readonly Move[]; now: readonly Move[] }): MoveDifference[] {
  const before = new Map(targets({ moves: planned }));
  const after = new Map(targets({ moves: now }));
  const runs: { first: Slot; last: Slot; from: GroupId | null; planned: GroupId | null; now: GroupId | null }[] = [];
  for (const slot of [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b)) {
    const [was, is, from] = [before.get(slot) ?? null, after.get(slot) ?? null, groupsIn(slotState(topology, slot))[0] ?? null];
    if (was === is) continue;
    const run = runs.at(-1);
    if (run && run.last + 1 === slot && run.from === from && run.planned === was && run.now === is) run.last = slot;
    else runs.push({ first: slot, last: slot, from, planned: was, now: is });
  }
  return runs;
}
