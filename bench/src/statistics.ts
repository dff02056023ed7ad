// What is made of repeated measurements: medians, because one disturbed round must not count, and the spread that tells how far to trust them.

export interface Summary {
  readonly median: number;
  /** First and third quartile: half of all rounds lie between them. */
  readonly low: number;
  readonly high: number;
}

/** Throws for no values: nothing was measured. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('no round was measured');
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** Round by round, so that what disturbed one round disturbs both sides of its ratio alike. */
export function ratios(values: readonly number[], baseline: readonly number[]): number[] {
  if (values.length !== baseline.length) throw new Error('a round has only one side');
  return values.map((value, round) => value / (baseline[round] as number));
}

/** Between two values it is interpolated. `sorted` is not empty. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}
