// Where each row of a long table is, though only those in sight are made: heights as measured, a guess for those that never were shown. Pure.
//
//   tops:  0        31       62            120
//          │ row 0  │ row 1  │ row 2 (wraps) │ …
//
// Invariant: a row's height goes with its key, so rows that come or go elsewhere don't change it.

export type RowKey = string | number;

/** Of a row of one line, in CSS pixels. */
const GUESS = 31;
/** Smaller differences add up, over the rows in sight, to less than a pixel. */
const EXACT = 0.02;

export class RowHeights {
  #keys: readonly RowKey[] = [];
  #indexes = new Map<RowKey, number>();
  #heights = new Float64Array(0);
  /** One more than there are rows: the last is where the table ends. */
  #tops = new Float64Array(1);

  replace(keys: readonly RowKey[]): void {
    const heights = new Float64Array(keys.length);
    const indexes = new Map<RowKey, number>();
    for (const [index, key] of keys.entries()) {
      const before = this.#indexes.get(key);
      heights[index] = before === undefined ? GUESS : (this.#heights[before] ?? GUESS);
      indexes.set(key, index);
    }
    this.#keys = keys;
    this.#indexes = indexes;
    this.#heights = heights;
    this.#tops = new Float64Array(keys.length + 1);
    this.#sum(0);
  }

  /** True when one of them is not as high as was thought. */
  measure(found: readonly { readonly index: number; readonly height: number }[]): boolean {
    let first = Number.POSITIVE_INFINITY;
    for (const { index, height } of found) {
      if (height <= 0 || Math.abs((this.#heights[index] ?? height) - height) < EXACT) continue;
      this.#heights[index] = height;
      first = Math.min(first, index);
    }
    if (first === Number.POSITIVE_INFINITY) return false;
    this.#sum(first);
    return true;
  }

  get total(): number {
    return this.#tops[this.#keys.length] ?? 0;
  }

  keyAt(index: number): RowKey | undefined {
    return this.#keys[index];
  }

  indexOf(key: RowKey): number | undefined {
    return this.#indexes.get(key);
  }

  /** Where the row begins; of the index after the last row, where the table ends. */
  top(index: number): number {
    return this.#tops[Math.min(Math.max(index, 0), this.#keys.length)] ?? 0;
  }

  /** The row that `y` is in; the nearest when it is in none. */
  at(y: number): number {
    let low = 0;
    let high = this.#keys.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #sum(from: number): void {
    for (let index = from; index < this.#heights.length; index++) {
      this.#tops[index + 1] = (this.#tops[index] ?? 0) + (this.#heights[index] ?? 0);
    }
  }
}
