// When to stop: Ctrl-C, a kill, the terminal's end, or the end of the npm that ran us.
//
// A Ctrl-C arrives twice when npm runs us (from the terminal, and passed on by npm), so signals within a moment count as one.

import { parentOf } from './process-id.ts';

const ONE_PRESS_MS = 700;
const PARENT_CHECK_MS = 1000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Stop {
  /** Resolves at the first signal. */
  readonly asked: Promise<void>;
  #resolve: () => void = () => undefined;
  #askedAt: number | null = null;
  #forced = false;
  #second: () => void = () => undefined;
  readonly #parentCheck: NodeJS.Timeout | undefined;
  readonly #listener = () => this.#signal();

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const signal of SIGNALS) process.on(signal, this.#listener);
    this.#parentCheck = watchNpm(() => {
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

  /** Signals act as by default again. */
  close(): void {
    clearInterval(this.#parentCheck);
    for (const signal of SIGNALS) process.off(signal, this.#listener);
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
function watchNpm(gone: () => void): NodeJS.Timeout | undefined {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const parents = `${process.ppid} ${parentOf(process.ppid)}`;
  const timer = setInterval(() => {
    if (parents === `${process.ppid} ${parentOf(process.ppid)}`) return;
    clearInterval(timer);
    gone();
  }, PARENT_CHECK_MS);
  return timer.unref();
}
