// What is kept at the servers of the simulation to know a source that has gone back in time (packages/config/src/model/departures.ts): which process slots leave, which
// keys were asked for, and how that is looked after by the controller.

import { asEpoch, asSlot, type Epoch, type GroupId, type Slot, type SlotState, slotState, type Topology } from '@codis/config/model';
import type { Group } from './servers.ts';
import { command, type Task, type Work } from './task.ts';
import { change, compareAndSet, currentEpoch, currentTopology, groupOf, KEYS, type Key, remove, slotOfKey, type World } from './world.ts';

export interface Way {
  readonly from: GroupId;
  readonly to: GroupId;
}

/** What a target has as its source. */
export interface Named {
  /** Which process; null while it is doubted. */
  readonly run: number | null;
  /** Who doubted it. */
  readonly token?: number;
  /** The slots that went this way at `epoch`. */
  readonly epoch: Epoch;
  readonly slots: readonly Slot[];
}

const SOURCE = 'source';
const HANDED = 'handed';
const leftName = (key: Key): string => `left ${key}`;

export function namedAt({ named }: World, { data }: Group): Named | null {
  const at = data.get(SOURCE);
  return at === undefined ? null : named[at]!;
}

/** Whether a slot that was migrating by the table of `epoch` has come to the target since, as far as that knows. */
export function hasArrived(named: Named | null, { slot, epoch }: { slot: Slot; epoch: Epoch }): boolean {
  return named !== null && epoch <= named.epoch && !named.slots.includes(slot);
}

/** At the source, in the step that gives keys up. Null where nothing is counted. */
export function count(world: World, source: Group): number | null {
  const last = source.data.get(HANDED);
  if (last === undefined) return null;
  const number = Math.max(last + 1, ++world.time);
  change(world, source, { name: HANDED, value: number, cause: 'inner' });
  return number;
}

/** The number of the last hand-over from a source. */
export const countedAt = ({ data }: Group): number | null => data.get(HANDED) ?? null;

/** Whether a target was told that `key` was handed over after the one with `number`. */
export const notedSince = ({ data }: Group, key: Key, number: number): boolean => (data.get(leftName(key)) ?? 0) > number;

/** At the target. False when the keys are not from the process that it knows. */
export function note(world: World, target: Group, { keys, run, number }: { keys: readonly Key[]; run: number; number: number }): boolean {
  if (namedAt(world, target)?.run !== run) return false;
  for (const key of keys) change(world, target, { name: leftName(key), value: number, cause: 'inner' });
  return true;
}

/** Before slots are locked, unless others go the same way. */
export function* nameSource(task: Task, way: Way): Work {
  const { world, controller, epoch, topology, processes } = task;
  if (going(topology, way).length > 0) return;
  yield command(way.from, () => countFrom(world, groupOf(world, way.from), 0));
  controller.ownWrites++;
  yield command(way.to, () => {
    forget(world, groupOf(world, way.to));
    name(world, groupOf(world, way.to), { run: processes.get(way.from)!, epoch, slots: [] });
  });
}

/** Makes sure that the target knows the process that the source is. False when that has to be begun anew. */
export function* knowSource(task: Task, way: Way): Work<boolean> {
  const { world, controller } = task;
  while (world.rules.oneLookAtATime && controller.isNaming) yield null;
  controller.isNaming = true;
  try {
    return yield* nameAnew(task, way);
  } finally {
    controller.isNaming = false;
  }
}

function* nameAnew({ world, processes }: Task, way: Way): Work<boolean> {
  const { rules } = world;
  const [source, target] = [groupOf(world, way.from), groupOf(world, way.to)];
  const run = processes.get(way.from)!;
  let named = namedAt(world, target);
  if (named?.run === run) return true;
  const token = ++world.time;
  let handed = 0;
  yield command(way.from, () => {
    handed = source.data.get(HANDED) ?? 0;
  });
  yield command(way.to, () => {
    named = namedAt(world, target);
    name(world, target, { epoch: asEpoch(0), slots: [], ...named, run: null, token });
  });
  const numbers = KEYS.map((key) => ({ key, number: target.data.get(leftName(key)) ?? 0 }));
  const epoch = currentEpoch(world);
  const slots = going(currentTopology(world), way);
  yield null;
  if (rules.namingIsCompared && !compareAndSet(world, epoch, currentTopology(world))) return false;
  const stale = numbers.filter(({ key, number }) => number > handed && slots.includes(slotOfKey(key))).map(({ key }) => key);
  if (rules.staleIsDeleted) yield command(way.from, () => remove(world, source, stale));
  yield command(way.from, () => countFrom(world, source, Math.max(...numbers.map(({ number }) => number))));
  let isTrusted = false;
  yield command(way.to, () => {
    isTrusted = namedAt(world, target)?.token === token;
    if (isTrusted) name(world, target, { run, epoch, slots });
  });
  return isTrusted;
}

/** When no slot goes this way any more. For a proxy that can't be asked whether it knows it stays that all has arrived; one that is only slow is worse off here than it is with
 *  a real controller, which waits for it. */
export function* endDepartures({ world }: Task, way: Way): Work {
  const epoch = currentEpoch(world);
  if (isUsed(currentTopology(world), way)) return;
  const isAway = [...world.registrations.values()].some(({ live }) => live === null);
  yield command(way.to, () => {
    forget(world, groupOf(world, way.to));
    if (isAway) name(world, groupOf(world, way.to), { run: null, epoch, slots: [] });
  });
  yield command(way.from, () => change(world, groupOf(world, way.from), { name: HANDED, value: undefined, cause: 'inner' }));
}

function name(world: World, target: Group, named: Named): void {
  change(world, target, { name: SOURCE, value: world.named.push(named) - 1, cause: 'inner' });
}

function forget(world: World, target: Group): void {
  for (const each of [SOURCE, ...KEYS.map(leftName)]) {
    if (target.data.has(each)) change(world, target, { name: each, value: undefined, cause: 'inner' });
  }
}

/** Not below what time it is: a target that goes back to what it had in an earlier move has notes of then. */
function countFrom(world: World, source: Group, number: number): void {
  const now = world.rules.numbersAreTimes ? ++world.time : 0;
  change(world, source, { name: HANDED, value: Math.max(source.data.get(HANDED) ?? 0, number + 1, now), cause: 'inner' });
}

const SLOTS = [asSlot(0), asSlot(1)];

const goes = (state: SlotState, { from, to }: Way): boolean =>
  (state.kind === 'migrating' || state.kind === 'locked') && state.from === from && state.to === to;

function going(topology: Topology, way: Way): Slot[] {
  return SLOTS.filter((slot) => slotState(topology, slot).kind === 'migrating' && goes(slotState(topology, slot), way));
}

function isUsed(topology: Topology, way: Way): boolean {
  return SLOTS.some((slot) => goes(slotState(topology, slot), way));
}

/** The way that slots go. */
export function wayIn(topology: Topology): Way | null {
  const state = SLOTS.map((slot) => slotState(topology, slot)).find(({ kind }) => kind === 'migrating');
  return state?.kind === 'migrating' ? state : null;
}
