// The built-in rules: what a look at the cluster says is the matter, and how long it must have been so before anybody is told. Pure.
//
// A rule says nothing of what it can't know: while the cluster can't be read, only that is the matter.

import type {
  AlertRuleName,
  MigrationView,
  ProxyStatsView,
  ServerStatusView,
  StatsPointView,
  StatusView,
  TryView,
} from '@codis/config/api';
import { CLUSTER, type Condition, conditionsOf } from '@codis/config/status';

/** What one look saw. */
export interface Facts {
  /** Null when the cluster could not be read; then the rest is empty. */
  readonly status: StatusView | null;
  /** Why it could not. */
  readonly trouble: string | null;
  readonly point: StatsPointView | null;
  readonly proxies: readonly ProxyStatsView[];
  readonly migrations: readonly MigrationView[];
  /** By server: how far its clock is from that of this machine. */
  readonly skews: ReadonlyMap<string, number>;
  /** Whether some dashboard is elected; null: not known. */
  readonly hasController: boolean | null;
}

/** For how long a condition must hold before it fires. */
export const HOLD_MS: Readonly<Record<AlertRuleName, number>> = {
  'slots-unserved': 800,
  'slots-offline': 10_000,
  'no-replica': 5000,
  'replica-broken': 10_000,
  'replication-lag': 30_000,
  memory: 10_000,
  'proxy-lost': 3000,
  'no-proxy': 5000,
  'proxy-behind': 10_000,
  'error-rate': 30_000,
  latency: 60_000,
  'migration-stalled': 0,
  'mixed-versions': 60_000,
  'clock-skew': 30_000,
  'coordinator-lost': 3000,
  'no-controller': 20_000,
};

/** A replica this far behind would lose too much. */
const LAG_BYTES = 16 * 1024 * 1024;
const MEMORY_WARNING = 0.8;
const MEMORY_CRITICAL = 0.9;
/** Errors per request, and at least so many a second. */
const ERROR_SHARE = 0.05;
const ERRORS_PER_SECOND = 1;
const P99_MS = 200;
/** More than an answer takes to come. */
const SKEW_MS = 2000;

export function conditionsFor(facts: Facts): Condition[] {
  const { status, trouble } = facts;
  if (!status) return [coordinatorLost(trouble ?? 'it could not be read')];
  if (status.verdict === 'empty') return [];
  return [
    ...conditionsOf(status),
    ...status.groups.flatMap(({ id, servers }) => servers.flatMap((server) => [...lag(id, server), ...memory(id, server)])),
    ...mixedVersions(status, facts.proxies),
    ...status.groups.flatMap(({ servers }) => servers.flatMap((server) => skewed(server, facts.skews))),
    ...traffic(facts.point),
    ...facts.migrations.flatMap(stalled),
    ...(facts.hasController === false ? [noController()] : []),
  ];
}

function coordinatorLost(trouble: string): Condition {
  return {
    rule: 'coordinator-lost',
    severity: 'problem',
    object: { kind: 'coordinator', id: '' },
    text: `the cluster can't be read: ${trouble}`,
    why: 'Clients are served on by the last slot table, but nothing can change: no move, no promotion, no new proxy.',
    try: [{ label: 'Check ZooKeeper, or the folder of the coordinator', cli: 'codis-config doctor', api: null }],
  };
}

function noController(): Condition {
  return {
    rule: 'no-controller',
    severity: 'warning',
    object: { kind: 'dashboard', id: '' },
    text: 'no dashboard is elected controller',
    why: 'Migrations do not go on until one is.',
    try: [{ label: 'Look at the log of the dashboards', cli: null, api: null }],
  };
}

function lag(group: number, { addr, lagBytes }: ServerStatusView): Condition[] {
  if (lagBytes === null || lagBytes < LAG_BYTES) return [];
  return [
    {
      rule: 'replication-lag',
      severity: 'warning',
      object: { kind: 'server', id: addr },
      text: `the replica ${addr} of group ${group} is ${mebibytes(lagBytes)} behind its master`,
      why: 'If the master dies now, that much of what clients were told is written is lost.',
      try: [{ label: `Look at the network and the load of ${addr}`, cli: `redis-cli -h <host> -p <port> info replication`, api: null }],
    },
  ];
}

function memory(group: number, { addr, usedMemoryBytes, maxMemoryBytes }: ServerStatusView): Condition[] {
  if (usedMemoryBytes === null || maxMemoryBytes === null || maxMemoryBytes === 0) return [];
  const share = usedMemoryBytes / maxMemoryBytes;
  if (share < MEMORY_WARNING) return [];
  const rebalance: TryView = {
    label: 'Plan a rebalance by memory',
    cli: 'codis-config plan rebalance --by memory',
    api: { method: 'POST', path: '/plans', body: '{"kind":"rebalance","by":"memory"}' },
  };
  return [
    {
      rule: 'memory',
      severity: share < MEMORY_CRITICAL ? 'warning' : 'problem',
      object: { kind: 'server', id: addr },
      text: `${addr} of group ${group} uses ${Math.round(share * 100)} % of its memory (${mebibytes(usedMemoryBytes)} of ${mebibytes(maxMemoryBytes)})`,
      why: 'At its limit a Redis refuses writes, or evicts keys, as its maxmemory-policy says.',
      try: [rebalance],
    },
  ];
}

function mixedVersions({ groups }: StatusView, proxies: readonly ProxyStatsView[]): Condition[] {
  const servers = distinct(groups.flatMap((group) => group.servers.flatMap(({ version }) => (version === null ? [] : minorOf(version)))));
  const versions = distinct(proxies.flatMap(({ version }) => version ?? []));
  const texts = [
    ...(servers.length > 1 ? [`Redis servers are of versions ${servers.join(', ')}`] : []),
    ...(versions.length > 1 ? [`proxies are of versions ${versions.join(', ')}`] : []),
  ];
  if (texts.length === 0) return [];
  return [
    {
      rule: 'mixed-versions',
      severity: 'warning',
      object: CLUSTER,
      text: texts.join('; '),
      why: 'A slot can’t move to a Redis that is older than where it comes from; and what one proxy knows another may not.',
      try: [{ label: 'Finish the upgrade', cli: 'codis-config status', api: null }],
    },
  ];
}

function skewed({ addr, up }: ServerStatusView, skews: ReadonlyMap<string, number>): Condition[] {
  const skew = up ? (skews.get(addr) ?? 0) : 0;
  if (Math.abs(skew) < SKEW_MS) return [];
  return [
    {
      rule: 'clock-skew',
      severity: 'warning',
      object: { kind: 'server', id: addr },
      text: `the clock of ${addr} is ${(Math.abs(skew) / 1000).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} that of this dashboard`,
      why: 'Keys expire by the clock of the server that holds them, so what moves there lives longer or shorter; and logs of different machines don’t fit together.',
      try: [{ label: `Set the clock of the machine of ${addr}, by NTP for one`, cli: null, api: null }],
    },
  ];
}

function traffic(point: StatsPointView | null): Condition[] {
  if (!point) return [];
  const conditions: Condition[] = [];
  const { errorsPerSecond: errors, opsPerSecond: ops, p99Ms } = point;
  const slowlog: TryView = {
    label: 'Look at the slow log',
    cli: 'codis-config slowlog',
    api: { method: 'GET', path: '/slowlog', body: null },
  };
  if (errors !== null && ops !== null && errors >= ERRORS_PER_SECOND && errors >= ops * ERROR_SHARE) {
    conditions.push({
      rule: 'error-rate',
      severity: 'warning',
      object: CLUSTER,
      text: `${errors} of ${ops} requests a second are answered with an error`,
      why: 'That may be the cluster (slots that can’t be reached, servers out of memory), or a client that does something wrong.',
      try: [{ label: 'Ask the doctor', cli: 'codis-config doctor', api: { method: 'GET', path: '/doctor', body: null } }],
    });
  }
  if (p99Ms !== null && p99Ms >= P99_MS) {
    const text = `one request in a hundred takes longer than ${Math.round(p99Ms)} ms`;
    const why = 'A server or a proxy is overloaded, a command takes long, or a migration takes too much.';
    conditions.push({ rule: 'latency', severity: 'warning', object: CLUSTER, text, why, try: [slowlog] });
  }
  return conditions;
}

function stalled({ id, state, stalled: how, slotsDone, slotsTotal }: MigrationView): Condition[] {
  if (!how) return [];
  const steer = (label: string, verb: string): TryView => ({
    label: `${label} migration ${id}`,
    cli: `codis-config migration ${verb} ${id}`,
    api: { method: 'POST', path: `/migrations/${id}/${verb}`, body: null },
  });
  return [
    {
      rule: 'migration-stalled',
      severity: 'warning',
      object: { kind: 'migration', id: String(id) },
      text: `migration ${id} does not get on, at ${slotsDone} of ${slotsTotal} slots: ${how.reason}`,
      why: 'Nothing is lost: keys are handed over on demand. But the slots between two groups depend on both.',
      try: [
        {
          label: `Why does migration ${id} not get on?`,
          cli: `codis-config migration show ${id}`,
          api: { method: 'GET', path: `/explain?migration=${id}`, body: null },
        },
        ...(state === 'running' ? [steer('Pause', 'pause'), steer('Cancel', 'cancel')] : []),
      ],
    },
  ];
}

const distinct = (words: readonly string[]): string[] => [...new Set(words)].sort();
const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');
const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
