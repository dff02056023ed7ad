// /metrics of a proxy: counters of all workers, summed when somebody scrapes.

import { Counter, Gauge, Registry } from 'prom-client';
import type { WorkerReport } from '../ipc.ts';
import type { ProxyStatus } from './primary.ts';

type CounterName = Exclude<
  { [Key in keyof WorkerReport]: WorkerReport[Key] extends number ? Key : never }[keyof WorkerReport],
  'worker' | 'pid' | 'epoch'
>;

const COUNTERS: Readonly<Partial<Record<CounterName, readonly [name: string, help: string]>>> = {
  requests: ['codis_proxy_requests_total', 'Requests received.'],
  errors: ['codis_proxy_error_replies_total', 'Error replies sent, those of servers included.'],
  clientsTotal: ['codis_proxy_clients_total', 'Clients accepted.'],
  clientsRefused: ['codis_proxy_clients_refused_total', 'Clients refused because of max_clients.'],
  clientBytesIn: ['codis_proxy_client_received_bytes_total', 'Bytes received from clients.'],
  clientBytesOut: ['codis_proxy_client_sent_bytes_total', 'Bytes sent to clients.'],
  backendBytesIn: ['codis_proxy_backend_received_bytes_total', 'Bytes received from servers.'],
  held: ['codis_proxy_requests_held_total', 'Requests that waited for a slot in a move.'],
  tryAgain: ['codis_proxy_requests_tryagain_total', 'Requests answered TRYAGAIN.'],
  handOvers: ['codis_proxy_hand_overs_total', 'Hand-overs of keys started on demand.'],
  handOverErrors: ['codis_proxy_hand_over_errors_total', 'Hand-overs that failed.'],
  slowRequests: ['codis_proxy_slow_requests_total', 'Requests that took longer than slowlog_log_slower_than, and were looked at.'],
  slowUnseen: ['codis_proxy_slow_requests_unseen_total', 'Slow requests beyond 128 within some 20 ms, which are counted and not logged.'],
};

/** As many as worker/timings.ts has. */
const LATENCY_BUCKETS = 32;

const GAUGES: Readonly<Partial<Record<CounterName, readonly [name: string, help: string]>>> = {
  clients: ['codis_proxy_clients', 'Clients connected.'],
  backendConnections: ['codis_proxy_backend_connections', 'Connections to servers.'],
  rssBytes: ['codis_proxy_workers_resident_memory_bytes', 'Resident memory of the workers.'],
};

/** The text of /metrics. Workers that were restarted begin at 0 again, as counters of Prometheus may. */
export async function renderMetrics(status: ProxyStatus): Promise<{ contentType: string; text: string }> {
  const registers = [new Registry()];
  const sum = (key: CounterName) => status.workers.reduce((total, worker) => total + worker[key], 0);
  for (const [key, [name, help]] of entries(COUNTERS)) new Counter({ name, help, registers }).inc(sum(key));
  for (const [key, [name, help]] of entries(GAUGES)) new Gauge({ name, help, registers }).set(sum(key));
  const gauge = (name: string, help: string, value: number) => new Gauge({ name, help, registers }).set(value);
  gauge('codis_proxy_serving', 'Whether clients are served.', status.serving ? 1 : 0);
  gauge('codis_proxy_topology_epoch', 'Epoch of the slot table acknowledged; -1 for none.', status.epoch.acknowledged);
  gauge('codis_proxy_coordinator_connected', 'Whether the coordinator can be reached.', status.coordinator.state === 'connected' ? 1 : 0);
  gauge('codis_proxy_workers', 'Workers that answer.', status.workers.length);
  const cpu = status.workers.reduce((total, { cpuMicros }) => total + cpuMicros, 0) / 1e6;
  new Counter({ name: 'codis_proxy_workers_cpu_seconds_total', help: 'CPU time of the workers.', registers }).inc(cpu);
  perWorker(status.workers, registers);
  new Counter({ name: 'codis_proxy_worker_restarts_total', help: 'Workers that died and were replaced.', registers }).inc(
    status.workerRestarts,
  );
  const slow = new Counter({
    name: 'codis_proxy_slow_requests_seconds_total',
    help: 'Time of slow requests, by where it was spent: in the proxy before they were sent, held for a slot in a move, at the server.',
    labelNames: ['stage'],
    registers,
  });
  for (const { slowMicros } of status.workers) for (const [stage, micros] of Object.entries(slowMicros)) slow.inc({ stage }, micros / 1e6);
  const calls = new Counter({ name: 'codis_proxy_command_calls_total', help: 'Calls by command.', labelNames: ['command'], registers });
  for (const { calls: counts } of status.workers) for (const [command, count] of Object.entries(counts)) calls.inc({ command }, count);
  const [registry] = registers as [Registry];
  return { contentType: registry.contentType, text: `${await registry.metrics()}${latencyText(status.workers)}` };
}

/** A few series for each worker: which of them is at its limit does not show in sums. */
function perWorker(workers: readonly WorkerReport[], registers: Registry[]): void {
  const labelNames = ['worker'];
  const cpu = new Counter({ name: 'codis_proxy_worker_cpu_seconds_total', help: 'CPU time by worker.', labelNames, registers });
  for (const { worker, cpuMicros } of workers) cpu.inc({ worker }, cpuMicros / 1e6);
  for (const [stat, what] of [
    ['p50', 'Median of how late'],
    ['p99', '99th percentile of how late'],
    ['max', 'The most by which'],
  ] as const) {
    const help = `${what} the event loop of a worker was, in the last seconds.`;
    const lag = new Gauge({ name: `codis_proxy_event_loop_lag_${stat}_seconds`, help, labelNames, registers });
    for (const { worker, loopLag } of workers) if (loopLag !== null) lag.set({ worker }, loopLag[stat] / 1e6);
  }
}

/** Workers count in buckets of their own, which prom-client's histograms can't be filled from. From 32 microseconds to 17 seconds; faster and slower ones are in the sums. */
function latencyText(workers: readonly WorkerReport[]): string {
  const name = 'codis_proxy_request_seconds';
  const lines = [`# HELP ${name} Time of whole requests in the proxy, commands that block on purpose aside.`, `# TYPE ${name} histogram`];
  let count = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    for (const { latency } of workers) count += latency[bucket] ?? 0;
    if (bucket >= 5 && bucket <= 24) lines.push(`${name}_bucket{le="${2 ** bucket / 1e6}"} ${count}`);
  }
  const seconds = workers.reduce((sum, { latencyMicros }) => sum + latencyMicros, 0) / 1e6;
  lines.push(`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${seconds}`, `${name}_count ${count}`);
  return `${lines.join('\n')}\n`;
}

function entries<T>(table: Readonly<Partial<Record<CounterName, T>>>): [CounterName, T][] {
  return Object.entries(table) as [CounterName, T][];
}
