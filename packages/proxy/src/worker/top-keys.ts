// The most frequent of many keys, counted with a fixed number of counters (space-saving, Metwally et al. 2005). A key that has none takes over the smallest
// counter with what that had: so no frequent key is missed, and a count is too high by at most the entry's `over`, never too low. Pure.

export interface CountedKey {
  readonly key: string;
  readonly count: number;
  /** By so much at most the count may be too high. */
  readonly over: number;
}

export class TopKeys {
  readonly #counters: number;
  readonly #counts = new Map<string, { count: number; over: number }>();
  /** All that was added. */
  total = 0;

  constructor(counters: number) {
    this.#counters = counters;
  }

  add(key: string, weight: number): void {
    this.total += weight;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += weight;
    else if (this.#counts.size < this.#counters) this.#counts.set(key, { count: weight, over: 0 });
    else {
      const over = this.#dropSmallest();
      this.#counts.set(key, { count: over + weight, over });
    }
  }

  /** Most first. */
  entries(): CountedKey[] {
    return [...this.#counts].map(([key, { count, over }]) => ({ key, count, over })).sort((a, b) => b.count - a.count);
  }

  #dropSmallest(): number {
    let smallest = '';
    let count = Number.POSITIVE_INFINITY;
    for (const [key, counter] of this.#counts) {
      if (counter.count >= count) continue;
      smallest = key;
      count = counter.count;
    }
    this.#counts.delete(smallest);
    return count;
  }
}
