// The controller of the simulation. What to do is decided by the model's own functions; what is simulated is only how the doing is spread over time: each
// task is a generator that yields what it sends to a server, one command after the other (or nothing, where only time passes), and the controller may be replaced between any two by one that
// knows nothing. Big keys are in big-keys.ts.

import {
  type Action,
  asEpoch,
  completeMove,
  findGroup,
  type GroupId,
  lockSlots,
  masterOf,
  missingAcks,
  nextActions,
  observeLocks,
  requireMaster,
  rollBackExpiredLocks,
  type Slot,
  sameState,
  slotState,
  startMigrating,
  type Topology,
  unlockSlots,
} from '@codis/config/model';
import { moveBigKey, nextListed } from './big-keys.ts';
import { carry } from './carry.ts';
import { endDepartures, knowSource, namedAt, nameSource, type Way, wayIn } from './departures.ts';
import type { ProxySim } from './proxy-state.ts';
import {
  type ControllerSim,
  cutOffStrays,
  type Doing,
  fence,
  lostOf,
  type Moment,
  newController,
  removal,
  type Task,
  type Work,
  waitForReplicas,
} from './task.ts';
import {
  bigKeyName,
  type Command,
  change,
  compareAndSet,
  currentEpoch,
  currentTopology,
  type Fate,
  GROUPS,
  groupOf,
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

/** Dies; what it had sent may still arrive. */
export function crash(world: World, controller: ControllerSim): void {
  for (const doing of [controller.doing, controller.watching]) {
    if (doing?.sent) world.strays.push({ command: doing.sent, process: doing.processes.get(doing.sent.at)! });
  }
  Object.assign(controller, newController());
}

/** One step. `fate` is what becomes of what it had sent. A command that failed ends the task, and the next one looks anew. */
export function control(world: World, controller: ControllerSim, proxies: readonly ProxySim[], fate: Fate): void {
  if (!world.migration) return;
  const { doing } = controller;
  if (!doing) controller.doing = look(world, controller, proxies, fate !== 'done');
  else if (goOn(world, doing, fate)) controller.doing = null;
}

/** One step beside: it looks whether the source of slots that are migrating is still the process that it was. */
export function watch(world: World, controller: ControllerSim, proxies: readonly ProxySim[], fate: Fate): void {
  const { watching } = controller;
  const way = wayIn(currentTopology(world));
  if (watching && goOn(world, watching, fate)) controller.watching = null;
  else if (!watching && way) {
    const task = newTask(world, controller, proxies, false);
    controller.watching = { processes: task.processes, work: watchSource(task, way), sent: null };
  }
}

function* watchSource(task: Task, way: Way): Work {
  yield* knowSource(task, way);
}

/** True at its end. */
function goOn(world: World, doing: Doing, fate: Fate): boolean {
  const worked = doing.sent === null || arrives(world, doing, doing.sent, fate);
  if (!worked && !doing.sent?.mayFail) {
    doing.work.return();
    return true;
  }
  const next = doing.work.next(worked);
  doing.sent = next.value ?? null;
  return next.done === true;
}

function arrives(world: World, { processes }: Doing, { at, fresh, run }: Command, fate: Fate): boolean {
  return (fresh === true || processes.get(at) === groupOf(world, at).process) && run(fate);
}

/** A command is sent by a controller that is no more, and arrives. */
export function lateArrival(world: World): void {
  world.strays.shift()?.command.run('done');
}

function look(world: World, controller: ControllerSim, proxies: readonly ProxySim[], expired: boolean): Doing {
  const task = newTask(world, controller, proxies, expired);
  return { processes: task.processes, work: work(task, nextAction(world, task.topology)), sent: null };
}

function newTask(world: World, controller: ControllerSim, proxies: readonly ProxySim[], expired: boolean): Task {
  const epoch = currentEpoch(world);
  const topology = topologyAt(world, epoch);
  const processes = new Map(GROUPS.map((id) => [id, groupOf(world, id).process]));
  return { world, controller, proxies, epoch, topology, views: proxyViews(world), processes, expired };
}

/** Worked out once for each topology: it is looked at again and again. */
function nextAction(world: World, topology: Topology): Action {
  const migration = world.migration!;
  if (world.decided?.topology !== topology || world.decided.migration !== migration) {
    const [action = PAUSED] = nextActions(topology, migration, BATCH_SLOTS);
    world.decided = { topology, migration, action };
  }
  return world.decided.action;
}

function* work(task: Task, action: Action): Work {
  const { world, topology, epoch } = task;
  switch (action.kind) {
    case 'done':
      world.migration = null;
      return;
    case 'lock':
      yield* lock(task, action);
      return;
    case 'await-acks':
      awaitAcks(task, action);
      return;
    case 'unlock':
      compareAndSet(world, epoch, unlockSlots(topology, { slots: action.slots, migration: world.migration!.id }));
      return;
    case 'sweep': {
      const listed = nextListed(topology, action.slots);
      if (listed !== null && !world.rules.bigKeysBeforeTheSweep) yield* pass(task, action, keysAt(world, action.from, action.slots));
      if (listed === null) yield* sweep(task, action);
      else yield* moveBigKey(task, { ...listed, from: action.from, to: action.to });
      return;
    }
    case 'blocked':
      return;
  }
}

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** Looks at the target, marks, kills, locks. */
function* lock(task: Task, action: Of<'lock'>): Work {
  const { world, topology, controller, views } = task;
  const { rules, migration } = world;
  cutOffStrays(world, action.from);
  cutOffStrays(world, action.to);
  if (migration!.durable && findGroup(topology, action.to)!.servers.length < 2) return;
  if (migration!.durable && rules.targetsReplicasAreUpToDate) yield waitForReplicas(world, action.to);
  if (rules.targetIsEmpty && keysAt(world, action.to, action.slots).length > 0) return;
  yield* lookThrough(task, action);
  const lost = lostOf(task);
  yield* fence(task, { sides: rules.fenceAtBothSides ? [action.from, action.to] : [action.from], lost });
  const { fenced } = controller;
  const formerly = rules.fenceCountsForItsLock ? [] : (fenced?.proxies ?? []);
  controller.fenced = { epoch: asEpoch(task.epoch + 1), proxies: new Set([...formerly, ...lost]) };
  controller.listed = new Set(views.map(({ id }) => id));
  yield* nameSource(task, action);
  compareAndSet(world, task.epoch, locked(task, action));
}

function locked({ world, topology, epoch }: Task, { slots, to }: Of<'lock'>): Topology {
  const { id, durable } = world.migration!;
  const bigKeys = new Map(slots.map((slot) => [slot, world.plan.big.filter((key) => slotOfKey(key) === slot).map(bigKeyName)]));
  return lockSlots(topology, { slots, to, migration: id, durable, epoch: asEpoch(epoch + 1), leaseMs: LEASE_MS, bigKeys });
}

function awaitAcks({ world, controller, epoch, topology, views }: Task, action: Of<'await-acks'>): void {
  const { rules } = world;
  const { fenced, listed } = controller;
  const asked = views.filter(({ id, live, wanted }) => {
    if (!rules.lockBeforeListing && !listed.has(id)) return false;
    return rules.offlineCountsToo || wanted === 'online' || live !== null;
  });
  const { behind, lost } = missingAcks(asked, rules.ackCountsForItsEpoch ? action.epoch : asEpoch(0));
  const fenceHolds = fenced?.epoch === action.epoch;
  const unfenced = rules.lostNeedsFence ? lost.filter((id) => !(fenceHolds && fenced.proxies.has(id))) : [];
  if (behind.length > 0) return;
  const step = { slots: action.slots, migration: world.migration!.id };
  compareAndSet(world, epoch, unfenced.length > 0 ? unlockSlots(topology, step) : startMigrating(topology, step));
}

/** Finds keys, hands them over one by one, and begins again, until it finds none. */
function* sweep(task: Task, action: Of<'sweep'>): Work {
  const { world } = task;
  cutOffStrays(world, action.from);
  if (world.rules.latePutsAreCut) cutOffStrays(world, action.to);
  if (!(yield* knowSource(task, action))) return;
  if (!(yield* handOverSeen(task, action))) {
    for (;;) {
      const found = keysAt(world, action.from, action.slots);
      yield* pass(task, action, found);
      if (found.length === 0 || !world.rules.sweepUntilEmpty) break;
    }
  }
  if (!(yield* complete(task, action))) return;
  yield null;
  cutOffStrays(world, action.to);
  yield* endDepartures(task, action);
}

/** One key after the other, once for each migration, while others go on writing. */
function* lookThrough({ world, controller }: Task, { from }: Of<'lock'>): Work {
  const { id } = world.migration!;
  if (controller.seen?.migration === id) return;
  const since = momentOf(world, controller, from);
  const keys: Key[] = [];
  for (const key of KEYS) {
    yield null;
    if (groupOf(world, from).data.has(key)) keys.push(key);
  }
  controller.seen = { migration: id, since, keys, isWhole: true };
}

const momentOf = (world: World, { ownWrites }: ControllerSim, at: GroupId): Moment => {
  const { process, log } = groupOf(world, at);
  return { process, writes: log.length - ownWrites };
};

/** Whether that was all there is: nothing was written at the source since they were seen. */
function* handOverSeen(task: Task, action: Of<'sweep'>): Work<boolean> {
  const { world, controller } = task;
  const { rules, plan } = world;
  const { seen } = controller;
  if (!seen?.isWhole || plan.big.length > 0) return false;
  seen.isWhole = false;
  const now = momentOf(world, controller, action.from);
  const isOfIt = seen.since.process === now.process || !rules.lookIsOfItsProcess;
  const isUnwritten = seen.since.writes === now.writes || !rules.unwrittenSinceTheLook;
  const isWhole = yield* pass(
    task,
    action,
    seen.keys.filter((key) => action.slots.includes(slotOfKey(key))),
  );
  return isWhole && isOfIt && isUnwritten;
}

/** The passes were at one process: they prove nothing of another, which may be known as the source by now. */
function* complete({ world, topology, processes }: Task, { slots, from, to }: Of<'sweep'>): Work<boolean> {
  yield null;
  const epoch = currentEpoch(world);
  const current = topologyAt(world, epoch);
  if (requireMaster(current, from) !== requireMaster(topology, from)) return false;
  if (world.rules.completedByItsSource && namedAt(world, groupOf(world, to))?.run !== processes.get(from)) return false;
  yield null;
  return compareAndSet(world, epoch, completeMove(current, { slots, migration: world.migration!.id }));
}

/** Such keys are not carried. */
const hasTimeToLive = (key: Key): boolean => key === 'b';

/** False when some key was not handed over. */
function* pass(task: Task, { from, to }: Of<'sweep'>, found: readonly Key[]): Work<boolean> {
  const { world, topology } = task;
  const { rules, migration } = world;
  const { durable } = migration!;
  const addr = masterOf(findGroup(topology, to)!)!;
  let isWhole = true;
  yield null;
  for (const key of found) {
    const carried = hasTimeToLive(key) ? null : yield* carry(task, { from, to, addr, key });
    if (carried !== null) {
      isWhole &&= carried;
      continue;
    }
    const keys = [key];
    const run = (fate: Fate) => handOver(world, groupOf(world, from), { keys, to: addr, copy: durable, durable }, fate);
    const worked = yield { at: from, run, mayFail: true };
    isWhole &&= worked;
    if (!durable || !worked) continue;
    if (rules.sweepWaitsForReplicas) yield waitForReplicas(world, to);
    yield removal(world, from, keys);
  }
  return isWhole;
}

export function keysAt(world: World, group: GroupId, slots: readonly Slot[]): Key[] {
  return KEYS.filter((key) => groupOf(world, group).data.has(key) && slots.includes(slotOfKey(key)));
}

/** Somebody finds that every lock has outlived its lease. */
export function expireLocks(world: World): void {
  const topology = currentTopology(world);
  const rolledBack = rollBackExpiredLocks(topology, observeLocks(new Map(), topology, 0), LEASE_MS);
  if (rolledBack) compareAndSet(world, currentEpoch(world), rolledBack);
}

/** An operator leaves a key where it does not belong, in a slot that nothing happens to as far as anybody knows. */
export function plantOrphan(world: World, proxies: readonly ProxySim[], key: Key): void {
  const slot = slotOfKey(key);
  const state = slotState(currentTopology(world), slot);
  if (world.migration || world.strays.length > 0 || state.kind !== 'online') return;
  const settled = ({ epoch, waiting, connections }: ProxySim) => {
    if (waiting.length > 0 || [...connections.values()].some(({ queue }) => queue.length > 0)) return false;
    return epoch === null || sameState(slotState(topologyAt(world, epoch), slot), state);
  };
  if (!proxies.every(settled)) return;
  for (const [id, group] of world.groups) {
    if (id !== state.owner) change(world, group, { name: key, value: -1, cause: 'moved' });
  }
}
