// A sleeper that can be woken. Level-triggered: a poke that comes while nobody sleeps makes the next sleep end at once, so no change is missed.

export class Wakeup {
  #poked = false;
  #wake: (() => void) | null = null;

  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  /** Until poked, aborted, or `ms` have passed. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#poked && !signal.aborted) await this.#wait(ms, signal);
    this.#poked = false;
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
      this.#wake = end;
    });
  }
}
