// The second step of a batch: every proxy that serves has taken up the lock, or was fenced before it was written. Then the move begins. When some proxy
// does not get there within the lease, or is lost meanwhile, the lock is given up: clients wait for milliseconds, not for the missing.

import {
  type Action,
  type Epoch,
  invariant,
  missingAcks,
  type ProxyId,
  rollBackExpiredLocks,
  slotState,
  startMigrating,
  unlockSlots,
} from '../model/index.ts';
import { cutOffDeparted } from './departed.ts';
import { backingOff, type Lane, laneKey, type Office, type Outcome, PROGRESSED, waiting, writeTopology } from './turn.ts';
import type { Job, World } from './world.ts';

type AwaitAction = Extract<Action, { kind: 'await-acks' }>;

/** Acks are watched for; this is for a watch that comes late, and for the lease. */
const LOOK_AGAIN_MS = 50;

export async function awaitAcks(office: Office, world: World, job: Job, action: AwaitAction): Promise<Outcome> {
  const { behind, lost } = missingAcks(world.proxies, action.epoch);
  const lane = laneOf(world, job, action);
  const unfenced = lost.filter((id) => !isFenced(office, lane, action.epoch, id));
  const { slots } = action;
  const step = { slots, migration: job.migration.id };
  if (behind.length === 0 && unfenced.length === 0) {
    const trouble = await cutOffDeparted(office, world, [lane.from, lane.to]);
    if (trouble !== null) {
      await writeTopology(office, { epoch: world.epoch, topology: unlockSlots(world.topology, step) });
      return backingOff(office, lane, trouble);
    }
    const written = await writeTopology(office, { epoch: world.epoch, topology: startMigrating(world.topology, step) });
    if (written) {
      office.memory.backOffs.delete(laneKey(lane));
      office.memory.batchSlots.delete(laneKey(lane));
      office.log.info({ ...logged(action), migration: job.migration.id }, 'slots migrating');
    }
    return PROGRESSED;
  }
  const expired = rollBackExpiredLocks(world.topology, office.memory.sightings, performance.now()) !== null;
  if (unfenced.length === 0 && !expired) return waiting(null, LOOK_AGAIN_MS);
  await writeTopology(office, { epoch: world.epoch, topology: unlockSlots(world.topology, step) });
  office.log.warn({ ...logged(action), migration: job.migration.id, behind, lost: unfenced }, 'slots unlocked again');
  // Fewer slots have fewer requests under way that a proxy must see the end of.
  office.memory.batchSlots.set(laneKey(lane), Math.max(1, slots.length >> 1));
  return backingOff(office, lane, unfenced.length > 0 ? lostText(unfenced) : behindText(behind, action.leaseMs));
}

function laneOf({ topology }: World, { migration }: Job, { slots: [slot] }: AwaitAction): Lane {
  const lock = slot === undefined ? undefined : slotState(topology, slot);
  invariant(lock?.kind === 'locked', 'what is waited for is locked');
  return { migration: migration.id, from: lock.from, to: lock.to };
}

/** A fence stands for a proxy only when this process set it for this very lock. */
function isFenced({ memory }: Office, { from }: Lane, epoch: Epoch, proxy: ProxyId): boolean {
  const fence = memory.fences.get(from);
  return fence?.epoch === epoch && fence.proxies.has(proxy);
}

const lostText = (lost: readonly ProxyId[]) =>
  `proxy ${lost.join(', ')} lost its session while slots were locked; they were released, and it is tried again`;
const behindText = (behind: readonly ProxyId[], leaseMs: number) =>
  `proxy ${behind.join(', ')} did not take up the lock within ${leaseMs} ms (slot_lock_lease_ms); the slots were released, and it is tried again`;

function logged({ epoch, slots }: AwaitAction): { epoch: number; slotsCount: number } {
  return { epoch, slotsCount: slots.length };
}
