// What was answered when, and how long it took: numbers and no objects, for those would live on, and the pauses to collect them would be measured as the proxy's.

import { quantile } from './statistics.ts';

export interface Phase {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const ROOM_MIN = 64 * 1024;

export class Answers {
  /** In the order of the answers; times are milliseconds since 1970. */
  #atMs = new Float64Array(ROOM_MIN);
  #tookMs = new Float64Array(ROOM_MIN);
  #count = 0;

  add(atMs: number, tookMs: number): void {
    if (this.#count === this.#atMs.length) {
      this.#atMs = doubled(this.#atMs);
      this.#tookMs = doubled(this.#tookMs);
    }
    this.#atMs[this.#count] = atMs;
    this.#tookMs[this.#count++] = tookMs;
  }

  /** As if none had come yet. */
  clear(): void {
    this.#count = 0;
  }

  /** When the first came at `fromMs` or later; undefined when none did yet. */
  firstSince(fromMs: number): number | undefined {
    const at = this.#atMs.subarray(0, this.#count).findIndex((atMs) => atMs >= fromMs);
    return at < 0 ? undefined : this.#atMs[at];
  }

  /** What was answered in [fromMs, toMs): a copy. */
  span(fromMs: number, toMs: number): Span {
    const tookMs = this.#tookMs.subarray(0, this.#count).filter((_, at) => {
      const atMs = this.#atMs[at] as number;
      return atMs >= fromMs && atMs < toMs;
    });
    return { ms: toMs - fromMs, tookMs };
  }

  /** The same as numbers. Throws when that is nothing. */
  phase(fromMs: number, toMs: number): Phase {
    return phaseOf([this.span(fromMs, toMs)]);
  }
}

/** How long the answers of some time took. */
export interface Span {
  readonly ms: number;
  readonly tookMs: Float64Array;
}

/** Of all of them together. Throws when nothing was answered. */
export function phaseOf(spans: readonly Span[]): Phase {
  const count = spans.reduce((sum, { tookMs }) => sum + tookMs.length, 0);
  if (count === 0) throw new Error('no request was answered');
  const all = new Float64Array(count);
  let at = 0;
  for (const { tookMs } of spans) {
    all.set(tookMs, at);
    at += tookMs.length;
  }
  all.sort();
  const ms = spans.reduce((sum, span) => sum + span.ms, 0);
  return {
    requestsPerSecond: (count * 1000) / ms,
    p50Ms: quantile(all, 0.5),
    p99Ms: quantile(all, 0.99),
    maxMs: quantile(all, 1),
  };
}

function doubled(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(numbers.length * 2);
  grown.set(numbers);
  return grown;
}
