// Prometheus metrics of the dashboard: the cluster as its status has it, and the dashboard's own process. Read on a scrape, never kept.
// Cardinality is bounded by the servers, groups and proxies of the topology.

import type { StatusView } from '@codis/config/api';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Context } from './context.ts';

/** Gauges of prom-client that are called as counters are. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
const PROXY_STATES = ['joining', 'online', 'behind', 'draining', 'offline', 'lost'] as const;

export interface DashboardMetrics {
  readonly contentType: string;
  requestDone(request: { method: string; status: number; seconds: number }): void;
  text(): Promise<string>;
}

export function dashboardMetrics(context: Context): DashboardMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const show = clusterGauges(registry);
  const requests = new Histogram({
    name: 'codis_dashboard_request_seconds',
    help: 'Time to answer an HTTP request.',
    labelNames: ['method', 'status'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'codis_dashboard_status_failures_total',
    help: 'Scrapes for which the cluster could not be read; its gauges are absent then.',
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    requestDone: ({ method, status, seconds }) => requests.observe({ method, status: `${Math.floor(status / 100)}xx` }, seconds),
    text: async () => {
      try {
        show(await context.status());
      } catch {
        failures.inc();
        show(null);
      }
      return registry.metrics();
    },
  };
}

/** Sets every gauge from one reading; null clears them, for a number of a minute ago is worse than none. */
function clusterGauges(registry: Registry): (status: StatusView | null) => void {
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const epoch = gauge('codis_topology_epoch', 'Version of the slot table.', ['product']);
  const slots = gauge('codis_slots', 'Slots by what they are doing.', ['product', 'state']);
  const up = gauge('codis_server_up', '1 when the Redis answers.', ['product', 'group', 'addr', 'role']);
  const keys = gauge('codis_server_keys', 'Keys of a Redis, over all databases.', ['product', 'group', 'addr', 'role']);
  const memory = gauge('codis_server_used_memory_bytes', 'Memory a Redis uses.', ['product', 'group', 'addr', 'role']);
  const maxMemory = gauge('codis_server_max_memory_bytes', 'Memory a Redis may use; 0: no limit.', ['product', 'group', 'addr', 'role']);
  const lag = gauge('codis_server_replication_lag_bytes', 'How far a replica is behind its master.', ['product', 'group', 'addr', 'role']);
  const proxies = gauge('codis_proxies', 'Proxies by state.', ['product', 'state']);
  const running = gauge('codis_migrations_running', 'Migrations that are under way.', ['product']);
  const elected = gauge('codis_dashboard_elected', '1 when this dashboard is the controller.', ['product']);
  const all = [epoch, slots, up, keys, memory, maxMemory, lag, proxies, running, elected];

  return (status) => {
    for (const one of all) one.reset();
    if (!status) return;
    const { product } = status;
    if (status.epoch !== null) epoch.set({ product }, status.epoch);
    for (const state of ['served', 'offline', 'moving'] as const) slots.set({ product, state }, status.slots[state]);
    for (const { id, servers } of status.groups) {
      for (const server of servers) {
        const labels = { product, group: String(id), addr: server.addr, role: server.role };
        up.set(labels, server.up ? 1 : 0);
        if (server.keysCount !== null) keys.set(labels, server.keysCount);
        if (server.usedMemoryBytes !== null) memory.set(labels, server.usedMemoryBytes);
        if (server.maxMemoryBytes !== null) maxMemory.set(labels, server.maxMemoryBytes);
        if (server.lagBytes !== null) lag.set(labels, server.lagBytes);
      }
    }
    for (const state of PROXY_STATES) {
      proxies.set({ product, state }, status.proxies.filter((proxy) => proxy.state === state).length);
    }
    running.set({ product }, status.migrationsRunning);
    elected.set({ product }, status.elected ? 1 : 0);
  };
}
