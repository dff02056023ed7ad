// Takes ZooKeeper's stream apart into frames: a length of four bytes, then so many bytes. One reader per connection, so the rest of a
// frame that was cut off dies with its connection (the library keeps it for the next one, and never recovers).
//
// Invariant: each byte is copied at most once per frame, however many pieces it arrives in.

import { CodisError } from '../../model/index.ts';

const LENGTH_BYTES = 4;
/** No reply of ZooKeeper's comes near it: values end at 1 MiB, so only a list of very many names is longer. What says so speaks another protocol. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = LENGTH_BYTES;

  /** The frames that are whole now, each with its length in front. Throws CODIS_E_COORDINATOR_LOST for a length that is none. */
  push(piece: Buffer): Buffer[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#wanted) return [];
    const frames: Buffer[] = [];
    let rest = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces);
    this.#wanted = frameBytes(rest);
    while (rest.length >= this.#wanted) {
      frames.push(rest.subarray(0, this.#wanted));
      rest = rest.subarray(this.#wanted);
      this.#wanted = frameBytes(rest);
    }
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    return frames;
  }
}

/** How many bytes to wait for before the next look. */
function frameBytes(start: Buffer): number {
  if (start.length < LENGTH_BYTES) return LENGTH_BYTES;
  const length = start.readInt32BE(0);
  if (length >= 0 && length <= FRAME_BYTES_MAX) return LENGTH_BYTES + length;
  throw new CodisError('CODIS_E_COORDINATOR_LOST', `a frame of ${length} bytes is not ZooKeeper's`);
}
