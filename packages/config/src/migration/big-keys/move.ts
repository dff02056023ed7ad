// One big key's way from source to target, a step of it at a time. How far it is stands in the topology alone; every step may be done again by another
// controller that died at any line.
//
//   copying ──copy made and compared──▶ (lost proxies fenced) ──▶ switching ──all acked──▶ renamed at the target, deleted at the source ──▶ not listed
//      ▲                                                              │
//      └──── lease over, a proxy lost, the copy spoilt ◀──────────────┘  never once the key is at the target
//
// Invariant: the key is deleted at the source only when it is at the target under its own name, and it comes to be there only when every proxy has
// acknowledged that it is not to be read at the source. So a key that is found at the target proves that they had.

import {
  arrivalKey,
  asEpoch,
  type BigKeyStep,
  CodisError,
  type Epoch,
  HAND_OVER_SCRIPT,
  type KeyName,
  type ListedKey,
  missingAcks,
  type ProxyId,
  parseAddr,
  requireGroup,
  requireMaster,
  type Slot,
  type SlotState,
  slotState,
  startSwitching,
  stopSwitching,
  type Topology,
  unlistBigKey,
} from '../../model/index.ts';
import { probe } from '../../redis/probe.ts';
import { withControlled } from '../controlled.ts';
import { doubtText, fenceOffGroups } from '../lock.ts';
import { sortAbsences } from '../lost-proxies.ts';
import { serverTrouble } from '../server-trouble.ts';
import { withTarget } from '../target.ts';
import { backingOff, changeJob, type Lane, laneKey, type Office, type Outcome, PROGRESSED, waiting, writeTopology } from '../turn.ts';
import type { World } from '../world.ts';
import { copyBigKey, dropCopy, type Ends, isComplete } from './copy.ts';

interface Listed {
  readonly slot: Slot;
  readonly bigKey: ListedKey;
}

/** What a step is about. */
export interface BigKeyWork extends Listed {
  readonly lane: Lane;
  /** The source gives it up only when all replicas of the target have it. */
  readonly durable?: boolean;
}

/** What it works with. */
interface Move extends BigKeyWork {
  readonly office: Office;
  readonly world: World;
  readonly step: BigKeyStep;
}

/** Acks are watched for; this is for a watch that comes late, and for the lease. */
const LOOK_AGAIN_MS = 50;
const DOUBT_RETRY_MS = 200;
const FENCE_RETRY_MS = 2000;
/** After so many copies that came out wrong (the target may throw away what it has no memory for) it is moved in one step. */
const SPOILT_MAX = 3;
/** What PTTL says of a key that is not there (any more). */
const EXPIRED = -2;
/** How long MIGRATE may wait for the target when a big key is handed over in one step after all. */
const WHOLE_TIMEOUT_MS = 30_000;

/** The key to go on with: one that is switching, for which everybody waits, or the first. */
export function nextBigKey(topology: Topology, slots: readonly Slot[]): Listed | null {
  const all = slots.flatMap((slot) => bigKeysOf(slotState(topology, slot)).map((bigKey) => ({ slot, bigKey })));
  return all.find(({ bigKey }) => bigKey.phase === 'switching') ?? all[0] ?? null;
}

/** Whether its copy has to be made first, which takes a while. */
export function isToBeCopied(office: Office, lane: Lane, { bigKey }: Listed): boolean {
  const name = nameOf(lane, bigKey);
  return bigKey.phase === 'copying' && !office.memory.bigKeys.copied.has(name) && !office.memory.bigKeys.whole.has(name);
}

/** Makes the copy, beside the controller's turns, within the budget of its migration. Pausing that does not end it, for who writes the key waits. */
export function copyListed(office: Office, world: World, work: BigKeyWork): Promise<Outcome> {
  const move = moveOf(office, world, work);
  return attempt(move, async () => {
    await copy(move);
    return PROGRESSED;
  });
}

/** The next step for a key whose copy is made: a matter of milliseconds. */
export function switchOver(office: Office, world: World, work: BigKeyWork): Promise<Outcome> {
  const move = moveOf(office, world, work);
  const { bigKey } = work;
  return attempt(move, () => (bigKey.phase === 'switching' ? bringHome(move, bigKey.epoch) : beginSwitch(move)));
}

function moveOf(office: Office, world: World, work: BigKeyWork): Move {
  const { slot, bigKey, lane } = work;
  return { ...work, office, world, step: { slot, migration: lane.migration, db: bigKey.db, key: bigKey.key } };
}

async function attempt({ office, lane, slot }: Move, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    const { from, to } = lane;
    return backingOff(
      office,
      lane,
      `a big key of slot ${slot} does not get from group ${from} to group ${to}: ${serverTrouble(`group ${from}`, error)}`,
    );
  }
}

function bigKeysOf(state: SlotState): readonly ListedKey[] {
  return state.kind === 'migrating' ? (state.bigKeys ?? []) : [];
}

/** Within a term; the copy itself is looked at again before it is used. */
function nameOf({ migration }: Lane, { db, key }: KeyName): string {
  return `${migration} ${db}:${key}`;
}

async function copy(move: Move): Promise<void> {
  const { copied, whole } = move.office.memory.bigKeys;
  const startedMs = performance.now();
  await withBothEnds(move, async (ends) => {
    if (await isHome(ends)) {
      copied.add(nameOf(move.lane, move.bigKey));
      return;
    }
    const budget = move.office.memory.budgets.get(move.lane.migration);
    const outcome = await copyBigKey(ends, async (bytesCount) => {
      budget?.spend({ keysCount: 0, bytesCount });
      await budget?.paid(move.office.signal);
    });
    if (outcome.kind === 'copied' && !(await isComplete(ends)) && (await ends.from.redis.exists(ends.from.key)) === 1) throw spoilt(move);
    if (outcome.kind !== 'copied') await dropCopy(ends.to);
    if (outcome.kind === 'whole') {
      whole.add(nameOf(move.lane, move.bigKey));
      move.office.log.warn({ ...logged(move), why: outcome.why }, 'a big key can’t be taken apart, and moves in one step');
    } else copied.add(nameOf(move.lane, move.bigKey));
    move.office.log.info({ ...logged(move), outcome: outcome.kind, tookMs: Math.round(performance.now() - startedMs) }, 'big key copied');
  });
}

/** The copy was not what it should be. It is made anew, but not for ever. */
function spoilt({ office: { memory }, lane, bigKey, slot }: Move): CodisError {
  const name = nameOf(lane, bigKey);
  const times = (memory.bigKeys.spoilt.get(name) ?? 0) + 1;
  memory.bigKeys.spoilt.set(name, times);
  memory.bigKeys.copied.delete(name);
  if (times >= SPOILT_MAX) memory.bigKeys.whole.add(name);
  return new CodisError(
    'CODIS_E_SERVER_UNREACHABLE',
    `its copy for slot ${slot} is not complete (was it evicted, or the master replaced?)`,
  );
}

/** Nobody who can't be asked may go on reading at the source: as before a lock. The world may have changed while the copy was made: then the write fails, and the
 *  next turn does this again. */
async function beginSwitch(move: Move): Promise<Outcome> {
  const { office, world, step } = move;
  const { from, to } = move.lane;
  const { lost, doubtful } = sortAbsences(office.memory.absences, {
    nowMs: performance.now(),
    timeoutMs: office.settings.proxy_lost_timeout * 1000,
  });
  if (doubtful.length > 0) return waiting(doubtText(doubtful, office.settings.proxy_lost_timeout), DOUBT_RETRY_MS);
  const epoch = asEpoch(world.epoch + 1);
  const trouble = lost.length === 0 ? null : await fenceOffGroups(office, world, { groups: [from, to], lost, epoch });
  if (trouble !== null) return waiting(trouble, FENCE_RETRY_MS);
  const topology = startSwitching(world.topology, { ...step, epoch });
  if (await writeTopology(office, { epoch: world.epoch, topology })) {
    office.memory.bigKeys.switches.set(epoch, { sinceMs: performance.now(), fenced: new Set(lost) });
    office.log.info({ ...logged(move), epoch }, 'big key switching');
  }
  return PROGRESSED;
}

/** Everybody waits for the key by now, or soon. */
async function bringHome(move: Move, epoch: Epoch): Promise<Outcome> {
  const { office, world } = move;
  const { behind, lost } = missingAcks(world.proxies, epoch);
  const known = office.memory.bigKeys.switches.get(epoch) ?? { sinceMs: performance.now(), fenced: new Set<ProxyId>() };
  office.memory.bigKeys.switches.set(epoch, known);
  const unfenced = lost.filter((id) => !known.fenced.has(id));
  if (behind.length === 0 && unfenced.length === 0) return finish(move);
  const expired = performance.now() - known.sinceMs >= office.settings.slot_lock_lease_ms;
  if (unfenced.length === 0 && !expired) return waiting(null, LOOK_AGAIN_MS);
  return giveUp(move, [...behind, ...unfenced]);
}

/** Back to being read at the source, unless it is at the target: then all had agreed, and a controller died before it could say so. */
async function giveUp(move: Move, missing: readonly ProxyId[]): Promise<Outcome> {
  const home = await withBothEnds(move, isHome);
  if (home) return finish(move);
  const reason = `proxy ${missing.join(', ')} did not take up in time that a big key of slot ${move.slot} is switched over; it is tried again`;
  return backToCopying(move, reason);
}

async function backToCopying(move: Move, reason: string): Promise<Outcome> {
  const { office, world, lane, step } = move;
  await writeTopology(office, { epoch: world.epoch, topology: stopSwitching(world.topology, step) });
  office.log.warn({ ...logged(move), reason }, 'the switch of a big key is given up');
  return backingOff(office, lane, reason);
}

async function finish(move: Move): Promise<Outcome> {
  const { office, world, lane, step, bigKey } = move;
  const { memory } = office;
  const problem = await withBothEnds(move, (ends) => settle(move, ends));
  if (problem !== null) return backToCopying(move, serverTrouble('', problem));
  if (await writeTopology(office, { epoch: world.epoch, topology: unlistBigKey(world.topology, step) })) {
    for (const learnt of [memory.bigKeys.copied, memory.bigKeys.whole, memory.bigKeys.spoilt]) learnt.delete(nameOf(lane, bigKey));
    if (bigKey.phase === 'switching') memory.bigKeys.switches.delete(bigKey.epoch);
    memory.backOffs.delete(laneKey(lane));
    office.log.info(logged(move), 'big key moved');
    await changeJob(office, lane.migration, (migration) => ({
      ...migration,
      progress: { ...migration.progress, keysSwept: migration.progress.keysSwept + 1 },
    }));
  }
  return PROGRESSED;
}

/** Brings the key to the target under its own name, and away from the source. Returns what is wrong with the copy; null when all is done. */
async function settle(move: Move, ends: Ends & Named): Promise<CodisError | null> {
  const { from, to, name } = ends;
  const { whole } = move.office.memory.bigKeys;
  if (!(await isHome(ends)) && (await from.redis.exists(name)) === 1) {
    if (whole.has(nameOf(move.lane, move.bigKey))) await handOverWhole(move, ends);
    else if (await isComplete(ends)) await rename(ends);
    else if ((await from.redis.exists(name)) === 1) return spoilt(move);
  }
  await dropCopy(to);
  // Not before it is seen to be at the target. What is at neither has expired or was flushed.
  if ((await isHome(ends)) && (move.durable !== true || (await isReplicated(move, ends)))) await from.redis.unlink(name);
  return (await from.redis.exists(name)) === 1 ? spoilt(move) : null;
}

/** Throws CODIS_E_TIMEOUT when the replicas of the target take too long: then it is at both, which the next attempt finds. The replicas are asked about over
 *  a new connection: what is found over the old one afterwards tells whether that is still to the server that has the key. */
async function isReplicated({ office, world, lane }: Move, ends: Ends & Named): Promise<boolean> {
  await withTarget(office, requireGroup(world.topology, lane.to), (target) => target.replicated());
  return isHome(ends);
}

async function rename({ from, to, name }: Ends & Named): Promise<void> {
  const ttlMs = await from.redis.pttl(name);
  if (ttlMs === EXPIRED) return;
  if (ttlMs >= 0) await to.redis.pexpire(to.key, Math.max(1, ttlMs));
  await to.redis.renamenx(to.key, name);
}

async function handOverWhole({ office, bigKey, durable }: Move, { from, to, name }: Ends & Named): Promise<void> {
  const { host, port } = parseAddr(to.addr);
  const args = [host, port, bigKey.db, WHOLE_TIMEOUT_MS, office.settings.product_auth, durable === true ? 'COPY' : ''];
  await from.redis.eval(HAND_OVER_SCRIPT, 1, name, ...args);
}

interface Named {
  /** The key's own name. */
  readonly name: Buffer;
}

const isHome = async ({ to, name }: Ends & Named): Promise<boolean> => (await to.redis.exists(name)) === 1;

/** Runs `use` with connections to both masters, in the key's database. Throws CODIS_E_SERVER_WRONG_ROLE, and as `withControlled`. */
async function withBothEnds<T>(move: Move, use: (ends: Ends & Named) => Promise<T>): Promise<T> {
  const { office, world, bigKey } = move;
  const product = office.settings.product_name;
  const source = requireMaster(world.topology, move.lane.from);
  const target = requireMaster(world.topology, move.lane.to);
  const name = Buffer.from(bigKey.key, 'latin1');
  return withControlled(office, source, (one) =>
    withControlled(office, target, async (two) => {
      for (const [addr, redis] of [
        [source, one],
        [target, two],
      ] as const) {
        const { role } = await probe(addr, redis, product);
        if (role !== 'master')
          throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${addr} is a replica, though the topology has it as a master`);
        await redis.select(bigKey.db);
      }
      const from = { redis: one, key: name, addr: source };
      const to = { redis: two, key: Buffer.from(arrivalKey(product, move.lane.from)), addr: target };
      return use({ from, to, name, product, migration: move.lane.migration });
    }),
  );
}

function logged({ step, lane }: Move): object {
  return { ...lane, slot: step.slot, db: step.db };
}
