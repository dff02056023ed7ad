// The most frequent of many keys, counted with a fixed number of counters (space-saving, Metwally et al. 2005). A key that has none takes over the smallest
// counter with what that had: so no frequent key is missed, and a count is too high by at most the entry's `over`, never too low. Pure.

export interface CountedKey {
  readonly key: string;
  readonly count: number;
  /** By so much at most the count may be too high. */
  readonly over: number;
}

export class TopKeys {
  /** Which counter a key has. */
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  /** Side by side, for looking for the smallest is most of what adding costs: one Map with objects in it took five times as long in all. */
  readonly #counts: Float64Array;
  readonly #overs: Float64Array;
  /** All that was added. */
  total = 0;

  constructor(counters: number) {
    this.#counts = new Float64Array(counters);
    this.#overs = new Float64Array(counters);
  }

  add(key: string, weight: number): void {
    this.total += weight;
    const known = this.#places.get(key);
    if (known !== undefined) {
      this.#counts[known] = (this.#counts[known] as number) + weight;
      return;
    }
    let place = this.#keys.length;
    if (place < this.#counts.length) this.#keys.push(key);
    else {
      place = this.#smallest();
      this.#places.delete(this.#keys[place] as string);
      this.#keys[place] = key;
      this.#overs[place] = this.#counts[place] as number;
    }
    this.#places.set(key, place);
    this.#counts[place] = (this.#overs[place] as number) + weight;
  }

  /** Most first. */
  entries(): CountedKey[] {
    const all = this.#keys.map((key, place) => ({ key, count: this.#counts[place] as number, over: this.#overs[place] as number }));
    return all.sort((a, b) => b.count - a.count);
  }

  #smallest(): number {
    const counts = this.#counts;
    let smallest = 0;
    for (let place = 1; place < counts.length; place++) {
      if ((counts[place] as number) < (counts[smallest] as number)) smallest = place;
    }
    return smallest;
  }
}
