// How busy each slot was in the last six hours, minute by minute: a byte each, on a logarithmic scale, in a ring of fixed size. No clock of its own.
//
//   minute  … 28512340  28512341  28512342          (minutes since 1970; at minute mod 360 in the ring)
//   slot 0        0        17        255            0: none, 255: not known, else a rate
//
// Invariant: a minute that nobody looked at is not known, never nothing.

import type { SlotHistoryView } from '@codis/config/api';
import { SLOT_COUNT } from '@codis/config/model';

const MINUTES = 360;
const MINUTE_SECONDS = 60;
const UNKNOWN = 255;
/** One request in a minute and a half; and from step to step 9 %, which makes ten million a second the 254th. */
const LEAST = 0.01;
const RATIO = 1.085;

export class SlotHistory {
  readonly #levels = new Uint8Array(MINUTES * SLOT_COUNT).fill(UNKNOWN);
  /** The sum of the rates of the minute at hand, and how many there are, by slot. */
  readonly #sums = new Float64Array(SLOT_COUNT);
  readonly #counts = new Uint16Array(SLOT_COUNT);
  #newest: number | null = null;
  #oldest: number | null = null;

  /** What each slot got since the time before; of several in a minute the mean is kept. One from before the newest is left out: a clock was set back. */
  add(atMs: number, rates: readonly (number | null)[]): void {
    const minute = Math.floor(atMs / 1000 / MINUTE_SECONDS);
    if (this.#newest !== null && minute < this.#newest) return;
    if (minute !== this.#newest) this.#begin(minute);
    const row = (minute % MINUTES) * SLOT_COUNT;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const rate = rates[slot];
      if (rate === null || rate === undefined) continue;
      this.#sums[slot] = (this.#sums[slot] ?? 0) + rate;
      this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
      this.#levels[row + slot] = levelOf((this.#sums[slot] ?? 0) / (this.#counts[slot] ?? 1));
    }
  }

  /** `from` and `to` in Unix seconds, both included; what is not kept is left out. */
  view({ from, to, first, last }: { from: number; to: number; first: number; last: number }): SlotHistoryView {
    const begin = Math.max(Math.floor(from / MINUTE_SECONDS), this.#oldest ?? 0);
    const end = Math.min(Math.floor(to / MINUTE_SECONDS), this.#newest ?? -1);
    const minutesCount = Math.max(0, end - begin + 1);
    const width = last - first + 1;
    const levels = Buffer.alloc(minutesCount * width);
    for (let index = 0; index < minutesCount; index++) {
      const row = ((begin + index) % MINUTES) * SLOT_COUNT;
      levels.set(this.#levels.subarray(row + first, row + last + 1), index * width);
    }
    return {
      from: minutesCount === 0 ? null : begin * MINUTE_SECONDS,
      stepSeconds: MINUTE_SECONDS,
      minutesCount,
      first,
      last,
      levels: levels.toString('base64'),
      least: LEAST,
      ratio: RATIO,
    };
  }

  #begin(minute: number): void {
    const from = this.#newest === null ? minute : Math.max(this.#newest + 1, minute - MINUTES + 1);
    for (let each = from; each <= minute; each++) {
      const row = (each % MINUTES) * SLOT_COUNT;
      this.#levels.fill(UNKNOWN, row, row + SLOT_COUNT);
    }
    this.#oldest = Math.max(this.#oldest ?? minute, minute - MINUTES + 1);
    this.#newest = minute;
    this.#sums.fill(0);
    this.#counts.fill(0);
  }
}

/** 0 only of nothing at all: what is less than the least is the least. */
export function levelOf(rate: number): number {
  if (rate <= 0) return 0;
  return Math.min(UNKNOWN - 1, Math.max(1, 1 + Math.round(Math.log(rate / LEAST) / Math.log(RATIO))));
}
