// Servers of the simulation that fail: a master dies and a replica that may lag takes its place. What is lost with it is forgiven where nobody could have kept
// it: what clients did at the dead master and the replica had not heard of, and, unless the move is durable, what had come there by a move. Nothing else is.

import { type GroupId, promoteServer, type Slot, type SlotState, slotState, type Topology } from '@codis/config/model';
import { control, lateArrival } from './controller.ts';
import { cutOff } from './proxy-state.ts';
import { type Entry, failOver, type Group } from './servers.ts';
import type { Simulation } from './task.ts';
import { compareAndSet, currentEpoch, currentTopology, groupOf, KEYS, type Key, slotOfKey, type World } from './world.ts';

export interface FailOver {
  readonly group: GroupId;
  readonly replica: number;
  /** At the address of the master: nobody is told. */
  readonly inPlace: boolean;
}

/** One end of a move at a time; and not a source that has a listed key, which may be as it was when any part of it was copied. */
export function failOverGroup(simulation: Simulation, { group: id, replica, inPlace }: FailOver): void {
  const { world, proxies } = simulation;
  const topology = currentTopology(world);
  if (isTheSecond(world, id) || hasListed(topology, id)) return;
  world.lost.set(id, currentEpoch(world));
  if (world.migration?.durable === false && isTarget(topology, id)) endCommands(simulation);
  const group = groupOf(world, id);
  const dead = group.master;
  const lost = failOver(group, replica, inPlace);
  for (const key of KEYS) forgive(world, group, { key, lost: lost.filter(({ name }) => name === key) });
  for (const proxy of proxies) cutOff(proxy, dead);
  world.strays.splice(0, world.strays.length, ...world.strays.filter(({ command }) => command.at !== id));
  if (!inPlace) compareAndSet(world, currentEpoch(world), promoteServer(currentTopology(world), { group: id, addr: group.master }));
}

/** Whether the other end of a move was lost in it: then nobody knows any more what the two had of it. */
function isTheSecond({ history, lost }: World, id: GroupId): boolean {
  const state = slotState(history.at(-1)!, slotOfKey('a'));
  if (state.kind !== 'locked' && state.kind !== 'migrating') return false;
  const other = state.from === id ? state.to : state.from;
  return (lost.get(other) ?? -1) >= beganAt(history, slotOfKey('a'));
}

/** The epoch since which the slot is in the move that it is in. */
function beganAt(history: readonly Topology[], slot: Slot): number {
  return history.findLastIndex((topology) => slotState(topology, slot).kind === 'online') + 1;
}

/** A key that a controller deletes at the source because it has seen it at the target may be lost by a move that is not durable. That is forgiven when it comes
 *  before the failure, so it does. */
function endCommands({ world, controller, proxies }: Simulation): void {
  if (controller.doing?.sent) control(world, controller, proxies, 'done');
  controller.doing = null;
  while (world.strays.length > 0) lateArrival(world);
}

const hasListed = ({ slots }: Topology, id: GroupId): boolean =>
  slots.some((state) => state.kind === 'migrating' && state.from === id && state.bigKeys !== undefined);

const isTarget = ({ slots }: Topology, id: GroupId): boolean => slots.some((state) => state.kind === 'migrating' && state.to === id);

function forgive(world: World, group: Group, { key, lost }: { key: Key; lost: readonly Entry[] }): void {
  const state = slotState(currentTopology(world), slotOfKey(key));
  const since = homeSince(world, group, key);
  const isOld = ({ epoch }: Entry) => epoch < since;
  if (lost.some(isOld) && comesUndurably(world, group, key, since)) forgetZombie(group, key);
  const undurably = lost.some(({ cause }) => cause === 'moved');
  const first = lost.find((entry) => !isOld(entry));
  if (first !== undefined && state.kind === 'migrating' && state.from === group.id) world.either.set(key, world.promised.get(key));
  if (first !== undefined) promise(world, key, undurably ? whatIsLeft(world, group, key, state) : first.before);
}

/** The epoch since which requests for `key` go to this group; beyond all if they don't. */
function homeSince(world: World, group: Group, key: Key): number {
  const { history } = world;
  const isStillHere = !hasLeft(world, group, key);
  const since =
    history.findLastIndex((topology) => {
      const state = slotState(topology, slotOfKey(key));
      return !isHome(state, group) && !(isStillHere && state.kind === 'migrating' && state.from === group.id);
    }) + 1;
  return since === history.length ? Number.POSITIVE_INFINITY : since;
}

/** While its slot migrates: it is at the target, or was asked for there. */
function hasLeft(world: World, group: Group, key: Key): boolean {
  const state = slotState(currentTopology(world), slotOfKey(key));
  if (state.kind !== 'migrating' || state.from !== group.id) return true;
  const ran = world.lastRun.get(key);
  const isAsked = ran?.group === state.to && ran.epoch >= beganAt(world.history, slotOfKey(key));
  return isAsked || groupOf(world, state.to).data.has(key);
}

/** Whether the slot of `key` has come to this group, or is about to, by a move that is not durable. */
function comesUndurably({ history }: World, group: Group, key: Key, since: number): boolean {
  const state = slotState(history[Math.min(since, history.length - 1)]!, slotOfKey(key));
  return 'to' in state && state.to === group.id && !state.durable;
}

/** A key that had left the group before is back there, in a move that brings a newer one. Only a durable move waits for replicas to have heard of it. */
function forgetZombie({ data, replicas }: Group, key: Key): void {
  for (const each of [data, ...[...replicas.values()].map((replica) => replica.data)]) each.delete(key);
}

function isHome(state: SlotState, { id }: Group): boolean {
  if (state.kind === 'online') return state.owner === id;
  return state.kind === 'locked' ? state.from === id : state.kind === 'migrating' && state.to === id;
}

function whatIsLeft(world: World, group: Group, key: Key, state: SlotState): number | undefined {
  return group.data.get(key) ?? (state.kind === 'migrating' ? groupOf(world, state.from).data.get(key) : undefined);
}

function promise({ promised }: World, key: Key, value: number | undefined): void {
  if (value === undefined) promised.delete(key);
  else promised.set(key, value);
}
