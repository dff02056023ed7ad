// What is under way beside the controller's turns, for it takes long or may hang: sweeps, at most one for each source, which does one thing at a time anyway; and
// looks before a lock, at most one for each pair of groups.
//
// Invariant: each runs in the term it was started in, is started once, and has ended when `end` resolves. What it fails with, if it is no server's doing,
// is thrown in the next turn.

import { type Lane, laneKey, type Outcome } from './turn.ts';

interface Running {
  readonly lane: Lane;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class Lanes {
  readonly #onEnd: () => void;
  readonly #running = new Map<string, Running>();
  readonly #ended = new Set<string>();
  #failure: { readonly error: unknown } | null = null;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** The first that is under way and wanted. */
  find(wanted: (lane: Lane) => boolean): Lane | null {
    for (const { lane } of this.#running.values()) if (wanted(lane)) return lane;
    return null;
  }

  isRunning(lane: Lane): boolean {
    return this.#running.has(laneKey(lane));
  }

  /** To be called before the world is read: what has ended until then shows in it. */
  forgetEnded(): void {
    this.#ended.clear();
  }

  /** Whether something of this lane ended after the world began to be read, which then may not show it. */
  hasEnded(lane: Lane): boolean {
    return this.#ended.has(laneKey(lane));
  }

  start(lane: Lane, run: (stop: AbortSignal) => Promise<Outcome>): void {
    const stop = new AbortController();
    const done = this.#run(lane, () => run(stop.signal));
    this.#running.set(laneKey(lane), { lane, stop, done });
  }

  /** Those that `wanted` says no to end as soon as they can: sweeps at their next batch. */
  keepOnly(wanted: (lane: Lane) => boolean): void {
    for (const { lane, stop } of this.#running.values()) if (!wanted(lane)) stop.abort();
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  async end(): Promise<void> {
    this.keepOnly(() => false);
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #run(lane: Lane, run: () => Promise<Outcome>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#running.delete(laneKey(lane));
      this.#ended.add(laneKey(lane));
      this.#onEnd();
    }
  }
}
