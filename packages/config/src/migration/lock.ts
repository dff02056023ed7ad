// The first step of a batch: make sure that nothing stands in its way, fence off the proxies that can't be asked, lock the slots.
//
// Invariant: nothing is locked before the target was seen to hold no key of these slots (B wins, so an orphan there would win over real data), and no
// lost proxy is left unfenced at either side when the lock is written.

import type { Redis } from 'ioredis';
import { migrationPath } from '../coordinator/index.ts';
import {
  type Action,
  asEpoch,
  CodisError,
  type Epoch,
  type GroupId,
  lockSlots,
  type ProxyId,
  requireGroup,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotOf,
  slotState,
  slotsWhere,
  targets,
} from '../model/index.ts';
import { readMending } from '../operations/index.ts';
import { probe } from '../redis/probe.ts';
import { batchOf, lookForBigKeys } from './big-keys/batch.ts';
import type { Batch } from './big-keys/choose.ts';
import { LOOK_TIMEOUT_MS, withControlled } from './controlled.ts';
import { fence } from './fence.ts';
import { sortAbsences } from './lost-proxies.ts';
import { tryHandOver, withAdvice } from './preflight.ts';
import { scanSlots } from './scan.ts';
import { serverTrouble } from './server-trouble.ts';
import { withTarget } from './target.ts';
import { laneKey, type Office, type Outcome, PROGRESSED, UNDER_WAY, waiting, writeTopology } from './turn.ts';
import type { Job, World } from './world.ts';

type LockAction = Extract<Action, { kind: 'lock' }>;

/** How soon a look at a server that was not fit is repeated. */
const RETRY_MS = 2000;
const DOUBT_RETRY_MS = 200;
const EXAMPLES_MAX = 3;

export async function lock(office: Office, world: World, job: Job, whole: LockAction): Promise<Outcome> {
  // One lock at a time: an ack is about all that its epoch locks, and a slow server of one lane is nothing to another.
  if (slotsWhere(world.topology, ({ kind }) => kind === 'locked').length > 0) return UNDER_WAY;
  const mending = await readMending(office.coordinator);
  if (mending !== null) return waiting(`${mending}; the move goes on when that is done`, RETRY_MS);
  const lane = { migration: job.migration.id, from: whole.from, to: whole.to };
  const action = { ...whole, slots: whole.slots.slice(0, office.memory.batchSlots.get(laneKey(lane)) ?? whole.slots.length) };
  const unfit = await findObstacle(office, world, job, action);
  if (unfit !== null) return waiting(unfit, RETRY_MS);
  const source = requireMaster(world.topology, action.from);
  try {
    if (await lookForBigKeys(office, job, source)) return PROGRESSED;
  } catch (error) {
    return waiting(`the source can't be looked through for big keys: ${serverTrouble(source, error)}`, RETRY_MS);
  }
  const { lost, doubtful } = sortAbsences(office.memory.absences, {
    nowMs: performance.now(),
    timeoutMs: office.settings.proxy_lost_timeout * 1000,
  });
  if (doubtful.length > 0) return waiting(doubtText(doubtful, office.settings.proxy_lost_timeout), DOUBT_RETRY_MS);
  const trouble = await fenceOff(office, world, action, lost);
  if (trouble !== null) return waiting(trouble, RETRY_MS);
  await write(office, world, job, { to: action.to, ...batchOf(office, job, { slots: action.slots, source }) });
  return PROGRESSED;
}

export function doubtText(doubtful: readonly ProxyId[], timeoutSeconds: number): string {
  return `proxy ${doubtful.join(', ')} has no session; the move goes on when it is back, or fenced off after ${timeoutSeconds} s`;
}

async function write(office: Office, world: World, { migration, version }: Job, lock: Batch & { to: GroupId }): Promise<void> {
  const { slots, to, bigKeys } = lock;
  const topology = lockSlots(world.topology, {
    slots,
    to,
    migration: migration.id,
    durable: migration.durable,
    epoch: asEpoch(world.epoch + 1),
    leaseMs: office.settings.slot_lock_lease_ms,
    bigKeys,
  });
  const check = { op: 'check', path: migrationPath(migration.id), version } as const;
  const written = await writeTopology(office, { epoch: world.epoch, topology, others: [check] });
  if (written) office.log.info({ migration: migration.id, epoch: world.epoch + 1, slotsCount: slots.length }, 'slots locked');
}

/** Fences the lost proxies off both groups at the epoch that the lock will have: the source, which they might go on using, and the target, which they might
 *  still ask to hand keys over if they froze while the same slots moved the other way. Returns why it can't be done, null when it is. */
async function fenceOff(office: Office, world: World, { from, to }: LockAction, lost: readonly ProxyId[]): Promise<string | null> {
  office.memory.fences.delete(from);
  if (lost.length === 0) return null;
  const epoch = asEpoch(world.epoch + 1);
  const trouble = await fenceOffGroups(office, world, { groups: [from, to], lost, epoch });
  if (trouble === null) office.memory.fences.set(from, { epoch, proxies: new Set(lost) });
  return trouble;
}

/** Returns why it can't be done, null when it is. */
export async function fenceOffGroups(
  office: Office,
  world: World,
  { groups, lost, epoch }: { groups: readonly GroupId[]; lost: readonly ProxyId[]; epoch: Epoch },
): Promise<string | null> {
  for (const id of groups) {
    const trouble = await fenceOffGroup(office, world, { id, lost, epoch });
    if (trouble !== null) return trouble;
  }
  return null;
}

async function fenceOffGroup(
  office: Office,
  world: World,
  { id, lost, epoch }: { id: GroupId; lost: readonly ProxyId[]; epoch: Epoch },
): Promise<string | null> {
  const { product_name: product, product_auth: password } = office.settings;
  try {
    office.memory.markers.set(id, epoch);
    const { killedCount, unreachable } = await fence({ product, password, group: requireGroup(world.topology, id), proxies: lost, epoch });
    office.log.warn({ group: id, proxies: lost, epoch, killedCount, unreachable }, 'lost proxies fenced off');
    return null;
  } catch (error) {
    return `lost proxy ${lost.join(', ')} can't be fenced off group ${id}: ${serverTrouble(requireMaster(world.topology, id), error)}`;
  }
}

/** Why this batch can't be locked now; null when it can. */
async function findObstacle(office: Office, world: World, job: Job, action: LockAction): Promise<string | null> {
  const source = requireMaster(world.topology, action.from);
  if (job.migration.durable && requireGroup(world.topology, action.to).servers.length < 2) {
    return `group ${action.to} has no replica, and a durable migration gives keys up only when replicas have them; add one with: codis-config server add ${action.to} <host:port> replica`;
  }
  try {
    return await withControlled(
      office,
      source,
      async (redis) => {
        await checkMaster(redis, source, office.settings.product_name);
        return findTargetObstacle(office, { world, job, action, source, from: redis });
      },
      LOOK_TIMEOUT_MS,
    );
  } catch (error) {
    return withAdvice(`the source can't be used: ${serverTrouble(source, error)}`);
  }
}

async function findTargetObstacle(
  office: Office,
  { world, job, action, source, from }: { world: World; job: Job; action: LockAction; source: ServerAddr; from: Redis },
): Promise<string | null> {
  const { product_name: product, product_auth: password } = office.settings;
  const target = requireMaster(world.topology, action.to);
  try {
    return await withControlled(
      office,
      target,
      async (to) => {
        await checkMaster(to, target, product);
        const orphans = await findOrphans(office, to, { world, job, addr: target, group: action.to });
        return orphans ?? (await tryHandOver({ from, to }, { source, target, product, password }));
      },
      LOOK_TIMEOUT_MS,
    );
  } catch (error) {
    return withAdvice(`the target can't be used: ${serverTrouble(target, error)}`);
  }
}

/** Throws CODIS_E_SERVER_WRONG_ROLE for what the topology calls a master and is none. */
async function checkMaster(redis: Redis, addr: ServerAddr, product: string): Promise<void> {
  const { role } = await probe(addr, redis, product);
  if (role === 'master') return;
  throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${addr} is a replica, though the topology has it as a master; promote the right one`);
}

/** Looks for keys at the target that belong to slots it shall get; once for all slots of the migration, for nothing else writes there. */
async function findOrphans(
  office: Office,
  redis: Redis,
  { world, job, addr, group }: { world: World; job: Job; addr: ServerAddr; group: GroupId },
): Promise<string | null> {
  const known = `${job.migration.id} ${addr}`;
  if (office.memory.cleanTargets.has(known)) return null;
  const slots = slotsToCome(world, job, group);
  const examples: string[] = [];
  for await (const { db, keys } of scanSlots(redis, { addr, slots, product: office.settings.product_name })) {
    for (const key of keys) examples.push(`${printable(key)} (slot ${slotOf(key)}, database ${db})`);
    if (examples.length >= EXAMPLES_MAX) break;
  }
  if (examples.length === 0) {
    // A replica that has not heard that keys have left would, as a master, have them as if they were new.
    if (job.migration.durable) await withTarget(office, requireGroup(world.topology, group), (target) => target.replicated());
    office.memory.cleanTargets.add(known);
    return null;
  }
  return `group ${group}'s master ${addr} holds keys of slots it does not own, like ${examples.slice(0, EXAMPLES_MAX).join(', ')}; look at them with: codis-config key mend --group ${group} --dry-run`;
}

function slotsToCome({ topology }: World, { migration }: Job, group: GroupId): ReadonlySet<Slot> {
  const slots = new Set<Slot>();
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (to === group && state.kind === 'online' && state.owner !== group) slots.add(slot);
  }
  return slots;
}

function printable(key: Buffer): string {
  return JSON.stringify(key.toString('latin1').slice(0, 64));
}
