// Keys of one database of a source, on their way to being handed over: a few dozen bytes for each, for there may be millions. Pure.

import { type Slot, slotOf } from '../model/index.ts';
import type { EncodedArgs } from '../redis/prepared.ts';
import type { BatchLimits } from './pace.ts';

/** Keys that go in one hand-over. */
export interface KeyBatch {
  readonly db: number;
  readonly names: EncodedArgs;
  /** Of memory at the source, as far as it could tell. */
  readonly bytesCount: number;
}

/** Before each name `$<length>` and after it `\r\n`: as arguments of a request stand. */
const FRAME_BYTES = '$\r\n\r\n'.length;
const CR = 13;
const LF = 10;

export class Portion {
  readonly db: number;
  readonly #names: Buffer;
  /** Where the name of each key ends. */
  readonly #ends: Uint32Array;
  readonly #slots: Uint16Array;
  #sizes: Float64Array | null = null;

  constructor(db: number, { names, ends, slots }: { names: Buffer; ends: Uint32Array; slots: Uint16Array }) {
    this.db = db;
    this.#names = names;
    this.#ends = ends;
    this.#slots = slots;
  }

  static of(db: number, keys: readonly Buffer[]): Portion {
    const ends = new Uint32Array(keys.length);
    const slots = new Uint16Array(keys.length);
    let length = 0;
    for (const key of keys) length += key.length + String(key.length).length + FRAME_BYTES;
    const names = Buffer.allocUnsafe(length);
    let at = 0;
    for (const [index, key] of keys.entries()) {
      at += names.write(`$${key.length}\r\n`, at, 'latin1');
      at += key.copy(names, at);
      names[at++] = CR;
      names[at++] = LF;
      ends[index] = at;
      slots[index] = slotOf(key);
    }
    return new Portion(db, { names, ends, slots });
  }

  /** `portions` are of one database. */
  static join(portions: readonly [Portion, ...Portion[]]): Portion {
    const [{ db }] = portions;
    const keysCount = portions.reduce((sum, portion) => sum + portion.keysCount, 0);
    const ends = new Uint32Array(keysCount);
    const slots = new Uint16Array(keysCount);
    const sizes = new Float64Array(keysCount);
    let at = 0;
    for (const portion of portions) {
      const start = at === 0 ? 0 : (ends[at - 1] as number);
      slots.set(portion.#slots, at);
      if (portion.#sizes !== null) sizes.set(portion.#sizes, at);
      for (const end of portion.#ends) ends[at++] = start + end;
    }
    const joined = new Portion(db, { names: Buffer.concat(portions.map((portion) => portion.#names)), ends, slots });
    joined.sizes = sizes;
    return joined;
  }

  get keysCount(): number {
    return this.#ends.length;
  }

  /** What it takes in this process. */
  get ownBytes(): number {
    return (
      this.#names.length + this.keysCount * (this.#ends.BYTES_PER_ELEMENT + this.#slots.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT)
    );
  }

  get names(): EncodedArgs {
    return { count: this.keysCount, bytes: this.#names };
  }

  /** Bytes of memory that each key takes at the source. */
  set sizes(sizes: Float64Array) {
    this.#sizes = sizes;
  }

  /** Its keys from the one at `from` on, as many as the limits allow, but one at least. */
  batch(from: number, { keysCount, bytesCount }: BatchLimits): KeyBatch {
    const most = Math.min(this.keysCount, from + keysCount);
    let to = from + 1;
    let bytes = this.#sizeOf(from);
    for (; to < most && bytes + this.#sizeOf(to) <= bytesCount; to++) bytes += this.#sizeOf(to);
    const names = this.#names.subarray(this.#startOf(from), this.#startOf(to));
    return { db: this.db, names: { count: to - from, bytes: names }, bytesCount: Math.round(bytes) };
  }

  keysCountOf(slots: ReadonlySet<Slot>): number {
    let count = 0;
    for (const slot of this.#slots) if (slots.has(slot as Slot)) count++;
    return count;
  }

  /** Its keys of the slots, and its others; null for none. */
  split(slots: ReadonlySet<Slot>): { readonly own: Portion | null; readonly others: Portion | null } {
    const isOwn = (at: number) => slots.has(this.#slots[at] as Slot);
    const ownCount = this.keysCountOf(slots);
    if (ownCount === this.keysCount) return { own: this, others: null };
    if (ownCount === 0) return { own: null, others: this };
    return { own: this.#pick(isOwn), others: this.#pick((at) => !isOwn(at)) };
  }

  /** All but the keys at these places. */
  without(places: ReadonlySet<number>): Portion {
    return places.size === 0 ? this : this.#pick((at) => !places.has(at));
  }

  #pick(isWanted: (at: number) => boolean): Portion {
    const picked = [...this.#slots.keys()].filter(isWanted);
    const names = picked.map((at) => this.#names.subarray(this.#startOf(at), this.#startOf(at + 1)));
    const ends = new Uint32Array(names.length);
    for (const [at, { length }] of names.entries()) ends[at] = length + (ends[at - 1] ?? 0);
    const portion = new Portion(this.db, {
      names: Buffer.concat(names),
      ends,
      slots: Uint16Array.from(picked, (at) => this.#slots[at] as number),
    });
    if (this.#sizes !== null) portion.sizes = Float64Array.from(picked, (at) => this.#sizeOf(at));
    return portion;
  }

  #startOf(at: number): number {
    return at === 0 ? 0 : (this.#ends[at - 1] as number);
  }

  #sizeOf(at: number): number {
    return this.#sizes?.[at] ?? 0;
  }
}
