// Who asks for an operation, and with what. Every operation takes one first.

import type { Coordinator } from '../coordinator/index.ts';
import { CodisError, type Epoch } from '../model/index.ts';
import type { EventText, EventVia } from './event-text.ts';

export interface Caller {
  readonly coordinator: Coordinator;
  /** `product_name`. */
  readonly product: string;
  /** Who asks, as the audit log will say it. */
  readonly actor: string;
  /** Whose word for the actor that is; `system` unless said. */
  readonly via?: EventVia;
  /** Where the call came from, when it came from outside. */
  readonly ip?: string;
  /** Everything is checked and nothing is changed, in the coordinator or at any Redis: what would be written is thrown as a DryRunDone. */
  readonly dryRun?: boolean;
  /** `product_auth`: the password of the Redis servers, empty for none. */
  readonly password: string;
}

/** How a change that was only tried ends: it could have been made. Not an error, but it unwinds like one, so that nothing behind it happens. */
export class DryRunDone extends Error {
  readonly would: readonly EventText[];
  /** What the operation would have returned. */
  readonly value: unknown;

  constructor(would: readonly EventText[], value: unknown) {
    super('this was a dry run');
    this.would = would;
    this.value = value;
  }
}

/** What every change of the topology takes: the epoch the caller decided on, when it matters that nothing changed since. */
export interface Expecting {
  readonly expectedEpoch?: Epoch;
}

/** Throws CODIS_E_STALE when the topology is at another epoch than the caller looked at. */
export function checkExpected(current: Epoch, { expectedEpoch }: Expecting): void {
  if (expectedEpoch === undefined || expectedEpoch === current) return;
  throw new CodisError('CODIS_E_STALE', `you looked at epoch ${expectedEpoch}, but the topology is at epoch ${current} now`);
}
