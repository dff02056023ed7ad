// What was refused, and what failed, written down like what was done.

import type { Caller } from './caller.ts';
import { commitAudited } from './commit.ts';

/** Writes the event of a call that was refused: it changed nothing. */
export function noteDenial(caller: Caller, { call, why }: { call: string; why: string }): Promise<void> {
  return commitAudited(caller, async () => ({
    ops: [],
    event: { action: 'call.denied', object: call, epoch: null, before: null, after: null, denied: why },
    value: undefined,
  }));
}

/** Writes the event of a call that was allowed and failed. */
export function noteFailure(caller: Caller, { call, why }: { call: string; why: string }): Promise<void> {
  return commitAudited(caller, async () => ({
    ops: [],
    event: { action: 'call.failed', object: call, epoch: null, before: null, after: null, failed: why },
    value: undefined,
  }));
}
