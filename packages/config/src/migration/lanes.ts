// The sweeps that are under way beside the controller's turns: at most one for each source, for a source does one thing at a time anyway.
//
// Invariant: each sweep runs in the term it was started in, is started once, and has ended when `end` resolves. What it fails with, if it is no server's doing,
// is thrown in the next turn.

import type { GroupId } from '../model/index.ts';
import { type Lane, laneKey, type Outcome } from './turn.ts';

interface Running {
  readonly lane: Lane;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class Lanes {
  readonly #onEnd: () => void;
  readonly #running = new Map<string, Running>();
  #failure: { readonly error: unknown } | null = null;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** What is swept at this source. */
  at(source: GroupId): Lane | null {
    for (const { lane } of this.#running.values()) if (lane.from === source) return lane;
    return null;
  }

  isRunning(lane: Lane): boolean {
    return this.#running.has(laneKey(lane));
  }

  start(lane: Lane, run: (stop: AbortSignal) => Promise<Outcome>): void {
    const stop = new AbortController();
    const done = this.#run(lane, () => run(stop.signal));
    this.#running.set(laneKey(lane), { lane, stop, done });
  }

  /** Those that `wanted` says no to end at their next batch. */
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
      this.#onEnd();
    }
  }
}
