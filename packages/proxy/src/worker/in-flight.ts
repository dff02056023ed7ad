// How many requests are under way per slot: sent and unanswered, or waiting for a hand-over. A proxy acknowledges a table that locks a slot
// only when this count is zero for it (DESIGN §3), so every request that counts up must count down exactly once. Beside the slots there are lanes, which
// are counted and drained in the same way: one for each big key that is read where its slot is leaving (big-keys.ts).

import { invariant, SLOT_COUNT } from '@codis/config/model';
import type { Request } from './request.ts';

/** The lanes follow the slots. */
export const LANES_FIRST = SLOT_COUNT;
export const LANES_COUNT = 512;

export class InFlight {
  readonly counts = new Int32Array(SLOT_COUNT + LANES_COUNT);
  /** How many requests of clients there were, modulo 2^32. */
  readonly requests = new Uint32Array(SLOT_COUNT + LANES_COUNT);
  readonly #onDrained: () => void;
  #draining: readonly number[] = [];

  /** `onDrained` is called when none of the slots given to `drain` has anything under way any more. */
  constructor(onDrained: () => void) {
    this.#onDrained = onDrained;
  }

  /** HOT PATH. A request of a client. */
  enter(slot: number): void {
    this.counts[slot] = (this.counts[slot] as number) + 1;
    this.requests[slot] = (this.requests[slot] as number) + 1;
  }

  /** HOT PATH. A request of a client for keys in all of these. */
  enterAll(slots: readonly number[]): void {
    const { counts, requests } = this;
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] as number;
      counts[slot] = (counts[slot] as number) + 1;
      requests[slot] = (requests[slot] as number) + 1;
    }
  }

  /** Anything else that has to be over before the slot is handed on. */
  occupy(slot: number): void {
    this.counts[slot] = (this.counts[slot] as number) + 1;
  }

  /** HOT PATH. Ends what `request` is counted for. */
  leave(request: Request): void {
    if (request.slot >= 0) this.leaveSlot(request.slot);
    else if (request.slots !== null) this.#leaveAll(request.slots);
  }

  #leaveAll(slots: readonly number[]): void {
    const counts = this.counts;
    let signs = 0;
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] as number;
      const count = (counts[slot] as number) - 1;
      counts[slot] = count;
      signs |= count;
    }
    invariant(signs >= 0, 'a request leaves each of its slots once');
    if (this.#draining.length > 0) this.#check();
  }

  leaveSlot(slot: number): void {
    const count = (this.counts[slot] as number) - 1;
    invariant(count >= 0, 'a request leaves a slot once');
    this.counts[slot] = count;
    if (count === 0 && this.#draining.length > 0) this.#check();
  }

  /** Waits for these slots, instead of those given before; calls `onDrained` at once when they are drained already. */
  drain(slots: readonly number[]): void {
    this.#draining = slots;
    if (this.#isDrained()) this.#drained();
  }

  isBusy(slot: number): boolean {
    return (this.counts[slot] as number) > 0;
  }

  /** The slots (and lanes) still waited for. */
  waitingFor(): number[] {
    return this.#draining.filter((slot) => (this.counts[slot] as number) > 0);
  }

  #check(): void {
    if (this.#isDrained()) this.#drained();
  }

  #isDrained(): boolean {
    for (const slot of this.#draining) if ((this.counts[slot] as number) > 0) return false;
    return true;
  }

  #drained(): void {
    this.#draining = [];
    this.#onDrained();
  }
}
