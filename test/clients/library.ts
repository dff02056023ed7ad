// What is asked of every client library, whatever its language: the same nine things an application does, each with a name that the table in
// docs/clients.md shows.

import { deepStrictEqual } from 'node:assert';

export const CHECKS = ['connect', 'types', 'pipeline', 'transaction', 'pubsub', 'blocking', 'script', 'scan', 'reconnect'] as const;
export type Check = (typeof CHECKS)[number];

/** What happened: nothing said means it works. */
export type Outcome = Readonly<Record<Check, string>>;

export interface Library {
  /** As the table names it, with the version. */
  readonly name: string;
  readonly language: string;
  /** Does everything against the server at 127.0.0.1:`port`, with keys that begin with `prefix`; why each check failed, '' when it did not. */
  run(port: number, prefix: string): Promise<Outcome>;
}

/** One try at a check with a library of this process. */
export type Checks = Readonly<Record<Check, () => Promise<void>>>;

/** Runs them in order. */
export async function runChecks(checks: Checks): Promise<Outcome> {
  const outcome: Partial<Record<Check, string>> = {};
  for (const check of CHECKS) {
    try {
      await checks[check]();
      outcome[check] = '';
    } catch (error) {
      outcome[check] = error instanceof Error ? error.message : String(error);
    }
  }
  return outcome as Outcome;
}

/** Throws unless both are the same, deeply. */
export function same(got: unknown, wanted: unknown): void {
  deepStrictEqual(plain(got), plain(wanted));
}

/** Objects without a prototype, as some libraries give them, as plain ones. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** Every name from 0 to `count`. */
export function numbered(count: number, name: (at: number) => string): string[] {
  return Array.from({ length: count }, (_, at) => name(at)).sort();
}
