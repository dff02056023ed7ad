// The controller of the simulation, in steps as small as its writes. What to do is decided by the model's own functions; what is simulated is only how
// the doing is spread over time, and that it may be replaced between any two steps by one that knows nothing.

import {
  type Action,
  asEpoch,
  completeMove,
  type Epoch,
  type GroupId,
  lockSlots,
  missingAcks,
  nextActions,
  observeLocks,
  type ProxyId,
  type ProxyView,
  rollBackExpiredLocks,
  type Slot,
  sameState,
  slotState,
  startMigrating,
  type Topology,
  unlockSlots,
} from '@codis/config/model';
import { cutOff, type ProxySim } from './proxy.ts';
import {
  compareAndSet,
  currentEpoch,
  type Fate,
  groupData,
  handOver,
  KEYS,
  type Key,
  proxyViews,
  slotOfKey,
  topologyAt,
  type World,
} from './world.ts';

const BATCH_SLOTS = 2;
const LEASE_MS = 1000;
const PAUSED: Action = { kind: 'blocked', reason: 'it is paused' };

/** What it read, what it decided, and how far it is. */
interface Task {
  readonly epoch: Epoch;
  readonly topology: Topology;
  readonly proxies: readonly ProxyView[];
  readonly action: Action;
  stage: number;
  keys: Key[];
  inFlight: Key | null;
  foundCount: number;
}

export interface ControllerSim {
  task: Task | null;
  fenced: { epoch: Epoch; proxies: ReadonlySet<ProxyId> } | null;
  /** Who was registered when the last lock was decided on. */
  listed: ReadonlySet<ProxyId>;
}

export const newController = (): ControllerSim => ({ task: null, fenced: null, listed: new Set() });

/** Dies; what it had sent may still arrive. */
export function crash(world: World, controller: ControllerSim): void {
  const { task } = controller;
  if (task?.inFlight && task.action.kind === 'sweep') {
    world.strays.push({ key: task.inFlight, from: task.action.from, to: task.action.to });
  }
  Object.assign(controller, newController());
}

/** One step. `fate` is what becomes of a hand-over, if that is what it is. */
export function control(world: World, controller: ControllerSim, proxies: readonly ProxySim[], fate: Fate): void {
  if (!world.migration) return;
  const task = controller.task;
  if (!task) {
    controller.task = look(world);
    return;
  }
  if (perform(world, controller, proxies, { task, fate })) controller.task = null;
}

function look(world: World): Task {
  const epoch = currentEpoch(world);
  const topology = topologyAt(world, epoch);
  const [action = PAUSED] = nextActions(topology, world.migration!, BATCH_SLOTS);
  return { epoch, topology, proxies: proxyViews(world), action, stage: 0, keys: [], inFlight: null, foundCount: 0 };
}

type Doing = { readonly task: Task; readonly fate: Fate };

/** Returns whether the task is over. */
function perform(world: World, controller: ControllerSim, proxies: readonly ProxySim[], { task, fate }: Doing): boolean {
  const { action, epoch, topology } = task;
  switch (action.kind) {
    case 'done':
      world.migration = null;
      return true;
    case 'lock':
      return lock(world, controller, proxies, { task, action });
    case 'await-acks':
      return awaitAcks(world, controller, { task, action });
    case 'unlock':
      compareAndSet(world, epoch, unlockSlots(topology, { slots: action.slots, migration: world.migration!.id }));
      return true;
    case 'sweep':
      return sweep(world, { task, action, fate });
    case 'blocked':
      return true;
  }
}

type Of<K extends Action['kind']> = { readonly task: Task; readonly action: Extract<Action, { kind: K }> };

/** Looks at the target, marks, kills, locks: a step each. */
function lock(world: World, controller: ControllerSim, proxies: readonly ProxySim[], { task, action }: Of<'lock'>): boolean {
  const lost = task.proxies.filter(({ live }) => live === null).map(({ id }) => id);
  const { rules } = world;
  switch (task.stage++) {
    case 0:
      cutOffStrays(world, action.to);
      return rules.targetIsEmpty && keysAt(world, action.to, action.slots).length > 0;
    case 1:
      if (rules.fenceMarks && lost.length > 0) for (const side of fencedSides(world, action)) mark(world, side, task);
      return false;
    case 2:
      for (const proxy of proxies) {
        if (rules.fenceKills && lost.includes(proxy.id)) for (const side of fencedSides(world, action)) cutOff(proxy, side);
      }
      return false;
    default:
      controller.fenced = { epoch: asEpoch(task.epoch + 1), proxies: new Set([...formerlyFenced(world, controller), ...lost]) };
      controller.listed = new Set(task.proxies.map(({ id }) => id));
      compareAndSet(world, task.epoch, locked(world, task, action));
      return true;
  }
}

function fencedSides({ rules }: World, { from, to }: Extract<Action, { kind: 'lock' }>): readonly GroupId[] {
  return rules.fenceAtBothSides ? [from, to] : [from];
}

function mark(world: World, side: GroupId, { epoch }: Task): void {
  const group = groupData(world, side);
  group.marker = Math.max(group.marker, epoch + (world.rules.fenceIsAtTheLock ? 1 : 0));
}

function formerlyFenced({ rules }: World, { fenced }: ControllerSim): Iterable<ProxyId> {
  return rules.fenceCountsForItsLock ? [] : (fenced?.proxies ?? []);
}

function locked(world: World, { topology, epoch }: Task, { slots, to }: Extract<Action, { kind: 'lock' }>): Topology {
  return lockSlots(topology, { slots, to, migration: world.migration!.id, epoch: asEpoch(epoch + 1), leaseMs: LEASE_MS });
}

function awaitAcks(world: World, { fenced, listed }: ControllerSim, { task, action }: Of<'await-acks'>): boolean {
  const { rules } = world;
  const asked = task.proxies.filter(({ id, live, wanted }) => {
    if (!rules.lockBeforeListing && !listed.has(id)) return false;
    return rules.offlineCountsToo || wanted === 'online' || live !== null;
  });
  const { behind, lost } = missingAcks(asked, rules.ackCountsForItsEpoch ? action.epoch : asEpoch(0));
  const fenceHolds = fenced?.epoch === action.epoch;
  const unfenced = rules.lostNeedsFence ? lost.filter((id) => !(fenceHolds && fenced.proxies.has(id))) : [];
  if (behind.length > 0) return true;
  const step = { slots: action.slots, migration: world.migration!.id };
  compareAndSet(world, task.epoch, unfenced.length > 0 ? unlockSlots(task.topology, step) : startMigrating(task.topology, step));
  return true;
}

/** Finds keys, hands them over one by one, and begins again, until it finds none. */
function sweep(world: World, { task, action, fate }: Of<'sweep'> & { fate: Fate }): boolean {
  if (task.stage === 0) {
    cutOffStrays(world, action.from);
    task.keys = keysAt(world, action.from, action.slots);
    task.foundCount = task.keys.length;
    task.stage = 1;
    return false;
  }
  if (task.inFlight) {
    handOver(world, { key: task.inFlight, from: action.from, to: action.to }, fate);
    task.inFlight = null;
    return false;
  }
  task.inFlight = task.keys.shift() ?? null;
  if (task.inFlight) return false;
  task.stage = 0;
  if (task.foundCount > 0 && world.rules.sweepUntilEmpty) return false;
  compareAndSet(world, task.epoch, completeMove(task.topology, { slots: action.slots, migration: world.migration!.id }));
  return true;
}

function cutOffStrays(world: World, at: GroupId): void {
  if (!world.rules.lateHandOversAreCut) return;
  const left = world.strays.filter(({ from }) => from !== at);
  world.strays.splice(0, world.strays.length, ...left);
}

function keysAt(world: World, group: GroupId, slots: readonly Slot[]): Key[] {
  return KEYS.filter((key) => groupData(world, group).data.has(key) && slots.includes(slotOfKey(key)));
}

/** Somebody finds that every lock has outlived its lease. */
export function expireLocks(world: World): void {
  const epoch = currentEpoch(world);
  const topology = topologyAt(world, epoch);
  const rolledBack = rollBackExpiredLocks(topology, observeLocks(new Map(), topology, 0), LEASE_MS);
  if (rolledBack) compareAndSet(world, epoch, rolledBack);
}

/** An operator leaves a key where it does not belong, in a slot that nothing happens to as far as anybody knows. */
export function plantOrphan(world: World, proxies: readonly ProxySim[], key: Key): void {
  const state = slotState(topologyAt(world, currentEpoch(world)), slotOfKey(key));
  if (world.migration || world.strays.length > 0 || state.kind !== 'online') return;
  const settled = ({ epoch }: ProxySim) => epoch === null || sameState(slotState(topologyAt(world, epoch), slotOfKey(key)), state);
  if (!proxies.every((proxy) => settled(proxy) && [...proxy.connections.values()].every(({ queue }) => queue.length === 0))) return;
  for (const [id, { data }] of world.groups) if (id !== state.owner) data.set(key, -1);
}
