// What clients have sent a moment ago, in one ring of bytes for the whole worker: so that a request which turns out to be slow can be shown with its
// arguments, though nobody keeps the bytes of those that are not. A copy costs less than keeping what was read alive, by far: that would be garbage of
// another generation.
//
//   | …older… | newest |  …overwritten next… |     positions count up, and begin again; a piece never runs over the end
//
// Nobody may be shown what another client sent: a request that is not here as a whole carries its length with it, and its position is below NOWHERE.

import { copyRange, type Page, RING_BYTES, takeRing } from './arena.ts';

/** Positions count up to here and begin again: as small integers they cost nothing to keep. A multiple of the ring. */
const POSITIONS = 2 ** 30;
/** Nothing longer is kept. */
export const PIECE_BYTES_MAX = 16 * 1024;
export const BEGINNING_BYTES_MAX = 1024;
/** The position of what was not kept. */
export const NOWHERE = -1;
const LENGTH_BYTES = 4;

export class RecentInput {
  readonly #ring: Page = takeRing();
  readonly #beginning = Buffer.alloc(LENGTH_BYTES + BEGINNING_BYTES_MAX);
  /** Where the next piece goes. */
  #next = 0;

  /** HOT PATH: once per read. Keeps a copy of [start, end), at most PIECE_BYTES_MAX of it; where it is. */
  add(bytes: Buffer, start: number, end: number): number {
    const length = Math.min(end - start, PIECE_BYTES_MAX);
    const room = RING_BYTES - (this.#next % RING_BYTES);
    const position = room < length ? (this.#next + room) % POSITIONS : this.#next;
    const { buf, at } = this.#ring;
    copyRange(bytes, start, start + length, buf, at + (position % RING_BYTES));
    this.#next = (position + length) % POSITIONS;
    return position;
  }

  /** Keeps the beginning of a request that is too long to be kept whole, at most BEGINNING_BYTES_MAX of it; where it is. */
  addBeginning(bytes: Buffer, start: number, end: number): number {
    const length = Math.min(end - start, BEGINNING_BYTES_MAX);
    this.#beginning.writeUInt32BE(length);
    bytes.copy(this.#beginning, LENGTH_BYTES, start, start + length);
    return NOWHERE - 1 - this.add(this.#beginning, 0, LENGTH_BYTES + length);
  }

  /** What stands at `position`: a request as a whole, and what happens to be behind it; or the beginning of one, and nothing behind it. Null when it was
   *  overwritten. Valid until the next `add`. */
  from(position: number): Buffer | null {
    if (position === NOWHERE) return null;
    const start = position < NOWHERE ? NOWHERE - 1 - position : position;
    const age = (this.#next - start + POSITIONS) % POSITIONS;
    if (age > RING_BYTES - PIECE_BYTES_MAX) return null;
    const from = start % RING_BYTES;
    const { buf, at } = this.#ring;
    const bytes = buf.subarray(at + from, at + Math.min(from + age, RING_BYTES));
    return position < NOWHERE ? bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + bytes.readUInt32BE()) : bytes;
  }
}
