// The third step of a batch: hand over what was seen at the source before the lock, and then what else it has, pass by pass, until a whole pass over every
// database finds nothing; then the slots are the target's. Runs beside the controller's turns, one for each source.
//
// Invariant: a move is completed only after an empty pass at the source's master, by a pass that began after the slots were migrating; or when all was handed over that was seen before the
// lock, and nothing had been written there between that look and the moment when the slots were migrating (own-writes.ts). From then on no command runs there for these slots, so what
// was not found can't appear.

import type { Redis } from 'ioredis';
import {
  type Action,
  arrivalsOf,
  CodisError,
  completeMove,
  requireGroup,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotsDone,
  type VersionedTopology,
} from '../model/index.ts';
import { readTopology } from '../operations/index.ts';
import { probe } from '../redis/probe.ts';
import { rollOf, type SeenBefore } from './big-keys/batch.ts';
import type { Budget } from './budget.ts';
import { Carrier, isOfSmallKeys } from './carry.ts';
import { withControlled } from './controlled.ts';
import type { Guest } from './courtesy.ts';
import { endSoon, knowSource, namedSource } from './departures.ts';
import { type Handing, handOver, paceOf } from './hand-over.ts';
import { LaneProgress, laneStart } from './lane-progress.ts';
import { Overlap } from './overlap.ts';
import { isLike } from './own-writes.ts';
import { batchLimits } from './pace.ts';
import { type KeyBatch, Portion } from './portion.ts';
import { scanSlots } from './scan.ts';
import { serverTrouble } from './server-trouble.ts';
import { askSizes } from './sizes.ts';
import { withTarget } from './target.ts';
import {
  backingOff,
  budgetOf,
  guestAt,
  type Lane,
  laneKey,
  type Office,
  type Outcome,
  ownWritesAt,
  PROGRESSED,
  setJob,
  writeTopology,
} from './turn.ts';
import { type Job, readJob, type World } from './world.ts';

type SweepAction = Extract<Action, { kind: 'sweep' }>;

/** Batches that are carried at the same time while nobody asks: with as many as there are steps each server has something to do. */
const CARRIED_AT_ONCE = 3;

/** What one sweep works with. */
interface Sweep extends Handing {
  readonly source: ServerAddr;
  readonly slots: ReadonlySet<Slot>;
  readonly budget: Budget;
  readonly guest: Guest;
  readonly progress: LaneProgress;
  /** Aborted when the sweep shall end at the next batch. */
  readonly stop: AbortSignal;
}

/** `stop` ends it between two batches; then nothing was completed. */
export async function sweep(
  office: Office,
  world: World,
  { job, action, stop }: { job: Job; action: SweepAction; stop: AbortSignal },
): Promise<Outcome> {
  const lane = { migration: job.migration.id, from: action.from, to: action.to };
  const source = requireMaster(world.topology, action.from);
  try {
    await withControlled(office, source, (redis) => sweepAt(office, redis, world, { job, action, stop, lane }));
    return PROGRESSED;
  } catch (error) {
    if (stop.aborted) return PROGRESSED;
    return backingOff(
      office,
      lane,
      `keys of group ${action.from} don't get to group ${action.to}: ${serverTrouble(`group ${action.from}`, error)}`,
    );
  }
}

async function sweepAt(
  office: Office,
  redis: Redis,
  { topology }: World,
  { job, action, stop, lane }: { job: Job; action: SweepAction; stop: AbortSignal; lane: Lane },
): Promise<void> {
  const source = requireMaster(topology, action.from);
  const { role, runId, keysCount } = await probe(source, redis, office.settings.product_name);
  if (role !== 'master') {
    throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${source} is a replica, though the topology has it as a master`);
  }
  await knowSource(office, topology, lane, redis);
  const start = laneStart(topology, job.migration, { from: action.from, addr: source, slotsNow: action.slots.length, keysCount });
  const progress = new LaneProgress(office, lane, start);
  let isCompleted = false;
  try {
    await withTarget(office, requireGroup(topology, action.to), async (target) => {
      const { durable } = job.migration;
      const slots = new Set(action.slots);
      const budget = budgetOf(office, job.migration);
      const guest = guestAt(office, { addr: source, servers: [redis, target.redis], budget, signal: stop, isInMove: true });
      const carrier = new Carrier({ office, lane, source: { addr: source, run: runId }, target });
      const plan = { office, lane, redis, carrier, source, target, durable, slots, budget, guest, progress, stop };
      try {
        const seen = rollOf(office, job, source);
        const isAll = seen !== undefined && (await isAllThereIs(plan, seen));
        if (seen !== undefined) await handOverSeen(plan, { ...seen, keysCount });
        while (!isAll && (await pass(plan)) > 0) progress.passEnded();
        isCompleted = await complete(plan, action, runId);
      } finally {
        await carrier.close();
      }
    });
    if (isCompleted) await endSoon(office, lane);
  } finally {
    await progress.flush();
    progress.end({ isCompleted });
  }
}

/** Nothing was written since. To be asked before anything is handed over. */
async function isAllThereIs({ office, source, redis }: Sweep, { roll, since }: SeenBefore): Promise<boolean> {
  return since !== null && roll.isWhole && isLike(since, await ownWritesAt(office, source).moment(redis));
}

/** What was seen before the lock, `keysCount` being all that the source has. */
async function handOverSeen(sweep: Sweep, { roll, sizesHold, keysCount }: SeenBefore & { readonly keysCount: number }): Promise<void> {
  const { office, source, redis, progress, slots } = sweep;
  const seenCount = roll.keysCountOf(slots);
  if (seenCount === 0) return;
  progress.scanned(roll.lookedCount ?? keysCount, seenCount);
  let db: number | null = null;
  for (const portion of roll.take(slots)) {
    if (portion.db !== db) await redis.select(portion.db);
    db = portion.db;
    if (!sizesHold) await askSizes(redis, portion, Number.MAX_SAFE_INTEGER);
    await handOverAll(sweep, portion);
  }
  if (roll.lookedCount === null) progress.passEnded();
  else progress.passBegins((await probe(source, redis, office.settings.product_name)).keysCount);
}

/** One look at every key of the source. Returns how many keys it handed over. */
async function pass(sweep: Sweep): Promise<number> {
  const { office, redis, source, slots, progress, guest } = sweep;
  const { product_name: product, product_auth: password } = office.settings;
  const onPage = (looked: number, found: number) => progress.scanned(looked, found);
  progress.scanned(0, 0);
  let total = 0;
  for await (const { db, keys } of scanSlots(redis, { addr: source, slots, product, password, onPage, guest })) {
    const portion = Portion.of(db, keys);
    await askSizes(redis, portion, Number.MAX_SAFE_INTEGER);
    await handOverAll(sweep, portion);
    total += keys.length;
  }
  return total;
}

/** When it has ended, also by throwing, nothing is under way any more. */
async function handOverAll(sweep: Sweep, portion: Portion): Promise<void> {
  const { office, lane, durable, budget, guest, stop } = sweep;
  const batches = new Overlap(CARRIED_AT_ONCE);
  try {
    for (let from = 0; from < portion.keysCount; ) {
      await budget.wait(stop);
      const batch = portion.batch(from, batchLimits(paceOf(office, lane), budget.throttle, guest.isAlone));
      from += batch.names.count;
      await batches.begin(() => give(sweep, batch));
      // Where nobody waits for the source it need not wait either.
      const hurries = !durable && guest.isAlone && !budget.isLimited && isOfSmallKeys(batch);
      if (!hurries) await batches.end();
    }
    await batches.end();
  } finally {
    await batches.settle();
  }
  stop.throwIfAborted();
}

async function give(sweep: Sweep, batch: KeyBatch): Promise<void> {
  const { budget, guest, progress } = sweep;
  const handed = { keysCount: batch.names.count, bytesCount: batch.bytesCount };
  const tookMs = await handOver(sweep, batch, budget.throttle);
  budget.spend(handed);
  await progress.handedOver(handed);
  await guest.rest(tookMs);
}

/** The passes were at the process `swept`. If a group has another master by now, or the target knows another process as the source, they proved nothing and have to be done
 *  again: false. Whoever names another one raises the epoch, so none is between the question and the write. */
async function complete({ office, lane, source, target, progress }: Sweep, action: SweepAction, swept: string): Promise<boolean> {
  for (;;) {
    const current = await readTopology(office);
    if (requireMaster(current.topology, action.from) !== source || requireMaster(current.topology, action.to) !== target.addr) return false;
    if ((await namedSource(office, lane, target.redis)) !== swept) return false;
    const job = await readJob(office.coordinator, lane.migration);
    if (await writeCompleted(office, current, { job, action, progress })) break;
  }
  office.memory.backOffs.delete(laneKey(lane));
  return true;
}

async function writeCompleted(
  office: Office,
  { epoch, topology }: VersionedTopology,
  { job, action, progress }: { job: Job; action: SweepAction; progress: LaneProgress },
): Promise<boolean> {
  const { migration } = job;
  const moved = completeMove(topology, { slots: action.slots, migration: migration.id });
  const counted = { ...progress.addTo(migration.progress), slotsDone: slotsDone(moved, migration) };
  const arrivals = arrivalsOf(action.slots, {
    from: action.from,
    to: action.to,
    at: new Date().toISOString(),
    looked: progress.lookedByPass,
  });
  const record = setJob(job, { ...migration, progress: counted, arrivals: [...migration.arrivals, ...arrivals] });
  if (!(await writeTopology(office, { epoch, topology: moved, others: [record] }))) return false;
  progress.written();
  office.log.info({ migration: migration.id, epoch: epoch + 1, slotsCount: action.slots.length, ...counted }, 'slots moved');
  return true;
}
