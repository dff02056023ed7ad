// What one worker knows of itself for INFO, as plain JSON so that workers can ask each other, and the sum over all workers of the proxy.

import { COMMANDS } from '../../commands/command.ts';
import { MODE_SUBSCRIBED } from '../modes.ts';
import type { Router } from '../router.ts';
import type { Session } from '../session.ts';
import { BUCKETS } from '../timings.ts';

/** Counters since the worker started, and gauges. */
export interface WorkerFacts {
  readonly clients: number;
  readonly blockedClients: number;
  readonly subscribedClients: number;
  readonly clientsTotal: number;
  readonly clientsRefused: number;
  readonly inputBytesMax: number;
  readonly outputBytesMax: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly errors: number;
  readonly rssBytes: number;
  /** Microseconds. */
  readonly cpuUser: number;
  readonly cpuSystem: number;
  readonly backendConnections: number;
  readonly held: number;
  readonly tryAgain: number;
  readonly handOvers: number;
  readonly handOverErrors: number;
  /** By the first word of the reply. */
  readonly errorCodes: Readonly<Record<string, number>>;
  /** By name; commands never called are left out. */
  readonly commands: Readonly<Record<string, CommandFacts>>;
}

type Summed = Exclude<keyof WorkerFacts, 'inputBytesMax' | 'outputBytesMax' | 'errorCodes' | 'commands'>;
const SUMMED: readonly Summed[] = [
  'clients',
  'blockedClients',
  'subscribedClients',
  'clientsTotal',
  'clientsRefused',
  'requests',
  'requestsPerSecond',
  'bytesIn',
  'bytesOut',
  'bytesInPerSecond',
  'bytesOutPerSecond',
  'errors',
  'rssBytes',
  'cpuUser',
  'cpuSystem',
  'backendConnections',
  'held',
  'tryAgain',
  'handOvers',
  'handOverErrors',
];

export interface CommandFacts {
  readonly calls: number;
  readonly micros: number;
  readonly rejected: number;
  readonly failed: number;
  /** Calls that took less than 2^index microseconds, and not less than half of that. */
  readonly histogram: readonly number[];
}

export interface WorkerSource {
  readonly router: Router;
  readonly sessions: ReadonlySet<Session>;
  readonly rates: Rates;
  /** Bytes sent to clients, those that are gone included. */
  readonly bytesOut: () => number;
}

export function workerFacts({ router, sessions, rates, bytesOut }: WorkerSource): WorkerFacts {
  const { stats } = router;
  const cpu = process.cpuUsage();
  const all = [...sessions];
  return {
    clients: all.length,
    blockedClients: all.filter((session) => session.isBlocked).length,
    subscribedClients: all.filter(({ modes }) => (modes & MODE_SUBSCRIBED) !== 0).length,
    clientsTotal: stats.clientsTotal,
    clientsRefused: stats.clientsRefused,
    inputBytesMax: largest(all.map(({ inputBytes }) => inputBytes)),
    outputBytesMax: largest(all.map(({ waitingBytes }) => waitingBytes)),
    requests: stats.requests,
    bytesIn: stats.clientBytesIn,
    bytesOut: bytesOut(),
    ...rates.perSecond,
    errors: stats.errors,
    rssBytes: process.memoryUsage.rss(),
    cpuUser: cpu.user,
    cpuSystem: cpu.system,
    backendConnections: [...router.servers.values()].reduce((sum, server) => sum + server.connectionCount, router.pubsub.connectionCount),
    held: stats.held,
    tryAgain: stats.tryAgain,
    handOvers: stats.handOvers,
    handOverErrors: stats.handOverErrors,
    errorCodes: stats.errorCodes.counts(),
    commands: commandFacts(router),
  };
}

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0);

function commandFacts({ stats }: Router): Record<string, CommandFacts> {
  const facts: Record<string, CommandFacts> = {};
  const { timings } = stats;
  for (const { name, index } of COMMANDS) {
    const calls = stats.calls[index] as number;
    if (calls === 0) continue;
    const rejected = timings.rejected[index] as number;
    facts[name] = {
      calls: Math.max(calls - rejected, 0),
      micros: timings.micros[index] as number,
      rejected,
      failed: timings.failed[index] as number,
      histogram: [...timings.histograms.subarray(index * BUCKETS, (index + 1) * BUCKETS)],
    };
  }
  return facts;
}

/** What was counted since a second ago, or a little more. */
export class Rates {
  #at = performance.now();
  #last = { requests: 0, bytesIn: 0, bytesOut: 0 };
  #perSecond = { requestsPerSecond: 0, bytesInPerSecond: 0, bytesOutPerSecond: 0 };

  get perSecond(): Readonly<{ requestsPerSecond: number; bytesInPerSecond: number; bytesOutPerSecond: number }> {
    return this.#perSecond;
  }

  /** Called about once a second. */
  tick(counts: { requests: number; bytesIn: number; bytesOut: number }): void {
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.#at) / 1000);
    // CONFIG RESETSTAT may have come between.
    const rate = (key: keyof typeof counts) => Math.max(0, Math.round((counts[key] - this.#last[key]) / seconds));
    this.#perSecond = {
      requestsPerSecond: rate('requests'),
      bytesInPerSecond: rate('bytesIn'),
      bytesOutPerSecond: rate('bytesOut'),
    };
    this.#at = now;
    this.#last = counts;
  }
}

/** The whole proxy: everything added up, but for what is the largest of its kind. */
export function sumWorkers(workers: readonly WorkerFacts[]): WorkerFacts {
  const sums = Object.fromEntries(SUMMED.map((key) => [key, workers.reduce((sum, facts) => sum + facts[key], 0)]));
  return {
    ...(sums as Record<Summed, number>),
    inputBytesMax: largest(workers.map(({ inputBytesMax }) => inputBytesMax)),
    outputBytesMax: largest(workers.map(({ outputBytesMax }) => outputBytesMax)),
    errorCodes: sumBy(
      workers.map(({ errorCodes }) => errorCodes),
      (a, b) => a + b,
    ),
    commands: sumBy(
      workers.map(({ commands }) => commands),
      addCommand,
    ),
  };
}

function sumBy<T>(records: readonly Readonly<Record<string, T>>[], add: (a: T, b: T) => T): Record<string, T> {
  const sum: Record<string, T> = {};
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) {
      const before = sum[key];
      sum[key] = before === undefined ? value : add(before, value);
    }
  }
  return sum;
}

function addCommand(a: CommandFacts, b: CommandFacts): CommandFacts {
  return {
    calls: a.calls + b.calls,
    micros: a.micros + b.micros,
    rejected: a.rejected + b.rejected,
    failed: a.failed + b.failed,
    histogram: Array.from(
      { length: Math.max(a.histogram.length, b.histogram.length) },
      (_, at) => (a.histogram[at] ?? 0) + (b.histogram[at] ?? 0),
    ),
  };
}
