// Macros bring a crowd of steps to a common end: everybody but one catches up; a whole move goes through without one proxy. Single steps alone hardly ever line
// up into the few situations that matter.

import type { ServerAddr, SlotState } from '@codis/config/model';
import { control, crash, expireLocks, lateArrival, watch } from './controller.ts';
import { type FailOver, failOverGroup } from './failures.ts';
import { acknowledge, deliver, loseSession, register, take, takeUp } from './proxy.ts';
import { masterFor, open, type ProxySim, readMarker } from './proxy-state.ts';
import { replicate } from './servers.ts';
import type { Simulation } from './task.ts';
import { goOnWaiting } from './transfers.ts';
import {
  A,
  B,
  compareAndSet,
  currentEpoch,
  currentTopology,
  type Fate,
  GROUPS,
  groupOf,
  KEYS,
  newMigration,
  type Operation,
  type World,
} from './world.ts';

/** A proxy does all it has to do. */
export function settle(world: World, proxy: ProxySim): void {
  takeUp(world, proxy, 0);
  reconnect(world, proxy);
  deliverAll(world, proxy);
  acknowledge(world, proxy);
}

export function reconnect(world: World, proxy: ProxySim): void {
  if (proxy.epoch === null) return;
  for (const id of GROUPS) {
    open(proxy, masterFor(world, proxy, id));
    readMarker(world, proxy, masterFor(world, proxy, id));
  }
}

/** A proxy does what it can without waiting for any reply. */
export function hasten(world: World, proxy: ProxySim): void {
  takeUp(world, proxy, 0);
  acknowledge(world, proxy);
}

/** A proxy starts, perhaps by an old topology. */
export function join(world: World, proxy: ProxySim, lag: number): void {
  register(world, proxy);
  takeUp(world, proxy, lag);
  reconnect(world, proxy);
  acknowledge(world, proxy);
}

export function settleExcept({ world, proxies }: Simulation, except: number | null): void {
  for (const [index, each] of proxies.entries()) if (index !== except) settle(world, each);
}

export function deliverAll(world: World, proxy: ProxySim, fate: Fate = 'done'): void {
  for (let n = 0; n < 20; n++) {
    let busy = false;
    for (const addr of proxy.connections.keys()) {
      readMarker(world, proxy, addr);
      while (deliver(world, proxy, addr, fate)) busy = true;
    }
    if (fate === 'done' && goOnWaiting(world, proxy)) busy = true;
    if (!busy) return;
  }
}

/** A client's request comes, and the proxy has so many replies, first of one group if there is any. */
export function callPartly(world: World, proxy: ProxySim, { operation, replies, first }: PartOfCall): void {
  take(world, proxy, operation);
  for (let n = 0; n < replies && proxy.epoch !== null; n++) {
    goOnWaiting(world, proxy);
    const [one, other] = [first, first === 0 ? 1 : 0].map((at) => masterFor(world, proxy, GROUPS[at as 0 | 1])) as [ServerAddr, ServerAddr];
    for (const addr of [one, other]) readMarker(world, proxy, addr);
    if (!deliver(world, proxy, one, 'done')) deliver(world, proxy, other, 'done');
  }
}

export interface PartOfCall {
  readonly operation: Operation;
  readonly replies: number;
  readonly first: 0 | 1;
}

/** Slots move to where they are not, while one proxy sleeps. */
export function moveWithout(simulation: Simulation, except: number | null): void {
  const { world } = simulation;
  askForMove(world);
  for (let n = 0; n < 16 && world.migration; n++) {
    moveOn(simulation, 8);
    settleExcept(simulation, except);
  }
}

/** The same, but only until keys may be handed over, and the one does as `itself` says. */
export function beginMove(simulation: Simulation, except: number | null, itself: () => void): void {
  const { world } = simulation;
  askForMove(world);
  for (let n = 0; n < 12 && !isInState(world, 'migrating'); n++) {
    moveOn(simulation, 1);
    settleExcept(simulation, except);
    itself();
  }
}

/** The same, with requests under way at the one, which takes up each table without waiting for replies. */
export function beginMoveHastily(simulation: Simulation, proxy: ProxySim, index: number): void {
  for (const key of KEYS) take(simulation.world, proxy, { kind: 'write', keys: [key] });
  beginMove(simulation, index, () => hasten(simulation.world, proxy));
}

/** The same, until a big key is being switched over, if one is listed. */
export function beginSwitch(simulation: Simulation, except: number): void {
  beginMove(simulation, except, () => undefined);
  untilSwitching(simulation);
  settleExcept(simulation, except);
}

/** A big key is moved while a proxy reads it, and takes up each table without waiting for replies. */
export function switchHastily(simulation: Simulation, proxy: ProxySim, index: number): void {
  const { world } = simulation;
  if (!beginWith(simulation, proxy, index)) return;
  for (const key of KEYS) take(world, proxy, { kind: 'read', keys: [key] });
  const before = listedCount(world);
  for (let n = 0; n < 40 && listedCount(world) === before; n++) {
    moveOn(simulation, 1);
    settleExcept(simulation, index);
    hasten(world, proxy);
  }
}

/** A big key is moved, all the way, while one proxy that knows that it is being copied loses its session: before the switch, or in the middle of it. */
export function switchWithout(simulation: Simulation, proxy: ProxySim, { index, midway }: { index: number; midway: boolean }): void {
  const { world } = simulation;
  if (!beginWith(simulation, proxy, index)) return;
  if (midway) untilSwitching(simulation);
  loseSession(world, proxy);
  const before = listedCount(world);
  for (let n = 0; n < 20 && listedCount(world) === before; n++) {
    moveOn(simulation, 2);
    settleExcept(simulation, index);
  }
  callAll(simulation, index, 'read');
}

/** The controller dies when a big key has left the source, and before it says so; a proxy is lost by then. */
export function crashAtHome(simulation: Simulation, proxy: ProxySim, index: number): void {
  const { world, controller } = simulation;
  writeMissing(simulation);
  if (!beginWith(simulation, proxy, index)) return;
  const left = () => countAtSource(world) < KEYS.length;
  for (let n = 0; n < 40 && !left(); n++) {
    settleExcept(simulation, null);
    moveOn(simulation, 1);
  }
  crash(world, controller);
  loseSession(world, proxy);
  moveOn(simulation, 4);
  settleExcept(simulation, null);
  callAll(simulation, index, 'read');
}

function countAtSource(world: World): number {
  const state = currentTopology(world).slots[0];
  return state?.kind === 'migrating' ? KEYS.filter((key) => groupOf(world, state.from).data.has(key)).length : 0;
}

/** Until a key is being copied, and this proxy knows. */
function beginWith(simulation: Simulation, proxy: ProxySim, index: number): boolean {
  proxy.session = proxy.phase !== 'off';
  beginMove(simulation, index, () => settle(simulation.world, proxy));
  return listedCount(simulation.world) > 0;
}

function untilSwitching(simulation: Simulation): void {
  const { world } = simulation;
  for (let n = 0; n < 16 && listedCount(world) > 0 && listedCount(world, 'switching') === 0; n++) moveOn(simulation, 1);
}

/** The controller has seen every acknowledgement, but before it says so the lock is rolled back, and all but one hear of it. */
export function expireMidway(simulation: Simulation, except: number): void {
  const { world } = simulation;
  lockSoon(simulation);
  settleExcept(simulation, null);
  moveOn(simulation, 1);
  expireLocks(world);
  settleExcept(simulation, except);
}

function lockSoon(simulation: Simulation): void {
  askForMove(simulation.world);
  for (let n = 0; n < 9 && !isInState(simulation.world, 'locked'); n++) moveOn(simulation, 1);
}

/** Slots are locked, and a proxy loses its session just then: one that should be offline, one that was fenced off before and came back, or any. Or one comes
 *  just then: when the lock was decided on (`new`), or when it was acknowledged (`late`), which it has not heard of. */
export function lockLosing(simulation: Simulation, proxy: ProxySim, { index, past }: { index: number; past: Past }): void {
  const { world } = simulation;
  if (past === 'retired') retire(world, proxy);
  if (past === 'fenced') {
    loseSession(world, proxy);
    moveWithout(simulation, index);
    proxy.session = proxy.phase !== 'off';
    settle(world, proxy);
  }
  if (past === 'new') {
    askForMove(world);
    moveOn(simulation, 1);
    join(world, proxy, 0);
  }
  lockSoon(simulation);
  if (past === 'late') {
    settleExcept(simulation, index);
    moveOn(simulation, 1);
    join(world, proxy, 1);
  } else if (past !== 'new') loseSession(world, proxy);
  for (let n = 0; n < 8; n++) {
    moveOn(simulation, 2);
    settleExcept(simulation, index);
  }
  callAll(simulation, index, 'read');
}

export type Past = 'none' | 'retired' | 'fenced' | 'new' | 'late';

export function retire(world: World, { id }: ProxySim): void {
  const registration = world.registrations.get(id);
  if (registration) registration.wanted = 'offline';
}

/** A proxy that has requests under way falls asleep in the middle of a move, and wakes when so many have begun since. */
export function sleepThrough(simulation: Simulation, proxy: ProxySim, { index, moves, calls }: Sleep): void {
  const { world } = simulation;
  writeMissing(simulation);
  proxy.session = proxy.phase !== 'off';
  beginMove(simulation, index, () => settle(world, proxy));
  for (const call of calls) callPartly(world, proxy, call);
  callAll(simulation, (index + 1) % 2, 'read');
  loseSession(world, proxy);
  for (let n = 0; n < moves; n++) {
    moveWithout(simulation, index);
    callAll(simulation, (index + 1) % 2, 'write');
  }
  beginMove(simulation, index, () => undefined);
}

export interface Sleep {
  readonly index: number;
  readonly moves: number;
  readonly calls: readonly PartOfCall[];
}

/** The target's master dies when a move is so many steps on its way, some keys having been asked for; of what it ran, the replica lacks the last `lag`. */
export function failOverMidway(simulation: Simulation, { steps, calls, lag, replica, inPlace }: FailOverMidway): void {
  const { world, proxies } = simulation;
  writeMissing(simulation);
  beginMove(simulation, null, () => undefined);
  for (let n = 0; n < steps; n++) {
    moveOn(simulation, 1);
    settleExcept(simulation, null);
  }
  const state = currentTopology(world).slots[0];
  if (state?.kind !== 'migrating') return;
  for (const [at, call] of calls.entries()) callPartly(world, proxies[at]!, call);
  replicate(groupOf(world, state.to), replica, lag);
  failOverGroup(simulation, { group: state.to, replica, inPlace });
}

export interface FailOverMidway extends Omit<FailOver, 'group'> {
  readonly steps: number;
  readonly lag: number;
  readonly calls: readonly PartOfCall[];
}

/** The source goes back to what it was so many entries ago, when a move is so many steps on its way or over (`steps` is null), which one proxy has not heard of. Keys
 *  were asked for before; and are afterwards, when the controller has looked at the source for some steps and gone on for some, with the other slot if need be. */
export function goBack(
  simulation: Simulation,
  { proxy: index, last, steps, before, lag, replica, inPlace, looks, next, after }: GoBack,
): void {
  const { world, proxies, controller } = simulation;
  writeMissing(simulation);
  askForMove(world, last);
  beginMove(simulation, null, () => undefined);
  const state = currentTopology(world).slots[0];
  if (state?.kind !== 'migrating') return;
  for (const call of before) callPartly(world, proxies[call.proxy]!, call);
  if (steps === null) moveWithout(simulation, index);
  else moveOn(simulation, steps);
  for (const call of before) callPartly(world, proxies[(index + 1) % 2]!, call);
  replicate(groupOf(world, state.from), replica, lag);
  failOverGroup(simulation, { group: state.from, replica, inPlace });
  for (let n = 0; n < looks; n++) watch(world, controller, proxies, 'done');
  if (next > 0) world.migration ??= newMigration(world, { first: 0, last: 1, to: state.to });
  moveOn(simulation, next);
  settleExcept(simulation, index);
  reconnect(world, proxies[index]!);
  for (const call of after) callPartly(world, proxies[call.proxy]!, call);
}

type CallAt = PartOfCall & { readonly proxy: number };

export interface GoBack extends Omit<FailOver, 'group'> {
  readonly proxy: number;
  readonly last: 0 | 1;
  readonly steps: number | null;
  readonly lag: number;
  readonly looks: number;
  readonly next: number;
  readonly before: readonly CallAt[];
  readonly after: readonly CallAt[];
}

/** The controller dies with a command on its way, which arrives when the slots have moved on, and back. */
export function arriveLate(simulation: Simulation): void {
  writeMissing(simulation);
  beginMove(simulation, null, () => undefined);
  crashInFlight(simulation);
  for (let n = 0; n < 2; n++) {
    moveWithout(simulation, null);
    lateArrival(simulation.world);
  }
}

function writeMissing({ world, proxies }: Simulation): void {
  for (const key of KEYS) if (!world.promised.has(key)) take(world, proxies[0]!, { kind: 'write', keys: [key] });
  deliverAll(world, proxies[0]!);
}

function callAll({ world, proxies }: Simulation, index: number, kind: Operation['kind']): void {
  for (const key of KEYS) take(world, proxies[index]!, { kind, keys: [key] });
  deliverAll(world, proxies[index]!);
}

function askForMove(world: World, last: 0 | 1 = 1): void {
  const state = currentTopology(world).slots[0];
  const to = state?.kind === 'online' && state.owner === A ? B : A;
  world.migration ??= newMigration(world, { first: 0, last, to });
}

function isInState(world: World, kind: SlotState['kind']): boolean {
  return currentTopology(world).slots[0]?.kind === kind;
}

function listedCount(world: World, phase?: 'copying' | 'switching'): number {
  const [first, second] = currentTopology(world).slots;
  const listed = [first, second].flatMap((state) => (state?.kind === 'migrating' ? (state.bigKeys ?? []) : []));
  return listed.filter((bigKey) => phase === undefined || bigKey.phase === phase).length;
}

/** The controller dies when it has just sent a command, if it sends one soon. */
export function crashInFlight(simulation: Simulation): void {
  const { world, controller } = simulation;
  for (let steps = 0; steps < 8 && !controller.doing?.sent; steps++) moveOn(simulation, 1);
  crash(world, controller);
}

/** Everybody wakes and finishes, then every key is read through every proxy. */
export function comeToRest(simulation: Simulation): void {
  const { world, proxies } = simulation;
  for (const each of proxies) {
    deliverAll(world, each);
    each.session = each.phase !== 'off';
  }
  for (let n = 0; n < 12 && (n < 3 || world.migration); n++) {
    settleExcept(simulation, null);
    for (let looks = 0; looks < 12; looks++) watch(world, simulation.controller, proxies, 'done');
    moveOn(simulation, 30);
  }
  compareAndSet(world, currentEpoch(world), currentTopology(world));
  for (const each of proxies) {
    settle(world, each);
    for (const key of KEYS) {
      take(world, each, { kind: 'read', keys: [key] });
      deliverAll(world, each);
    }
  }
}

function moveOn({ world, controller, proxies }: Simulation, steps: number): void {
  for (let n = 0; n < steps && world.migration; n++) control(world, controller, proxies, 'done');
}
