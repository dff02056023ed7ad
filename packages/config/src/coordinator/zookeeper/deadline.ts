/** One timer that is started, started anew and stopped; never two at once. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  start(ms: number, onEnd: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onEnd, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
