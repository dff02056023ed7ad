// Looking after the source of slots that are moving: whether it is still the process that it was, and if not, how far back it is (model/departures.ts). A restart
// and a promotion both make it another process, mostly one that has lost nothing; then nothing is to be done but to say so.
//
// Invariant: a source is named at the target only when nothing is at it that had left before, as far as any client has asked for it.

import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  BEGIN_OR_END_SCRIPT,
  COUNT_FROM_SCRIPT,
  CodisError,
  type DepartureKeys,
  DOUBT_SCRIPT,
  departureKeys,
  encodeGoing,
  findGroup,
  type GroupId,
  isCodisError,
  type MigrationId,
  masterOf,
  missingAcks,
  type ProxyView,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotOf,
  slotsWhere,
  type Topology,
  TRUST_SCRIPT,
  type VersionedTopology,
} from '../model/index.ts';
import { listProxies, readTopology } from '../operations/index.ts';
import { probe, withRedis } from '../redis/probe.ts';
import { LOOK_TIMEOUT_MS, withControlled } from './controlled.ts';
import type { Lanes } from './lanes.ts';
import { isServerTrouble, serverTrouble } from './server-trouble.ts';
import type { Beside } from './step.ts';
import { type Lane, laneKey, type Office, ownWritesAt, PROGRESSED, type Way, writeTopology } from './turn.ts';
import type { World } from './world.ts';

/** Connections to both masters, in database 0. */
interface Ends {
  readonly from: Redis;
  readonly to: Redis;
}

const CHECK_EVERY_MS = 1000;
const SOON_MS = 1000;
const ASK_AGAIN_MS = 20;
const DELETE_KEYS_MAX = 1000;
const TRIES_MAX = 5;
/** What is done for a way is no migration's. */
const NO_MIGRATION = 0 as MigrationId;

/** Before slots are locked: begins anew, with the process that is the source now. Not while other slots go the same way, for which that was done. A proxy that has not
 *  heard yet that earlier ones have arrived is told so by the epoch. */
export async function nameSource(office: Office, { epoch, topology }: World, way: Way, { from, to }: Ends): Promise<void> {
  if (migrating(topology, way).length > 0) return;
  const { product_name: product } = office.settings;
  const { handed, source, left } = departureKeys(product, way);
  await oneAtATime(office, way, async () => {
    office.memory.keptWays.set(wayKey(way), { way, isEnded: false });
    const { runId } = await probe(requireMaster(topology, way.from), from, product);
    await ownWritesAt(office, requireMaster(topology, way.from)).count(async () =>
      Number(await from.eval(COUNT_FROM_SCRIPT, 1, handed, 0)),
    );
    await to.eval(BEGIN_OR_END_SCRIPT, 2, source, left, epoch, runId);
  });
}

/** Makes sure, for a connection to the source, that the target knows the process at its other end; if it is another one, takes away what is stale of it first. Throws
 *  CODIS_E_SOURCE_WENT_BACK when that can't be known, and what a server does wrong. */
export async function knowSource(office: Office, topology: Topology, way: Way, from: Redis): Promise<void> {
  const know = async (to: Redis) => {
    for (let tries = 1; !(await isKnown(office, topology, way, { from, to })); tries++)
      if (tries === TRIES_MAX) throw new CodisError('CODIS_E_TIMEOUT', `the source of group ${way.from} changes all the time`);
  };
  await oneAtATime(office, way, () => withControlled(office, requireMaster(topology, way.to), know, LOOK_TIMEOUT_MS));
}

/** The process that the target has as the source; null when it has none. */
export function namedSource({ settings }: Office, way: Way, to: Redis): Promise<string | null> {
  return to.hget(departureKeys(settings.product_name, way).source, 'run');
}

/** What is stale for one look at a source is so no longer when another has named it: its slots may have arrived, and come back. */
async function oneAtATime<T>({ memory }: Office, way: Way, act: () => Promise<T>): Promise<T> {
  const before = memory.naming.get(wayKey(way));
  const mine = (before ?? Promise.resolve()).then(act, act);
  memory.naming.set(wayKey(way), mine);
  return mine;
}

/** Once a second and after every promotion, also while the migration is paused: clients wait for it. */
export function watchSources(office: Office, topology: Topology, checks: Lanes): void {
  const { sourcesCheckedAt, sourceTroubles } = office.memory;
  const nowMs = performance.now();
  for (const lane of lanesOf(topology)) {
    keep(office, lane);
    const [source, target] = [lane.from, lane.to].map((id) => masterIn(topology, id));
    const what = `${laneKey(lane)} ${source} ${target}`;
    if (!source || !target || checks.isRunning(lane) || nowMs - (sourcesCheckedAt.get(what) ?? Number.NEGATIVE_INFINITY) < CHECK_EVERY_MS)
      continue;
    sourcesCheckedAt.set(what, nowMs);
    checks.start(lane, async () => {
      try {
        if (!(await isNamed(office, lane, { source, target })))
          await withControlled(office, source, (from) => knowSource(office, topology, lane, from), LOOK_TIMEOUT_MS);
        sourceTroubles.delete(laneKey(lane));
      } catch (error) {
        const reason = serverTrouble(source, error);
        office.log.debug({ ...lane, reason }, 'a source could not be looked at');
        if (isCodisError(error, 'CODIS_E_SOURCE_WENT_BACK')) sourceTroubles.set(laneKey(lane), reason);
      }
      return PROGRESSED;
    });
  }
}

/** Takes away what is kept of ways that no slot goes any more, when every proxy knows that. As long as one can't be asked that should serve, it stays at the target that all
 *  has arrived: that one needs no source any more. */
export function endDepartures(
  office: Office,
  { epoch, topology, proxies }: World,
  { sweeps, checks }: Pick<Beside, 'sweeps' | 'checks'>,
): void {
  const { keptWays, sourcesCheckedAt } = office.memory;
  if (keptWays.size === 0 || missingAcks(proxies, epoch).behind.length > 0) return;
  const nowMs = performance.now();
  for (const [what, { way, isEnded }] of keptWays) {
    const lane = { ...way, migration: NO_MIGRATION };
    if ((isEnded && !canAllBeAsked(proxies)) || isUsed(topology, way) || checks.isRunning(lane)) continue;
    if (sweeps.find(({ from, to }) => from === way.from && to === way.to) !== null) continue;
    if (nowMs - (sourcesCheckedAt.get(what) ?? Number.NEGATIVE_INFINITY) < CHECK_EVERY_MS) continue;
    checks.start(lane, async () => {
      await endWay(office, way, canAllBeAsked(proxies));
      return PROGRESSED;
    });
  }
}

/** When slots have just arrived: the same, if every proxy that can be asked knows it soon, so that mostly nothing is left behind when a migration is over. */
export async function endSoon(office: Office, way: Way): Promise<void> {
  const untilMs = performance.now() + SOON_MS;
  while (performance.now() < untilMs) {
    const { epoch, topology } = await readTopology(office);
    if (isUsed(topology, way)) return;
    const proxies = await listProxies(office.coordinator);
    if (missingAcks(proxies, epoch).behind.length === 0) return endWay(office, way, canAllBeAsked(proxies));
    await pause(ASK_AGAIN_MS, undefined, { signal: office.signal });
  }
}

function canAllBeAsked(proxies: readonly ProxyView[]): boolean {
  return !proxies.some(({ live, wanted }) => live === null && wanted === 'online');
}

async function endWay(office: Office, way: Way, everybodyKnows: boolean): Promise<void> {
  const { memory, settings, log } = office;
  const { handed, source, left } = departureKeys(settings.product_name, way);
  try {
    await oneAtATime(office, way, async () => {
      const { epoch, topology } = await readTopology(office);
      if (isUsed(topology, way)) return;
      const [from, to] = [way.from, way.to].map((id) => masterIn(topology, id));
      const end = (redis: Redis) => (everybodyKnows ? redis.unlink(source, left) : redis.eval(BEGIN_OR_END_SCRIPT, 2, source, left, epoch));
      if (to !== undefined) await withControlled(office, to, end, LOOK_TIMEOUT_MS);
      if (from !== undefined) await withControlled(office, from, (redis) => redis.unlink(handed), LOOK_TIMEOUT_MS);
      if (everybodyKnows) memory.keptWays.delete(wayKey(way));
      else memory.keptWays.set(wayKey(way), { way, isEnded: true });
    });
  } catch (error) {
    if (!isServerTrouble(error)) throw error;
    memory.sourcesCheckedAt.set(wayKey(way), performance.now());
    log.debug({ ...way, err: error }, 'what is kept of a move can’t be taken away yet');
  }
}

/** At the beginning of a term: learns what earlier controllers did not come to take away. */
export async function adoptDepartures(office: Office, topology: Topology): Promise<void> {
  const { product_name: product, product_auth: password } = office.settings;
  const ids = topology.groups.map(({ id }) => id);
  const adopt = async (id: GroupId) => {
    const master = masterIn(topology, id);
    if (master === undefined) return;
    const ways = ids.flatMap((other) => [
      { way: { from: other, to: id }, name: departureKeys(product, { from: other, to: id }).source },
      { way: { from: id, to: other }, name: departureKeys(product, { from: id, to: other }).handed },
    ]);
    const found = await withRedis(master, { password }, (redis) => Promise.all(ways.map(({ name }) => redis.exists(name))));
    for (const [at, { way }] of ways.entries()) if (found[at] === 1) keep(office, way);
  };
  const tolerated = (id: GroupId) =>
    adopt(id).catch((error: unknown) => {
      if (!isServerTrouble(error)) throw error;
      office.log.debug({ group: id, err: error }, 'what is kept of a move stays until the next one');
    });
  await Promise.all(ids.map(tolerated));
}

function keep({ memory }: Office, { from, to }: Way): void {
  const way = { from, to };
  if (!memory.keptWays.has(wayKey(way))) memory.keptWays.set(wayKey(way), { way, isEnded: false });
}

/** A look that costs the servers next to nothing. */
async function isNamed(office: Office, way: Way, { source, target }: { source: ServerAddr; target: ServerAddr }): Promise<boolean> {
  const { product_auth: password } = office.settings;
  const [info, named] = await Promise.all([
    withRedis(source, { password }, (redis) => redis.info('server')),
    withRedis(target, { password }, (redis) => namedSource(office, way, redis)),
  ]);
  return named !== null && info.includes(`run_id:${named}\r\n`);
}

async function isKnown(office: Office, topology: Topology, way: Way, { from, to }: Ends): Promise<boolean> {
  const { product_name: product } = office.settings;
  const keys = departureKeys(product, way);
  await from.select(0);
  const { runId, role, addr } = await probe(requireMaster(topology, way.from), from, product);
  if (role !== 'master') throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${addr} is a replica, though the topology has it as a master`);
  if ((await namedSource(office, way, to)) === runId) return true;
  const token = `?${runId}`;
  const handed = Number((await from.get(keys.handed)) ?? 0);
  const reply = await to.callBuffer('EVAL', DOUBT_SCRIPT, 2, keys.source, keys.left, token, handed);
  const [forgotten, highest, stale] = reply as [Buffer, Buffer, Buffer[]];
  if (Number(forgotten) > handed) throw wentBack(way, addr, requireMaster(topology, way.to), keys);
  const current = await raiseEpoch(office);
  if (current === null) return false;
  const slots = migrating(current.topology, way);
  const deletedCount = await deleteStale(from, stale, new Set(slots));
  await from.eval(COUNT_FROM_SCRIPT, 1, keys.handed, highest);
  const trusted = (await to.eval(TRUST_SCRIPT, 1, keys.source, token, runId, current.epoch, encodeGoing(slots))) === 1;
  if (trusted)
    office.log.warn({ ...way, source: addr, staleCount: stale.length, deletedCount }, 'the source is another process; known again');
  return trusted;
}

/** So that no slot is completed meanwhile by who still takes the former process for the source. Null when something else was faster. */
async function raiseEpoch(office: Office): Promise<VersionedTopology | null> {
  const current = await readTopology(office);
  return (await writeTopology(office, current)) ? current : null;
}

async function deleteStale(from: Redis, stale: readonly Buffer[], slots: ReadonlySet<Slot>): Promise<number> {
  const byDb = new Map<number, Buffer[]>();
  for (const member of stale) {
    const colon = member.indexOf(':');
    const key = member.subarray(colon + 1);
    if (!slots.has(slotOf(key))) continue;
    const db = Number(member.toString('latin1', 0, colon));
    const keys = byDb.get(db) ?? [];
    keys.push(key);
    byDb.set(db, keys);
  }
  let count = 0;
  for (const [db, keys] of byDb) {
    await from.select(db);
    for (let at = 0; at < keys.length; at += DELETE_KEYS_MAX) count += await from.unlink(...keys.slice(at, at + DELETE_KEYS_MAX));
  }
  await from.select(0);
  return count;
}

function wentBack({ from, to }: Way, source: string, target: string, keys: DepartureKeys): CodisError {
  return new CodisError(
    'CODIS_E_SOURCE_WENT_BACK',
    `group ${from}'s master ${source} has gone back further in time than can be made good: keys that clients deleted in group ${to} since may be among those it has. Promote a replica with newer data, or restore it; or let what it has count, with: redis-cli -u redis://${target} DEL '${keys.source}' '${keys.left}'`,
  );
}

function migrating(topology: Topology, { from, to }: Way): Slot[] {
  return slotsWhere(topology, (state) => state.kind === 'migrating' && state.from === from && state.to === to);
}

/** Slots go this way, or are about to. */
function isUsed({ slots }: Topology, { from, to }: Way): boolean {
  return slots.some((state) => (state.kind === 'locked' || state.kind === 'migrating') && state.from === from && state.to === to);
}

const wayKey = ({ from, to }: Way): string => `${from}>${to}`;

function lanesOf(topology: Topology): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const state of topology.slots) {
    if (state.kind !== 'migrating') continue;
    const { migration, from, to } = state;
    lanes.set(`${migration} ${from} ${to}`, { migration, from, to });
  }
  return [...lanes.values()];
}

function masterIn(topology: Topology, id: GroupId): ServerAddr | undefined {
  const group = findGroup(topology, id);
  return group === undefined ? undefined : masterOf(group);
}
