// The topology: who owns each slot and which servers make up each group, as one immutable value. It is stored as one JSON
// value so that every change is one compare-and-set; slots are written as runs, so it stays a few KB.
//
// Changes are in slot-machine.ts (slots) and groups.ts (groups); this file has the types, look-ups and the codec.

import { checkBigKeys, decodeBigKey, encodeBigKey, type ListedKey } from './big-keys.ts';
import { CodisError } from './errors.ts';
import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  type Epoch,
  type GroupId,
  type MigrationId,
  type ServerAddr,
  SLOT_COUNT,
  type Slot,
} from './ids.ts';

/** What a slot is doing. See slot-machine.ts for the transitions. */
export type SlotState = { readonly kind: 'offline' } | { readonly kind: 'online'; readonly owner: GroupId } | LockedSlot | MigratingSlot;

/** Requests are held. The lock is a lease: whoever has seen it for `leaseMs` by its own clock may roll it back. */
export interface LockedSlot {
  readonly kind: 'locked';
  readonly from: GroupId;
  readonly to: GroupId;
  readonly migration: MigrationId;
  readonly durable?: true;
  /** The epoch whose table first shows this lock: what proxies must have acknowledged before it may become migrating. */
  readonly epoch: Epoch;
  readonly leaseMs: number;
  /** Keys of this slot that will move in pieces; absent when there are none. */
  readonly bigKeys?: readonly ListedKey[];
}

/** Requests go to `to`, after `from` has handed over their keys; those about a big key as big-keys.ts says. */
export interface MigratingSlot {
  readonly kind: 'migrating';
  readonly from: GroupId;
  readonly to: GroupId;
  readonly migration: MigrationId;
  /** Absent when there are none (any more). */
  readonly bigKeys?: readonly ListedKey[];
  /** A key leaves `from` only when all replicas of `to` have it. Not there unless so. */
  readonly durable?: true;
}

/** Redis's words. `slave` is read as `replica` at the edges. */
export type Role = 'master' | 'replica';

export interface Server {
  readonly addr: ServerAddr;
  readonly role: Role;
  /** Where it stands, a label of the operator. Absent: not said. */
  readonly zone?: string;
  /** While it is a replica, clients that said READONLY are not answered by it. Not there unless so. */
  readonly replicaReads?: false;
}

/** Invariant: at most one server has the role master; no address stands twice in a topology. */
export interface Group {
  readonly id: GroupId;
  readonly servers: readonly Server[];
}

/** Invariant: `slots` has SLOT_COUNT entries; `groups` is in ascending order of id; every group a slot names exists. */
export interface Topology {
  readonly slots: readonly SlotState[];
  readonly groups: readonly Group[];
}

/** A topology and the epoch it stands at. */
export interface VersionedTopology {
  readonly epoch: Epoch;
  readonly topology: Topology;
}

/** Consecutive slots in the same state; both ends included. */
export interface SlotRun {
  readonly first: Slot;
  readonly last: Slot;
  readonly state: SlotState;
}

export const OFFLINE: SlotState = Object.freeze({ kind: 'offline' });

/** A product with no group and every slot offline: what `slot init` writes. */
export function emptyTopology(): Topology {
  return { slots: new Array<SlotState>(SLOT_COUNT).fill(OFFLINE), groups: [] };
}

export function slotState(topology: Topology, slot: Slot): SlotState {
  return topology.slots[slot] as SlotState;
}

export function findGroup(topology: Topology, id: GroupId): Group | undefined {
  return topology.groups.find((group) => group.id === id);
}

/** Throws CODIS_E_UNKNOWN_GROUP. */
export function requireGroup(topology: Topology, id: GroupId): Group {
  const group = findGroup(topology, id);
  if (!group) throw new CodisError('CODIS_E_UNKNOWN_GROUP', `there is no group ${id}`);
  return group;
}

export function masterOf(group: Group): ServerAddr | undefined {
  return group.servers.find((server) => server.role === 'master')?.addr;
}

/** Throws CODIS_E_UNKNOWN_GROUP or CODIS_E_NO_MASTER. */
export function requireMaster(topology: Topology, id: GroupId): ServerAddr {
  const master = masterOf(requireGroup(topology, id));
  if (!master)
    throw new CodisError('CODIS_E_NO_MASTER', `group ${id} has no master; add one with: codis-config server add ${id} <host:port> master`);
  return master;
}

/** The group that holds this server, if any does. */
export function groupOfServer(topology: Topology, addr: ServerAddr): Group | undefined {
  return topology.groups.find((group) => group.servers.some((server) => server.addr === addr));
}

/** Every group that `state` names: none, the owner, or both sides of a move. */
export function groupsIn(state: SlotState): readonly GroupId[] {
  if (state.kind === 'offline') return [];
  return state.kind === 'online' ? [state.owner] : [state.from, state.to];
}

export function sameState(a: SlotState, b: SlotState): boolean {
  if (a === b) return true;
  return JSON.stringify(encodeState(a)) === JSON.stringify(encodeState(b));
}

/** The slot table as the fewest runs, in order, covering 0..1023. */
export function slotRuns(topology: Topology): SlotRun[] {
  const runs: SlotRun[] = [];
  let first = 0;
  for (let slot = 1; slot <= SLOT_COUNT; slot++) {
    const state = topology.slots[first] as SlotState;
    if (slot < SLOT_COUNT && sameState(state, topology.slots[slot] as SlotState)) continue;
    runs.push({ first: first as Slot, last: (slot - 1) as Slot, state });
    first = slot;
  }
  return runs;
}

const FORMAT = 1;
/** What a zone may be called. */
const ZONE = /^[A-Za-z0-9._-]{1,32}$/;

/** Why a zone can't be called so, in words; null when it can. `none` is what a command line says for no zone. */
export function zoneProblem(zone: string): string | null {
  if (ZONE.test(zone) && zone !== 'none') return null;
  return `${JSON.stringify(zone)} is not a zone: write 1 to 32 letters, digits, dots, dashes or underscores, and not none`;
}

/** The bytes stored at `topology`. */
export function encodeTopology(topology: Topology): Buffer {
  const slots = slotRuns(topology).map(({ first, last, state }) => ({ first, last, ...encodeState(state) }));
  return Buffer.from(JSON.stringify({ format: FORMAT, slots, groups: topology.groups }));
}

function encodeState(state: SlotState): object {
  if (state.kind === 'offline') return { state: 'offline' };
  if (state.kind === 'online') return { state: 'online', owner: state.owner };
  const durable = state.durable ? { durable: true } : {};
  const bigKeys = state.bigKeys ? { bigKeys: state.bigKeys.map(encodeBigKey) } : {};
  const move = { from: state.from, to: state.to, migration: state.migration, ...durable, ...bigKeys };
  if (state.kind === 'migrating') return { state: 'migrating', ...move };
  return { state: 'locked', ...move, epoch: state.epoch, leaseMs: state.leaseMs };
}

/** Reads what `encodeTopology` wrote; throws CODIS_E_COORDINATOR_CORRUPT, naming what is wrong, on anything else. */
export function decodeTopology(data: Uint8Array): Topology {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>;
    if (value['format'] !== FORMAT) throw new TypeError(`format ${String(value['format'])} is not ${FORMAT}; a newer version wrote it`);
    const topology = { slots: decodeSlots(value['slots']), groups: decodeGroups(value['groups']) };
    checkTopology(topology);
    return topology;
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `the topology can't be read: ${(cause as Error).message}`, { cause });
  }
}

function decodeSlots(value: unknown): SlotState[] {
  const slots: SlotState[] = [];
  for (const run of value as Record<string, unknown>[]) {
    if (run['first'] !== slots.length) throw new TypeError(`a run starts at ${String(run['first'])} instead of ${slots.length}`);
    const last = run['last'];
    if (!Number.isInteger(last) || (last as number) < slots.length || (last as number) >= SLOT_COUNT) {
      throw new TypeError(`a run ends at ${String(last)}`);
    }
    const state = decodeState(run);
    while (slots.length <= (last as number)) slots.push(state);
  }
  if (slots.length !== SLOT_COUNT) throw new TypeError(`the slot table ends at ${slots.length - 1}`);
  return slots;
}

function decodeState(run: Record<string, unknown>): SlotState {
  switch (run['state']) {
    case 'offline':
      return OFFLINE;
    case 'online':
      return { kind: 'online', owner: asGroupId(run['owner'] as number) };
    case 'migrating':
      return { kind: 'migrating', ...decodeMove(run) };
    case 'locked': {
      const leaseMs = run['leaseMs'];
      if (!Number.isInteger(leaseMs) || (leaseMs as number) <= 0) throw new TypeError(`leaseMs is ${String(leaseMs)}`);
      return { kind: 'locked', ...decodeMove(run), epoch: asEpoch(run['epoch'] as number), leaseMs: leaseMs as number };
    }
    default:
      throw new TypeError(`a slot's state is ${JSON.stringify(run['state'])}`);
  }
}

function decodeMove(run: Record<string, unknown>): Omit<MigratingSlot, 'kind'> {
  return {
    from: asGroupId(run['from'] as number),
    to: asGroupId(run['to'] as number),
    migration: asMigrationId(run['migration'] as number),
    ...(run['durable'] === true ? { durable: true } : {}),
    ...decodeBigKeys(run['bigKeys']),
  };
}

function decodeBigKeys(value: unknown): { bigKeys?: ListedKey[] } {
  if (value === undefined) return {};
  if (!Array.isArray(value) || value.length === 0) throw new TypeError(`a list of big keys is ${JSON.stringify(value)}`);
  return { bigKeys: value.map(decodeBigKey) };
}

function decodeGroups(value: unknown): Group[] {
  return (value as { id: number; servers: Record<string, unknown>[] }[]).map(({ id, servers }) => ({
    id: asGroupId(id),
    servers: servers.map(decodeServer),
  }));
}

function decodeServer({ addr, role, zone, replicaReads }: Record<string, unknown>): Server {
  if (role !== 'master' && role !== 'replica') throw new TypeError(`a server's role is ${JSON.stringify(role)}`);
  if (zone !== undefined && (typeof zone !== 'string' || zoneProblem(zone) !== null))
    throw new TypeError(`a server's zone is ${JSON.stringify(zone)}`);
  if (replicaReads !== undefined && replicaReads !== false) throw new TypeError(`replicaReads is ${JSON.stringify(replicaReads)}`);
  return {
    addr: asServerAddr(addr as string),
    role,
    ...(zone === undefined ? {} : { zone }),
    ...(replicaReads === false ? { replicaReads } : {}),
  };
}

/** Throws a TypeError that says which invariant of Topology does not hold. */
export function checkTopology(topology: Topology): void {
  if (topology.slots.length !== SLOT_COUNT) throw new TypeError(`there are ${topology.slots.length} slots`);
  const seen = new Set<ServerAddr>();
  let previous = 0;
  for (const group of topology.groups) {
    if (group.id <= previous) throw new TypeError(`group ${group.id} is out of order`);
    previous = group.id;
    if (group.servers.filter((server) => server.role === 'master').length > 1) throw new TypeError(`group ${group.id} has two masters`);
    for (const { addr } of group.servers) {
      if (seen.has(addr)) throw new TypeError(`server ${addr} stands twice`);
      seen.add(addr);
    }
  }
  const known = new Set(topology.groups.map((group) => group.id));
  for (const [slot, state] of topology.slots.entries()) {
    for (const id of groupsIn(state)) if (!known.has(id)) throw new TypeError(`slot ${slot} names group ${id}, which does not exist`);
    if (state.kind !== 'locked' && state.kind !== 'migrating') continue;
    if (state.from === state.to) throw new TypeError(`slot ${slot} moves from group ${state.from} to itself`);
    if (state.bigKeys) checkBigKeys(slot, state.kind, state.bigKeys);
  }
}
