// How many keys go into one hand-over. The source runs nothing else while it hands over, so the size follows what the last ones took. Pure.

import type { Throttle } from '../model/index.ts';

/** What the next hand-over may do. */
export interface Pace {
  readonly keysCount: number;
  /** How long MIGRATE may wait for the target, each time it does. */
  readonly timeoutMs: number;
}

/** What a hand-over may block the source for; below half of it a larger one is tried. */
const BLOCK_MS_MAX = 10;
/** Beyond, a larger MIGRATE is no quicker for each key. */
const KEYS_MAX = 2000;
/** While clients ask for keys too: less than a millisecond, for a key that is asked for waits until the batch is over, and then for its own hand-over. */
const KEYS_BESIDE_CLIENTS_MAX = 128;
/** Of memory, in one hand-over: some milliseconds of a network of 1 Gbit/s. */
const BYTES_MAX = 1024 * 1024;
const BYTES_MIN = 16 * 1024;
/** Throttled to a rate, it goes in so many steps a second. */
const STEPS_PER_SECOND = 10;
const TIMEOUT_MS_MIN = 250;
const TIMEOUT_MS_MAX = 30_000;

export const FIRST_PACE: Pace = { keysCount: 16, timeoutMs: TIMEOUT_MS_MIN };

/** What one hand-over may take: keys, bytes of memory at the source. One key goes whatever it takes. */
export interface BatchLimits {
  readonly keysCount: number;
  readonly bytesCount: number;
}

export function batchLimits(pace: Pace, throttle: Throttle, isAlone: boolean): BatchLimits {
  const perStep = (rate: number | null, least: number) =>
    rate === null ? Number.POSITIVE_INFINITY : Math.max(least, Math.floor(rate / STEPS_PER_SECOND));
  return {
    keysCount: Math.min(pace.keysCount, isAlone ? KEYS_MAX : KEYS_BESIDE_CLIENTS_MAX, perStep(throttle.keysPerSecond, 1)),
    bytesCount: Math.min(BYTES_MAX, perStep(throttle.bytesPerSecond, BYTES_MIN)),
  };
}

/** After a hand-over of `keysCount` keys that took `tookMs`. Grows only on full batches, for a small one says nothing of a large one. */
export function paceAfter(
  pace: Pace,
  { keysCount, tookMs, blockMsMax }: { keysCount: number; tookMs: number; blockMsMax: number | null },
): Pace {
  const timeoutMs = TIMEOUT_MS_MIN;
  const most = Math.min(BLOCK_MS_MAX, blockMsMax ?? BLOCK_MS_MAX);
  if (tookMs > most) return { keysCount: Math.max(1, Math.floor((keysCount * most) / tookMs)), timeoutMs };
  if (tookMs < most / 2 && keysCount >= pace.keysCount) return { keysCount: Math.min(KEYS_MAX, pace.keysCount * 2), timeoutMs };
  return { keysCount: pace.keysCount, timeoutMs };
}

/** After a failed one: fewer keys; and, when it was down to a single key, more patience, for that one may be large. */
export function paceAfterFailure(pace: Pace): Pace {
  if (pace.keysCount > 1) return { keysCount: Math.max(1, pace.keysCount >> 3), timeoutMs: pace.timeoutMs };
  return { keysCount: 1, timeoutMs: Math.min(TIMEOUT_MS_MAX, pace.timeoutMs * 2) };
}
