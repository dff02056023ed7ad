// A coarse clock for timeouts: read for free on the hot path, moved on by a timer. Milliseconds since some start; never goes back.

export const TICK_MS = 20;

export class Clock {
  now = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(onTick: () => void) {
    this.#timer = setInterval(() => {
      this.now = performance.now();
      onTick();
    }, TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
