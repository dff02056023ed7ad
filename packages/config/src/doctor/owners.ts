// Which keys have no business in a group. Pure.

import type { GroupId, Slot, SlotState, Topology } from '../model/index.ts';

/** Slots whose keys are misplaced in `group`, with who has them: null for a slot of no group. Both sides of a move may have its keys. */
export function foreignSlots({ slots }: Topology, group: GroupId): Map<Slot, GroupId | null> {
  const foreign = new Map<Slot, GroupId | null>();
  for (const [slot, state] of slots.entries()) {
    if (!mayHold(state, group)) foreign.set(slot as Slot, ownerOf(state));
  }
  return foreign;
}

function mayHold(state: SlotState, group: GroupId): boolean {
  if (state.kind === 'offline') return false;
  return state.kind === 'online' ? state.owner === group : state.from === group || state.to === group;
}

function ownerOf(state: SlotState): GroupId | null {
  if (state.kind === 'offline') return null;
  return state.kind === 'online' ? state.owner : state.to;
}
