// What can be the matter, as conditions: one rule about one object, with why it matters and what to do. The verdict, the alerts and the explanations are made of them, so that all
// three say the same. Pure. Here are the conditions that one reading of the cluster shows; those that take a look at the past are in alerts/.

import type { AlertRuleName, GroupStatusView, ObjectView, ProxyEntryView, ServerStatusView, StatusView, TryView } from '../api/index.ts';

export interface Condition {
  readonly rule: AlertRuleName;
  readonly severity: 'problem' | 'warning';
  readonly object: ObjectView;
  /** What is the case, in one sentence with numbers. */
  readonly text: string;
  readonly why: string;
  readonly try: readonly TryView[];
}

/** The same for as long as the condition holds, whatever its numbers do. */
export const conditionId = ({ rule, object }: Pick<Condition, 'rule' | 'object'>): string =>
  object.id === '' ? rule : `${rule}:${object.id}`;

export type Reading = Pick<StatusView, 'slots' | 'groups' | 'proxies'>;

/** Problems first. */
export function conditionsOf(reading: Reading): Condition[] {
  const all = [...slotConditions(reading), ...reading.groups.flatMap(groupConditions), ...proxyConditions(reading.proxies)];
  return [...all.filter(({ severity }) => severity === 'problem'), ...all.filter(({ severity }) => severity === 'warning')];
}

export function works({ role, up, observedRole }: ServerStatusView): boolean {
  return role === 'master' && up && observedRole === 'master';
}

export function isGoodReplica({ role, up, problem }: ServerStatusView): boolean {
  return role === 'replica' && up && problem === null;
}

function slotConditions({ slots, groups }: Reading): Condition[] {
  if (slots.offline === 0) return [];
  const [able] = groups.filter(({ servers }) => servers.some(works));
  const give: TryView[] = able
    ? [{ label: `Give slots to group ${able.id}`, cli: `codis-config slot range-set <first> <last> ${able.id} online`, api: null }]
    : [{ label: 'Add a group', cli: 'codis-config server add 1 <host:port> master', api: null }];
  return [
    {
      rule: 'slots-offline',
      severity: 'problem',
      object: CLUSTER,
      text: `${counted(slots.offline, 'slot')} (${percent(slots.offline, slots.total)}) belong to no group`,
      why: 'Requests for keys in these slots get an error, for no group is there to answer them.',
      try: give,
    },
  ];
}

function groupConditions(group: GroupStatusView): Condition[] {
  const replicas = group.servers.filter(({ role }) => role === 'replica');
  return [...masterConditions(group), ...replicaConditions(group, replicas)];
}

function masterConditions({ id, slotsCount, servers }: GroupStatusView): Condition[] {
  const master = servers.find(({ role }) => role === 'master');
  if (master && works(master)) return [];
  if (!master && slotsCount === 0) return [];
  const what = !master
    ? `group ${id} has no master`
    : master.up
      ? (master.problem ?? '')
      : `the master of group ${id}, ${master.addr}, is down`;
  const cost = slotsCount === 0 ? '' : `, so ${counted(slotsCount, 'slot')} (${percent(slotsCount, 1024)}) can't be reached`;
  return [
    {
      rule: 'slots-unserved',
      severity: 'problem',
      object: { kind: 'group', id: String(id) },
      text: `${what}${cost}`,
      why: 'All requests for the keys of a group go to its master; until it has one that works they get an error.',
      try: masterTries({ id, servers, master }),
    },
  ];
}

function masterTries({ id, servers, master }: { id: number; servers: readonly ServerStatusView[]; master: ServerStatusView | undefined }) {
  const tries: TryView[] = [];
  const best = bestReplica(servers);
  if (best) tries.push(promoteTry(id, best.addr));
  if (!master) tries.push({ label: 'Add a master', cli: `codis-config server add ${id} <host:port> master`, api: null });
  else if (master.up) tries.push(promoteTry(id, master.addr));
  else tries.push({ label: `Start ${master.addr} again`, cli: null, api: null });
  return tries;
}

/** The replica that has read the most of its master. */
export function bestReplica(servers: readonly ServerStatusView[]): ServerStatusView | null {
  const able = servers.filter(({ role, up, offset }) => role === 'replica' && up && offset !== null);
  return able.toSorted((a, b) => (b.offset ?? 0) - (a.offset ?? 0))[0] ?? null;
}

export function promoteTry(group: number, addr: string): TryView {
  const path = `/groups/${group}/servers/${encodeURIComponent(addr)}/promote`;
  return { label: `Promote ${addr}`, cli: `codis-config server promote ${group} ${addr}`, api: { method: 'POST', path, body: '{}' } };
}

function replicaConditions({ id, servers }: GroupStatusView, replicas: readonly ServerStatusView[]): Condition[] {
  const object: ObjectView = { kind: 'group', id: String(id) };
  const add: TryView = { label: `Add a replica to group ${id}`, cli: `codis-config server add ${id} <host:port> replica`, api: null };
  if (servers.length > 0 && replicas.length === 0) {
    const why =
      'When its master dies there is nobody to take over: its slots are down until it is back, and what it had not saved is lost.';
    return [{ rule: 'no-replica', severity: 'warning', object, text: `group ${id} has no replica`, why, try: [add] }];
  }
  return replicas
    .filter((replica) => !isGoodReplica(replica))
    .map(({ addr, up, problem }) => ({
      rule: 'replica-broken',
      severity: 'warning',
      object: { kind: 'server', id: addr },
      text: up ? (problem ?? '') : `the replica ${addr} of group ${id} is down`,
      why: 'A replica that does not follow its master is of no use when that dies.',
      try: [{ label: up ? `Look at INFO replication of ${addr}` : `Start ${addr} again`, cli: 'codis-config doctor', api: null }, add],
    }));
}

function proxyConditions(proxies: readonly ProxyEntryView[]): Condition[] {
  const lost = proxies.filter(({ state }) => state === 'lost').map(lostProxy);
  const behind = proxies.filter(({ state }) => state === 'behind').map(proxyBehind);
  return proxies.some(({ state }) => state === 'online' || state === 'behind') ? [...lost, ...behind] : [noProxy(), ...lost];
}

function noProxy(): Condition {
  const why = 'Clients reach the cluster through proxies only.';
  return {
    rule: 'no-proxy',
    severity: 'problem',
    object: CLUSTER,
    text: 'no proxy is online',
    why,
    try: [{ label: 'Start a proxy', cli: 'codis-proxy -c config.ini', api: null }],
  };
}

function lostProxy({ id }: ProxyEntryView): Condition {
  return {
    rule: 'proxy-lost',
    severity: 'problem',
    object: { kind: 'proxy', id },
    text: `proxy ${id} is lost: it should be online but has no session`,
    why: 'It has died, hangs, or is cut off from the coordinator. Its clients may get no answer, and each slot move waits for it once before it goes on without it.',
    try: [
      { label: `Start ${id} again`, cli: `codis-proxy -c config.ini --proxy-id ${id}`, api: null },
      {
        label: `Remove ${id}`,
        cli: `codis-config proxy remove ${id}`,
        api: { method: 'DELETE', path: `/proxies/${id}`, body: null },
      },
    ],
  };
}

function proxyBehind({ id, epoch }: ProxyEntryView): Condition {
  return {
    rule: 'proxy-behind',
    severity: 'warning',
    object: { kind: 'proxy', id },
    text: `proxy ${id} still routes by epoch ${epoch}`,
    why: 'A proxy follows within a second; one that stays behind waits for a server that hangs, or is overloaded. Slot moves wait for it.',
    try: [{ label: `Why is ${id} behind?`, cli: 'codis-config doctor', api: { method: 'GET', path: `/explain?proxy=${id}`, body: null } }],
  };
}

export const CLUSTER: ObjectView = { kind: 'cluster', id: '' };

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

export function percent(part: number, whole: number): string {
  const value = (part / whole) * 100;
  return value < 1 ? 'under 1 %' : `${Math.round(value)} %`;
}
