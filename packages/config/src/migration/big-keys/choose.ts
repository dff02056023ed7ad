// Which slots go into a batch, and which of their big keys are listed with it. Pure.
//
// Writes to a listed key wait from the lock until it has arrived, so a batch takes only as many as are copied within seconds, and the next slots wait for
// the next batch. What can't be listed at all moves in one step, like any other key.

import { BIG_KEY_NAMES_BYTES_MAX, BIG_KEYS_MAX, type KeyName, type Slot } from '../../model/index.ts';

export interface FoundKey extends KeyName {
  readonly slot: Slot;
  readonly bytes: number;
}

export interface Batch {
  readonly slots: readonly Slot[];
  /** In the order in which they are to be moved: the smallest first, for most of those who wait. */
  readonly bigKeys: ReadonlyMap<Slot, readonly KeyName[]>;
  /** Keys of these slots that had no room in the list. */
  readonly unlisted: readonly FoundKey[];
}

/** At most so many bytes of big keys in one batch, unless a single slot has more. */
export const BATCH_BYTES_MAX = 256 * 1024 * 1024;

/** `slots` is what the batch may have, in order; some of it from the front is taken, and never nothing. */
export function chooseBatch(slots: readonly Slot[], found: readonly FoundKey[]): Batch {
  const bigKeys = new Map<Slot, readonly KeyName[]>();
  const unlisted: FoundKey[] = [];
  let listed: readonly FoundKey[] = [];
  let taken = 0;
  for (const slot of slots) {
    const own = found.filter((key) => key.slot === slot).toSorted((a, b) => b.bytes - a.bytes);
    const fitting = fitInto(listed, own);
    const tooMany = fitting.length < own.length || sum(listed) + sum(own) > BATCH_BYTES_MAX;
    if (taken > 0 && own.length > 0 && tooMany) break;
    taken++;
    listed = [...listed, ...fitting];
    unlisted.push(...own.filter((key) => !fitting.includes(key)));
    if (fitting.length > 0) bigKeys.set(slot, fitting.toReversed());
  }
  return { slots: slots.slice(0, taken), bigKeys, unlisted };
}

/** The first of `own` that have room beside `listed`. */
function fitInto(listed: readonly FoundKey[], own: readonly FoundKey[]): FoundKey[] {
  const fitting: FoundKey[] = [];
  let count = listed.length;
  let nameBytes = listed.reduce((total, { key }) => total + key.length, 0);
  for (const found of own) {
    if (count === BIG_KEYS_MAX || nameBytes + found.key.length > BIG_KEY_NAMES_BYTES_MAX) continue;
    fitting.push(found);
    count++;
    nameBytes += found.key.length;
  }
  return fitting;
}

function sum(keys: readonly FoundKey[]): number {
  return keys.reduce((total, { bytes }) => total + bytes, 0);
}
