// One step of one migration: decide (the model does), perform. Every step is safe to repeat, for a controller that died after it is replaced by one that
// does not know whether it was made.

import { nextAction, slotsDone, unlockSlots, unreachable } from '../model/index.ts';
import { awaitAcks } from './acks.ts';
import { moveBigKey, nextBigKey } from './big-keys/move.ts';
import { lock } from './lock.ts';
import { sweep } from './sweep.ts';
import { type Office, type Outcome, PROGRESSED, saveJob, waiting, writeTopology } from './turn.ts';
import type { Job, World } from './world.ts';

/** Until something is mended that is not in the coordinator, or was not noticed. */
const BLOCKED_RETRY_MS = 2000;

export async function step(office: Office, world: World, job: Job): Promise<Outcome> {
  const action = nextAction(world.topology, job.migration, office.settings.migration_batch_slots);
  if (action.kind === 'lock' || action.kind === 'sweep') {
    const backOff = office.memory.backOffs.get(job.migration.id);
    const leftMs = (backOff?.untilMs ?? 0) - performance.now();
    if (backOff && leftMs > 0) return waiting(backOff.reason, leftMs);
  }
  switch (action.kind) {
    case 'done':
      return finish(office, world, job);
    case 'lock':
      return lock(office, world, job, action);
    case 'await-acks':
      return awaitAcks(office, world, job, action);
    case 'unlock':
      await writeTopology(office, {
        epoch: world.epoch,
        topology: unlockSlots(world.topology, { slots: action.slots, migration: job.migration.id }),
      });
      return PROGRESSED;
    case 'sweep': {
      // First, for who writes them waits.
      const bigKey = nextBigKey(world.topology, action.slots);
      return bigKey ? moveBigKey(office, world, job, { ...action, ...bigKey }) : sweep(office, world, job, action);
    }
    case 'blocked':
      return waiting(action.reason, BLOCKED_RETRY_MS);
    default:
      return unreachable(action);
  }
}

/** Nothing of it is in a move any more: closes the record, as done or as cancelled. */
async function finish(office: Office, { topology }: World, job: Job): Promise<Outcome> {
  const { migration } = job;
  const state = migration.state === 'running' ? 'done' : migration.state;
  const progress = { ...migration.progress, slotsDone: slotsDone(topology, migration) };
  const endedAt = migration.endedAt ?? new Date().toISOString();
  const saved = await saveJob(office, job, { ...migration, state, progress, endedAt, waiting: null });
  if (saved) office.log.info({ migration: migration.id, state, ...progress }, 'migration ended');
  return PROGRESSED;
}
