// The topology as a file, for the day on which the coordinator has lost it: taken, checked, and put back.
//
// Invariant: what is put back stands at a higher epoch than the dump, and than any proxy has acknowledged. Epochs only go up: a running proxy would not take an older table,
// and a server that was fenced at a later epoch would let nobody in.

import { migrationPath, type Op, PATHS } from '../coordinator/index.ts';
import {
  asEpoch,
  CodisError,
  decodeMigration,
  decodeTopology,
  type Epoch,
  encodeTopology,
  isCodisError,
  isOpen,
  type MigrationId,
  migrationsIn,
  type SlotState,
  sameState,
  type Topology,
  type VersionedTopology,
} from '../model/index.ts';
import type { Caller } from './caller.ts';
import { commitAudited, readTopology } from './commit.ts';
import { checkNotMending } from './mending.ts';
import { listProxies } from './proxies.ts';

const FORMAT = 'codis-topology-1';
/** How many epochs one commit may go up. */
const RAISE_MAX = 8000;

export interface TopologyDump {
  readonly product: string;
  readonly epoch: Epoch;
  /** ISO 8601. */
  readonly takenAt: string;
  readonly topology: Topology;
}

/** Throws CODIS_E_NOT_INITIALISED or CODIS_E_COORDINATOR_CORRUPT. */
export async function takeDump(caller: Pick<Caller, 'coordinator' | 'product'>): Promise<TopologyDump> {
  const { epoch, topology } = await readTopology(caller);
  return { product: caller.product, epoch, takenAt: new Date().toISOString(), topology };
}

/** As JSON. */
export function encodeDump({ product, epoch, takenAt, topology }: TopologyDump): object {
  const { slots, groups } = JSON.parse(encodeTopology(topology).toString('utf8')) as Record<string, unknown>;
  return { format: FORMAT, product, epoch, takenAt, slots, groups };
}

/** Reads what `encodeDump` made; throws CODIS_E_BAD_DUMP, naming what is wrong, on anything else. */
export function decodeDump(text: string): TopologyDump {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { format, product, epoch, takenAt, slots, groups } = value;
    if (format !== FORMAT) throw new TypeError(`its format is ${JSON.stringify(format)} and not ${JSON.stringify(FORMAT)}`);
    if (typeof product !== 'string' || typeof takenAt !== 'string') throw new TypeError('product or takenAt is missing');
    const topology = decodeTopology(Buffer.from(JSON.stringify({ format: 1, slots, groups })));
    return { product, epoch: asEpoch(epoch as number), takenAt, topology };
  } catch (cause) {
    throw new CodisError('CODIS_E_BAD_DUMP', `this is no dump of a topology: ${(cause as Error).message}`, { cause });
  }
}

/** What putting a dump back does. */
export interface Restored extends VersionedTopology {
  /** The epoch of what is there; null when there is nothing. */
  readonly before: Epoch | null;
  /** Slots that were online in one group and are in another now: their keys stay where they are. */
  readonly reassignedCount: number;
  /** Moves that the slots name and that have no record. */
  readonly adoptable: readonly MigrationId[];
}

export interface RestoreRequest {
  readonly dump: TopologyDump;
  /** Also over a topology that is there, or one of another product. */
  readonly force: boolean;
  /** Only checks. */
  readonly dryRun?: boolean;
}

/** Puts a dump back. Throws CODIS_E_SLOTS_EXIST or CODIS_E_CONFLICT unless forced, and CODIS_E_SLOT_IN_MOVE while slots move, for whose they are is in no dump. */
export async function restoreDump(caller: Caller, request: RestoreRequest): Promise<Restored> {
  if (request.dryRun) return prepare(caller, request);
  const restored = await commitAudited(caller, async () => {
    const prepared = await prepare(caller, request);
    const data = encodeTopology(prepared.topology);
    const current = prepared.before;
    const first = Math.min(prepared.epoch, (current ?? 0) + RAISE_MAX);
    return {
      ops: raise(data, { from: current, to: first }),
      event: {
        action: 'config.restore',
        object: `topology of epoch ${request.dump.epoch}`,
        epoch: asEpoch(first),
        before: current === null ? 'none' : `epoch ${current}`,
        after: `${prepared.topology.groups.length} groups, taken ${request.dump.takenAt}`,
      },
      value: { ...prepared, reached: first },
    };
  });
  const { reached, ...value } = restored;
  for (let at = reached; at < value.epoch; at += RAISE_MAX) {
    const to = Math.min(value.epoch, at + RAISE_MAX);
    const result = await caller.coordinator.commit(raise(encodeTopology(value.topology), { from: at, to }));
    if (!result.ok)
      throw new CodisError('CODIS_E_CONFLICT', `the topology is restored, but was changed by others before it was at epoch ${value.epoch}`);
  }
  return value;
}

/** Steps that write `data` at epoch `to`: as many as there are epochs, of which only the last is ever seen. */
function raise(data: Buffer, { from, to }: { from: number | null; to: number }): Op[] {
  const steps: Op[] = from === null ? [{ op: 'create', path: PATHS.topology, data }] : [];
  const last = from ?? 0;
  for (let epoch = last; epoch < to; epoch++) {
    steps.push({ op: 'set', path: PATHS.topology, data: epoch === to - 1 ? data : Buffer.alloc(0), version: epoch });
  }
  return steps;
}

async function prepare(caller: Caller, { dump, force }: RestoreRequest): Promise<Restored> {
  if (dump.product !== caller.product && !force) {
    throw new CodisError(
      'CODIS_E_CONFLICT',
      `the dump is of the product ${dump.product}, and this is ${caller.product}; --force takes it all the same`,
    );
  }
  const entry = await caller.coordinator.read(PATHS.topology);
  const before = entry && asEpoch(entry.version);
  if (before !== null && !force) {
    throw new CodisError(
      'CODIS_E_SLOTS_EXIST',
      `this product has a slot table already, at epoch ${before}; --force puts the dump in its place`,
    );
  }
  const current = entry && decodeOrNull(entry.data);
  if (entry) await checkReplaceable(caller, { current, dump });
  const topology: Topology = { ...dump.topology, slots: dump.topology.slots.map(settled) };
  const adoptable = await checkRecords(caller, topology);
  const acknowledged = (await listProxies(caller.coordinator)).map(({ live }) => live?.epoch ?? 0);
  const epoch = asEpoch(Math.max(before ?? 0, dump.epoch, ...acknowledged) + 1);
  return { before, epoch, topology, adoptable, reassignedCount: current ? reassigned(current, topology) : 0 };
}

/** What is there may be the very thing that can't be read any more. */
function decodeOrNull(data: Uint8Array): Topology | null {
  try {
    return decodeTopology(data);
  } catch (error) {
    if (isCodisError(error, 'CODIS_E_COORDINATOR_CORRUPT')) return null;
    throw error;
  }
}

async function checkReplaceable(caller: Caller, { current, dump }: { current: Topology | null; dump: TopologyDump }): Promise<void> {
  for (const [what, topology] of [
    ['the topology', current],
    ['the dump', dump.topology],
  ] as const) {
    const [moving] = topology ? migrationsIn(topology) : [];
    if (moving === undefined) continue;
    throw new CodisError(
      'CODIS_E_SLOT_IN_MOVE',
      `slots of ${what} are in migration ${moving}; only a slot table that is lost can be restored so`,
    );
  }
  await checkNotMending(caller);
}

/** A lock is gone with the epoch it was made at, and nobody copies big keys any more: they are handed over as all others. */
function settled(state: SlotState): SlotState {
  if (state.kind === 'locked') return { kind: 'online', owner: state.from };
  if (state.kind !== 'migrating' || !state.bigKeys) return state;
  const { bigKeys: _, ...bare } = state;
  return bare;
}

/** The moves that want adopting. Throws CODIS_E_SLOT_IN_MOVE for one that is over by its record: nobody would finish its slots. */
async function checkRecords({ coordinator }: Caller, topology: Topology): Promise<MigrationId[]> {
  const adoptable: MigrationId[] = [];
  for (const id of migrationsIn(topology)) {
    const record = await coordinator.read(migrationPath(id));
    if (record === null) adoptable.push(id);
    else if (!isOpen(decodeMigration(record.data))) {
      throw new CodisError(
        'CODIS_E_SLOT_IN_MOVE',
        `the dump was taken in the middle of migration ${id}, which is over by now; use another dump`,
      );
    }
  }
  return adoptable;
}

function reassigned(before: Topology, after: Topology): number {
  return after.slots.filter((state, slot) => {
    const old = before.slots[slot];
    return old?.kind === 'online' && state.kind === 'online' && !sameState(old, state);
  }).length;
}
