// When a request left for its server, for those that were slow: most leave in the turn of the event loop they came in, and nothing is kept for them. Only
// of those that had to wait (the connection was being made, or the server took no more) the time they left is kept, by ranges of their numbers.

import { micros } from './timings.ts';

/** Ranges kept; older ones are forgotten, and what they say with them. */
const MARKS_MAX = 64;

interface Mark {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

export class SendMarks {
  readonly #marks: Mark[] = [];
  #sentTo = 0;

  /** All requests before number `next` leave now; `late`: they had to wait. */
  onFlush(next: number, late: boolean): void {
    if (late && next !== this.#sentTo) {
      if (this.#marks.length === MARKS_MAX) this.#marks.shift();
      this.#marks.push({ from: this.#sentTo, to: next, at: micros() });
    }
    this.#sentTo = next;
  }

  /** When request `number` left, if it had to wait (`micros`); null when it left at once. */
  sentAt(number: number): number | null {
    for (const { from, to, at } of this.#marks) if (((number - from) | 0) >= 0 && ((to - number) | 0) > 0) return at;
    return null;
  }
}
