// When sockets are written to: at the end of a turn of the event loop, for other reads in it may add to what is to be written; or at once, behind the read that made
// it, when nothing was written for a while before. Then hardly anything else is there to be read in this turn, and waiting for its end costs an Immediate of
// Node's, a microsecond and 340 bytes, which were four fifths of all garbage of a worker with little to do.

import { micros } from './timings.ts';

export interface Flushable {
  flush(): void;
}

/** Longer than a worker that has much to do waits for more. */
const CALM_MICROS = 20;

/** In place of what was flushed, which may be closed by now. */
const NOTHING: Flushable = { flush: () => undefined };

/** What is to be flushed, `count` of it; and the list that takes its place meanwhile. They only grow: a new one for each turn would be garbage. */
let gathered: Flushable[] = [];
let spare: Flushable[] = [];
let count = 0;
let isReading = false;
let isScheduled = false;
let flushedAt = 0;

/** HOT PATH. `outlet` has something to write, and is flushed once. */
export function flushInTurn(outlet: Flushable): void {
  gathered[count++] = outlet;
  if (!isReading) schedule();
}

/** HOT PATH. Before all that is done for what was read; gives the time (`micros`). */
export function beginReading(): number {
  isReading = true;
  return micros();
}

/** HOT PATH. After that, with the time that `beginReading` gave. */
export function endReading(readAt: number): void {
  isReading = false;
  if (count === 0 || isScheduled) return;
  if (((readAt - flushedAt) | 0) > CALM_MICROS) flushAll();
  else schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endTurn);
}

function endTurn(): void {
  isScheduled = false;
  flushAll();
}

/** What comes up meanwhile waits for the next turn. */
function flushAll(): void {
  const flushed = gathered;
  const flushedCount = count;
  gathered = spare;
  spare = flushed;
  count = 0;
  for (let at = 0; at < flushedCount; at++) {
    const outlet = flushed[at] as Flushable;
    flushed[at] = NOTHING;
    outlet.flush();
  }
  flushedAt = micros();
}
