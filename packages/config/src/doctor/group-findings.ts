// What is wrong with groups and their servers. Pure.

import type { FindingView } from '../api/index.ts';
import { type GroupId, groupsIn, slotsWhere, type Topology, unreachable } from '../model/index.ts';
import type { Facts, ServerFacts } from './facts.ts';
import { command, counted, groupText } from './words.ts';

export function groupFindings(facts: Facts): FindingView[] {
  const { topology } = facts.current;
  return [
    ...topology.groups.flatMap(({ id }) => {
      const servers = facts.servers.filter(({ group }) => group === id);
      const master = servers.find(({ role }) => role === 'master');
      const slotsCount = slotsOf(topology, id);
      if (servers.length === 0 && slotsCount === 0) return [];
      const replicas = servers.filter(({ role }) => role === 'replica');
      return [
        ...(master ? masterFindings(master, { replicas, slotsCount }) : [noMaster(id, { replicas, slotsCount })]),
        ...replicas.flatMap((replica) => replicaFindings(replica, master)),
        ...(servers.length > 0 && replicas.length === 0 ? [noReplica(id)] : []),
      ];
    }),
    ...twinFindings(facts),
    ...markerFindings(facts),
  ];
}

const slotsOf = (topology: Topology, id: GroupId) => slotsWhere(topology, (state) => groupsIn(state).includes(id)).length;

interface Around {
  readonly replicas: readonly ServerFacts[];
  readonly slotsCount: number;
}

function noMaster(id: GroupId, { replicas, slotsCount }: Around): FindingView {
  const best = bestOf(replicas);
  return {
    severity: slotsCount > 0 ? 'error' : 'warning',
    kind: 'no-master',
    object: groupText(id),
    what: `group ${id} has no master`,
    why: slotsCount > 0 ? `requests for its ${counted(slotsCount, 'slot')} are answered with errors` : 'it can take no slots',
    try: [best ? command('server', 'promote', id, best.addr) : command('server', 'add', id, '<host:port>', 'master')],
  };
}

/** Of the replicas that answer, the one that has read most. */
function bestOf(replicas: readonly ServerFacts[]): ServerFacts | undefined {
  return replicas.filter(({ probe }) => probe !== null).toSorted((a, b) => (b.probe?.offset ?? 0) - (a.probe?.offset ?? 0))[0];
}

function masterFindings(master: ServerFacts, { replicas, slotsCount }: Around): FindingView[] {
  const { group, addr, probe, trouble } = master;
  const severity = slotsCount > 0 ? 'error' : 'warning';
  const object = `server ${addr}`;
  if (!probe) {
    const best = bestOf(replicas);
    return [
      {
        severity,
        kind: 'master-down',
        object,
        what: `the master of group ${group} can't be used: ${trouble ?? 'it does not answer'}`,
        why: `requests for the ${counted(slotsCount, 'slot')} of group ${group} are answered with errors until it is back, or another server is its master`,
        try: [
          ...(best ? [command('server', 'promote', group, best.addr)] : []),
          `start the Redis at ${addr} again, or mend address, firewall or product_auth; its slots come back with it`,
        ],
      },
    ];
  }
  if (probe.role === 'master') return [];
  const followed = replicas.find((other) => other.addr === probe.master?.addr && other.probe?.role === 'master');
  return [
    {
      severity,
      kind: 'wrong-role',
      object,
      what: `${addr} is the master of group ${group} in the topology, but is a replica of ${probe.master?.addr ?? 'another server'} by its own account`,
      why: followed
        ? `somebody else (Sentinel, perhaps) made ${followed.addr} the master; clients of the proxies can't write until the topology says so too`
        : 'it refuses writes, so clients can only read; somebody told it REPLICAOF, or its redis.conf says so',
      try: [command('server', 'promote', group, followed?.addr ?? addr)],
    },
  ];
}

type ReplicaTrouble = 'down' | 'is-master' | 'link-down' | 'syncing' | 'other-master';

function replicaFindings(replica: ServerFacts, master: ServerFacts | undefined): FindingView[] {
  const trouble = troubleOf(replica, master);
  if (trouble === null) return [];
  const { group, addr } = replica;
  const addAgain = [command('server', 'remove', group, addr), command('server', 'add', group, addr, 'replica')];
  const finding = (kind: string, rest: Pick<FindingView, 'what' | 'why' | 'try'>): FindingView[] => [
    { severity: 'warning', kind, object: `server ${addr}`, ...rest },
  ];
  const masterText = master ? `its master ${master.addr}` : 'its master';
  switch (trouble) {
    case 'down':
      return finding('replica-down', {
        what: `the replica ${addr} of group ${group} can't be used: ${replica.trouble ?? 'it does not answer'}`,
        why: 'the group has one copy of its data less than it seems',
        try: [`start the Redis at ${addr} again`, command('server', 'remove', group, addr)],
      });
    case 'is-master':
      return finding('wrong-role', {
        what: `${addr} is a replica of group ${group} in the topology, but a master by its own account`,
        why: `it receives nothing from ${masterText}: promoting it would lose data. When it holds keys, adding it again asks for --force, which drops them`,
        try: addAgain,
      });
    case 'link-down':
      return finding('replica-link-down', {
        what: `the link of ${addr}, a replica of group ${group}, to ${masterText} is down`,
        why: `what is written now does not reach it; it may not be able to reach ${replica.probe?.master?.addr ?? 'it'}, or have another masterauth`,
        try: addAgain,
      });
    case 'syncing':
      return finding('replica-syncing', {
        what: `${addr}, a replica of group ${group}, is still receiving its first copy of the data`,
        why: 'it is no backup until it has all of it',
        try: ['wait; look again with: codis-config doctor --quick'],
      });
    case 'other-master':
      return finding('wrong-master', {
        what: `${addr}, a replica of group ${group}, replicates ${replica.probe?.master?.addr ?? 'another server'} and not ${masterText}`,
        why: 'it has other data than its group: promoting it would lose what the group holds',
        try: addAgain,
      });
    default:
      return unreachable(trouble);
  }
}

function troubleOf({ probe }: ServerFacts, master: ServerFacts | undefined): ReplicaTrouble | null {
  if (!probe) return 'down';
  if (!probe.master) return master?.probe?.role === 'replica' ? null : 'is-master';
  if (master?.probe?.role !== 'master') return null;
  if (probe.master.syncing) return 'syncing';
  if (!probe.master.linkUp) return 'link-down';
  return probe.replicationId === master.probe.replicationId ? null : 'other-master';
}

function noReplica(id: GroupId): FindingView {
  return {
    severity: 'warning',
    kind: 'no-replica',
    object: groupText(id),
    what: `group ${id} has no replica`,
    why: 'when its master dies, its data is out of reach, or lost',
    try: [command('server', 'add', id, '<host:port>', 'replica')],
  };
}

/** Two addresses of one process. */
function twinFindings({ servers, current: { topology } }: Facts): FindingView[] {
  return servers.flatMap((one, index) => {
    const twin = servers.slice(0, index).find(({ probe }) => probe !== null && probe.runId === one.probe?.runId);
    if (!twin) return [];
    const spare = [one, twin].find(({ role }) => role === 'replica') ?? [one, twin].find(({ group }) => slotsOf(topology, group) === 0);
    return [
      {
        severity: 'error' as const,
        kind: 'same-server',
        object: `server ${one.addr}`,
        what: `${twin.addr} (group ${twin.group}) and ${one.addr} (group ${one.group}) are one and the same Redis`,
        why: 'a move between the two would be a move to itself, and a replica that is its master is no copy',
        try: spare
          ? [command('server', 'remove', spare.group, spare.addr)]
          : [
              `give all slots of group ${one.group} to group ${twin.group}, which has the same keys: take them offline with slot range-set, and online there`,
              command('server', 'remove', one.group, one.addr),
            ],
      },
    ];
  });
}

function markerFindings({ markers, current: { epoch } }: Facts): FindingView[] {
  return [...markers]
    .filter(([, marker]) => marker > epoch)
    .map(([id, marker]) => ({
      severity: 'error' as const,
      kind: 'fence-marker',
      object: groupText(id),
      what: `the fence marker of group ${id} stands at epoch ${marker}, but the topology is at ${epoch}`,
      why: 'proxies open no new connection to its master until the topology is as new; a controller that died left it, or the coordinator was made anew',
      try: [command('dashboard'), 'the elected controller mends it within seconds; if one runs and it stays, look at its log'],
    }));
}
