// The verdict on a reading: healthy or degraded, and why, in sentences with numbers. Pure.

import type { GroupStatusView, ProxyEntryView, ServerStatusView, StatusView } from '../api/index.ts';
import { slotsWhere, type Topology } from '../model/index.ts';
import { servingGroup } from './views.ts';

type Reading = Pick<StatusView, 'slots' | 'groups' | 'proxies'> & { readonly initialised: boolean };
type Judgement = Pick<StatusView, 'verdict' | 'summary' | 'problems' | 'warnings'>;

export function judge(reading: Reading): Judgement {
  if (!reading.initialised) {
    return {
      verdict: 'empty',
      summary: 'Empty: there is no slot table yet; make it with: codis-config slot init',
      problems: [],
      warnings: [],
    };
  }
  const problems = [...slotProblems(reading), ...reading.groups.flatMap(groupProblems), ...proxyProblems(reading.proxies)];
  const warnings = [...reading.groups.flatMap(groupWarnings), ...proxyWarnings(reading.proxies)];
  const [first, ...more] = problems;
  if (first === undefined) return { verdict: 'healthy', summary: `Healthy: ${numbers(reading)}`, problems, warnings };
  const rest = more.length === 0 ? '' : ` (and ${counted(more.length, 'more problem')})`;
  return { verdict: 'degraded', summary: `Degraded: ${first}${rest}; ${numbers(reading)}`, problems, warnings };
}

/** Slots whose requests go to a server that is up and a master. */
export function servedCount(topology: Topology, groups: readonly GroupStatusView[]): number {
  const able = new Set(groups.filter(({ servers }) => servers.some(works)).map(({ id }) => id));
  return slotsWhere(topology, (state) => {
    const group = servingGroup(state);
    return group !== null && able.has(group);
  }).length;
}

function works({ role, up, observedRole }: ServerStatusView): boolean {
  return role === 'master' && up && observedRole === 'master';
}

function numbers({ slots, groups, proxies }: Reading): string {
  const inUse = groups.filter(({ servers }) => servers.length > 0);
  const backed = inUse.filter(({ servers }) => servers.some(isGoodReplica)).length;
  const online = proxies.filter(({ state }) => state === 'online').length;
  const wanted = proxies.filter((proxy) => proxy.wanted === 'online').length;
  return [
    `${slots.served} of ${slots.total} slots served`,
    `${backed} of ${counted(inUse.length, 'group')} with a working replica`,
    `${online} of ${wanted === 1 ? '1 proxy' : `${wanted} proxies`} online`,
  ].join(', ');
}

function slotProblems({ slots }: Reading): string[] {
  return slots.offline === 0 ? [] : [`${counted(slots.offline, 'slot')} (${percent(slots.offline, slots.total)}) belong to no group`];
}

function groupProblems({ id, slotsCount, servers }: GroupStatusView): string[] {
  const master = servers.find(({ role }) => role === 'master');
  if (master && works(master)) return [];
  if (!master && slotsCount === 0) return [];
  const what = !master
    ? `group ${id} has no master`
    : master.up
      ? (master.problem ?? '')
      : `the master of group ${id}, ${master.addr}, is down`;
  return [slotsCount === 0 ? what : `${what}, so ${counted(slotsCount, 'slot')} (${percent(slotsCount, 1024)}) can't be reached`];
}

function groupWarnings({ id, servers }: GroupStatusView): string[] {
  const replicas = servers.filter(({ role }) => role === 'replica');
  if (servers.length > 0 && replicas.length === 0) return [`group ${id} has no replica`];
  return replicas.flatMap(({ up, addr, problem }) =>
    up ? (problem === null ? [] : [problem]) : [`the replica ${addr} of group ${id} is down`],
  );
}

function isGoodReplica({ role, up, problem }: ServerStatusView): boolean {
  return role === 'replica' && up && problem === null;
}

function proxyProblems(proxies: readonly ProxyEntryView[]): string[] {
  const lost = proxies
    .filter(({ state }) => state === 'lost')
    .map(({ id }) => `proxy ${id} is lost: it should be online but has no session`);
  return proxies.some(({ state }) => state === 'online' || state === 'behind') ? lost : ['no proxy is online', ...lost];
}

function proxyWarnings(proxies: readonly ProxyEntryView[]): string[] {
  return proxies.filter(({ state }) => state === 'behind').map(({ id, epoch }) => `proxy ${id} still routes by epoch ${epoch}`);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

function percent(part: number, whole: number): string {
  const value = (part / whole) * 100;
  return value < 1 ? 'under 1 %' : `${Math.round(value)} %`;
}
