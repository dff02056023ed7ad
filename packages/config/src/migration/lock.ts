// The first step of a batch: make sure that nothing stands in its way (fit.ts), fence off the proxies that can't be asked, lock the slots.
//
// Invariant: nothing is locked before the target was seen to hold no key of these slots (B wins, so an orphan there would win over real data), and no
// lost proxy is left unfenced at either side when the lock is written.

import type { Redis } from 'ioredis';
import { migrationPath } from '../coordinator/index.ts';
import {
  type Action,
  asEpoch,
  type Epoch,
  type GroupId,
  lockSlots,
  type ProxyId,
  requireGroup,
  requireMaster,
  type ServerAddr,
  slotsWhere,
  whyUnconfirmed,
} from '../model/index.ts';
import { readMending } from '../operations/index.ts';
import { batchOf, hasLookedForBigKeys, rollOf } from './big-keys/batch.ts';
import type { Batch } from './big-keys/choose.ts';
import { LOOK_TIMEOUT_MS, withControlled } from './controlled.ts';
import { slotsAtOnce } from './courtesy.ts';
import { nameSource } from './departures.ts';
import { fence } from './fence.ts';
import { isFit, look } from './fit.ts';
import type { Lanes } from './lanes.ts';
import { sortAbsences } from './lost-proxies.ts';
import { serverTrouble } from './server-trouble.ts';
import { courtesyAt, type Lane, laneKey, type Office, type Outcome, PROGRESSED, UNDER_WAY, waiting, writeTopology } from './turn.ts';
import type { Job, World } from './world.ts';

type LockAction = Extract<Action, { kind: 'lock' }>;

interface Locking {
  readonly job: Job;
  readonly action: LockAction;
  /** Looks that are under way. */
  readonly looks: Lanes;
}

/** How soon a look at a server that was not fit is repeated. */
const RETRY_MS = 2000;
const DOUBT_RETRY_MS = 200;

export async function lock(office: Office, world: World, { job, action, looks }: Locking): Promise<Outcome> {
  const mending = await readMending(office.coordinator);
  if (mending !== null) return waiting(`${mending}; the move goes on when that is done`, RETRY_MS);
  const { from, to } = action;
  if (job.migration.durable && requireGroup(world.topology, to).servers.length < 2) return waiting(noReplicaText(to), RETRY_MS);
  const lane: Lane = { migration: job.migration.id, from, to };
  const source = requireMaster(world.topology, from);
  if (!isFit(office, world, lane) || !hasLookedForBigKeys(office, job, source)) return startLook(office, world, { job, action, looks });
  // One lock at a time: an ack is about all that its epoch locks, and a slow server of one lane is nothing to another.
  if (slotsWhere(world.topology, ({ kind }) => kind === 'locked').length > 0) return UNDER_WAY;
  const unconfirmed = whyUnconfirmed(world.proxies, [source, requireMaster(world.topology, to)]);
  if (unconfirmed !== null) return waiting(unconfirmed, DOUBT_RETRY_MS);
  const batch = batchOf(office, job, { slots: action.slots.slice(0, slotsMax(office, job, { action, lane, source })), source });
  const { lost, doubtful } = sortAbsences(office.memory.absences, {
    nowMs: performance.now(),
    timeoutMs: office.settings.proxy_lost_timeout * 1000,
  });
  if (doubtful.length > 0) return waiting(doubtText(doubtful, office.settings.proxy_lost_timeout), DOUBT_RETRY_MS);
  const trouble = await fenceOff(office, world, action, lost);
  if (trouble !== null) return waiting(trouble, RETRY_MS);
  const unnamed = await nameSourceAtTarget(office, world, action);
  if (unnamed !== null) return waiting(unnamed, RETRY_MS);
  if (await write(office, world, job, { to, ...batch })) office.memory.fits.delete(laneKey(lane));
  return PROGRESSED;
}

/** Fewer where proxies were too slow for as many, and where clients ask the source for much. */
function slotsMax(office: Office, job: Job, { action, lane, source }: { action: LockAction; lane: Lane; source: ServerAddr }): number {
  const isStated = job.migration.throttle.sharePercent !== null;
  const keysPerSlot = (rollOf(office, job, source)?.roll.keysCount ?? 0) / action.slots.length;
  const besideClients = isStated ? Number.POSITIVE_INFINITY : slotsAtOnce(courtesyAt(office, source).rate, keysPerSlot);
  return Math.min(besideClients, office.memory.batchSlots.get(laneKey(lane)) ?? Number.POSITIVE_INFINITY);
}

/** Beside the turns, at most one for each pair of groups. What the last one found is still the reason to wait while it is looked again. */
function startLook(office: Office, world: World, { job, action, looks }: Locking): Outcome {
  const { from, to } = action;
  const lane: Lane = { migration: job.migration.id, from, to };
  if (looks.find((other) => other.from === from && other.to === to) === null) {
    looks.start(lane, (stop) => look(office, world, { job, action, stop }));
  }
  const backOff = office.memory.backOffs.get(laneKey(lane));
  if (backOff) return waiting(backOff.reason, RETRY_MS);
  const { owedMs } = courtesyAt(office, requireMaster(world.topology, from));
  return owedMs > RETRY_MS ? waiting(`group ${from} is left to its clients for ${Math.round(owedMs / 1000)} s`, RETRY_MS) : UNDER_WAY;
}

const noReplicaText = (group: GroupId) =>
  `group ${group} has no replica, and a durable migration gives keys up only when replicas have them; add one with: codis-config server add ${group} <host:port> replica`;

export function doubtText(doubtful: readonly ProxyId[], timeoutSeconds: number): string {
  return `proxy ${doubtful.join(', ')} has no session; the move goes on when it is back, or fenced off after ${timeoutSeconds} s`;
}

async function write(office: Office, world: World, { migration, version }: Job, lock: Batch & { to: GroupId }): Promise<boolean> {
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
  return written;
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

/** Here and not when the pair was looked at, so that no other migration between the two began meanwhile. Returns why it can't be done, null when it is. */
async function nameSourceAtTarget(office: Office, world: World, { from, to }: LockAction): Promise<string | null> {
  const [source, target] = [from, to].map((id) => requireMaster(world.topology, id)) as [ServerAddr, ServerAddr];
  const at = (addr: ServerAddr, use: (redis: Redis) => Promise<void>) => withControlled(office, addr, use, LOOK_TIMEOUT_MS);
  try {
    await at(source, (left) => at(target, (right) => nameSource(office, world, { from, to }, { from: left, to: right })));
    return null;
  } catch (error) {
    return `group ${to} can't be told which server its keys will come from: ${serverTrouble(source, error)}`;
  }
}
