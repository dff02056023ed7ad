// The scripts that this worker has seen, by SHA-1: those that clients have loaded or run here, and those it was told of. Bounded in bytes; what was not used for
// longest goes first. Also which scripts nobody knows, for a short while, so that a client that asks for one again and again does not make us ask again and again.

import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';

export const BODIES_BYTES_MAX = 16 * 1024 * 1024;
/** What a script costs beside its text. */
const ENTRY_BYTES = 256;
const UNKNOWN_MS = 1000;
const UNKNOWN_MAX = 10_000;

export class Bodies {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #bytesMax: number;
  /** The least recently used first. */
  readonly #bodies = new Map<string, Buffer>();
  /** Until when. */
  readonly #unknown = new Map<string, number>();
  #bytes = 0;

  constructor(clock: Pick<Clock, 'now'>, bytesMax = BODIES_BYTES_MAX) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** What they take, texts and all. */
  get bytes(): number {
    return this.#bytes;
  }

  has(sha: string): boolean {
    return this.#bodies.has(sha);
  }

  get(sha: string): Buffer | undefined {
    const body = this.#bodies.get(sha);
    if (body === undefined) return undefined;
    this.#bodies.delete(sha);
    this.#bodies.set(sha, body);
    return body;
  }

  /** `body` belongs to this from now on. One that is too large is not kept, and not asked for for a while. */
  set(sha: string, body: Buffer): void {
    this.#unknown.delete(sha);
    if (this.#bodies.has(sha)) return;
    const bytes = body.length + ENTRY_BYTES;
    if (bytes > this.#bytesMax) {
      this.setUnknown(sha);
      return;
    }
    this.#bodies.set(sha, body);
    this.#bytes += bytes;
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#bodies.delete(oldest);
      this.#bytes -= length + ENTRY_BYTES;
    }
  }

  /** Nobody knows it just now. */
  setUnknown(sha: string): void {
    if (this.#unknown.size >= UNKNOWN_MAX) this.#unknown.clear();
    this.#unknown.set(sha, this.#clock.now + UNKNOWN_MS);
  }

  isUnknown(sha: string): boolean {
    const until = this.#unknown.get(sha);
    if (until === undefined) return false;
    if (until > this.#clock.now) return true;
    this.#unknown.delete(sha);
    return false;
  }

  /** Somebody has loaded it: it may be asked for again. */
  known(sha: string): void {
    this.#unknown.delete(sha);
  }

  clear(): void {
    this.#bodies.clear();
    this.#unknown.clear();
    this.#bytes = 0;
  }
}

/** The name that Redis gives a script: SHA-1 of its text, in lower-case hexadecimal. */
export function shaOf(body: Buffer): string {
  return createHash('sha1').update(body).digest('hex');
}
