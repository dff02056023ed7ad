// Requests for slots that are locked (or in a move at all, for commands that need the whole slot in one place): they wait, in the order they came, until a
// table says where the slot is now. Bounded in time and bytes;
// past either a request is answered -TRYAGAIN. What is held here was sent nowhere, so it does not count as in flight.

import type { Command } from '../commands/command.ts';
import { HOLD_FULL, HOLD_TIMEOUT } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { HandOverOptions } from './hand-over.ts';
import { copyFrame, type Held } from './held.ts';
import type { Request } from './request.ts';
import type { RouteTable } from './route-table.ts';
import { micros } from './timings.ts';

type Options = Pick<HandOverOptions, 'clock' | 'stats' | 'timeoutMs' | 'bytesMax' | 'answer'> & {
  /** Whether requests wait for a slot of this kind (LOCKED, …). */
  readonly waits: (kind: number) => boolean;
  /** Routes a request anew, now that its slot is not locked any more. */
  readonly route: (request: Request, held: Held) => void;
};

export class LockedSlots {
  readonly #options: Options;
  readonly #queues = new Map<number, Held[]>();
  #bytes = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  hold(request: Request, slot: number, command: Command, frame: Frame): void {
    if (this.#bytes + frame.end - frame.start > this.#options.bytesMax) {
      this.#options.stats.tryAgain++;
      this.#options.answer(request, HOLD_FULL);
      return;
    }
    const held: Held = { request, command, slot, frame: copyFrame(frame), to: null, heldAt: this.#options.clock.now, waits: 0 };
    this.#bytes += held.frame.length;
    this.#options.stats.held++;
    const queue = this.#queues.get(slot);
    if (queue) queue.push(held);
    else this.#queues.set(slot, [held]);
  }

  /** Lets go what waited for slots that are not locked any more. */
  onTable(table: RouteTable): void {
    for (const [slot, queue] of this.#queues) {
      if (this.#options.waits(table.kind[slot] as number)) continue;
      this.#queues.delete(slot);
      for (const held of queue) this.#release(held);
    }
  }

  tick(): void {
    const deadline = this.#options.clock.now - this.#options.timeoutMs;
    for (const [slot, queue] of this.#queues) {
      const late = queue.findIndex((held) => held.heldAt > deadline);
      const expired = late < 0 ? queue.splice(0) : queue.splice(0, late);
      if (queue.length === 0) this.#queues.delete(slot);
      for (const held of expired) this.#refuse(held);
    }
  }

  #release(held: Held): void {
    const request = this.#take(held);
    if (request === null || request.session === null) return;
    request.heldMicros = (micros() - request.readAt) | 0;
    this.#options.route(request, held);
  }

  #refuse(held: Held): void {
    const request = this.#take(held);
    if (request === null || request.session === null) return;
    this.#options.stats.tryAgain++;
    this.#options.answer(request, HOLD_TIMEOUT);
  }

  #take(held: Held): Request | null {
    const request = held.request;
    held.request = null;
    this.#bytes -= held.frame.length;
    return request;
  }
}
