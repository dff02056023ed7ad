// How many calls of one address that were refused, or failed, are written down: enough to see it, too few to push everything else out of the event log.

const PER_MINUTE = 120;
const MINUTE_MS = 60_000;
const ADDRESSES_MAX = 1000;

export class DenialBudget {
  /** By address: since when, and how many. */
  readonly #spent = new Map<string, { since: number; count: number }>();
  readonly #perMinute: number;

  constructor(perMinute = PER_MINUTE) {
    this.#perMinute = perMinute;
  }

  /** Whether one more may be written down. `nowMs` by a clock that only goes forward. */
  take(address: string, nowMs: number): boolean {
    const spent = this.#spent.get(address);
    if (!spent || nowMs - spent.since >= MINUTE_MS) {
      this.#makeRoom(nowMs);
      if (this.#spent.size >= ADDRESSES_MAX && !spent) return false;
      this.#spent.set(address, { since: nowMs, count: 1 });
      return true;
    }
    spent.count += 1;
    return spent.count <= this.#perMinute;
  }

  #makeRoom(nowMs: number): void {
    if (this.#spent.size < ADDRESSES_MAX) return;
    for (const [address, { since }] of this.#spent) if (nowMs - since >= MINUTE_MS) this.#spent.delete(address);
  }
}
