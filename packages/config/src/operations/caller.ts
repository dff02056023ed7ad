// Who asks for an operation, and with what. Every operation takes one first.

import type { Coordinator } from '../coordinator/index.ts';
import { CodisError, type Epoch } from '../model/index.ts';

/** A login, a token, the client's own word, or the cluster itself. */
export type EventVia = 'user' | 'token' | 'claimed' | 'system';

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
  /** `product_auth`: the password of the Redis servers, empty for none. */
  readonly password: string;
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
