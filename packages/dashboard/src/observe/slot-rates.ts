// How many requests a second each slot gets, from what the proxies count. Asked for when somebody wants to know, for that is a thousand numbers of each proxy.
//
// Invariant: nothing is told that was not counted by every proxy that serves, over the same time.

import { setTimeout as pause } from 'node:timers/promises';
import { type ProxyView, SLOT_COUNT } from '@codis/config/model';
import { fetchText } from './proxies.ts';

export interface SlotRates {
  /** By slot; null: not known. */
  readonly opsPerSecond: readonly (number | null)[];
  /** Where that comes from, or why it is not known. */
  readonly basis: string;
}

/** What one proxy has counted. */
export interface SlotCounts {
  readonly atMs: number;
  readonly requests: readonly number[];
  readonly workers: number;
  readonly restarts: number;
}

/** Two readings closer than this tell no rate; further apart, not of now. */
const APART_MS = 900;
const APART_MS_MAX = 30_000;

export class SlotRateWatch {
  #last = new Map<string, SlotCounts>();
  #told: { readonly atMs: number; readonly rates: SlotRates } | null = null;
  #underWay: Promise<SlotRates> | null = null;

  /** Takes a second, unless somebody has asked of late. Never rejects. */
  read(proxies: readonly ProxyView[]): Promise<SlotRates> {
    if (this.#told !== null && performance.now() - this.#told.atMs < APART_MS) return Promise.resolve(this.#told.rates);
    this.#underWay ??= this.#read(proxies).finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #read(proxies: readonly ProxyView[]): Promise<SlotRates> {
    const serving = proxies.filter(isServing);
    try {
      if (serving.some(({ id }) => !this.#isRecent(id))) {
        this.#last = await askAll(serving);
        await pause(APART_MS);
      }
      const now = await askAll(serving);
      const rates = ratesBetween(this.#last, now);
      this.#last = now;
      this.#told = { atMs: performance.now(), rates };
      return rates;
    } catch (error) {
      return unknown(error instanceof Error ? error.message : String(error));
    }
  }

  #isRecent(id: string): boolean {
    const counts = this.#last.get(id);
    return counts !== undefined && performance.now() - counts.atMs < APART_MS_MAX;
  }
}

/** Tells what was counted since it was asked before. */
export class SlotMeter {
  #last: ReadonlyMap<string, SlotCounts> = new Map();

  /** By slot, requests a second; null: not known, as at the first time, or when not every proxy that serves has answered both times. */
  async read(proxies: readonly ProxyView[]): Promise<readonly (number | null)[] | null> {
    const before = this.#last;
    this.#last = new Map();
    try {
      this.#last = await askAll(proxies.filter(isServing));
    } catch {
      // Told as it is told when somebody asks: nothing is known.
      return null;
    }
    const found = sumsBetween(before, this.#last);
    return 'why' in found ? null : found.sums.map((sum) => (Number.isNaN(sum) ? null : sum));
  }
}

const isServing = ({ live, wanted }: ProxyView): boolean => live !== null && wanted === 'online';

/** Of all proxies together. */
export function ratesBetween(before: ReadonlyMap<string, SlotCounts>, now: ReadonlyMap<string, SlotCounts>): SlotRates {
  const found = sumsBetween(before, now);
  if ('why' in found) return unknown(found.why);
  return {
    opsPerSecond: found.sums.map((sum) => (Number.isNaN(sum) ? null : Math.round(sum * 10) / 10)),
    basis: `requests: counted by ${now.size === 1 ? 'the proxy' : `all ${now.size} proxies`} over ${found.seconds.toFixed(1)} s`,
  };
}

/** Requests a second by slot, NaN where they are not known; or why none are. */
function sumsBetween(
  before: ReadonlyMap<string, SlotCounts>,
  now: ReadonlyMap<string, SlotCounts>,
): { sums: number[]; seconds: number } | { why: string } {
  if (now.size === 0) return { why: 'no proxy serves' };
  const sums = new Array<number>(SLOT_COUNT).fill(0);
  let seconds = 0;
  for (const [id, { atMs, requests, workers, restarts }] of now) {
    const earlier = before.get(id);
    if (earlier === undefined || earlier.workers !== workers || earlier.restarts !== restarts) {
      return { why: `proxy ${id} has another number of workers than a moment ago` };
    }
    seconds = (atMs - earlier.atMs) / 1000;
    // A count that begins anew at 2^32 is not known once.
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const more = (requests[slot] ?? 0) - (earlier.requests[slot] ?? 0);
      sums[slot] = more < 0 ? Number.NaN : (sums[slot] as number) + more / seconds;
    }
  }
  return { sums, seconds };
}

function unknown(why: string): SlotRates {
  return { opsPerSecond: new Array<null>(SLOT_COUNT).fill(null), basis: `requests are not known: ${why}` };
}

/** Rejects with a sentence when one does not answer. */
async function askAll(proxies: readonly ProxyView[]): Promise<Map<string, SlotCounts>> {
  const counts = await Promise.all(
    proxies.map(async ({ id, adminAddr }) => [id, countsIn(await fetchText(adminAddr, '/slots'), id)] as const),
  );
  return new Map(counts);
}

function countsIn(text: string, id: string): SlotCounts {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below, as anything else that is not what it should be.
  }
  const { requests, workers, restarts } = (value ?? {}) as Partial<SlotCounts>;
  const isWhole = Array.isArray(requests) && requests.length === SLOT_COUNT && requests.every((count) => typeof count === 'number');
  if (!isWhole || typeof workers !== 'number' || typeof restarts !== 'number') throw new Error(`proxy ${id} does not count by slot`);
  return { atMs: performance.now(), requests, workers, restarts };
}
