// How late the event loop of this worker comes to what is due: whoever waits for a client, a server or a timer waits that much longer.
//
// Two histograms are filled side by side and emptied in turn, so that the older one always covers the last WINDOW_MS, and up to twice that.

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** In microseconds, over the last seconds. */
export interface LoopLag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const WINDOW_MS = 5000;
/** How often it is looked whether the loop is late; the kernel's timers do that, no code of ours. */
const RESOLUTION_MS = 20;

export class LoopLagMeter {
  #older = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #newer = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #turnedAt: number;

  /** `now`: by the coarse clock, as for `tick`. */
  constructor(now: number) {
    this.#turnedAt = now;
    this.#older.enable();
    this.#newer.enable();
  }

  tick(now: number): void {
    if (now - this.#turnedAt < WINDOW_MS) return;
    this.#turnedAt = now;
    const emptied = this.#older;
    emptied.reset();
    this.#older = this.#newer;
    this.#newer = emptied;
  }

  /** Null before anything was measured. */
  read(): LoopLag | null {
    const lag = this.#older;
    if (lag.count === 0) return null;
    return { p50: late(lag.percentile(50)), p99: late(lag.percentile(99)), max: late(lag.max) };
  }

  close(): void {
    this.#older.disable();
    this.#newer.disable();
  }
}

/** What is measured is the time between two looks. */
function late(nanoseconds: number): number {
  return Math.max(0, Math.round(nanoseconds / 1000 - RESOLUTION_MS * 1000));
}
