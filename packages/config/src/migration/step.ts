// One step of one migration: decide (the model does), perform. Every step is safe to repeat, for a controller that died after it is replaced by one that
// does not know whether it was made.

import { type Action, type MigrationId, slotsDone, unlockSlots, unreachable } from '../model/index.ts';
import { awaitAcks } from './acks.ts';
import { copyListed, isToBeCopied, nextBigKey, switchOver } from './big-keys/move.ts';
import type { Lanes } from './lanes.ts';
import { lock } from './lock.ts';
import { sweep } from './sweep.ts';
import { type Lane, laneKey, type Office, type Outcome, PROGRESSED, saveJob, UNDER_WAY, waiting, writeTopology } from './turn.ts';
import type { Job, World } from './world.ts';

/** Until something is mended that is not in the coordinator, or was not noticed. */
const BLOCKED_RETRY_MS = 2000;

export async function step(
  office: Office,
  world: World,
  { job, action, beside }: { job: Job; action: Action; beside: Beside },
): Promise<Outcome> {
  switch (action.kind) {
    case 'done':
      // The last sweep may be clearing up.
      return beside.sweeps.find(({ migration }) => migration === job.migration.id) === null ? finish(office, world, job) : UNDER_WAY;
    case 'lock':
      return inLane(office, { beside, job, action }, () => lock(office, world, { job, action, looks: beside.looks }));
    case 'await-acks':
      return awaitAcks(office, world, job, action);
    case 'unlock':
      await writeTopology(office, {
        epoch: world.epoch,
        topology: unlockSlots(world.topology, { slots: action.slots, migration: job.migration.id }),
      });
      return PROGRESSED;
    case 'sweep':
      return inLane(office, { beside, job, action }, (lane) => {
        const { sweeps } = beside;
        // Its slots may have arrived meanwhile: sweeping them again would find that they are not its own any more.
        if (sweeps.hasEnded(lane)) return PROGRESSED;
        // Big keys first, for who writes them waits.
        const bigKey = nextBigKey(world.topology, action.slots);
        if (bigKey === null) sweeps.start(lane, (stop) => sweep(office, world, { job, action, stop }));
        else if (isToBeCopied(office, lane, bigKey)) sweeps.start(lane, () => copyListed(office, world, { lane, ...bigKey }));
        else return switchOver(office, world, { lane, ...bigKey, durable: job.migration.durable });
        return UNDER_WAY;
      });
    case 'blocked':
      return waiting(action.reason, BLOCKED_RETRY_MS);
    default:
      return unreachable(action);
  }
}

/** What is under way beside the turns. */
export interface Beside {
  readonly sweeps: Lanes;
  readonly looks: Lanes;
  /** Whether sources are still the processes that they were. */
  readonly checks: Lanes;
}

type InLane = { readonly beside: Beside; readonly job: Job; readonly action: Extract<Action, { kind: 'lock' | 'sweep' }> };

/** What is done at a source, unless something else is, or it failed just now. */
async function inLane(office: Office, { beside, job, action }: InLane, act: (lane: Lane) => Outcome | Promise<Outcome>): Promise<Outcome> {
  const { from, to } = action;
  const lane: Lane = { migration: job.migration.id, from, to };
  const other = beside.sweeps.find((sweep) => sweep.from === from) ?? comesFirst(office, beside, lane);
  if (other !== null)
    return other.migration === lane.migration
      ? UNDER_WAY
      : waiting(`migration ${other.migration} moves slots of group ${from} first`, BLOCKED_RETRY_MS);
  const backOff = office.memory.backOffs.get(laneKey(lane));
  const leftMs = (backOff?.untilMs ?? 0) - performance.now();
  return backOff && leftMs > 0 ? waiting(backOff.reason, leftMs) : act(lane);
}

/** A migration that was asked for earlier and is about to go on from the same source, between two batches, say. One that failed there lets others pass. */
function comesFirst({ memory }: Office, { looks }: Beside, { migration, from }: Lane): Lane | null {
  return looks.find((other) => other.from === from && other.migration < migration && !memory.backOffs.has(laneKey(other)));
}

/** Nothing of it is in a move any more: closes the record, as done or as cancelled. */
async function finish(office: Office, { topology }: World, job: Job): Promise<Outcome> {
  const { migration } = job;
  const state = migration.state === 'cancelled' ? 'cancelled' : 'done';
  const progress = {
    ...migration.progress,
    slotsDone: slotsDone(topology, migration),
    keysLeft: state === 'done' ? 0 : null,
    keysPerSecond: null,
    secondsLeft: null,
    retries: migration.progress.retries + (office.memory.retries.get(migration.id) ?? 0),
  };
  const endedAt = migration.endedAt ?? new Date().toISOString();
  const saved = await saveJob(office, job, { ...migration, state, progress, endedAt, waiting: null, resumesAt: null });
  if (!saved) return PROGRESSED;
  forget(office, migration.id);
  office.log.info({ migration: migration.id, state, ...progress }, 'migration ended');
  return PROGRESSED;
}

/** What was learnt of its lanes and their targets. */
function forget({ memory }: Office, migration: MigrationId): void {
  memory.budgets.delete(migration);
  memory.retries.delete(migration);
  memory.estimates.delete(migration);
  for (const learnt of [memory.paces, memory.backOffs, memory.batchSlots, memory.fits, memory.sourcesCheckedAt, memory.sourceTroubles]) {
    for (const lane of learnt.keys()) if (lane.startsWith(`${migration}:`)) learnt.delete(lane);
  }
  for (const seen of memory.bigKeys.seen.keys()) if (seen.startsWith(`${migration} `)) memory.bigKeys.seen.delete(seen);
  for (const name of memory.cleanTargets) if (name.startsWith(`${migration} `)) memory.cleanTargets.delete(name);
}
