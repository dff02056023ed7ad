// What a plan would cost, from surveys of the masters that give and take. Everything in it is an estimate, and says how it was made.

import {
  type BigKey,
  BYTES_PER_SECOND,
  CodisError,
  durationAt,
  type EstimatedMove,
  findGroup,
  type GroupEstimate,
  type GroupId,
  groupsIn,
  KEYS_PER_SECOND,
  type Measure,
  type Migration,
  masterOf,
  overfullGroups,
  type PlanEstimate,
  type PlannedMove,
  requireMaster,
  type Slot,
  slotsWhere,
  type Topology,
  targets,
  UNTHROTTLED,
} from '../model/index.ts';
import type { Caller } from './caller.ts';
import { type Survey, surveyServer } from './survey.ts';

/** How long a server may be looked through, all servers at the same time. */
const SURVEY_BUDGET_MS = 10_000;
const MEMORY_SHARE_MAX = 0.8;
const BIG_KEYS_MAX = 5;
/** From here on a key is worth a warning. */
const BIG_KEY_BYTES = 16 * 1024 * 1024;
const MIB = 1024 * 1024;

/** Masters as they were found, and why the others were not. */
export interface Surveys {
  readonly found: ReadonlyMap<GroupId, Survey>;
  readonly failed: ReadonlyMap<GroupId, string>;
}

/** Looks through the masters of `groups`; one that can't be asked is no reason to fail. */
export async function surveyGroups(caller: Caller, topology: Topology, groups: Iterable<GroupId>): Promise<Surveys> {
  const found = new Map<GroupId, Survey>();
  const failed = new Map<GroupId, string>();
  const options = { password: caller.password, product: caller.product, budgetMs: SURVEY_BUDGET_MS };
  await Promise.all(
    [...new Set(groups)].map(async (id) => {
      try {
        found.set(id, await surveyServer(requireMaster(topology, id), options));
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error || error.name === 'ReplyError')) throw error;
        failed.set(id, error.message);
      }
    }),
  );
  return { found, failed };
}

/** What each slot weighs for a rebalance; undefined when all weigh the same. Throws CODIS_E_SERVER_UNREACHABLE when a group that has slots could not be looked
 *  through: to balance by what is not known would move the wrong slots. */
export function costsOf(topology: Topology, surveys: Surveys, by: Measure): readonly number[] | undefined {
  if (by === 'slots') return undefined;
  const holders = new Set(topology.slots.flatMap(groupsIn));
  for (const id of holders) {
    const group = findGroup(topology, id);
    if (!group || !masterOf(group)) continue;
    const trouble =
      surveys.failed.get(id) ?? (by === 'memory' && surveys.found.get(id)?.bytesBySlot === null ? 'MEMORY USAGE is refused' : null);
    if (trouble !== null) {
      throw new CodisError(
        'CODIS_E_SERVER_UNREACHABLE',
        `the ${by} of group ${id} can't be found out, so nothing can be balanced by it: ${trouble}`,
      );
    }
  }
  const amountAt = (id: GroupId, slot: number) => {
    const survey = surveys.found.get(id);
    return (by === 'keys' ? survey?.keysBySlot : survey?.bytesBySlot)?.[slot] ?? 0;
  };
  return topology.slots.map((state, slot) => groupsIn(state).reduce((sum, id) => sum + amountAt(id, slot), 0));
}

export interface Estimation {
  readonly topology: Topology;
  readonly moves: readonly PlannedMove[];
  readonly surveys: Surveys;
  readonly running: readonly Migration[];
}

export function estimateMoves({ moves, surveys }: Pick<Estimation, 'moves' | 'surveys'>): EstimatedMove[] {
  return moves.map((move) => {
    const survey = surveys.found.get(move.from);
    return { ...move, keysCount: sumOver(move, survey?.keysBySlot), bytes: sumOver(move, survey?.bytesBySlot) };
  });
}

function sumOver({ first, last }: PlannedMove, bySlot: readonly number[] | null | undefined): number | null {
  return bySlot ? bySlot.slice(first, last + 1).reduce((sum, amount) => sum + amount, 0) : null;
}

interface Estimated extends Estimation {
  readonly moves: readonly EstimatedMove[];
}

export function estimatePlan(estimation: Estimated): Omit<PlanEstimate, 'balance'> {
  const { moves, surveys } = estimation;
  const keysCount = total(moves.map((move) => move.keysCount));
  const bytes = total(moves.map((move) => move.bytes));
  const groups = groupEstimates(estimation);
  const biggestKeys = biggestOf(moves, surveys);
  return {
    slotsCount: [...targets({ moves })].length,
    keysCount,
    bytes,
    durationMs: durationAt({ keysCount, bytes }, UNTHROTTLED),
    groups,
    biggestKeys,
    warnings: moves.length === 0 ? [] : warningsOf(estimation, { groups, biggestKeys }),
    basis: moves.length === 0 ? [] : basisOf(estimation),
  };
}

/** Null when a part is not known: a sum that leaves something out would look like a small one. */
function total(parts: readonly (number | null)[]): number | null {
  return parts.reduce((sum, part) => (sum === null || part === null ? null : sum + part), 0);
}

function groupEstimates({
  topology,
  moves,
  surveys,
}: {
  topology: Topology;
  moves: readonly EstimatedMove[];
  surveys: Surveys;
}): GroupEstimate[] {
  const ids = [...new Set(moves.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  return ids.map((group) => {
    const given = moves.filter(({ from }) => from === group);
    const taken = moves.filter(({ to }) => to === group);
    const slotsBefore = slotsWhere(topology, (state) => state.kind === 'online' && state.owner === group).length;
    const server = surveys.found.get(group)?.probe;
    const gain = total(taken.map(({ bytes }) => bytes));
    const loss = total(given.map(({ bytes }) => bytes));
    return {
      group,
      slotsBefore,
      slotsAfter: slotsBefore + [...targets({ moves: taken })].length - [...targets({ moves: given })].length,
      memoryBytes: server?.usedMemoryBytes ?? null,
      memoryAfterBytes: server === undefined || gain === null || loss === null ? null : Math.max(0, server.usedMemoryBytes + gain - loss),
      maxMemoryBytes: server?.maxMemoryBytes ?? null,
    };
  });
}

function biggestOf(moves: readonly PlannedMove[], { found }: Surveys): BigKey[] {
  const keys: BigKey[] = [];
  for (const { first, last, from } of moves) {
    for (let slot: number = first; slot <= last; slot++) {
      const key = found.get(from)?.biggestBySlot.get(slot);
      if (key) keys.push(key);
    }
  }
  return keys.sort((a, b) => b.bytes - a.bytes || a.slot - b.slot).slice(0, BIG_KEYS_MAX);
}

function warningsOf(
  { topology, moves, surveys, running }: Estimated,
  { groups, biggestKeys }: { groups: readonly GroupEstimate[]; biggestKeys: readonly BigKey[] },
): string[] {
  const takers = [...new Set(moves.map(({ to }) => to))];
  const involved = groups.map(({ group }) => group);
  return [
    ...involved.flatMap((id) => unreachableWarnings(surveys, id)),
    ...takers.flatMap((id) => replicaWarnings(topology, id)),
    ...takers.flatMap((id) => versionWarnings(moves, surveys, id)),
    ...overfullGroups({ moves, groups }).map(overfullText),
    ...groups.filter(({ group }) => takers.includes(group)).flatMap(memoryWarnings),
    ...takers.flatMap((id) => orphanWarnings(moves, surveys, id)),
    ...biggestKeys.slice(0, 1).flatMap(bigKeyWarnings),
    ...running.map(({ id }) => `migration ${id} is running; its slots are left to it, and this one may have to wait for it`),
  ];
}

function unreachableWarnings({ found, failed }: Surveys, id: GroupId): string[] {
  const trouble = failed.get(id);
  if (trouble !== undefined) return [`the master of group ${id} can't be asked: ${trouble}; nothing moves from or to it until it can`];
  const server = found.get(id)?.probe;
  return server?.role === 'replica'
    ? [`${server.addr}, the master of group ${id}, is a replica; nothing moves from or to it until that is mended`]
    : [];
}

function replicaWarnings(topology: Topology, id: GroupId): string[] {
  const replicas = findGroup(topology, id)?.servers.filter(({ role }) => role === 'replica') ?? [];
  return replicas.length > 0 ? [] : [`group ${id} has no replica: what moves there is lost if its one server is`];
}

function versionWarnings(moves: readonly PlannedMove[], { found }: Surveys, id: GroupId): string[] {
  const target = found.get(id)?.probe;
  const sources = [...new Set(moves.filter(({ to }) => to === id).map(({ from }) => from))];
  return sources.flatMap((from) => {
    const source = found.get(from)?.probe;
    if (!source || !target || !isOlder(target.version, source.version)) return [];
    return [
      `group ${id} runs Redis ${target.version}, older than the ${source.version} of group ${from}: it may refuse what comes from there`,
    ];
  });
}

/** By the first two numbers of a version: a new format of values came with none smaller so far. */
function isOlder(version: string, than: string): boolean {
  const [[major = 0, minor = 0], [otherMajor = 0, otherMinor = 0]] = [version, than].map((text) => text.split('.').map(Number)) as [
    number[],
    number[],
  ];
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

export function overfullText({ group, memoryAfterBytes, maxMemoryBytes }: GroupEstimate): string {
  return `group ${group} would need ${mib(memoryAfterBytes ?? 0)}, more than its maxmemory of ${mib(maxMemoryBytes ?? 0)}: it does not fit`;
}

function memoryWarnings({ group, memoryAfterBytes, maxMemoryBytes }: GroupEstimate): string[] {
  if (memoryAfterBytes === null || maxMemoryBytes === null || maxMemoryBytes === 0) return [];
  const share = memoryAfterBytes / maxMemoryBytes;
  if (share <= MEMORY_SHARE_MAX || share > 1) return [];
  return [`group ${group} would use ${Math.round(share * 100)} % of its maxmemory (${mib(memoryAfterBytes)} of ${mib(maxMemoryBytes)})`];
}

function orphanWarnings(moves: readonly PlannedMove[], { found }: Surveys, id: GroupId): string[] {
  const survey = found.get(id);
  if (!survey) return [`whether group ${id} holds leftovers in the slots it would get is not known`];
  const coming = [...targets({ moves: moves.filter(({ to }) => to === id) })].map(([slot]) => slot);
  const count = coming.reduce((sum, slot: Slot) => sum + (survey.keysBySlot[slot] ?? 0), 0);
  if (count > 0) {
    return [
      `group ${id}'s master ${survey.probe.addr} holds ${count} keys of slots it does not own; the move waits until they are deleted there`,
    ];
  }
  return survey.complete
    ? []
    : [`group ${id} was looked through in part for leftovers in the slots it would get; the move looks at all of it first`];
}

function bigKeyWarnings({ key, slot, bytes }: BigKey): string[] {
  return bytes < BIG_KEY_BYTES ? [] : [`the key ${key} of slot ${slot} has about ${mib(bytes)}: moving it takes a while`];
}

const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;

function basisOf({ moves, surveys }: Estimation): string[] {
  const sources = [...new Set(moves.map(({ from }) => from))];
  const counted = sources.flatMap((id) => {
    const survey = surveys.found.get(id);
    return survey ? [surveyText(id, survey)] : [];
  });
  const speed = `duration: at ${KEYS_PER_SECOND} keys/s or ${BYTES_PER_SECOND / 1e6} MB/s, whichever takes longer; passes over the source, pauses and waiting are not in it`;
  return [...counted, speed];
}

function surveyText(id: GroupId, { probe, complete, seenCount, measuredCount }: Survey): string {
  const keys = complete
    ? `keys of group ${id}: all ${seenCount} were counted`
    : `keys of group ${id}: ${seenCount} of about ${probe.keysCount} were looked at in ${SURVEY_BUDGET_MS / 1000} s, the others are taken to be like them`;
  return `${keys}; bytes: MEMORY USAGE of ${measuredCount} of them at the source`;
}

/** The groups whose masters a rebalance or an estimate has to look at. */
export function groupsToSurvey(topology: Topology, by: Measure, moves: readonly PlannedMove[]): GroupId[] {
  if (by === 'slots') return [...new Set(moves.flatMap(({ from, to }) => [from, to]))];
  return topology.groups.filter((group) => masterOf(group) !== undefined).map(({ id }) => id);
}
