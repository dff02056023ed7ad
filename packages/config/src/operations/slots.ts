// Operations on the slot table that need no Redis: making it, giving ranges to groups, taking them out of service.

import { PATHS } from '../coordinator/index.ts';
import {
  asEpoch,
  asSlot,
  assignSlots,
  CodisError,
  emptyTopology,
  encodeTopology,
  type GroupId,
  groupsIn,
  offlineSlots,
  SLOT_COUNT,
  type Slot,
  slotRuns,
  type Topology,
  type VersionedTopology,
} from '../model/index.ts';
import type { Caller, Expecting } from './caller.ts';
import { changeTopology, commitAudited, ensureParents } from './commit.ts';

/** Both ends included. */
export interface SlotRange {
  readonly first: Slot;
  readonly last: Slot;
}

/** Makes the slot table, every slot offline. Over one that exists only with `force`: then all slots go offline and the groups stay.
 *  Throws CODIS_E_SLOTS_EXIST, or CODIS_E_SLOT_IN_MOVE (also with `force`: a slot in a move has keys on both sides). */
export async function initSlots(caller: Caller, options: Expecting & { force: boolean }): Promise<VersionedTopology> {
  await ensureParents(caller);
  if (await caller.coordinator.read(PATHS.topology)) return resetSlots(caller, options);
  return commitAudited(caller, async () => {
    if (await caller.coordinator.read(PATHS.topology)) throw slotsExist();
    const topology = emptyTopology();
    const epoch = asEpoch(0);
    return {
      ops: [{ op: 'create', path: PATHS.topology, data: encodeTopology(topology) }],
      event: { action: 'slot.init', object: 'all slots', epoch, before: 'no slot table', after: '0-1023 offline' },
      value: { epoch, topology },
    };
  });
}

async function resetSlots(caller: Caller, options: Expecting & { force: boolean }): Promise<VersionedTopology> {
  if (!options.force) throw slotsExist();
  return changeTopology(caller, {
    ...options,
    action: 'slot.init',
    reassigns: true,
    object: 'all slots',
    told: (topology) => ownersText(topology, { first: asSlot(0), last: asSlot(SLOT_COUNT - 1) }),
    change: (topology) => offlineSlots(topology, { first: asSlot(0), last: asSlot(SLOT_COUNT - 1) }),
  });
}

function slotsExist(): CodisError {
  return new CodisError('CODIS_E_SLOTS_EXIST', 'this product has a slot table already');
}

/** Gives a range that is offline to a group, without moving keys. Throws CODIS_E_BAD_SLOT, CODIS_E_SLOT_ONLINE, CODIS_E_SLOT_IN_MOVE, CODIS_E_UNKNOWN_GROUP or CODIS_E_NO_MASTER. */
export function assignRange(caller: Caller, request: SlotRange & Expecting & { owner: GroupId }): Promise<VersionedTopology> {
  return changeTopology(caller, {
    ...request,
    action: 'slot.assign',
    reassigns: true,
    object: `${rangeText(request)} → group ${request.owner}`,
    told: (topology) => ownersText(topology, request),
    change: (topology) => assignSlots(topology, request),
  });
}

/** Takes a range out of service; its keys stay where they are. Throws CODIS_E_BAD_SLOT or CODIS_E_SLOT_IN_MOVE. */
export function offlineRange(caller: Caller, request: SlotRange & Expecting): Promise<VersionedTopology> {
  return changeTopology(caller, {
    ...request,
    action: 'slot.offline',
    reassigns: true,
    object: rangeText(request),
    told: (topology) => ownersText(topology, request),
    change: (topology) => offlineSlots(topology, request),
  });
}

/** `slot 5`, or `slots 0-511`. */
export function rangeText({ first, last }: SlotRange): string {
  return first === last ? `slot ${first}` : `slots ${first}-${last}`;
}

const RUNS_TOLD_MAX = 8;

/** Who has the slots of a range: `0-99 group 1, 100 offline`. */
export function ownersText(topology: Topology, { first, last }: SlotRange): string {
  const runs = slotRuns(topology).filter((run) => run.last >= first && run.first <= last);
  const texts = runs.slice(0, RUNS_TOLD_MAX).map((run) => {
    const [from, to] = [Math.max(run.first, first), Math.min(run.last, last)];
    const [group] = groupsIn(run.state);
    return `${from === to ? from : `${from}-${to}`} ${group === undefined ? 'offline' : `group ${group}`}`;
  });
  if (runs.length > RUNS_TOLD_MAX) texts.push(`and ${runs.length - RUNS_TOLD_MAX} more runs`);
  return texts.join(', ');
}
