// How far the clocks of servers are from that of this machine, from what they say of themselves when they are asked.

import type { ServerProbe } from '@codis/config/operations';

/** By address, in milliseconds: above nought when the server is ahead. Good to about the time an answer takes. */
export class Clocks {
  readonly #skews = new Map<string, number>();

  /** `nowMs`: the time of day here. */
  onProbe({ addr, clockMs }: Pick<ServerProbe, 'addr' | 'clockMs'>, nowMs: number): void {
    if (clockMs === null) this.#skews.delete(addr);
    else this.#skews.set(addr, Math.round(clockMs - nowMs));
  }

  get skews(): ReadonlyMap<string, number> {
    return this.#skews;
  }
}
