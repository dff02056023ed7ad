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

  /** When the first came at `fromMs` or later; undefined when none did yet. */
  firstSince(fromMs: number): number | undefined {
    const at = this.#atMs.subarray(0, this.#count).findIndex((atMs) => atMs >= fromMs);
    return at < 0 ? undefined : this.#atMs[at];
  }

  /** What was answered in [fromMs, toMs). Throws when that is nothing. */
  phase(fromMs: number, toMs: number): Phase {
    const times = this.#tookMs.subarray(0, this.#count).filter((_, at) => {
      const atMs = this.#atMs[at] as number;
      return atMs >= fromMs && atMs < toMs;
    });
    if (times.length === 0) throw new Error('no request was answered');
    times.sort();
    return {
      requestsPerSecond: (times.length * 1000) / (toMs - fromMs),
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      maxMs: quantile(times, 1),
    };
  }
}

function doubled(numbers: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(numbers.length * 2);
  grown.set(numbers);
  return grown;
}
