// How long to leave something alone that failed: twice as long each time, up to a bound. Pure.

export interface BackOff {
  readonly failures: number;
  readonly untilMs: number;
  /** What failed, for people. */
  readonly reason: string;
}

const FIRST_MS = 500;
const LONGEST_MS = 10_000;

export function backOffAfter(previous: BackOff | undefined, { nowMs, reason }: { nowMs: number; reason: string }): BackOff {
  const failures = (previous?.failures ?? 0) + 1;
  return { failures, untilMs: nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)), reason };
}
