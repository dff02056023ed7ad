// The world of the simulation: a coordinator, two groups, and what clients have been promised. Plain data; who acts in it is in proxy.ts and
// controller.ts.
//
// A command takes effect, and is acknowledged, in the one step in which a server runs it. So what clients may expect is a plain map that follows each of
// these steps, and any read that differs from it is a lost, stale or resurrected write.

import {
  addServer,
  asEpoch,
  asGroupId,
  asMigrationId,
  asProxyId,
  asServerAddr,
  asSlot,
  assignSlots,
  type Epoch,
  emptyTopology,
  type GroupId,
  type Migration,
  type ProxyId,
  type ProxyView,
  type Slot,
  type Topology,
  UNTHROTTLED,
} from '@codis/config/model';
import type { Rules } from './rules.ts';

export const A = asGroupId(1);
export const B = asGroupId(2);
export const KEYS = ['a', 'b', 'c'] as const;
export type Key = (typeof KEYS)[number];
const SLOT_OF: Record<Key, Slot> = { a: asSlot(0), b: asSlot(0), c: asSlot(1) };
export const slotOfKey = (key: Key): Slot => SLOT_OF[key];
export const PROXY_IDS = [asProxyId('p1'), asProxyId('p2'), asProxyId('p3')] as const;

export interface Operation {
  readonly kind: 'write' | 'delete' | 'read';
  readonly key: Key;
}

export interface GroupData {
  readonly data: Map<Key, number>;
  marker: number;
}

/** `proxies/<id>`. */
export interface Registration {
  wanted: 'online' | 'offline';
  live: Epoch | null;
}

/** A hand-over that was sent by a controller which is no more, and may still be run. */
export interface Stray {
  readonly key: Key;
  readonly from: GroupId;
  readonly to: GroupId;
}

export class Violation extends Error {}

export interface World {
  readonly rules: Rules;
  /** The topology at every epoch so far: a lagging reader may see any of them. */
  readonly history: Topology[];
  readonly registrations: Map<ProxyId, Registration>;
  migration: Migration | null;
  migrationsCount: number;
  readonly groups: Map<GroupId, GroupData>;
  readonly promised: Map<Key, number>;
  readonly strays: Stray[];
  writesCount: number;
}

export function newWorld(rules: Rules): World {
  let topology = addServer(emptyTopology(), { group: A, addr: asServerAddr('a:1'), role: 'master' });
  topology = addServer(topology, { group: B, addr: asServerAddr('b:1'), role: 'master' });
  topology = assignSlots(topology, { first: asSlot(0), last: asSlot(1), owner: A });
  const group = (): GroupData => ({ data: new Map(), marker: -1 });
  return {
    rules,
    history: [topology],
    registrations: new Map(),
    migration: null,
    migrationsCount: 0,
    groups: new Map([
      [A, group()],
      [B, group()],
    ]),
    promised: new Map(),
    strays: [],
    writesCount: 0,
  };
}

export const currentEpoch = (world: World): Epoch => asEpoch(world.history.length - 1);
export const topologyAt = (world: World, epoch: Epoch): Topology => world.history[epoch]!;
export const groupData = (world: World, id: GroupId): GroupData => world.groups.get(id)!;

/** Writes the topology if it is at `epoch` still. */
export function compareAndSet(world: World, epoch: Epoch, topology: Topology): boolean {
  if (world.rules.writesAreCompared && epoch !== currentEpoch(world)) return false;
  world.history.push(topology);
  return true;
}

export function proxyViews(world: World): ProxyView[] {
  return [...world.registrations].map(([id, { wanted, live }]) => ({
    id,
    addr: 'proxy:1',
    adminAddr: 'proxy:2',
    wanted,
    live: live === null ? null : { epoch: live, pid: 1, startedAt: '' },
  }));
}

/** A server runs a client's command, and the client has its answer. Throws Violation for an answer that breaks a promise. */
export function execute(world: World, group: GroupId, { kind, key }: Operation): void {
  const { data } = groupData(world, group);
  if (kind === 'delete') {
    data.delete(key);
    world.promised.delete(key);
  } else if (kind === 'write') {
    const value = ++world.writesCount;
    data.set(key, value);
    world.promised.set(key, value);
  } else if (data.get(key) !== world.promised.get(key)) {
    throw new Violation(`group ${group} has ${data.get(key)} for ${key}, but clients were promised ${world.promised.get(key)}`);
  }
}

/** What MIGRATE can come to: all done, nothing done, or the key copied but not deleted before the connection broke. */
export type Fate = 'done' | 'nothing' | 'copied';

/** A source hands a key over. True when the sender is told that it worked. */
export function handOver(world: World, { key, from, to }: Stray, fate: Fate): boolean {
  const source = groupData(world, from).data;
  const target = groupData(world, to).data;
  const value = source.get(key);
  if (fate === 'nothing') return false;
  if (value === undefined) return fate === 'done';
  if (!target.has(key) || !world.rules.targetWins) target.set(key, value);
  if (fate === 'copied') return false;
  source.delete(key);
  return true;
}

export function newMigration(world: World, move: { first: 0 | 1; last: 0 | 1; to: GroupId }): Migration {
  return {
    id: asMigrationId(++world.migrationsCount),
    moves: [{ first: asSlot(move.first), last: asSlot(move.last), to: move.to }],
    throttle: UNTHROTTLED,
    durable: false,
    state: 'running',
    progress: { slotsTotal: 0, slotsDone: 0, keysSwept: 0, bytesSwept: 0, keysLeft: null, keysPerSecond: null, secondsLeft: null },
    waiting: null,
    actor: 'sim',
    createdAt: '',
    endedAt: null,
  };
}
