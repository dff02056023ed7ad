// Types of leftovers.mjs, for the tests.

export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

export const RUN_MARK: string;
export function leftovers(run: { mark: string; directory: string }): Leftover[];
export function endLeftovers(run: { mark: string; directory: string; graceMs: number }): Promise<Leftover[]>;
