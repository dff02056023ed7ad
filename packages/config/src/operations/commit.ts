// The one way in which operations write: read, decide, and commit the change together with its audit event; when something else was
// faster, read and decide again.
//
// Invariant: a change is made at most once and reported as what it was. A commit whose outcome got lost (CODIS_E_COORDINATOR_UNKNOWN) is
// looked up by its event's id before anything is tried again.

import { randomUUID } from 'node:crypto';
import { type Op, PARENTS, PATHS, type Refusal } from '../coordinator/index.ts';
import {
  asEpoch,
  CodisError,
  decodeTopology,
  encodeTopology,
  isCodisError,
  type Topology,
  type VersionedTopology,
} from '../model/index.ts';
import { type Caller, checkExpected, DryRunDone, type Expecting } from './caller.ts';
import type { EventText } from './event-text.ts';
import { type AuditEvent, eventOps, readEvent } from './events.ts';
import { checkNotMending } from './mending.ts';

const ATTEMPTS_MAX = 32;
/** How long a call waits for the coordinator to come back when it has to find out what became of a write. */
const RECONNECT_MS = 10_000;

/** A change that is ready to be written. */
export interface Plan<T> {
  readonly ops: readonly Op[];
  /** Null: there is nothing to change, and `ops` only check that this still holds. */
  readonly event: EventText | null;
  /** What the operation returns once this is written. */
  readonly value: T;
}

/** Writes what `plan` decides on. `plan` is called again after each conflict, so it reads everything anew and throws when the change makes no
 *  sense any more. Throws CODIS_E_CONFLICT after many conflicts, and CODIS_E_COORDINATOR_UNKNOWN when the coordinator does not come back. */
export async function commitAudited<T>(caller: Caller, plan: () => Promise<Plan<T>>): Promise<T> {
  const event = newEvent(caller);
  const doubts: { seq: number; value: T }[] = [];
  let refusal: Refusal | undefined;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    for (const { seq, value } of doubts) {
      if ((await readEvent(caller.coordinator, seq))?.id === event.id) return value;
    }
    const { ops, event: text, value } = await plan();
    if (caller.dryRun) {
      if (text === null) return value;
      throw new DryRunDone([text], value);
    }
    const audit = text && (await eventOps(caller.coordinator, { ...event, ...text }));
    try {
      const result = await caller.coordinator.commit([...ops, ...(audit?.ops ?? [])]);
      if (result.ok) return value;
      refusal = result.refusal;
      if (refusal.reason === 'no-parent') await ensureParents(caller);
    } catch (error) {
      if (!isCodisError(error, 'CODIS_E_COORDINATOR_UNKNOWN')) throw error;
      await comeBack(caller, error);
      if (audit) doubts.push({ seq: audit.seq, value });
    }
  }
  throw new CodisError(
    'CODIS_E_CONFLICT',
    `${refusal?.path ?? 'the topology'} was changed by others ${ATTEMPTS_MAX} times in a row; try again`,
  );
}

function newEvent({ actor, via = 'system', ip }: Caller): Pick<AuditEvent, 'id' | 'actor' | 'via' | 'ip' | 'at'> {
  return { id: randomUUID(), actor, via, ip: ip ?? null, at: new Date().toISOString() };
}

async function comeBack(caller: Caller, unknown: CodisError): Promise<void> {
  try {
    await caller.coordinator.ready(RECONNECT_MS);
  } catch {
    throw new CodisError(
      'CODIS_E_COORDINATOR_UNKNOWN',
      'the coordinator was lost while this change was written, and is not back: it may or may not have been made; read the state before you repeat it',
      { cause: unknown },
    );
  }
}

/** A change of the topology: pure, and the words for its event. */
export interface TopologyChange extends Expecting {
  readonly action: EventText['action'];
  readonly object: string;
  /** It gives slots away or takes them out of service: not while keys are being mended by who owns what. */
  readonly reassigns?: boolean;
  /** What returns the very topology it was given changes nothing: then there is no event, and no new epoch. */
  change(topology: Topology): Topology;
  /** How what is changed stands in a topology, for the audit log. */
  told(topology: Topology): string;
}

/** Changes the topology by compare-and-set. Throws CODIS_E_NOT_INITIALISED, CODIS_E_STALE, what `change` throws, and as commitAudited. */
export function changeTopology(caller: Caller, request: TopologyChange): Promise<VersionedTopology> {
  return commitAudited(caller, async () => {
    const current = await readTopology(caller);
    checkExpected(current.epoch, request);
    if (request.reassigns) await checkNotMending(caller);
    const topology = request.change(current.topology);
    if (topology === current.topology) {
      return { ops: [{ op: 'check', path: PATHS.topology, version: current.epoch }], event: null, value: current };
    }
    const epoch = asEpoch(current.epoch + 1);
    return {
      ops: [{ op: 'set', path: PATHS.topology, data: encodeTopology(topology), version: current.epoch }],
      event: {
        action: request.action,
        object: request.object,
        epoch,
        before: request.told(current.topology),
        after: request.told(topology),
      },
      value: { epoch, topology },
    };
  });
}

/** Throws CODIS_E_NOT_INITIALISED or CODIS_E_COORDINATOR_CORRUPT. */
export async function readTopology({ coordinator }: Pick<Caller, 'coordinator'>): Promise<VersionedTopology> {
  const current = await readTopologyIfAny({ coordinator });
  if (!current) throw new CodisError('CODIS_E_NOT_INITIALISED', 'this product has no slot table yet; make it with: codis-config slot init');
  return current;
}

/** Null when there is none yet. Throws CODIS_E_COORDINATOR_CORRUPT. */
export async function readTopologyIfAny({ coordinator }: Pick<Caller, 'coordinator'>): Promise<VersionedTopology | null> {
  const entry = await coordinator.read(PATHS.topology);
  return entry && { epoch: asEpoch(entry.version), topology: decodeTopology(entry.data) };
}

/** Makes the nodes that hold others, where they are missing. */
export async function ensureParents({ coordinator, dryRun }: Pick<Caller, 'coordinator' | 'dryRun'>): Promise<void> {
  if (dryRun) return;
  for (const path of PARENTS) {
    const result = await coordinator.commit([{ op: 'create', path, data: Buffer.alloc(0) }]);
    if (!result.ok && result.refusal.reason !== 'exists') {
      throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `${path} can't be made in the coordinator: ${result.refusal.reason}`);
    }
  }
}
