// Counters of one worker. Plain numbers that only go up, but for gauges; the primary sums them over its workers when somebody looks.

import { INDEX_COUNT } from '../commands/command.ts';
import { ErrorCodes } from './error-codes.ts';
import { Timings } from './timings.ts';

export class Stats {
  requests = 0;
  /** Error replies that went out, the servers' and the proxy's own. */
  errors = 0;
  clientsTotal = 0;
  clientsRefused = 0;
  clientBytesIn = 0;
  /** To clients that are gone; those that are there count themselves. */
  clientBytesOut = 0;
  backendBytesIn = 0;
  /** Requests that had to wait for a slot in a move, and those that got -TRYAGAIN for it. */
  held = 0;
  tryAgain = 0;
  handOvers = 0;
  handOverErrors = 0;
  /** Calls per command, by Command.index. */
  readonly calls = new Float64Array(INDEX_COUNT);
  readonly timings = new Timings();
  errorCodes = new ErrorCodes();

  /** An error reply, that begins at `start`, goes out. */
  onError(reply: Uint8Array, start: number): void {
    this.errors++;
    this.errorCodes.count(reply, start);
  }

  /** CONFIG RESETSTAT: what Redis has too begins at 0 again. */
  reset(): void {
    this.requests = 0;
    this.errors = 0;
    this.clientsTotal = 0;
    this.clientsRefused = 0;
    this.clientBytesIn = 0;
    this.clientBytesOut = 0;
    this.calls.fill(0);
    this.timings.reset();
    this.errorCodes = new ErrorCodes();
  }
}
