// The names of the keys that are to leave a source, as they were seen before their slots were locked. With it a sweep has no need to look for them a second time.
//
// It proves nothing: keys come and go until the slots are locked. What it does not have, or has no room for, the passes of the sweep find.

import type { Slot } from '../model/index.ts';
import { Portion } from './portion.ts';

/** For all that is known of one source. Some two million keys. */
const ROLL_BYTES_MAX = 64 * 1024 * 1024;
/** Portions are joined to ones of so many keys, for the last batch of each is a small one. */
const JOINED_KEYS = 8192;

export class KeyRoll {
  readonly #bytesMax: number;
  #portions: Portion[] = [];
  /** Not joined yet. */
  #loose: Portion[] = [];
  #bytes = 0;
  #isFull = false;
  #wasTaken = false;
  #looked = 0;

  constructor(bytesMax = ROLL_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** What was found among the next `looked` keys of a pass. Takes it on unless there was no room for an earlier one: a roll is the first part of a pass. */
  note(portion: Portion, looked: number): void {
    this.#isFull ||= this.#bytes + portion.ownBytes > this.#bytesMax;
    if (this.#isFull) return;
    this.#looked += looked;
    this.#add(portion);
  }

  /** How many keys there were in the part of the pass that it is of; null when that was the whole. */
  get lookedCount(): number | null {
    return this.#isFull ? this.#looked : null;
  }

  /** All that was noted is still there. */
  get isWhole(): boolean {
    return !this.#isFull && !this.#wasTaken;
  }

  #add(portion: Portion): void {
    if (portion.keysCount === 0) return;
    this.#bytes += portion.ownBytes;
    if (this.#loose.length > 0 && this.#loose[0]?.db !== portion.db) this.#join();
    this.#loose.push(portion);
    if (keysCountOf(this.#loose) >= JOINED_KEYS) this.#join();
  }

  get keysCount(): number {
    return keysCountOf(this.#portions) + keysCountOf(this.#loose);
  }

  keysCountOf(slots: ReadonlySet<Slot>): number {
    this.#join();
    return this.#portions.reduce((sum, portion) => sum + portion.keysCountOf(slots), 0);
  }

  /** Its keys of the slots, portion by portion; what was taken it no longer has. */
  *take(slots: ReadonlySet<Slot>): Generator<Portion, void, void> {
    this.#join();
    this.#wasTaken = true;
    const portions = this.#portions;
    this.#portions = [];
    this.#bytes = 0;
    let at = 0;
    try {
      while (at < portions.length) {
        const { own, others } = (portions[at++] as Portion).split(slots);
        if (others !== null) this.#add(others);
        if (own !== null) yield own;
      }
    } finally {
      for (const portion of portions.slice(at)) this.#add(portion);
    }
  }

  #join(): void {
    const [first, ...more] = this.#loose;
    if (first !== undefined) this.#portions.push(Portion.join([first, ...more]));
    this.#loose = [];
  }
}

function keysCountOf(portions: readonly Portion[]): number {
  return portions.reduce((sum, { keysCount }) => sum + keysCount, 0);
}
