// The world of the simulation: a coordinator, two groups of servers, and what clients have been promised. Plain data; who acts in it is in proxy.ts and
// controller.ts.
//
// A command takes effect, and is acknowledged, in the one step in which a server runs it. So what clients may expect is a plain map that follows each of
// these steps, and any read that differs from it is a lost, stale or resurrected write.

import {
  type Action,
  addServer,
  asEpoch,
  asGroupId,
  asMigrationId,
  asProxyId,
  asSlot,
  assignSlots,
  type Epoch,
  emptyTopology,
  type GroupId,
  type KeyName,
  type Migration,
  NOTHING_SWEPT,
  type ProxyId,
  type ProxyView,
  type ServerAddr,
  type Slot,
  type Topology,
  UNTHROTTLED,
} from '@codis/config/model';
import type { Named } from './departures.ts';
import type { Rules } from './rules.ts';
import { type Cause, type Group, newGroup, write } from './servers.ts';

export const A = asGroupId(1);
export const B = asGroupId(2);
export const GROUPS = [A, B] as const;
export const KEYS = ['a', 'b', 'c'] as const;
export type Key = (typeof KEYS)[number];
const SLOT_OF: Record<Key, Slot> = { a: asSlot(0), b: asSlot(0), c: asSlot(1) };
const SLOTS_COUNT = 2;
export const slotOfKey = (key: Key): Slot => SLOT_OF[key];
export const PROXY_IDS = [asProxyId('p1'), asProxyId('p2'), asProxyId('p3')] as const;

/** A client's request. All its keys are in one slot. */
export interface Operation {
  readonly kind: 'write' | 'delete' | 'read';
  readonly keys: readonly [Key, ...Key[]];
  /** It is of a session that has others before it, and leaves after those of the same slot. */
  readonly inOrder?: boolean;
}

export const slotOf = ({ keys: [first] }: Operation): Slot => slotOfKey(first);

/** `proxies/<id>`. */
export interface Registration {
  wanted: 'online' | 'offline';
  live: Epoch | null;
}

/** What a controller sends to a server: one step there. */
export interface Command {
  readonly at: GroupId;
  /** Over a connection that was opened for it, and not when the task began. */
  readonly fresh?: boolean;
  /** When it fails the task goes on all the same. */
  readonly mayFail?: boolean;
  /** Returns whether it worked, as far as who sent it can tell. */
  readonly run: (fate: Fate) => boolean;
}

/** A command of a controller which is no more. It may still be run. */
export interface Stray {
  readonly command: Command;
  readonly process: number;
}

/** How slots are moved from now on. */
export interface Plan {
  readonly durable: boolean;
  readonly big: readonly Key[];
  /** Big keys can't be taken apart. */
  readonly whole: boolean;
}

export class Violation extends Error {}

export interface World {
  readonly rules: Rules;
  /** The topology at every epoch so far: a lagging reader may see any of them. */
  readonly history: Topology[];
  readonly registrations: Map<ProxyId, Registration>;
  migration: Migration | null;
  migrationsCount: number;
  plan: Plan;
  /** What is to be done next for it, at a topology. */
  decided: { readonly topology: Topology; readonly migration: Migration; readonly action: Action } | null;
  readonly groups: ReadonlyMap<GroupId, Group>;
  readonly byAddr: ReadonlyMap<ServerAddr, Group>;
  readonly promised: Map<Key, number>;
  readonly strays: Stray[];
  writesCount: number;
  /** Grows with whatever asks for it. */
  time: number;
  /** What targets have ever had as their sources; they keep which of these. */
  readonly named: Named[];
  /** What a source that was lost in a move had of a key that is as it was before: both will do, for the target may have it as it was by then. */
  readonly either: Map<Key, number | undefined>;
  /** When a group was last lost. */
  readonly lost: Map<GroupId, Epoch>;
  /** Where a command for it ran last, and when. */
  readonly lastRun: Map<Key, { readonly group: GroupId; readonly epoch: Epoch }>;
}

export function newWorld(rules: Rules): World {
  const groups = new Map([
    [A, newGroup(A, 'a')],
    [B, newGroup(B, 'b')],
  ]);
  const byAddr = new Map<ServerAddr, Group>();
  let topology = emptyTopology();
  for (const [id, group] of groups) {
    for (const addr of [group.master, ...group.replicas.keys()]) {
      byAddr.set(addr, group);
      topology = addServer(topology, { group: id, addr, role: addr === group.master ? 'master' : 'replica' });
    }
  }
  topology = assignSlots(topology, { first: asSlot(0), last: asSlot(SLOTS_COUNT - 1), owner: A });
  return {
    rules,
    // Slots of no group take no part, and each step would copy them and look through them all.
    history: [{ ...topology, slots: topology.slots.slice(0, SLOTS_COUNT) }],
    registrations: new Map(),
    migration: null,
    migrationsCount: 0,
    decided: null,
    plan: { durable: false, big: [], whole: false },
    groups,
    byAddr,
    promised: new Map(),
    strays: [],
    writesCount: 0,
    time: 0,
    named: [],
    either: new Map(),
    lost: new Map(),
    lastRun: new Map(),
  };
}

export const currentEpoch = (world: World): Epoch => asEpoch(world.history.length - 1);
export const topologyAt = (world: World, epoch: Epoch): Topology => world.history[epoch]!;
export const currentTopology = (world: World): Topology => world.history.at(-1)!;
export const groupOf = (world: World, id: GroupId): Group => world.groups.get(id)!;

/** The group whose master is at `addr`: null for a replica, which refuses what is asked of it. */
export function masterAt(world: World, addr: ServerAddr): Group | null {
  const group = world.byAddr.get(addr);
  return group?.master === addr ? group : null;
}

/** A master runs something that changes `name`, which is a key or what is nobody's. */
export function change(
  world: World,
  group: Group,
  { name, value, cause }: { name: string; value: number | undefined; cause: Cause },
): void {
  write(group, { name, value, cause, before: world.promised.get(name as Key), epoch: currentEpoch(world) });
}

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

/** A master runs a client's command, and the client has its answer. Throws Violation for an answer that breaks a promise. */
export function execute(world: World, group: Group, { kind, keys }: Operation): void {
  const { promised, either } = world;
  for (const key of keys) {
    world.lastRun.set(key, { group: group.id, epoch: currentEpoch(world) });
    const before = promised.get(key);
    if (kind === 'read') {
      const value = group.data.get(key);
      if (value === before || (either.has(key) && either.get(key) === value)) {
        keep(world, key, value);
        continue;
      }
      throw new Violation(`group ${group.id} has ${value} for ${key}, but clients were promised ${before}`);
    }
    const value = kind === 'delete' ? undefined : ++world.writesCount;
    change(world, group, { name: key, value, cause: 'client' });
    keep(world, key, value);
  }
}

/** What clients know of a key from now on. */
function keep({ promised, either }: World, key: Key, value: number | undefined): void {
  either.delete(key);
  if (value === undefined) promised.delete(key);
  else promised.set(key, value);
}

/** What a command can come to: all done, nothing done, or done in part (MIGRATE: copied but not deleted) before the connection broke. */
export type Fate = 'done' | 'nothing' | 'partly';

export interface HandOver {
  readonly keys: readonly Key[];
  readonly to: ServerAddr;
  /** The keys stay at the source. */
  readonly copy: boolean;
  readonly durable: boolean;
}

/** A source hands keys over. True when the sender is told that it worked. */
export function handOver(world: World, source: Group, { keys, to, copy, durable }: HandOver, fate: Fate): boolean {
  const target = masterAt(world, to);
  if (target === null || fate === 'nothing') return false;
  const { rules } = world;
  const present = keys.filter((key) => source.data.has(key));
  if (present.length === 0) return fate === 'done';
  for (const key of present) {
    const busy = target.data.has(key) && rules.targetWins;
    const cause = durable ? 'moved-durably' : 'moved';
    if (!busy) change(world, target, { name: key, value: source.data.get(key), cause });
    if (fate === 'done' && (!copy || (busy && !rules.busyKeyIsKept))) remove(world, source, [key]);
  }
  return fate === 'done';
}

/** A source forgets keys that have left. */
export function remove(world: World, source: Group, keys: readonly Key[]): void {
  for (const key of keys) {
    if (source.data.has(key)) change(world, source, { name: key, value: undefined, cause: 'moved' });
  }
}

export const bigKeyName = (key: Key): KeyName => ({ db: 0, key });

export function newMigration(world: World, move: { first: 0 | 1; last: 0 | 1; to: GroupId }): Migration {
  return {
    id: asMigrationId(++world.migrationsCount),
    moves: [{ first: asSlot(move.first), last: asSlot(move.last), to: move.to }],
    throttle: UNTHROTTLED,
    durable: world.plan.durable,
    state: 'running',
    progress: NOTHING_SWEPT,
    arrivals: [],
    resumesAt: null,
    takesBack: null,
    takenBackBy: null,
    waiting: null,
    actor: 'sim',
    createdAt: '',
    comment: null,
    endedAt: null,
  };
}
