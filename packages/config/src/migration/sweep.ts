// The third step of a batch: hand over what the source still has, pass by pass, until a whole pass over every database finds nothing; then the slots
// are the target's.
//
// Invariant: a move is completed only after an empty pass at the source's master, by a pass that began after the slots were migrating. From then on no
// command runs there for these slots, so what a pass did not find can't appear.

import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  type Action,
  CodisError,
  completeMove,
  HAND_OVER_SCRIPT,
  parseAddr,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotsDone,
} from '../model/index.ts';
import { readTopology } from '../operations/index.ts';
import { probe } from '../redis/probe.ts';
import { withControlled } from './controlled.ts';
import { paceAfter, paceAfterFailure } from './pace.ts';
import { type KeysPage, scanSlots } from './scan.ts';
import { serverTrouble } from './server-trouble.ts';
import { SweepReport } from './sweep-report.ts';
import { backingOff, type Office, type Outcome, PROGRESSED, setJob, writeTopology } from './turn.ts';
import type { Job, World } from './world.ts';

type SweepAction = Extract<Action, { kind: 'sweep' }>;

/** What one sweep is about. */
interface Sweep {
  readonly source: ServerAddr;
  readonly target: ServerAddr;
  readonly slots: ReadonlySet<Slot>;
  readonly delayMs: number;
  readonly report: SweepReport;
}

export async function sweep(office: Office, world: World, job: Job, action: SweepAction): Promise<Outcome> {
  const report = new SweepReport(office, job);
  try {
    const source = requireMaster(world.topology, action.from);
    const target = requireMaster(world.topology, action.to);
    const plan = { source, target, slots: new Set(action.slots), delayMs: job.migration.delayMs, report };
    await withControlled(office, source, (redis) => passUntilEmpty(office, redis, plan));
    return await complete(office, report.job, { action, source });
  } catch (error) {
    const reason = `keys of group ${action.from} don't get to group ${action.to}: ${serverTrouble(`group ${action.from}`, error)}`;
    await report.flush();
    return backingOff(office, report.job, reason);
  }
}

async function passUntilEmpty(office: Office, redis: Redis, sweep: Sweep): Promise<void> {
  const { role } = await probe(sweep.source, redis, office.settings.product_name);
  if (role !== 'master') {
    throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${sweep.source} is a replica, though the topology has it as a master`);
  }
  while ((await pass(office, redis, sweep)) > 0);
}

/** One look at every key of the source. Returns how many keys it handed over. */
async function pass(office: Office, redis: Redis, sweep: Sweep): Promise<number> {
  let handedCount = 0;
  for await (const page of scanSlots(redis, { addr: sweep.source, slots: sweep.slots, product: office.settings.product_name })) {
    for (let at = 0; at < page.keys.length; ) {
      const keys = page.keys.slice(at, at + office.memory.pace.keysCount);
      await handOver(office, redis, { ...sweep, page: { db: page.db, keys } });
      at += keys.length;
      handedCount += keys.length;
      await sweep.report.handedOver(keys.length);
      if (sweep.delayMs > 0) await pause(sweep.delayMs, undefined, { signal: office.signal });
    }
  }
  return handedCount;
}

/** One hand-over, on a connection that is in the page's database. */
async function handOver(office: Office, redis: Redis, { page, target }: { page: KeysPage; target: ServerAddr }): Promise<void> {
  const { memory, settings } = office;
  const { host, port } = parseAddr(target);
  const { keys, db } = page;
  const startedMs = performance.now();
  try {
    await redis.eval(HAND_OVER_SCRIPT, keys.length, ...keys, host, port, db, memory.pace.timeoutMs, settings.product_auth);
  } catch (error) {
    memory.pace = paceAfterFailure(memory.pace);
    throw error;
  }
  memory.pace = paceAfter(memory.pace, { keysCount: keys.length, tookMs: performance.now() - startedMs });
}

/** The pass was at `source`; if the group has another master by now, it proved nothing and has to be done there. */
async function complete(office: Office, job: Job, { action, source }: { action: SweepAction; source: ServerAddr }): Promise<Outcome> {
  const { epoch, topology } = await readTopology(office);
  if (requireMaster(topology, action.from) !== source) return PROGRESSED;
  const { migration } = job;
  const moved = completeMove(topology, { slots: action.slots, migration: migration.id });
  const progress = { ...migration.progress, slotsDone: slotsDone(moved, migration) };
  const record = setJob(job, { ...migration, progress, waiting: null });
  if (await writeTopology(office, { epoch, topology: moved, others: [record] })) {
    office.memory.backOffs.delete(migration.id);
    office.log.info({ migration: migration.id, epoch: epoch + 1, slotsCount: action.slots.length, ...progress }, 'slots moved');
  }
  return PROGRESSED;
}
