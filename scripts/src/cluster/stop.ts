// When to stop: Ctrl-C, a kill, the terminal's end, or the end of the npm that ran us.
//
// A Ctrl-C arrives twice when npm runs us (from the terminal, and passed on by npm), so signals within a moment count as one.

import { parentOf } from './process-id.ts';

const ONE_PRESS_MS = 700;
const PARENT_CHECK_MS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One for each process, to its end: were signals let go before, a third Ctrl-C would end it with the directory still taken. */
export class Stop {
  /** Resolves at the first signal. */
  readonly asked: Promise<void>;
  #resolve: () => void = () => undefined;
  #askedAt: number | null = null;
  #forced = false;
  #second: () => void = () => undefined;

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const signal of SIGNALS) process.on(signal, () => this.#signal());
    watchNpm(() => {
      if (!this.isAsked) this.#signal();
    });
  }

  get isAsked(): boolean {
    return this.#askedAt !== null;
  }

  /** There was a second one. */
  get isForced(): boolean {
    return this.#forced;
  }

  onSecond(listener: () => void): void {
    this.#second = listener;
  }

  #signal(): void {
    const now = performance.now();
    if (this.#askedAt === null) {
      this.#askedAt = now;
      this.#resolve();
    } else if (now - this.#askedAt > ONE_PRESS_MS && !this.#forced) {
      this.#forced = true;
      this.#second();
    }
  }
}

/** An npm that is killed can't pass it on; without npm, losing the parent means nothing (nohup). Between npm and us there may be a shell. */
function watchNpm(gone: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parents = `${process.ppid} ${parentOf(process.ppid)}`;
  const timer = setInterval(() => {
    if (parents === `${process.ppid} ${parentOf(process.ppid)}`) return;
    clearInterval(timer);
    gone();
  }, PARENT_CHECK_MS);
  timer.unref();
}
