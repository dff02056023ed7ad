// Keeping a server busy: pieces of work are under way before those before them have ended, but never more than so many.

export class Overlap {
  readonly #most: number;
  /** Those under way, the oldest first. */
  #pieces: Promise<void>[] = [];

  constructor(most = 2) {
    this.#most = most;
  }

  /** Begins `work`, and waits until there is room for another. Throws what one that ended threw. */
  async begin(work: () => Promise<void>): Promise<void> {
    const piece = work();
    // Whoever stops because of one does not come back for those behind it.
    piece.catch(() => undefined);
    this.#pieces.push(piece);
    while (this.#pieces.length >= this.#most) await this.#pieces.shift();
  }

  /** Until all have ended, however. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#pieces);
  }

  /** Until all have ended. Throws what one of them threw. */
  async end(): Promise<void> {
    while (this.#pieces.length > 0) await this.#pieces.shift();
  }
}
