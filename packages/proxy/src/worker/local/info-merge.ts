// What several servers say in INFO, made into what one Redis with all of their data would say: amounts are added up, of states the worst is told. Pure.

import { type Field, humanBytes } from './info-text.ts';

/** The fields of one server that answered. */
export type ServerFields = ReadonlyMap<string, string>;

/** Makes one value out of those of the servers that have the field; called with at least one. */
type Merge = (values: readonly string[]) => string | number;
/** A field that follows from others, which stand before it. */
type Derive = (number: (name: string) => number) => string | number;
type Rule = readonly [name: string, merge: Merge] | readonly [name: string, merge: null, derive: Derive];

const numbers = (values: readonly string[]) => values.map(Number).filter((value) => Number.isFinite(value));
const sum: Merge = (values) => numbers(values).reduce((total, value) => total + value, 0);
const max: Merge = (values) => Math.max(...numbers(values), -1);
const min: Merge = (values) => Math.min(...numbers(values));
const first: Merge = (values) => values[0] as string;
/** `ok`, unless one of them says otherwise. */
const worst: Merge = (values) => values.find((value) => value !== 'ok') ?? 'ok';
/** One server without a limit makes the whole one without. */
const limit: Merge = (values) => (values.includes('0') ? 0 : sum(values));
const policy: Merge = (values) => values.find((value) => value !== 'noeviction') ?? 'noeviction';
const rate: Merge = (values) => Number(sum(values)).toFixed(2);
const average: Merge = (values) => (Number(sum(values)) / values.length).toFixed(2);

const human = (of: string): Rule => [`${of}_human`, null, (number) => humanBytes(number(of))];
const ratio = (name: string, of: string, to: string): Rule => [
  name,
  null,
  (number) => (number(to) > 0 ? (number(of) / number(to)).toFixed(2) : '0.00'),
];
const percent = (name: string, share: Derive): Rule => [name, null, (number) => `${Number(share(number)).toFixed(2)}%`];
const sums = (...names: string[]): Rule[] => names.map((name) => [name, sum]);
const maxima = (...names: string[]): Rule[] => names.map((name) => [name, max]);

const MEMORY: readonly Rule[] = [
  ['used_memory', sum],
  human('used_memory'),
  ['used_memory_rss', sum],
  human('used_memory_rss'),
  ['used_memory_peak', sum],
  human('used_memory_peak'),
  percent('used_memory_peak_perc', (number) => (100 * number('used_memory')) / number('used_memory_peak')),
  ...sums('used_memory_overhead', 'used_memory_startup', 'used_memory_dataset'),
  percent(
    'used_memory_dataset_perc',
    (number) => (100 * number('used_memory_dataset')) / Math.max(1, number('used_memory') - number('used_memory_startup')),
  ),
  ...sums('allocator_allocated', 'allocator_active', 'allocator_resident'),
  // Servers often share a machine: more than the largest may not be there.
  ['total_system_memory', max],
  human('total_system_memory'),
  ...sums('used_memory_lua', 'used_memory_vm_eval'),
  human('used_memory_lua'),
  ...sums('used_memory_scripts_eval'),
  ...maxima('number_of_cached_scripts', 'number_of_functions', 'number_of_libraries'),
  ...sums('used_memory_vm_functions', 'used_memory_vm_total'),
  human('used_memory_vm_total'),
  ...sums('used_memory_functions', 'used_memory_scripts'),
  human('used_memory_scripts'),
  ['maxmemory', limit],
  human('maxmemory'),
  ['maxmemory_policy', policy],
  ratio('allocator_frag_ratio', 'allocator_active', 'allocator_allocated'),
  ...sums('allocator_frag_bytes'),
  ratio('allocator_rss_ratio', 'allocator_resident', 'allocator_active'),
  ...sums('allocator_rss_bytes'),
  ratio('rss_overhead_ratio', 'used_memory_rss', 'allocator_resident'),
  ...sums('rss_overhead_bytes'),
  ratio('mem_fragmentation_ratio', 'used_memory_rss', 'used_memory'),
  ...sums('mem_fragmentation_bytes', 'mem_not_counted_for_evict', 'mem_replication_backlog', 'mem_total_replication_buffers'),
  ...sums('mem_clients_slaves', 'mem_clients_normal', 'mem_cluster_links', 'mem_aof_buffer'),
  ['mem_allocator', first],
  ...maxima('active_defrag_running'),
  ...sums('lazyfree_pending_objects', 'lazyfreed_objects'),
];

const PERSISTENCE: readonly Rule[] = [
  ...maxima('async_loading'),
  ...sums('current_cow_peak', 'current_cow_size'),
  ...maxima('current_cow_size_age', 'current_fork_perc'),
  ...sums('current_save_keys_processed', 'current_save_keys_total', 'rdb_changes_since_last_save'),
  ...maxima('rdb_bgsave_in_progress'),
  ['rdb_last_save_time', min],
  ['rdb_last_bgsave_status', worst],
  ...maxima('rdb_last_bgsave_time_sec', 'rdb_current_bgsave_time_sec'),
  ...sums('rdb_saves', 'rdb_last_cow_size', 'rdb_last_load_keys_expired', 'rdb_last_load_keys_loaded'),
  ...maxima('aof_enabled', 'aof_rewrite_in_progress', 'aof_rewrite_scheduled'),
  ...maxima('aof_last_rewrite_time_sec', 'aof_current_rewrite_time_sec'),
  ['aof_last_bgrewrite_status', worst],
  ...sums('aof_rewrites', 'aof_rewrites_consecutive_failures'),
  ['aof_last_write_status', worst],
  ...sums('aof_last_cow_size'),
  ...maxima('module_fork_in_progress'),
  ...sums('module_fork_last_cow_size', 'aof_current_size', 'aof_base_size', 'aof_buffer_length', 'aof_delayed_fsync'),
];

const STATS: readonly Rule[] = [
  ...sums('total_net_repl_input_bytes', 'total_net_repl_output_bytes'),
  ['instantaneous_input_repl_kbps', rate],
  ['instantaneous_output_repl_kbps', rate],
  ...sums('sync_full', 'sync_partial_ok', 'sync_partial_err', 'expired_keys'),
  ['expired_stale_perc', average],
  ...sums('expired_time_cap_reached_count', 'expire_cycle_cpu_milliseconds', 'evicted_keys'),
  ...sums('total_eviction_exceeded_time', 'current_eviction_exceeded_time', 'keyspace_hits', 'keyspace_misses'),
  // Every proxy subscribes on every master to all that its clients have, so each knows everything.
  ...maxima('pubsub_channels', 'pubsub_patterns', 'pubsubshard_channels', 'latest_fork_usec'),
  ...sums('total_forks', 'migrate_cached_sockets', 'slave_expires_tracked_keys', 'active_defrag_hits', 'active_defrag_misses'),
  ...sums('active_defrag_key_hits', 'active_defrag_key_misses', 'total_active_defrag_time', 'current_active_defrag_time'),
  ...sums('dump_payload_sanitizations'),
];

const REPLICATION: readonly Rule[] = [
  ...sums('connected_slaves', 'master_repl_offset'),
  ...maxima('repl_backlog_active'),
  ...sums('repl_backlog_size', 'repl_backlog_histlen'),
];

const RULES = { Memory: MEMORY, Persistence: PERSISTENCE, Stats: STATS, Replication: REPLICATION } as const;

/** What the servers say in a section, in Redis's order. A field that none of them has is left out, so without servers there is nothing. */
export function mergeSection(section: keyof typeof RULES, servers: readonly ServerFields[]): Field[] {
  const merged = new Map<string, string | number>();
  const number = (name: string) => Number(merged.get(name) ?? 0);
  for (const [name, merge, derive] of RULES[section]) {
    const values = servers.flatMap((fields) => fields.get(name) ?? []);
    if (values.length > 0) merged.set(name, merge === null ? derive(number) : merge(values));
  }
  return [...merged];
}

const DB = /^db\d+$/;

/** dbN:keys=…,expires=…,avg_ttl=… in the order of the databases. */
export function mergeKeyspace(servers: readonly ServerFields[]): Field[] {
  const databases = new Map<string, string[]>();
  for (const fields of servers) {
    for (const [name, value] of fields) if (DB.test(name)) databases.set(name, [...(databases.get(name) ?? []), value]);
  }
  return [...databases]
    .toSorted(([a], [b]) => Number(a.slice(2)) - Number(b.slice(2)))
    .map(([name, values]) => [name, mergeDatabase(values.map(parseDatabase))]);
}

function parseDatabase(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split(',').map((pair): [string, number] => {
      const [name = '', value] = pair.split('=');
      return [name, Number(value)];
    }),
  );
}

/** Amounts are added up; the average time to live is that of all keys that expire. */
function mergeDatabase(parts: readonly ReadonlyMap<string, number>[]): string {
  const names = [...new Set(parts.flatMap((part) => [...part.keys()]))];
  const total = (name: string) => parts.reduce((all, part) => all + (part.get(name) ?? 0), 0);
  const averageTtl = () => {
    const weighted = parts.reduce((all, part) => all + (part.get('avg_ttl') ?? 0) * (part.get('expires') ?? 0), 0);
    return total('expires') > 0 ? Math.round(weighted / total('expires')) : 0;
  };
  return names.map((name) => `${name}=${name === 'avg_ttl' ? averageTtl() : total(name)}`).join(',');
}
