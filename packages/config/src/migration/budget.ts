// What a migration may spend of its servers' time, as its operator stated it: keys and bytes in a second, a pause after each batch. All lanes of a migration
// spend from one budget. What was spent is a debt that the allowed rate pays off; nothing is handed over while there is one, so a new rate holds at once.

import { setTimeout as pause } from 'node:timers/promises';
import { type Throttle, UNTHROTTLED } from '../model/index.ts';

/** How soon a change of the throttle is seen by who waits. */
const LOOK_AGAIN_MS = 100;

export class Budget {
  #throttle: Throttle = UNTHROTTLED;
  #keysOwed = 0;
  #bytesOwed = 0;
  #paidAtMs = performance.now();

  get throttle(): Throttle {
    return this.#throttle;
  }

  set throttle(throttle: Throttle) {
    this.#pay();
    this.#throttle = throttle;
  }

  /** Some batch may have to wait. */
  get isLimited(): boolean {
    const { keysPerSecond, bytesPerSecond, delayMs } = this.#throttle;
    return keysPerSecond !== null || bytesPerSecond !== null || delayMs > 0;
  }

  /** Counts in what one batch took. */
  spend({ keysCount, bytesCount }: { keysCount: number; bytesCount: number }): void {
    this.#pay();
    this.#keysOwed += keysCount;
    this.#bytesOwed += bytesCount;
  }

  /** Until the next batch may go. Rejects when `signal` is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const fromMs = performance.now();
    const leftMs = () => this.#throttle.delayMs - (performance.now() - fromMs);
    for (let ms = leftMs(); ms > 0; ms = leftMs()) await pause(Math.min(ms, LOOK_AGAIN_MS), undefined, { signal });
    await this.paid(signal);
  }

  /** Until nothing is owed. Rejects as `wait`. */
  async paid(signal: AbortSignal): Promise<void> {
    for (let ms = this.#owedMs(); ms > 0; ms = this.#owedMs()) await pause(Math.min(ms, LOOK_AGAIN_MS), undefined, { signal });
  }

  #owedMs(): number {
    this.#pay();
    const { keysPerSecond, bytesPerSecond } = this.#throttle;
    return Math.max(msOf(this.#keysOwed, keysPerSecond), msOf(this.#bytesOwed, bytesPerSecond));
  }

  #pay(): void {
    const nowMs = performance.now();
    const seconds = (nowMs - this.#paidAtMs) / 1000;
    this.#paidAtMs = nowMs;
    this.#keysOwed = left(this.#keysOwed, this.#throttle.keysPerSecond, seconds);
    this.#bytesOwed = left(this.#bytesOwed, this.#throttle.bytesPerSecond, seconds);
  }
}

function left(owed: number, rate: number | null, seconds: number): number {
  return rate === null ? 0 : Math.max(0, owed - rate * seconds);
}

function msOf(owed: number, rate: number | null): number {
  return rate === null ? 0 : Math.ceil((owed / rate) * 1000);
}
