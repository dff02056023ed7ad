// The verdict on a reading: healthy or degraded, and why, in sentences with numbers. Pure.

import type { CauseView, GroupStatusView, KeyTotalView, StatusView } from '../api/index.ts';
import { slotsWhere, type Topology } from '../model/index.ts';
import { type Condition, conditionId, conditionsOf, counted, isGoodReplica, type Reading, works } from './conditions.ts';
import { servingGroup } from './views.ts';

export interface Judgement extends Pick<StatusView, 'verdict' | 'summary' | 'problems' | 'warnings'> {
  readonly conditions: readonly Condition[];
}

export function judge(reading: Reading & { readonly initialised: boolean }): Judgement {
  if (!reading.initialised) {
    const summary = 'Empty: there is no slot table yet; make it with: codis-config slot init';
    return { verdict: 'empty', summary, problems: [], warnings: [], conditions: [] };
  }
  const conditions = conditionsOf(reading);
  const problems = conditions.filter(({ severity }) => severity === 'problem').map(({ text }) => text);
  const warnings = conditions.filter(({ severity }) => severity === 'warning').map(({ text }) => text);
  const [first, ...more] = problems;
  if (first === undefined) return { verdict: 'healthy', summary: `Healthy: ${numbers(reading)}`, problems, warnings, conditions };
  const rest = more.length === 0 ? '' : ` (and ${counted(more.length, 'more problem')})`;
  return { verdict: 'degraded', summary: `Degraded: ${first}${rest}; ${numbers(reading)}`, problems, warnings, conditions };
}

/** Since when things are as they are, by any name: what was so before keeps its time, the rest is new. */
export function carrySince(before: ReadonlyMap<string, string>, names: readonly string[], now: string): Map<string, string> {
  return new Map(names.map((name) => [name, before.get(name) ?? now]));
}

export function causesOf(conditions: readonly Condition[], since: ReadonlyMap<string, string>, now: string): CauseView[] {
  return conditions.map((condition) => {
    const { severity, text, object, try: tries } = condition;
    return { severity, text, object, since: since.get(conditionId(condition)) ?? now, try: tries };
  });
}

/** Slots whose requests go to a server that is up and a master. */
export function servedCount(topology: Topology, groups: readonly GroupStatusView[]): number {
  const able = new Set(groups.filter(({ servers }) => servers.some(works)).map(({ id }) => id));
  return slotsWhere(topology, (state) => {
    const group = servingGroup(state);
    return group !== null && able.has(group);
  }).length;
}

/** `last`: by group, what its master was last heard to hold. */
export function keyTotal(groups: readonly GroupStatusView[], last: ReadonlyMap<number, number>): KeyTotalView {
  let knownCount = 0;
  let unheard = 0;
  let guessed = 0;
  const unknownGroups: number[] = [];
  for (const { id, servers } of groups) {
    const master = servers.find(({ role }) => role === 'master');
    if (!master) continue;
    if (master.keysCount !== null) {
      knownCount += master.keysCount;
      continue;
    }
    unknownGroups.push(id);
    const heard = last.get(id);
    if (heard === undefined) unheard += 1;
    else guessed += heard;
  }
  return { knownCount, estimatedCount: unheard > 0 ? null : knownCount + guessed, unknownGroups };
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
