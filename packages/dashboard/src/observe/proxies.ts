// Asks proxies at their admin addresses what they do, and keeps the last two answers of each: rates need two.
//
// Invariant: one that does not answer in time is silent: its numbers are null, never those of before.

import { get } from 'node:http';
import type { ProxyDetailView, ProxyStatsView } from '@codis/config/api';
import { type ProxyView, parseAddr } from '@codis/config/model';
import type { Serving } from '@codis/config/status';
import { type Activity, activityBetween, type ProxyReading, proxyStats, silentProxy, type TimedReading, workerViews } from './rates.ts';

/** How long a proxy may take to answer. */
const ANSWER_MS = 1000;
const ANSWER_BYTES_MAX = 4_194_304;
/** Two readings closer than this tell no rate. */
const APART_MS = 500;

interface Known {
  readonly last: TimedReading | null;
  readonly before: TimedReading | null;
  readonly activity: Activity | null;
  readonly stats: ProxyStatsView;
}

export class ProxyWatch {
  readonly #known = new Map<string, Known>();

  /** Asks all that have a session; the others are silent. Never rejects. */
  async ask(proxies: readonly ProxyView[]): Promise<void> {
    const ids = new Set<string>(proxies.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    await Promise.all(proxies.map((proxy) => this.#askOne(proxy)));
  }

  get stats(): ProxyStatsView[] {
    return [...this.#known.values()].map(({ stats }) => stats);
  }

  get activities(): Activity[] {
    return [...this.#known.values()].flatMap(({ activity }) => activity ?? []);
  }

  /** By id. One that is between two states is asked anew: what it did two seconds ago would mislead. */
  async servings(proxies: readonly ProxyView[]): Promise<ReadonlyMap<string, Serving>> {
    await Promise.all(proxies.filter((proxy) => this.#isChanging(proxy)).map((proxy) => this.#askOne(proxy)));
    const known = new Map<string, Serving>();
    for (const { id } of proxies) {
      const { serving = null, sessions = null } = this.#known.get(id)?.stats ?? {};
      if (serving !== null && sessions !== null) known.set(id, { serving, sessions });
    }
    return known;
  }

  #isChanging({ id, wanted, live }: ProxyView): boolean {
    const stats = this.#known.get(id)?.stats;
    if (!live || !stats || stats.serving === null) return false;
    return wanted === 'online' ? !stats.serving : stats.serving || stats.sessions !== 0;
  }

  /** Null for one that was never asked. */
  detail(id: string): ProxyDetailView | null {
    const known = this.#known.get(id);
    if (!known) return null;
    return { ...known.stats, workers: known.last ? workerViews(known.before, known.last) : [], commands: commandsOf(known) };
  }

  async #askOne({ id, adminAddr, live }: ProxyView): Promise<void> {
    const at = new Date().toISOString();
    const known = this.#known.get(id);
    try {
      if (!live) throw new Error('it has no session');
      const timed: TimedReading = { atMs: performance.now(), reading: await readAdmin(id, adminAddr) };
      const tooSoon = known?.last && timed.atMs - known.last.atMs < APART_MS;
      const before = tooSoon ? known.before : (known?.last ?? null);
      const activity = activityBetween(before, timed);
      this.#known.set(id, { last: timed, before, activity, stats: proxyStats(timed, activity, { at, nowMs: Date.now() }) });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#known.set(id, { last: null, before: null, activity: null, stats: silentProxy(id, { at, problem }) });
    }
  }
}

function commandsOf({ last, before }: Known): ProxyDetailView['commands'] {
  if (!last) return [];
  const total = ({ reading }: TimedReading) => {
    const calls = new Map<string, number>();
    for (const worker of reading.workers) {
      for (const [command, count] of Object.entries(worker.calls)) calls.set(command, (calls.get(command) ?? 0) + count);
    }
    return calls;
  };
  const earlier = before && total(before);
  const seconds = before ? (last.atMs - before.atMs) / 1000 : 0;
  return [...total(last)]
    .map(([command, callsCount]) => ({
      command,
      callsCount,
      callsPerSecond: earlier ? Number((Math.max(0, callsCount - (earlier.get(command) ?? 0)) / seconds).toFixed(1)) : null,
    }))
    .toSorted((a, b) => b.callsCount - a.callsCount);
}

/** Rejects with a sentence. Whatever answers is checked before it is believed. */
async function readAdmin(id: string, addr: string): Promise<ProxyReading> {
  const text = await fetchText(addr, '/status');
  const reading = parse(text);
  if (!isReading(reading)) throw new Error(`what answers at ${addr} is not the admin address of a proxy of this version`);
  if (reading.id !== id) throw new Error(`at ${addr} answers proxy ${reading.id}: is its admin_addr right?`);
  return reading;
}

/** A GET of a proxy's admin address. Rejects with a sentence. */
export function fetchText(addr: string, path: string): Promise<string> {
  return new Promise((done, failed) => {
    const request = get({ ...parseAddr(addr), path, agent: false, timeout: ANSWER_MS }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) request.destroy(new Error(`${addr} answers without an end`));
        else chunks.push(chunk);
      });
      response.on('error', failed);
      response.on('end', () => done(Buffer.concat(chunks).toString('utf8')));
    });
    const late = setTimeout(() => request.destroy(new Error(`its admin address ${addr} did not answer in ${ANSWER_MS} ms`)), ANSWER_MS);
    request.on('error', (error) => failed(new Error(whyNot(addr, error))));
    request.on('close', () => clearTimeout(late));
  });
}

/** A parser that is met with RESP says so in a code of its own. */
function whyNot(addr: string, error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('HPE_')
    ? `what answers at its admin address ${addr} is no admin address: is that its port for clients?`
    : `its admin address ${addr} can't be asked: ${error.message}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isReading(value: unknown): value is ProxyReading {
  if (typeof value !== 'object' || value === null) return false;
  const { id, version, startedAt, serving, workers, workerRestarts } = value as Partial<Record<keyof ProxyReading, unknown>>;
  const words = [id, version, startedAt].every((word) => typeof word === 'string');
  return words && typeof serving === 'boolean' && typeof workerRestarts === 'number' && Array.isArray(workers) && workers.every(isWorker);
}

const NUMBERS = ['worker', 'pid', 'epoch', 'clients', 'requests', 'errors', 'rssBytes', 'cpuMicros'];

function isWorker(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const worker = value as Record<string, unknown>;
  const numbers = NUMBERS.every((name) => typeof worker[name] === 'number');
  const lag = worker['loopLag'];
  return (
    numbers &&
    typeof lag === 'object' &&
    Array.isArray(worker['latency']) &&
    typeof worker['calls'] === 'object' &&
    worker['calls'] !== null
  );
}

/** What each proxy tells at `path` of its admin address, as `readingIn` understands it, or why it could not be asked; by proxy. Never rejects. */
export async function askEach<Reading>(
  proxies: readonly ProxyView[],
  path: string,
  readingIn: (text: string, addr: string) => Reading,
): Promise<ReadonlyMap<string, Reading | string>> {
  const all = await Promise.all(
    proxies.map(async ({ id, adminAddr, live }): Promise<[string, Reading | string]> => {
      try {
        if (!live) throw new Error('it has no session');
        return [id, readingIn(await fetchText(adminAddr, path), adminAddr)];
      } catch (error) {
        return [id, error instanceof Error ? error.message : String(error)];
      }
    }),
  );
  return new Map(all);
}
