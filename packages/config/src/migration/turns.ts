// The work of an elected controller, turn by turn: read everything, do one step of each lane, look again; sweeps run beside the turns. Ends by throwing, when the coordinator says so, or when its
// signal is aborted; what was under way is found in the coordinator by the next one.

import { isCodisError, type MigrationId, nextActions, observeLocks, rollBackExpiredLocks, slotsWhere } from '../model/index.ts';
import { clearDepartures, watchSources } from './departures.ts';
import { Lanes } from './lanes.ts';
import { adoptMarkers, catchUpWithMarkers, keepMarkers } from './markers.ts';
import { step } from './step.ts';
import { budgetOf, changeJob, type Office, type Outcome, waiting, writeTopology } from './turn.ts';
import type { Wakeup } from './wakeup.ts';
import { type Job, readWorld, type World } from './world.ts';

/** How often it looks without being told of a change. */
const LOOK_AGAIN_MS = 1000;

/** Acts until `office.signal` is aborted. Throws what the coordinator throws, and CODIS_E_CONFLICT once deposed. */
export async function act(office: Office, wakeup: Wakeup, runs: (migration: MigrationId | null) => void): Promise<void> {
  const over = new Set<string>();
  const lanes = new Lanes(() => wakeup.poke());
  const checks = new Lanes(() => undefined);
  let adopted = false;
  try {
    while (!office.signal.aborted) {
      const world = await readWorld(office.coordinator, over);
      if (world && !adopted) {
        await Promise.all([adoptMarkers(office, world), clearDepartures(office, world.topology)]);
        adopted = true;
      }
      const retryMs = world ? await turn(office, world, { lanes, checks, runs }) : LOOK_AGAIN_MS;
      if (retryMs > 0) await wakeup.sleep(Math.min(retryMs, LOOK_AGAIN_MS), office.signal);
    }
  } finally {
    await Promise.all([lanes.end(), checks.end()]);
  }
}

interface Turning {
  readonly lanes: Lanes;
  /** Looks at the sources, beside the turns too. */
  readonly checks: Lanes;
  readonly runs: (migration: MigrationId | null) => void;
}

/** Gives how long nothing more is to be done; 0 when something changed. */
async function turn(office: Office, world: World, { lanes, checks, runs }: Turning): Promise<number> {
  const { memory } = office;
  lanes.throwIfFailed();
  checks.throwIfFailed();
  govern(office, world, lanes);
  memory.sightings = observeLocks(memory.sightings, world.topology, performance.now());
  await keepMarkers(office, world);
  if (await catchUpWithMarkers(office, world)) return 0;
  watchSources(office, world.topology, checks);
  let soonestMs = LOOK_AGAIN_MS;
  runs(world.jobs[0]?.migration.id ?? null);
  // A migration that waits for somebody to mend something does not hold up the next; one that waits for milliseconds, its slots locked, does.
  for (const job of world.jobs) {
    const outcome = await turnOf(office, world, { job, lanes });
    if (outcome.kind === 'progressed') return 0;
    if (outcome.kind === 'waiting' && outcome.reason === null) return outcome.retryMs;
    if (outcome.kind === 'waiting') soonestMs = Math.min(soonestMs, outcome.retryMs);
  }
  return (await rollBackStrayLocks(office, world)) ? 0 : soonestMs;
}

/** What an operator has changed since: throttles hold for sweeps under way, and a paused migration's sweeps end. */
function govern(office: Office, { jobs }: World, lanes: Lanes): void {
  const paused = new Set(jobs.filter(({ migration }) => migration.state === 'paused').map(({ migration }) => migration.id));
  for (const { migration } of jobs) budgetOf(office, migration);
  lanes.keepOnly(({ migration }) => !paused.has(migration));
}

/** One step of each of its lanes, with the reasons to wait on record. */
async function turnOf(office: Office, world: World, { job, lanes }: { job: Job; lanes: Lanes }): Promise<Outcome> {
  const reasons = new Set<string>();
  let retryMs = LOOK_AGAIN_MS;
  for (const action of nextActions(world.topology, job.migration, office.settings.migration_batch_slots)) {
    const outcome = await step(office, world, { job, action, lanes });
    office.signal.throwIfAborted();
    if (outcome.kind === 'progressed') return outcome;
    if (outcome.kind === 'under-way') continue;
    if (outcome.reason === null) return outcome;
    reasons.add(outcome.reason);
    retryMs = Math.min(retryMs, outcome.retryMs);
  }
  for (const [lane, trouble] of office.memory.sourceTroubles) if (lane.startsWith(`${job.migration.id}:`)) reasons.add(trouble);
  if (job.migration.state === 'paused') reasons.add(pausedText(world, job));
  await note(office, job, reasons.size > 0 ? [...reasons].join('; ') : null);
  return waiting('', retryMs);
}

function pausedText({ topology }: World, { migration }: Job): string {
  const between = slotsWhere(topology, (state) => state.kind === 'migrating' && state.migration === migration.id).length;
  const { keysLeft } = migration.progress;
  const left = keysLeft === null ? '' : `, about ${keysLeft} keys are left`;
  return between === 0 ? `paused${left}` : `paused with ${between} slots between two groups${left}`;
}

async function note(office: Office, job: Job, reason: string | null): Promise<void> {
  if (job.migration.waiting === reason) return;
  if (reason !== null) office.log.warn({ migration: job.migration.id, reason }, 'migration waits');
  await changeJob(office, job.migration.id, (migration) => (migration.endedAt === null ? { ...migration, waiting: reason } : null));
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
