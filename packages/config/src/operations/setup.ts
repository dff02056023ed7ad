// From a list of addresses to a cluster: asking servers what they are, and making groups of them. Made of the same operations as by hand, one event each; what is there already is left
// as it is, so a set-up that failed half-way is asked for again.

import type { Redis } from 'ioredis';
import {
  asGroupId,
  asServerAddr,
  assignSlots,
  CodisError,
  emptyTopology,
  type GroupId,
  groupOfServer,
  isCodisError,
  addServer as joined,
  type Role,
  type ServerAddr,
  type Slot,
  slotsWhere,
  type Topology,
} from '../model/index.ts';
import { probe as probeOn, probeServer, withRedis } from '../redis/probe.ts';
import { type Caller, DryRunDone } from './caller.ts';
import { readTopology, readTopologyIfAny } from './commit.ts';
import type { EventText } from './event-text.ts';
import { serversText } from './groups.ts';
import { type Asked, type Proposal, proposeGroups } from './proposal.ts';
import { addServer } from './servers.ts';
import { assignRange, initSlots, ownersText, rangeText } from './slots.ts';

/** Asks all of them; one that can't be used is no reason to fail. Each address counts once. */
export async function probeServers(
  caller: Caller,
  { addrs }: { addrs: readonly string[] },
): Promise<{ servers: (Asked & { group: number | null })[]; proposal: Proposal; cli: string[] }> {
  const topology = (await readTopologyIfAny(caller))?.topology ?? null;
  const distinct = [...new Set(addrs.map(asServerAddr))];
  const asked = noneTwice(await Promise.all(distinct.map((addr) => ask(caller, addr))));
  const servers = asked.map((one) => ({ ...one, group: topology ? (groupOfServer(topology, one.addr)?.id ?? null) : null }));
  const proposal = proposeGroups(asked, topology);
  return { servers, proposal, cli: proposal.groups.length === 0 ? [] : linesFor(topology, proposal) };
}

async function ask(caller: Caller, addr: ServerAddr): Promise<Asked> {
  try {
    return await withRedis(addr, caller, async (redis) => ({
      addr,
      probe: await probeOn(addr, redis, caller.product),
      persistence: await persistenceOf(redis),
      problem: null,
    }));
  } catch (error) {
    if (!isCodisError(error)) throw error;
    return { addr, probe: null, persistence: null, problem: error.message };
  }
}

/** Null when the server does not say. */
async function persistenceOf(redis: Redis): Promise<string | null> {
  try {
    const [, save = ''] = (await redis.config('GET', 'save')) as string[];
    const [, aof = 'no'] = (await redis.config('GET', 'appendonly')) as string[];
    return [save === '' ? [] : ['rdb'], aof === 'yes' ? ['aof'] : []].flat().join('+') || 'none';
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}

/** One Redis under two names is used under the first. */
function noneTwice(asked: readonly Asked[]): Asked[] {
  return asked.map((one, index) => {
    const twin = asked.slice(0, index).find(({ probe }) => probe && probe.runId === one.probe?.runId);
    return twin ? { ...one, problem: `${one.addr} is the same Redis as ${twin.addr}` } : one;
  });
}

export interface SetupRequest {
  readonly groups: readonly { readonly group: number; readonly servers: readonly { readonly addr: string; readonly role: Role }[] }[];
  readonly force: boolean;
}

/** What set-up would do, in order. */
type Step =
  | { readonly kind: 'init' }
  | { readonly kind: 'add'; readonly group: GroupId; readonly addr: ServerAddr; readonly role: Role }
  | { readonly kind: 'assign'; readonly first: Slot; readonly last: Slot; readonly owner: GroupId };

/** Throws as `initSlots`, `addServer` and `assignRange`. What was done until then stays. */
export async function setUp(caller: Caller, request: SetupRequest): Promise<{ epoch: number; steps: string[]; notes: string[] }> {
  const { force } = request;
  const planned = stepsFor((await readTopologyIfAny(caller))?.topology ?? null, request);
  if (caller.dryRun) {
    await Promise.all(planned.flatMap((step) => (step.kind === 'add' ? [probeServer(step.addr, caller)] : [])));
    throw new DryRunDone(wouldTexts((await readTopologyIfAny(caller))?.topology ?? null, planned), null);
  }
  const notes: string[] = [];
  for (const step of planned) {
    if (step.kind === 'init') await initSlots(caller, { force: false });
    else if (step.kind === 'add') notes.push(...(await addServer(caller, { ...step, force })).notes);
    else await assignRange(caller, step);
  }
  return { epoch: (await readTopology(caller)).epoch, steps: planned.map(stepText), notes };
}

/** None when there can be no such steps. */
function linesFor(topology: Topology | null, proposal: Proposal): string[] {
  try {
    return stepsFor(topology, proposal).map(stepLine);
  } catch (error) {
    if (isCodisError(error)) return [];
    throw error;
  }
}

/** Pure. Throws as `addServer` of the model, and CODIS_E_BAD_REQUEST when nobody could get the slots. */
export function stepsFor(current: Topology | null, { groups }: Pick<SetupRequest, 'groups'>): Step[] {
  const steps: Step[] = current ? [] : [{ kind: 'init' }];
  let topology = current ?? emptyTopology();
  for (const { group: id, servers } of groups) {
    const group = asGroupId(id);
    const mastersFirst = servers.toSorted((a, b) => Number(b.role === 'master') - Number(a.role === 'master'));
    for (const server of mastersFirst) {
      const addr = asServerAddr(server.addr);
      const known = groupOfServer(topology, addr)?.servers.find((one) => one.addr === addr);
      if (known && known.role === server.role && groupOfServer(topology, addr)?.id === group) continue;
      topology = joined(topology, { group, addr, role: server.role });
      steps.push({ kind: 'add', group, addr, role: server.role });
    }
  }
  return [
    ...steps,
    ...shares(
      topology,
      groups.map(({ group }) => asGroupId(group)),
    ),
  ];
}

/** Slots without a group, in order, in as many equal parts as there are groups that have a master. */
function shares(topology: Topology, wanted: readonly GroupId[]): Step[] {
  const offline = slotsWhere(topology, ({ kind }) => kind === 'offline');
  if (offline.length === 0) return [];
  const able = [...new Set(wanted)].filter((id) =>
    topology.groups.some((group) => group.id === id && group.servers.some(({ role }) => role === 'master')),
  );
  if (able.length === 0) throw new CodisError('CODIS_E_BAD_REQUEST', 'none of these groups has a master, so nobody can get the slots');
  return able.flatMap((owner, index) => {
    const [from, to] = [index, index + 1].map((part) => Math.round((offline.length * part) / able.length)) as [number, number];
    return runsOf(offline.slice(from, to)).map((run): Step => ({ kind: 'assign', owner, ...run }));
  });
}

function runsOf(slots: readonly Slot[]): { first: Slot; last: Slot }[] {
  const runs: { first: Slot; last: Slot }[] = [];
  for (const slot of slots) {
    const last = runs.at(-1);
    if (last && last.last + 1 === slot) last.last = slot;
    else runs.push({ first: slot, last: slot });
  }
  return runs;
}

function stepText(step: Step): string {
  if (step.kind === 'init') return 'made the slot table';
  if (step.kind === 'add') return `added ${step.addr} to group ${step.group} as ${step.role}`;
  return `gave ${rangeText(step)} to group ${step.owner}`;
}

function stepLine(step: Step): string {
  if (step.kind === 'init') return 'codis-config slot init';
  if (step.kind === 'add') return `codis-config server add ${step.group} ${step.addr} ${step.role}`;
  return `codis-config slot range-set ${step.first} ${step.last} ${step.owner} online`;
}

/** The events of the steps, one after the other. */
function wouldTexts(current: Topology | null, steps: readonly Step[]): EventText[] {
  let topology = current ?? emptyTopology();
  return steps.map((step) => {
    const before = toldOf(topology, step);
    if (step.kind === 'add') topology = joined(topology, step);
    if (step.kind === 'assign') topology = assignSlots(topology, step);
    return { ...eventOf(step), before, after: step.kind === 'init' ? '0-1023 offline' : toldOf(topology, step) };
  });
}

function toldOf(topology: Topology, step: Step): string {
  if (step.kind === 'init') return 'no slot table';
  return step.kind === 'add' ? serversText(topology, step.group) : ownersText(topology, step);
}

function eventOf(step: Step): Pick<EventText, 'action' | 'object' | 'epoch'> {
  if (step.kind === 'init') return { action: 'slot.init', object: 'all slots', epoch: null };
  if (step.kind === 'add') {
    return { action: 'server.add', object: `server ${step.addr} → group ${step.group} as ${step.role}`, epoch: null };
  }
  return { action: 'slot.assign', object: `${rangeText(step)} → group ${step.owner}`, epoch: null };
}
