// What a controller of the simulation is, and what all that it does is made of: commands to servers, fences, cutting off what others have under way.

import type { Epoch, GroupId, MigrationId, ProxyId, ProxyView, Topology } from '@codis/config/model';
import { cutOff, type ProxySim } from './proxy-state.ts';
import { MARKER, markerOf, replicateAll } from './servers.ts';
import { type Command, change, type Fate, groupOf, type Key, remove, type World } from './world.ts';

/** It is told whether what it sent worked. */
export type Work<T = void> = Generator<Command | null, T, boolean>;

/** What it read, what it decided, and how far it is. */
export interface Task {
  readonly world: World;
  readonly controller: ControllerSim;
  readonly proxies: readonly ProxySim[];
  readonly epoch: Epoch;
  readonly topology: Topology;
  readonly views: readonly ProxyView[];
  /** Which process each group's master was when it began: its connections are to those. */
  readonly processes: ReadonlyMap<GroupId, number>;
  /** It has waited long enough for whoever is behind. */
  readonly expired: boolean;
}

export interface Doing extends Pick<Task, 'processes'> {
  readonly work: Work;
  sent: Command | null;
}

type Fence = ReadonlySet<ProxyId>;

/** A moment of a server: writes of others, as it counts them. */
export interface Moment {
  readonly process: number;
  readonly writes: number;
}

export interface Seen {
  readonly migration: MigrationId;
  readonly since: Moment;
  readonly keys: readonly Key[];
  /** None of them has been taken up by a sweep. */
  isWhole: boolean;
}

/** Forgotten when it dies. */
export interface ControllerSim {
  doing: Doing | null;
  /** A look at the source, beside what it is doing. */
  watching: Doing | null;
  /** One of the two is about to name a source. */
  isNaming: boolean;
  /** What was seen at the source of a migration before its slots were locked. */
  seen: Seen | null;
  /** How often it has written at sources. */
  ownWrites: number;
  fenced: { epoch: Epoch; proxies: Fence } | null;
  /** Who was registered when the last lock was decided on. */
  listed: Fence;
  /** Big keys whose copy is complete. */
  readonly copied: Set<Key>;
  readonly spoilt: Map<Key, number>;
  readonly switches: Map<Epoch, Fence>;
}

export const newController = (): ControllerSim => ({
  doing: null,
  watching: null,
  isNaming: false,
  seen: null,
  ownWrites: 0,
  fenced: null,
  listed: new Set(),
  copied: new Set(),
  spoilt: new Map(),
  switches: new Map(),
});

export const lostOf = ({ views }: Task): ProxyId[] => views.filter(({ live }) => live === null).map(({ id }) => id);

/** Marks and kills. */
export function* fence({ world, proxies, epoch }: Task, { sides, lost }: { sides: readonly GroupId[]; lost: readonly ProxyId[] }): Work {
  const { rules } = world;
  if (lost.length === 0) return;
  for (const side of sides) {
    const group = groupOf(world, side);
    const value = Math.max(markerOf(group), epoch + (rules.fenceIsAtTheLock ? 1 : 0));
    if (rules.fenceMarks) change(world, group, { name: MARKER, value, cause: 'inner' });
  }
  yield null;
  for (const proxy of proxies) {
    if (!rules.fenceKills || !lost.includes(proxy.id)) continue;
    for (const addr of proxy.connections.keys()) if (sides.includes(world.byAddr.get(addr)!.id)) cutOff(proxy, addr);
  }
  yield null;
}

export function waitForReplicas(world: World, at: GroupId, fresh = false): Command {
  return command(at, () => replicateAll(groupOf(world, at)), fresh);
}

export const removal = (world: World, at: GroupId, keys: readonly Key[]): Command =>
  command(at, () => remove(world, groupOf(world, at), keys));

/** One that is carried out or not; its answer may be lost. */
export function command(at: GroupId, act: () => void, fresh = false): Command {
  const run = (fate: Fate): boolean => {
    if (fate !== 'nothing') act();
    return fate === 'done';
  };
  return { at, run, fresh };
}

export function cutOffStrays({ rules, strays }: World, at: GroupId): void {
  if (!rules.lateCommandsAreCut) return;
  strays.splice(0, strays.length, ...strays.filter(({ command: { at: other } }) => other !== at));
}

/** A whole simulation. */
export interface Simulation {
  readonly world: World;
  readonly proxies: readonly ProxySim[];
  readonly controller: ControllerSim;
}
