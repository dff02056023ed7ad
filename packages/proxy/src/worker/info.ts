// The text of INFO as a worker answers it: Redis's sections and field names where a proxy has something to say, plus `# Proxy`.

import type { RouteTable } from './route-table.ts';
import type { Stats } from './stats.ts';

export interface InfoFacts {
  readonly redisVersion: string;
  readonly version: string;
  readonly product: string;
  readonly proxyId: string;
  readonly port: number;
  readonly uptimeSeconds: number;
  readonly clients: number;
  readonly maxClients: number;
  readonly stats: Stats;
  readonly table: RouteTable;
}

type Section = readonly (readonly [string, string | number])[];

/** Sections by lower-case name, in Redis's order; an unknown name gives nothing, as in Redis. */
export function infoText(facts: InfoFacts, wanted: readonly string[]): string {
  const all = wanted.length === 0 || wanted.some((name) => name === 'all' || name === 'default' || name === 'everything');
  const parts: string[] = [];
  for (const [name, section] of Object.entries(sections(facts))) {
    if (!all && !wanted.includes(name.toLowerCase())) continue;
    parts.push(`# ${name}\r\n${section.map(([key, value]) => `${key}:${value}\r\n`).join('')}`);
  }
  return parts.join('\r\n');
}

function sections(facts: InfoFacts): Record<string, Section> {
  const { stats } = facts;
  const memory = process.memoryUsage();
  return {
    Server: [
      ['redis_version', facts.redisVersion],
      ['redis_mode', 'standalone'],
      ['os', `${process.platform} ${process.arch}`],
      ['arch_bits', 64],
      ['process_id', process.pid],
      ['tcp_port', facts.port],
      ['uptime_in_seconds', facts.uptimeSeconds],
      ['uptime_in_days', Math.floor(facts.uptimeSeconds / 86_400)],
    ],
    Clients: [
      ['connected_clients', facts.clients],
      ['maxclients', facts.maxClients],
    ],
    Memory: [['used_memory_rss', memory.rss]],
    Persistence: [['loading', 0]],
    Stats: [
      ['total_connections_received', stats.clientsTotal],
      ['total_commands_processed', stats.requests],
      ['total_net_input_bytes', stats.clientBytesIn],
      ['rejected_connections', stats.clientsRefused],
      ['total_error_replies', stats.errors],
    ],
    Replication: [['role', 'master']],
    Proxy: [
      ['proxy_version', facts.version],
      ['product_name', facts.product],
      ['proxy_id', facts.proxyId],
      ['slot_table_epoch', facts.table.epoch],
      ['requests_held', stats.held],
      ['requests_tryagain', stats.tryAgain],
      ['keys_handed_over', stats.handOvers],
    ],
  };
}
