// Looking after the source of slots that are moving: whether it is still the process that it was, and if not, how far back it is (model/departures.ts). A restart
// and a promotion both make it another process, mostly one that has lost nothing; then nothing is to be done but to say so.
//
// Invariant: a source is named at the target only when nothing is at it that had left before, as far as any client has asked for it.

import type { Redis } from 'ioredis';
import {
  COUNT_FROM_SCRIPT,
  CodisError,
  type DepartureKeys,
  DOUBT_SCRIPT,
  departureKeys,
  findGroup,
  type GroupId,
  isCodisError,
  masterOf,
  requireMaster,
  type ServerAddr,
  type Slot,
  slotOf,
  slotsWhere,
  type Topology,
  TRUST_SCRIPT,
} from '../model/index.ts';
import { readTopology } from '../operations/index.ts';
import { probe, withRedis } from '../redis/probe.ts';
import { LOOK_TIMEOUT_MS, withControlled } from './controlled.ts';
import type { Lanes } from './lanes.ts';
import { isServerTrouble, serverTrouble } from './server-trouble.ts';
import { type Lane, laneKey, type Office, PROGRESSED } from './turn.ts';

/** From which group to which. */
type Way = Pick<Lane, 'from' | 'to'>;

/** Connections to both masters, in database 0. */
interface Ends {
  readonly from: Redis;
  readonly to: Redis;
}

const CHECK_EVERY_MS = 1000;
const DELETE_KEYS_MAX = 1000;
const TRIES_MAX = 5;

/** Before slots are locked: begins anew, with the process that is the source now. Not while other slots go the same way, for which that was done. */
export async function nameSource({ settings }: Office, topology: Topology, way: Way, { from, to }: Ends): Promise<void> {
  if (migrating(topology, way).length > 0) return;
  const { handed, source, left } = departureKeys(settings.product_name, way);
  const { runId } = await probe(requireMaster(topology, way.from), from, settings.product_name);
  await from.eval(COUNT_FROM_SCRIPT, 1, handed, 0);
  await to.unlink(source, left);
  await to.hset(source, { run: runId });
}

/** Makes sure, for a connection to the source, that the target knows the process at its other end; if it is another one, takes away what is stale of it first. Throws
 *  CODIS_E_SOURCE_WENT_BACK when that can't be known, and what a server does wrong. */
export async function knowSource(office: Office, topology: Topology, way: Way, from: Redis): Promise<void> {
  await withControlled(
    office,
    requireMaster(topology, way.to),
    async (to) => {
      for (let tries = 1; !(await isKnown(office, topology, way, { from, to })); tries++)
        if (tries === TRIES_MAX) throw new CodisError('CODIS_E_TIMEOUT', `the source of group ${way.from} changes all the time`);
    },
    LOOK_TIMEOUT_MS,
  );
}

/** Once a second and after every promotion, also while the migration is paused: clients wait for it. */
export function watchSources(office: Office, topology: Topology, checks: Lanes): void {
  const { sourcesCheckedAt, sourceTroubles } = office.memory;
  const nowMs = performance.now();
  for (const lane of lanesOf(topology)) {
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

/** Takes the reserved keys away when no slot goes this way any more. What a server that does not answer keeps of them is taken away before the next move. */
export async function endDepartures(office: Office, way: Way, from: Redis): Promise<void> {
  const { product_name: product, product_auth: password } = office.settings;
  const { topology } = await readTopology(office);
  if (isUsed(topology, way)) return;
  const { handed, source, left } = departureKeys(product, way);
  try {
    await withRedis(requireMaster(topology, way.to), { password }, (to) => to.unlink(source, left));
    await from.select(0);
    await from.unlink(handed);
  } catch (error) {
    if (!isServerTrouble(error)) throw error;
    office.log.debug({ ...way, err: error }, 'what is kept of a move stays until the next one');
  }
}

/** At the beginning of a term: takes away what an earlier controller did not come to take away. */
export async function clearDepartures({ settings, log }: Office, topology: Topology): Promise<void> {
  const { product_name: product, product_auth: password } = settings;
  const ids = topology.groups.map(({ id }) => id);
  const ways = ids.flatMap((from) => ids.map((to) => ({ from, to }))).filter((way) => !isUsed(topology, way));
  const clear = async (id: GroupId) => {
    const master = masterIn(topology, id);
    const names = ways.flatMap(({ from, to }) => {
      const { handed, source, left } = departureKeys(product, { from, to });
      return [...(from === id ? [handed] : []), ...(to === id ? [source, left] : [])];
    });
    if (master === undefined || names.length === 0) return;
    try {
      await withRedis(master, { password }, (redis) => redis.unlink(names));
    } catch (error) {
      if (!isServerTrouble(error)) throw error;
      log.debug({ group: id, err: error }, 'what is kept of a move stays until the next one');
    }
  };
  await Promise.all(ids.map(clear));
}

/** A look that costs the servers next to nothing. */
async function isNamed({ settings }: Office, way: Way, { source, target }: { source: ServerAddr; target: ServerAddr }): Promise<boolean> {
  const { product_name: product, product_auth: password } = settings;
  const [info, named] = await Promise.all([
    withRedis(source, { password }, (redis) => redis.info('server')),
    withRedis(target, { password }, (redis) => redis.hget(departureKeys(product, way).source, 'run')),
  ]);
  return named !== null && info.includes(`run_id:${named}\r\n`);
}

async function isKnown(office: Office, topology: Topology, way: Way, { from, to }: Ends): Promise<boolean> {
  const { product_name: product } = office.settings;
  const keys = departureKeys(product, way);
  await from.select(0);
  const { runId, role, addr } = await probe(requireMaster(topology, way.from), from, product);
  if (role !== 'master') throw new CodisError('CODIS_E_SERVER_WRONG_ROLE', `${addr} is a replica, though the topology has it as a master`);
  const known = await to.hget(keys.source, 'run');
  if (known === runId) return true;
  const token = `?${runId}`;
  const handed = Number((await from.get(keys.handed)) ?? 0);
  const reply = await to.callBuffer('EVAL', DOUBT_SCRIPT, 2, keys.source, keys.left, token, handed);
  const [forgotten, highest, stale] = reply as [Buffer, Buffer, Buffer[]];
  if (Number(forgotten) > handed) throw wentBack(way, addr, requireMaster(topology, way.to), keys);
  const deletedCount = await deleteStale(from, stale, new Set(migrating(topology, way)));
  await from.eval(COUNT_FROM_SCRIPT, 1, keys.handed, highest);
  const trusted = (await to.eval(TRUST_SCRIPT, 1, keys.source, token, runId)) === 1;
  if (trusted)
    office.log.warn({ ...way, source: addr, staleCount: stale.length, deletedCount }, 'the source is another process; known again');
  return trusted;
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
