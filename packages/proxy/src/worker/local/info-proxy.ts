// The sections of INFO that are about the proxy, in Redis's own words where Redis has some. Pure but for the clock and the machine.

import { createHash } from 'node:crypto';
import { arch, release, type } from 'node:os';
import { findGroup, masterOf, type Topology } from '@codis/config/model';
import type { ServerInfo } from './info-servers.ts';
import type { Field } from './info-text.ts';
import type { CommandFacts, WorkerFacts } from './info-worker.ts';

export interface ProxyFacts {
  readonly redisVersion: string;
  readonly version: string;
  readonly product: string;
  readonly id: string;
  readonly port: number;
  readonly maxClients: number;
  readonly workers: number;
  /** Of the whole program, which is what monitoring tells apart and sees restart. */
  readonly pid: number;
  readonly startedAt: number;
  readonly epoch: number;
  readonly topology: Topology | null;
  /** How many proxies serve clients, as far as this one knows. */
  readonly proxies: number;
}

const digest = (text: string, length = 40): string => createHash('sha1').update(text).digest('hex').slice(0, length);
const seconds = (micros: number): string => (micros / 1e6).toFixed(6);
const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(2);

export function serverSection(facts: ProxyFacts): Field[] {
  const now = Date.now();
  const uptime = Math.max(0, Math.floor((now - facts.startedAt) / 1000));
  return [
    ['redis_version', facts.redisVersion],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', digest(facts.version, 16)],
    // A client that takes `cluster` for an order would give up its databases and its commands over many keys, which work here.
    ['redis_mode', 'standalone'],
    ['os', `${type()} ${release()} ${arch()}`],
    ['arch_bits', 64],
    ['multiplexing_api', process.platform === 'linux' ? 'epoll' : 'kqueue'],
    ['process_id', facts.pid],
    ['process_supervised', 'no'],
    ['run_id', digest(`${facts.product}:${facts.id}:${facts.startedAt}`)],
    ['tcp_port', facts.port],
    ['server_time_usec', now * 1000],
    ['uptime_in_seconds', uptime],
    ['uptime_in_days', Math.floor(uptime / 86_400)],
    ['lru_clock', Math.floor(now / 1000) & 0xff_ffff],
    ['io_threads_active', 0],
  ];
}

export function clientsSection(facts: ProxyFacts, all: WorkerFacts): Field[] {
  return [
    ['connected_clients', all.clients],
    ['cluster_connections', 0],
    ['maxclients', facts.maxClients],
    ['client_recent_max_input_buffer', all.inputBytesMax],
    ['client_recent_max_output_buffer', all.outputBytesMax],
    ['blocked_clients', all.blockedClients],
    ['tracking_clients', 0],
    ['pubsub_clients', all.subscribedClients],
    ['clients_in_timeout_table', 0],
  ];
}

/** `ofServers` stands where Redis has what is about its data. */
export function statsSection(all: WorkerFacts, ofServers: readonly Field[]): Field[] {
  return [
    ['total_connections_received', all.clientsTotal],
    ['total_commands_processed', all.requests],
    ['instantaneous_ops_per_sec', all.requestsPerSecond],
    ['total_net_input_bytes', all.bytesIn],
    ['total_net_output_bytes', all.bytesOut],
    ['instantaneous_input_kbps', kilobytes(all.bytesInPerSecond)],
    ['instantaneous_output_kbps', kilobytes(all.bytesOutPerSecond)],
    ['rejected_connections', all.clientsRefused],
    ...ofServers,
    ['evicted_clients', 0],
    ['tracking_total_keys', 0],
    ['tracking_total_items', 0],
    ['tracking_total_prefixes', 0],
    ['unexpected_error_replies', 0],
    ['total_error_replies', all.errors],
  ];
}

/** A master. The number of replicas is told, but not where they are: a client library that finds replicas here would read from them past the proxy, and each
 *  has one group's keys only. They stand in `# Proxy`. */
export function replicationSection(facts: ProxyFacts, ofServers: readonly Field[]): Field[] {
  const [slaves = ['connected_slaves', 0], ...rest] = ofServers;
  const [offset = ['master_repl_offset', 0], ...backlog] = rest;
  return [
    ['role', 'master'],
    slaves,
    ['master_failover_state', 'no-failover'],
    ['master_replid', digest(`replid:${facts.product}`)],
    ['master_replid2', '0'.repeat(40)],
    offset,
    ['second_repl_offset', -1],
    ...backlog,
  ];
}

export function cpuSection(all: WorkerFacts): Field[] {
  return [
    ['used_cpu_sys', seconds(all.cpuSystem)],
    ['used_cpu_user', seconds(all.cpuUser)],
    ['used_cpu_sys_children', '0.000000'],
    ['used_cpu_user_children', '0.000000'],
    ['used_cpu_sys_main_thread', seconds(all.cpuSystem)],
    ['used_cpu_user_main_thread', seconds(all.cpuUser)],
  ];
}

export function commandSection(all: WorkerFacts): Field[] {
  return Object.entries(all.commands).map(([name, { calls, micros, rejected, failed }]) => {
    const each = calls > 0 ? (micros / calls).toFixed(2) : '0.00';
    return [`cmdstat_${name}`, `calls=${calls},usec=${micros},usec_per_call=${each},rejected_calls=${rejected},failed_calls=${failed}`];
  });
}

export function errorSection(all: WorkerFacts): Field[] {
  return Object.entries(all.errorCodes).map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

export function latencySection(all: WorkerFacts): Field[] {
  return Object.entries(all.commands).flatMap(([name, facts]) => {
    const at = (share: number) => percentile(facts, share).toFixed(3);
    const measured = facts.histogram.some((count) => count > 0);
    return measured ? [[`latency_percentiles_usec_${name}`, `p50=${at(0.5)},p99=${at(0.99)},p99.9=${at(0.999)}`] as const] : [];
  });
}

/** Microseconds that this share of the calls took at most: as the histogram goes by powers of two, up to twice as many as really. */
function percentile({ histogram }: CommandFacts, share: number): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [index, count] of histogram.entries()) {
    seen += count;
    if (seen >= total * share) return 2 ** index;
  }
  return 0;
}

export function proxySection(facts: ProxyFacts, all: WorkerFacts, servers: readonly ServerInfo[]): Field[] {
  const states = facts.topology?.slots.map(({ kind }) => kind) ?? [];
  const slots = (kind: (typeof states)[number]) => states.filter((state) => state === kind).length;
  return [
    ['proxy_version', facts.version],
    ['product_name', facts.product],
    ['proxy_id', facts.id],
    ['proxy_workers', facts.workers],
    ['proxy_used_memory_rss', all.rssBytes],
    ['proxies_online', facts.proxies],
    ['slot_table_epoch', facts.epoch],
    ['slots_online', slots('online')],
    ['slots_locked', slots('locked')],
    ['slots_migrating', slots('migrating')],
    ['slots_offline', slots('offline')],
    ['requests_held', all.held],
    ['requests_tryagain', all.tryAgain],
    ['keys_handed_over', all.handOvers],
    ['hand_over_errors', all.handOverErrors],
    ['backend_connections', all.backendConnections],
    ['groups', facts.topology?.groups.length ?? 0],
    ['servers', servers.length],
    ['servers_unreachable', servers.filter(({ fields }) => fields === null).length],
    ['servers_loading', servers.filter(({ fields }) => fields?.get('loading') === '1').length],
    ...groupLines(facts.topology, servers),
  ];
}

/** A line for each group, as Redis writes its slaveN. `lag`: of its slowest replica, in seconds. */
function groupLines(topology: Topology | null, servers: readonly ServerInfo[]): Field[] {
  return (topology?.groups ?? []).map(({ id }) => {
    const group = topology && findGroup(topology, id);
    const addr = group ? masterOf(group) : null;
    if (!addr) return [`group${id}`, 'master=,state=no_master'];
    const fields = servers.find(({ server }) => server.addr === addr)?.fields ?? null;
    if (fields === null) return [`group${id}`, `master=${addr},state=unreachable`];
    const state = fields.get('loading') === '1' ? 'loading' : 'online';
    const lags = [...fields].flatMap(([name, value]) => (/^slave\d+$/.test(name) ? [Number(/lag=(-?\d+)/.exec(value)?.[1] ?? -1)] : []));
    return [`group${id}`, `master=${addr},state=${state},replicas=${lags.length},lag=${Math.max(0, ...lags)}`];
  });
}
