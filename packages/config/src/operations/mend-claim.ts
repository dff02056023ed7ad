// A claim: while it stands, no slot is locked, assigned or taken offline, so the owners of slots stay what they are, but for moves that were under way
// before. It is ephemeral: it ends with the session of who made it, so nothing has to be cleaned up after a crash.
//
// Invariant: the commit that makes a claim also writes the topology, unchanged, at a new epoch. So whoever read the topology before it
// can't write by what they read (mending.ts).

import { randomUUID } from 'node:crypto';
import { mendingPath, PATHS } from '../coordinator/index.ts';
import { asEpoch, CodisError, encodeTopology, isCodisError, type VersionedTopology } from '../model/index.ts';
import { type Caller, checkExpected, type Expecting } from './caller.ts';
import { commitAudited, readTopology } from './commit.ts';
import type { EventAction } from './event-text.ts';

/** How long one wait for the coordinator is, before it is tried again. */
const RECONNECT_MS = 10_000;

export interface MendClaimRequest extends Expecting {
  readonly action: Extract<EventAction, 'key.delete' | 'key.move'>;
  /** What is mended, in words, for the audit log and for who has to wait. */
  readonly object: string;
  /** Where the keys are, and where they will be, in words. */
  readonly before: string;
  readonly after: string;
}

/** Makes a claim, with its audit event. Throws CODIS_E_STALE, CODIS_E_NOT_INITIALISED, and as `commitAudited`. */
export async function claimMend(caller: Caller, request: MendClaimRequest): Promise<MendClaim> {
  const path = mendingPath(randomUUID());
  const data = Buffer.from(`${caller.actor} is mending ${request.object}`);
  const current = await commitAudited(caller, async () => {
    const { epoch, topology } = await readTopology(caller);
    checkExpected(epoch, request);
    const next = asEpoch(epoch + 1);
    return {
      ops: [
        { op: 'create', path, data, ephemeral: true },
        { op: 'set', path: PATHS.topology, data: encodeTopology(topology), version: epoch },
      ],
      event: { action: request.action, object: request.object, epoch: next, before: request.before, after: request.after },
      value: { epoch: next, topology },
    };
  });
  return new MendClaim(caller, { path, current });
}

/** Lives from `claimMend` to `release`, or to the end of the session. */
export class MendClaim {
  readonly #caller: Caller;
  readonly #path: string;
  #current: VersionedTopology;

  constructor(caller: Caller, { path, current }: { path: string; current: VersionedTopology }) {
    this.#caller = caller;
    this.#path = path;
    this.#current = current;
  }

  /** The topology, once it is certain that it and the claim stand at this moment. Throws CODIS_E_CONFLICT when the claim is gone. */
  async prove(): Promise<VersionedTopology> {
    const { coordinator } = this.#caller;
    for (;;) {
      const result = await coordinator.commit([
        { op: 'check', path: this.#path, version: 0 },
        { op: 'check', path: PATHS.topology, version: this.#current.epoch },
      ]);
      if (result.ok) return this.#current;
      if (result.refusal.index === 0) {
        throw new CodisError('CODIS_E_CONFLICT', 'the connection to the coordinator was lost for too long, so mending keys was broken off');
      }
      this.#current = await readTopology(this.#caller);
    }
  }

  /** Lets moves go on. Waits for the coordinator if need be: a session that comes back would keep the claim. */
  async release(): Promise<void> {
    const { coordinator } = this.#caller;
    for (;;) {
      try {
        await coordinator.commit([{ op: 'delete', path: this.#path }]);
        return;
      } catch (error) {
        if (!isAway(error) || coordinator.state.kind === 'closed') throw error;
        await coordinator.ready(RECONNECT_MS).catch(() => undefined);
      }
    }
  }
}

function isAway(error: unknown): boolean {
  return isCodisError(error, 'CODIS_E_COORDINATOR_LOST') || isCodisError(error, 'CODIS_E_COORDINATOR_UNKNOWN');
}
