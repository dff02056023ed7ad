// The work of an elected controller, turn by turn: read everything, do one step, look again. Ends by throwing, when the coordinator says so, or when its
// signal is aborted; what was under way is found in the coordinator by the next one.

import { isCodisError, type MigrationId, observeLocks, rollBackExpiredLocks } from '../model/index.ts';
import { adoptMarkers, catchUpWithMarkers, keepMarkers } from './markers.ts';
import { step } from './step.ts';
import { type Office, type Outcome, PROGRESSED, saveJob, waiting, writeTopology } from './turn.ts';
import type { Wakeup } from './wakeup.ts';
import { type Job, readWorld, type World } from './world.ts';

/** How often it looks without being told of a change. */
const LOOK_AGAIN_MS = 1000;

/** Acts until `office.signal` is aborted. Throws what the coordinator throws, and CODIS_E_CONFLICT once deposed. */
export async function act(office: Office, wakeup: Wakeup, runs: (migration: MigrationId | null) => void): Promise<void> {
  const over = new Set<string>();
  let adopted = false;
  while (!office.signal.aborted) {
    const world = await readWorld(office.coordinator, over);
    if (world && !adopted) {
      await adoptMarkers(office, world);
      adopted = true;
    }
    const outcome = world ? await turn(office, world, runs) : waiting(null, LOOK_AGAIN_MS);
    if (outcome.kind === 'waiting') await wakeup.sleep(Math.min(outcome.retryMs, LOOK_AGAIN_MS), office.signal);
  }
}

async function turn(office: Office, world: World, runs: (migration: MigrationId | null) => void): Promise<Outcome> {
  const { memory } = office;
  memory.sightings = observeLocks(memory.sightings, world.topology, performance.now());
  await keepMarkers(office, world);
  if (await catchUpWithMarkers(office, world)) return PROGRESSED;
  let soonestMs = LOOK_AGAIN_MS;
  // A migration that waits for somebody to mend something does not hold up the next; one that waits for milliseconds, its slots locked, does.
  for (const job of world.jobs) {
    runs(job.migration.id);
    const outcome = await attempt(office, world, job);
    if (outcome.kind === 'progressed' || outcome.reason === null) return outcome;
    soonestMs = Math.min(soonestMs, outcome.retryMs);
  }
  if (world.jobs.length === 0) runs(null);
  return (await rollBackStrayLocks(office, world)) ? PROGRESSED : waiting(null, soonestMs);
}

/** One step, with its reason to wait on record. */
async function attempt(office: Office, world: World, job: Job): Promise<Outcome> {
  const outcome = await step(office, world, job);
  office.signal.throwIfAborted();
  if (outcome.kind === 'waiting' && outcome.reason !== null) await note(office, job, outcome.reason);
  return outcome;
}

async function note(office: Office, job: Job, reason: string): Promise<void> {
  if (job.migration.waiting === reason) return;
  office.log.warn({ migration: job.migration.id, reason }, 'migration waits');
  await saveJob(office, job, { ...job.migration, waiting: reason });
}

/** Locks of a migration that is no more, or that another step did not get to in time. */
async function rollBackStrayLocks(office: Office, { epoch, topology }: World): Promise<boolean> {
  const rolledBack = rollBackExpiredLocks(topology, office.memory.sightings, performance.now());
  if (!rolledBack) return false;
  office.log.warn({ epoch }, 'expired slot locks rolled back');
  return writeTopology(office, { epoch, topology: rolledBack });
}

/** Whether it is the coordinator's or a rival's doing that a term ended, rather than a fault in this program. */
export function endsTerm(error: unknown): boolean {
  return (
    isCodisError(error, 'CODIS_E_COORDINATOR_LOST') ||
    isCodisError(error, 'CODIS_E_COORDINATOR_UNKNOWN') ||
    isCodisError(error, 'CODIS_E_CONFLICT')
  );
}
