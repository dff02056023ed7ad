// How long requests took whose replies came from one server, lately: a histogram with four buckets for each power of two, so that what is read from it is at most
// an eighth off. What is counted is the whole time in the proxy, from when the bytes of a request were read to when its reply was here; what it waited for a slot
// in a move is in it. Requests that are taken apart, and those that block, are not counted.

/** By bucket: how many. */
export interface ServerLatencySeen {
  readonly addr: string;
  /** Over how long. */
  readonly seconds: number;
  readonly counts: readonly (readonly [bucket: number, count: number])[];
}

const BUCKETS = 128;
/** Between two marks; what is told covers this, and up to twice as long. */
const MARK_MS = 15_000;
const SECOND_MS = 1000;

/** Of a small integer that is not negative: itself below 4; then by its three highest bits. */
export function bucketOf(micros: number): number {
  if (micros < 4) return micros;
  const exponent = 31 - Math.clz32(micros);
  return (exponent - 1) * 4 + ((micros >>> (exponent - 2)) & 3);
}

/** The least that is counted in a bucket; the next one's is the end of it. */
export function bucketStart(bucket: number): number {
  return bucket < 4 ? bucket : (4 + (bucket & 3)) * 2 ** ((bucket >> 2) - 1);
}

export class ServerLatency {
  readonly #counts = new Float64Array(BUCKETS);
  /** As they were at two moments. */
  #older = new Float64Array(BUCKETS);
  #newer = new Float64Array(BUCKETS);
  #olderAt: number;
  #newerAt: number;

  /** `now`: by the coarse clock, as for `tick`. */
  constructor(now: number) {
    this.#olderAt = now;
    this.#newerAt = now;
  }

  /** HOT PATH: once for requests that came together and were answered together. */
  add(took: number, count: number): void {
    const bucket = bucketOf(Math.max(took | 0, 0));
    this.#counts[bucket] = (this.#counts[bucket] as number) + count;
  }

  /** Once a second. */
  tick(now: number): void {
    if (now - this.#newerAt < MARK_MS) return;
    const freed = this.#older;
    this.#older = this.#newer;
    this.#olderAt = this.#newerAt;
    freed.set(this.#counts);
    this.#newer = freed;
    this.#newerAt = now;
  }

  read(now: number): Omit<ServerLatencySeen, 'addr'> {
    const counts: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries()) {
      const more = count - (this.#older[bucket] as number);
      if (more > 0) counts.push([bucket, more]);
    }
    return { seconds: (now - this.#olderAt) / SECOND_MS, counts };
  }
}
