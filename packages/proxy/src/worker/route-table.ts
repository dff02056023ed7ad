// The slot table as the data path reads it: one immutable snapshot, replaced whole by a single assignment.

import {
  findGroup,
  type ListedKey,
  masterOf,
  type ServerAddr,
  SLOT_COUNT,
  type Topology,
  type VersionedTopology,
} from '@codis/config/model';
import type { Server } from './server.ts';

/** How far each listed key of a slot is, by `<database>:<key as latin1>`. */
export type ListedKeys = ReadonlyMap<string, ListedKey['phase']>;

export const OFFLINE = 0;
export const ONLINE = 1;
export const LOCKED = 2;
export const MIGRATING = 3;

/** Arrays by slot. */
export interface RouteTable {
  /** -1 before the first topology was seen. */
  readonly epoch: number;
  readonly kind: Uint8Array;
  /** Where requests go: the owner's master, or the target's while migrating; null for a slot that is offline or locked, or a group without a master. */
  readonly home: readonly (Server | null)[];
  /** The first slot that is online at the same home; the slot itself for any that is not online, or has no home. */
  readonly places: Int16Array;
  /** Where keys come from while migrating. */
  readonly from: readonly (Server | null)[];
  /** By slot that is migrating; those that list none are not in it. */
  readonly bigKeys: ReadonlyMap<number, ListedKeys>;
  /** Of all groups that have one, in the order of the groups; also of those without slots. */
  readonly masters: readonly Server[];
  /** Those that may answer clients who said READONLY, by master; a group without any is not in it. */
  readonly replicas: ReadonlyMap<Server, readonly Server[]>;
  /** How many replicas a master has, also those that answer no client: so many a durable move waits for. */
  readonly replicasCount: ReadonlyMap<Server, number>;
  readonly topology: Topology | null;
}

/** As `places`, when keys of different slots may not travel together. */
export const APART = Int16Array.from({ length: SLOT_COUNT }, (_, slot) => slot);

export function emptyRouteTable(): RouteTable {
  const none = new Array<Server | null>(SLOT_COUNT).fill(null);
  return {
    epoch: -1,
    kind: new Uint8Array(SLOT_COUNT),
    home: none,
    places: APART,
    from: none,
    bigKeys: new Map(),
    masters: [],
    replicas: new Map(),
    replicasCount: new Map(),
    topology: null,
  };
}

/** `server` finds or makes the one object for an address. */
export function buildRouteTable({ epoch, topology }: VersionedTopology, server: (addr: ServerAddr) => Server): RouteTable {
  const kind = new Uint8Array(SLOT_COUNT);
  const home = new Array<Server | null>(SLOT_COUNT).fill(null);
  const from = new Array<Server | null>(SLOT_COUNT).fill(null);
  const bigKeys = new Map<number, ListedKeys>();
  const masters = new Map<number, Server | null>();
  const replicas = new Map<Server, readonly Server[]>();
  const replicasCount = new Map<Server, number>();
  for (const group of topology.groups) {
    const addr = masterOf(group);
    const master = addr ? server(addr) : null;
    masters.set(group.id, master);
    const others = group.servers.filter(({ role }) => role === 'replica');
    if (master === null) continue;
    replicasCount.set(master, others.length);
    const readable = others.filter(({ replicaReads }) => replicaReads !== false);
    const servers = readable.map((other) => server(other.addr));
    if (servers.length > 0) replicas.set(master, servers);
  }
  for (const [slot, state] of topology.slots.entries()) {
    if (state.kind === 'online') {
      kind[slot] = ONLINE;
      home[slot] = masters.get(state.owner) ?? null;
    } else if (state.kind === 'locked') kind[slot] = LOCKED;
    else if (state.kind === 'migrating') {
      kind[slot] = MIGRATING;
      home[slot] = masters.get(state.to) ?? null;
      from[slot] = masters.get(state.from) ?? null;
      if (state.bigKeys) bigKeys.set(slot, new Map(state.bigKeys.map(({ db, key, phase }) => [`${db}:${key}`, phase])));
    }
  }
  const places = placesOf(kind, home);
  return {
    epoch,
    kind,
    home,
    places,
    from,
    bigKeys,
    masters: [...masters.values()].filter((master) => master !== null),
    replicas,
    replicasCount,
    topology,
  };
}

function placesOf(kind: Uint8Array, home: readonly (Server | null)[]): Int16Array {
  const firsts = new Map<Server, number>();
  return APART.map((slot) => {
    const server = home[slot];
    if (kind[slot] !== ONLINE || !server) return slot;
    const first = firsts.get(server) ?? slot;
    firsts.set(server, first);
    return first;
  });
}

/** Why a slot that has no home has none, in words for a client. */
export function whyNoHome(table: RouteTable, slot: number): string {
  const state = table.topology?.slots[slot];
  if (table.topology === null || state === undefined)
    return 'this proxy has not seen a slot table yet; make one with: codis-config slot init';
  if (state.kind === 'offline') return `slot ${slot} is offline: it belongs to no group`;
  const id = state.kind === 'online' ? state.owner : state.kind === 'migrating' && table.home[slot] !== null ? state.from : state.to;
  return findGroup(table.topology, id) ? `group ${id}, which has slot ${slot}, has no master` : `slot ${slot} has no group`;
}
