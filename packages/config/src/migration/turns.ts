// The work of an elected controller, turn by turn: read everything, do one step of each lane, look again; what takes long runs beside the turns. Ends by throwing, when the coordinator says so, or when its
// signal is aborted; what was under way is found in the coordinator by the next one.

import { comesAfter, isCodisError, type MigrationId, nextActions, observeLocks, rollBackExpiredLocks, slotsWhere } from '../model/index.ts';
import { adoptDepartures, endDepartures, watchSources } from './departures.ts';
import { Lanes } from './lanes.ts';
import { adoptMarkers, catchUpWithMarkers, keepMarkers } from './markers.ts';
import { type Beside, step } from './step.ts';
import { budgetOf, changeJob, type Office, type Outcome, waiting, writeTopology } from './turn.ts';
import type { Wakeup } from './wakeup.ts';
import { closedAt } from './window-clock.ts';
import { type Job, readWorld, type World } from './world.ts';

/** How often it looks without being told of a change. */
const LOOK_AGAIN_MS = 1000;

/** Acts until `office.signal` is aborted. Throws what the coordinator throws, and CODIS_E_CONFLICT once deposed. */
export async function act(office: Office, wakeup: Wakeup, runs: (migration: MigrationId | null) => void): Promise<void> {
  const over = new Set<string>();
  const beside: Beside = {
    sweeps: new Lanes(() => wakeup.poke()),
    looks: new Lanes(() => wakeup.poke()),
    checks: new Lanes(() => undefined),
  };
  let adopted = false;
  try {
    while (!office.signal.aborted) {
      for (const lanes of [beside.sweeps, beside.looks, beside.checks]) lanes.forgetEnded();
      const world = await readWorld(office.coordinator, over);
      if (world && !adopted) {
        await Promise.all([adoptMarkers(office, world), adoptDepartures(office, world.topology)]);
        adopted = true;
      }
      const retryMs = world ? await turn(office, world, { beside, runs }) : LOOK_AGAIN_MS;
      if (retryMs > 0) await wakeup.sleep(Math.min(retryMs, LOOK_AGAIN_MS), office.signal);
    }
  } finally {
    await Promise.all([beside.looks.end(), beside.sweeps.end(), beside.checks.end()]);
  }
}

interface Turning {
  readonly beside: Beside;
  readonly runs: (migration: MigrationId | null) => void;
}

/** Gives how long nothing more is to be done; 0 when something changed. */
async function turn(office: Office, world: World, { beside, runs }: Turning): Promise<number> {
  const { memory } = office;
  beside.looks.throwIfFailed();
  beside.sweeps.throwIfFailed();
  beside.checks.throwIfFailed();
  govern(office, world, beside);
  memory.sightings = observeLocks(memory.sightings, world.topology, performance.now());
  await keepMarkers(office, world);
  if (await catchUpWithMarkers(office, world)) return 0;
  watchSources(office, world.topology, beside.checks);
  endDepartures(office, world, beside);
  let soonestMs = LOOK_AGAIN_MS;
  runs(world.jobs[0]?.migration.id ?? null);
  // A migration that waits for somebody to mend something does not hold up the next; one that waits for milliseconds, its slots locked, does.
  for (const job of world.jobs) {
    const outcome = await turnOf(office, world, { job, beside });
    if (outcome.kind === 'progressed') return 0;
    if (outcome.kind === 'waiting' && outcome.reason === null) return outcome.retryMs;
    if (outcome.kind === 'waiting') soonestMs = Math.min(soonestMs, outcome.retryMs);
  }
  return (await rollBackStrayLocks(office, world)) ? 0 : soonestMs;
}

/** What an operator has changed since, and what time it is: throttles hold for sweeps under way, those of a migration that is paused or outside of its window end, and looks are for one that runs. */
function govern(office: Office, { jobs }: World, { sweeps, looks }: Beside): void {
  const states = new Map(jobs.map(({ migration }) => [migration.id, migration.state]));
  for (const { migration } of jobs) budgetOf(office, migration);
  const now = new Date();
  const closed = new Set(jobs.flatMap(({ migration }) => (closedAt(migration, now) === null ? [] : [migration.id])));
  sweeps.keepOnly(({ migration }) => states.get(migration) !== 'paused' && !closed.has(migration));
  looks.keepOnly(({ migration }) => states.get(migration) === 'running' && !closed.has(migration));
}

/** One step of each of its lanes, with the reasons to wait on record. */
async function turnOf(office: Office, world: World, { job, beside }: { job: Job; beside: Beside }): Promise<Outcome> {
  const first = comesAfter(
    world.topology,
    job.migration,
    world.jobs.map(({ migration }) => migration),
  );
  if (first !== null && job.migration.state === 'running') {
    await note(office, job, `migration ${first.id}, which it takes back, finishes what it has under way first`);
    return waiting('', LOOK_AGAIN_MS);
  }
  const reasons = new Set<string>();
  let retryMs = LOOK_AGAIN_MS;
  const closed = closedAt(job.migration, new Date());
  // Outside of its window it does what a paused one does.
  const acting = closed === null ? job.migration : { ...job.migration, state: 'paused' as const };
  for (const action of nextActions(world.topology, acting, office.settings.migration_batch_slots)) {
    const outcome = await step(office, world, { job, action, beside });
    office.signal.throwIfAborted();
    if (outcome.kind === 'progressed') return outcome;
    if (outcome.kind === 'under-way') continue;
    if (outcome.reason === null) return outcome;
    reasons.add(outcome.reason);
    retryMs = Math.min(retryMs, outcome.retryMs);
  }
  for (const [lane, trouble] of office.memory.sourceTroubles) if (lane.startsWith(`${job.migration.id}:`)) reasons.add(trouble);
  if (job.migration.state === 'paused') reasons.add(`paused${leftText(world, job)}`);
  if (closed !== null) reasons.add(`${standsStillText(world, job)}, ${closed.reason}`);
  await note(office, job, reasons.size > 0 ? [...reasons].join('; ') : null, closed?.opensAt.toISOString() ?? null);
  return waiting('', retryMs);
}

const standsStillText = (world: World, job: Job) => `stands still${leftText(world, job)}`;

function leftText({ topology }: World, { migration }: Job): string {
  const between = slotsWhere(topology, (state) => state.kind === 'migrating' && state.migration === migration.id).length;
  const { keysLeft } = migration.progress;
  const left = keysLeft === null ? '' : `, about ${keysLeft} keys are left`;
  return between === 0 ? left : ` with ${between} slots between two groups${left}`;
}

async function note(
  office: Office,
  { migration: { id, ...job } }: Job,
  reason: string | null,
  resumesAt: string | null = null,
): Promise<void> {
  const { retries } = office.memory;
  const more = retries.get(id) ?? 0;
  if (job.waiting === reason && job.resumesAt === resumesAt && more === 0) return;
  if (reason !== null && job.waiting !== reason) office.log.warn({ migration: id, reason }, 'migration waits');
  await changeJob(office, id, (migration) => {
    if (migration.endedAt !== null) return null;
    return { ...migration, waiting: reason, resumesAt, progress: { ...migration.progress, retries: migration.progress.retries + more } };
  });
  // There may be more by now.
  retries.set(id, (retries.get(id) ?? 0) - more);
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
