// What a server holds, slot by slot: a pass of SCAN that counts keys, and MEMORY USAGE of a sample of them. Stock Redis has no index of slots, so there is no
// cheaper way. It looks only, and stops when its time is up: what it had not seen by then is taken to be like what it had.

import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type BigKey, reservedNames, type ServerAddr, SLOT_COUNT, slotOf } from '../model/index.ts';
import { probe, type ServerProbe, withRedis } from '../redis/probe.ts';

/** How many keys one SCAN call looks at: about a millisecond of the server's time. */
const SCAN_COUNT = 1000;
/** How many keys of a server are measured, spread evenly over what the pass meets. */
const SAMPLE_MAX = 20_000;
/** A slot's own sample counts for as much as this many keys of the average size do. */
const PRIOR_KEYS = 5;
const KEY_TEXT_MAX = 64;

export interface Survey {
  readonly probe: ServerProbe;
  /** Scaled up when the pass is not complete. */
  readonly keysBySlot: readonly number[];
  /** Null when the server refuses MEMORY USAGE. */
  readonly bytesBySlot: readonly number[] | null;
  /** The largest key that was measured of each slot. */
  readonly biggestBySlot: ReadonlyMap<number, BigKey>;
  readonly seenCount: number;
  readonly measuredCount: number;
  /** How long the server was asked for, rests aside. */
  readonly busyMs: number;
  /** Every key was looked at. */
  readonly complete: boolean;
}

export interface SurveyOptions {
  readonly password: string;
  readonly product: string;
  /** How long the pass may take; connecting is not in it, and some keys are looked at however short it is. */
  readonly budgetMs: number;
  /** After each step the server is left to its clients for as long as the step took, so that no more than half of its time is taken. */
  readonly rests?: boolean;
}

/** Throws as `withRedis`. */
export function surveyServer(addr: ServerAddr, options: SurveyOptions): Promise<Survey> {
  return withRedis(addr, options, async (redis) => {
    const server = await probe(addr, redis, options.product);
    const tally = new Tally(Math.max(1, Math.ceil(server.keysCount / SAMPLE_MAX)));
    const complete = await pass(redis, { server, tally, ...options });
    return { probe: server, complete, ...tally.result(complete ? 1 : server.keysCount / Math.max(1, tally.seenCount)) };
  });
}

/** Returns whether it came to the end. */
async function pass(
  redis: Redis,
  { server, tally, product, budgetMs, rests = false }: SurveyOptions & { server: ServerProbe; tally: Tally },
): Promise<boolean> {
  const deadline = performance.now() + budgetMs;
  const isReserved = reservedNames(product);
  for (const { db } of server.databases) {
    await redis.select(db);
    let cursor = '0';
    do {
      if (tally.seenCount > 0 && performance.now() >= deadline) return false;
      const from = performance.now();
      const [next, found] = await redis.scanBuffer(cursor, 'COUNT', SCAN_COUNT);
      const sample = tally.count(found.filter((key) => !isReserved(key)));
      if (sample.length > 0) tally.measure(db, sample, await sizesOf(redis, sample));
      cursor = next.toString();
      const took = performance.now() - from;
      tally.busyMs += took;
      if (rests) await pause(Math.ceil(took));
    } while (cursor !== '0');
  }
  return true;
}

/** Null for a key that is gone, or a server that does not say. */
async function sizesOf(redis: Redis, keys: readonly Buffer[]): Promise<(number | null)[]> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.memory('USAGE', key);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, bytes]) => (error === null && typeof bytes === 'number' ? bytes : null));
}

/** What a pass has met so far. */
class Tally {
  seenCount = 0;
  busyMs = 0;
  readonly #stride: number;
  readonly #keys = new Float64Array(SLOT_COUNT);
  readonly #bytes = new Float64Array(SLOT_COUNT);
  readonly #measured = new Float64Array(SLOT_COUNT);
  readonly #biggest = new Map<number, BigKey>();

  /** Every `stride`-th key is to be measured. */
  constructor(stride: number) {
    this.#stride = stride;
  }

  /** Counts them, and returns those that are to be measured. */
  count(keys: readonly Buffer[]): Buffer[] {
    const sample: Buffer[] = [];
    for (const key of keys) {
      const slot = slotOf(key);
      this.#keys[slot] = (this.#keys[slot] ?? 0) + 1;
      if (this.seenCount++ % this.#stride === 0) sample.push(key);
    }
    return sample;
  }

  measure(db: number, keys: readonly Buffer[], sizes: readonly (number | null)[]): void {
    for (const [index, bytes] of sizes.entries()) {
      const key = keys[index];
      if (bytes === null || key === undefined) continue;
      const slot = slotOf(key);
      this.#bytes[slot] = (this.#bytes[slot] ?? 0) + bytes;
      this.#measured[slot] = (this.#measured[slot] ?? 0) + 1;
      if (bytes > (this.#biggest.get(slot)?.bytes ?? 0)) this.#biggest.set(slot, { key: textOf(key), slot, db, bytes });
    }
  }

  /** `factor`: how many keys there are for each that was seen. */
  result(factor: number): Pick<Survey, 'keysBySlot' | 'bytesBySlot' | 'biggestBySlot' | 'seenCount' | 'measuredCount' | 'busyMs'> {
    const measuredCount = this.#measured.reduce((sum, count) => sum + count, 0);
    const mean = this.#bytes.reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, measuredCount);
    const known = measuredCount > 0 || this.seenCount === 0;
    return {
      keysBySlot: Array.from(this.#keys, (count) => Math.round(count * factor)),
      bytesBySlot: known ? Array.from(this.#keys, (count, slot) => Math.round(count * factor * this.#meanBytes(slot, mean))) : null,
      biggestBySlot: this.#biggest,
      seenCount: this.seenCount,
      busyMs: Math.round(this.busyMs),
      measuredCount,
    };
  }

  /** Of a key in `slot`: as measured when all of the slot were, else drawn towards the average of the server, the more so the fewer were. */
  #meanBytes(slot: number, mean: number): number {
    const measured = this.#measured[slot] ?? 0;
    const bytes = this.#bytes[slot] ?? 0;
    if (measured > 0 && measured === this.#keys[slot]) return bytes / measured;
    return (bytes + PRIOR_KEYS * mean) / (measured + PRIOR_KEYS);
  }
}

function textOf(key: Buffer): string {
  return JSON.stringify(key.toString('latin1').slice(0, KEY_TEXT_MAX));
}
