// Keeping a server busy: the next piece of work is under way before the one before it has ended. Never more than two.

export class Overlap {
  #last: Promise<void> = Promise.resolve();

  /** Begins `work` and waits for the one before it. Throws what that one threw. */
  async begin(work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    this.#last = work();
    // Whoever stops because of the one before does not come back for this one.
    this.#last.catch(() => undefined);
    await before;
  }

  /** Until the last has ended, however. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#last]);
  }

  /** Until the last has ended. Throws what it threw. */
  async end(): Promise<void> {
    await this.#last;
  }
}
