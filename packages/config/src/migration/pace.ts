// How many keys go into one hand-over. The source runs nothing else while it hands over, so the size follows what the last ones took. Pure.

/** What the next hand-over may do. */
export interface Pace {
  readonly keysCount: number;
  /** How long MIGRATE may wait for the target, each time it does. */
  readonly timeoutMs: number;
}

/** What a hand-over may block the source for, and below what a larger one is tried. */
const BLOCK_MS_MAX = 10;
const BLOCK_MS_LOW = 5;
/** What the script hands over in one MIGRATE. */
const KEYS_MAX = 500;
const TIMEOUT_MS_MIN = 1000;
const TIMEOUT_MS_MAX = 30_000;

export const FIRST_PACE: Pace = { keysCount: 16, timeoutMs: TIMEOUT_MS_MIN };

/** After a hand-over of `keysCount` keys that took `tookMs`. Grows only on full batches, for a small one says nothing of a large one. */
export function paceAfter(pace: Pace, { keysCount, tookMs }: { keysCount: number; tookMs: number }): Pace {
  const timeoutMs = TIMEOUT_MS_MIN;
  if (tookMs > BLOCK_MS_MAX) return { keysCount: Math.max(1, Math.floor((keysCount * BLOCK_MS_MAX) / tookMs)), timeoutMs };
  if (tookMs < BLOCK_MS_LOW && keysCount >= pace.keysCount) return { keysCount: Math.min(KEYS_MAX, pace.keysCount * 2), timeoutMs };
  return { keysCount: pace.keysCount, timeoutMs };
}

/** After a failed one: fewer keys; and, when it was down to a single key, more patience, for that one may be large. */
export function paceAfterFailure(pace: Pace): Pace {
  if (pace.keysCount > 1) return { keysCount: Math.max(1, pace.keysCount >> 3), timeoutMs: pace.timeoutMs };
  return { keysCount: 1, timeoutMs: Math.min(TIMEOUT_MS_MAX, pace.timeoutMs * 2) };
}
