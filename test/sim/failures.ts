// Servers of the simulation that fail: a master dies and a replica that may lag takes its place. What is lost with it is forgiven where nobody could have kept
// it: what clients did at the dead master and the replica had not heard of, and, unless the move is durable, what had come there by a move. Nothing else is.

import { type GroupId, promoteServer, type SlotState, slotState } from '@codis/config/model';
import { control, lateArrival } from './controller.ts';
import { cutOff, type ProxySim } from './proxy-state.ts';
import { type Entry, failOver, type Group } from './servers.ts';
import type { Simulation } from './task.ts';
import { change, compareAndSet, currentEpoch, currentTopology, groupOf, KEYS, type Key, slotOfKey, type World } from './world.ts';

/** How old a table a proxy may begin with. */
const LAG_MAX = 2;

export interface FailOver {
  readonly group: GroupId;
  readonly replica: number;
  /** At the address of the master: nobody is told. */
  readonly inPlace: boolean;
}

/** Not while keys leave the group: what a lagging replica brings back of them is another matter (`revive`). Nor beside that: one server is lost at a time. */
export function failOverGroup(simulation: Simulation, { group: id, replica, inPlace }: FailOver): void {
  const { world, proxies } = simulation;
  const topology = currentTopology(world);
  if (keysLeave(simulation, id)) return;
  if ([...world.groups.values()].some(({ data }) => KEYS.some((key) => (data.get(key) ?? 0) < 0))) return;
  if (world.migration?.durable === false) endCommands(simulation);
  const group = groupOf(world, id);
  const dead = group.master;
  const lost = failOver(group, replica, inPlace);
  for (const key of KEYS) forgive(world, group, { key, lost: lost.filter(({ name }) => name === key) });
  for (const proxy of proxies) cutOff(proxy, dead);
  world.strays.splice(0, world.strays.length, ...world.strays.filter(({ command }) => command.at !== id));
  if (!inPlace) compareAndSet(world, currentEpoch(world), promoteServer(topology, { group: id, addr: group.master }));
}

/** Now, or as far as some proxy knows, which has yet to hear that the move is complete. That one would have the group hand over what is back there, and nobody looks
 *  after the source any more by then: a gap of the product, which this leaves out. The next lock ends it: older tables are acknowledged or fenced off before. */
function keysLeave({ world, proxies }: Simulation, id: GroupId): boolean {
  const { history } = world;
  const heard = Math.min(...proxies.map(({ epoch }) => epoch ?? history.length - 1 - LAG_MAX));
  const lock = history.findLastIndex(({ slots }) => slots.some(({ kind }) => kind === 'locked'));
  const since = Math.min(history.length - 1, Math.max(heard, lock, 0));
  return history.slice(since).some(({ slots }) => slots.some((state) => state.kind === 'migrating' && state.from === id));
}

/** A key that a controller deletes at the source because it has seen it at the target may be lost by a move that is not durable. That is forgiven when it comes
 *  before the failure, so it does. */
function endCommands({ world, controller, proxies }: Simulation): void {
  if (controller.doing?.sent) control(world, controller, proxies, 'done');
  controller.doing = null;
  while (world.strays.length > 0) lateArrival(world);
}

function forgive(world: World, group: Group, { key, lost }: { key: Key; lost: readonly Entry[] }): void {
  const state = slotState(currentTopology(world), slotOfKey(key));
  const since = homeSince(world, group, key);
  const isOld = ({ epoch }: Entry) => epoch < since;
  if (lost.some(isOld) && comesUndurably(world, group, key, since)) forgetZombie(group, key);
  const undurably = lost.some(({ cause }) => cause === 'moved');
  const first = lost.find((entry) => !isOld(entry));
  if (first !== undefined) promise(world, key, undurably ? whatIsLeft(world, group, key, state) : first.before);
}

/** The epoch since which requests for `key` go to this group; beyond all if they don't. */
function homeSince({ history }: World, group: Group, key: Key): number {
  const since = history.findLastIndex((topology) => !isHome(slotState(topology, slotOfKey(key)), group)) + 1;
  return since === history.length ? Number.POSITIVE_INFINITY : since;
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

/** The source fails over to a replica that has not heard of a hand-over: a key is back there that has left. Proxies hear of the new master, and forget what
 *  had departed from the old one. Clients must not have deleted the key at the target by then: that deletion is lost. */
export function revive(world: World, proxies: readonly ProxySim[]): void {
  const state = currentTopology(world).slots[0];
  if (state?.kind !== 'migrating') return;
  const busy = ({ connections, waiting }: ProxySim) =>
    waiting.length > 0 || [...connections.values()].some(({ queue }) => queue.length > 0);
  const [source, target] = [groupOf(world, state.from), groupOf(world, state.to)];
  if (proxies.some(busy) || !target.data.has('a') || source.data.has('a')) return;
  change(world, source, { name: 'a', value: -2, cause: 'inner' });
  for (const { departed } of proxies) departed.clear();
}
