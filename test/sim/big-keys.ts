// What the controller of the simulation does for one listed key: copies it in two pieces, switches it over, renames it at the target, deletes it at the source,
// and takes it off the list; as packages/config/src/migration/big-keys/move.ts does, command by command.

import {
  asEpoch,
  type BigKeyStep,
  type Epoch,
  type GroupId,
  type ListedKey,
  missingAcks,
  type Slot,
  slotState,
  startSwitching,
  stopSwitching,
  type Topology,
  unlistBigKey,
} from '@codis/config/model';
import type { Group } from './servers.ts';
import { command, cutOffStrays, fence, lostOf, removal, type Task, type Work, waitForReplicas } from './task.ts';
import { type Command, change, compareAndSet, groupOf, handOver, KEYS, type Key } from './world.ts';

interface Listed {
  readonly slot: Slot;
  readonly bigKey: ListedKey;
}

interface BigKeyMove extends Task {
  readonly key: Key;
  readonly bigKey: ListedKey;
  readonly step: BigKeyStep;
  readonly from: GroupId;
  readonly to: GroupId;
  readonly source: Group;
  readonly target: Group;
}

/** Where the copy grows, and what says of which key and which move it is. */
const ARRIVAL = 'arrival';
const ARRIVAL_OF = 'arrival of';
const SPOILT_MAX = 3;

export function nextListed(topology: Topology, slots: readonly Slot[]): Listed | null {
  const all = slots.flatMap((slot) => {
    const state = slotState(topology, slot);
    return state.kind === 'migrating' ? (state.bigKeys ?? []).map((bigKey) => ({ slot, bigKey })) : [];
  });
  return all.find(({ bigKey }) => bigKey.phase === 'switching') ?? all[0] ?? null;
}

export function* moveBigKey(task: Task, { slot, bigKey, from, to }: Listed & { from: GroupId; to: GroupId }): Work {
  const { world, controller, proxies, epoch, topology, views, processes, expired } = task;
  const key = bigKey.key as Key;
  const step = { slot, migration: world.migration!.id, db: 0, key };
  const [source, target] = [groupOf(world, from), groupOf(world, to)];
  // Named one by one: a spread took a tenth of the simulation's time.
  const move: BigKeyMove = {
    world,
    controller,
    proxies,
    epoch,
    topology,
    views,
    processes,
    expired,
    key,
    bigKey,
    step,
    from,
    to,
    source,
    target,
  };
  if (bigKey.phase === 'switching') yield* bringHome(move, bigKey.epoch);
  else if (controller.copied.has(key) || isWhole(move)) yield* beginSwitch(move);
  else yield* copy(move);
}

const isWhole = ({ world, controller, key }: BigKeyMove): boolean => world.plan.whole || (controller.spoilt.get(key) ?? 0) >= SPOILT_MAX;

function connect({ world, from, to }: BigKeyMove): void {
  cutOffStrays(world, from);
  cutOffStrays(world, to);
}

const isHome = ({ target, key }: BigKeyMove): boolean => target.data.has(key);
const isThere = ({ source, key }: BigKeyMove): boolean => source.data.has(key);

/** As far as its size tells, which is the same for all keys. */
function isComplete({ world, source, target, key, step }: BigKeyMove): boolean {
  const { rules } = world;
  const copied = target.data.get(ARRIVAL);
  if (copied === undefined || !source.data.has(key)) return false;
  const label = target.data.get(ARRIVAL_OF);
  if (label === undefined) return false;
  if (rules.copyIsOfItsKey && label % KEYS.length !== KEYS.indexOf(key)) return false;
  if (rules.copyIsOfItsMove && Math.floor(label / KEYS.length) !== step.migration) return false;
  return !rules.copyIsVerified || Number.isInteger(copied);
}

function put({ world, to, target }: BigKeyMove, name: string, value: () => number | undefined): Command {
  return command(to, () => change(world, target, { name, value: value(), cause: 'inner' }));
}

function* dropCopy(move: BigKeyMove): Work {
  yield put(move, ARRIVAL, () => undefined);
  yield put(move, ARRIVAL_OF, () => undefined);
}

function* copy(move: BigKeyMove): Work {
  const { controller, key, source, step } = move;
  connect(move);
  if (!isHome(move) && isThere(move)) {
    yield* dropCopy(move);
    yield put(move, ARRIVAL_OF, () => step.migration * KEYS.length + KEYS.indexOf(key));
    for (const missing of [0.5, 0]) {
      const value = source.data.get(key);
      yield put(move, ARRIVAL, () => (value === undefined ? undefined : value - missing));
    }
    if (!isComplete(move) && isThere(move)) return spoilt(move);
  }
  controller.copied.add(key);
}

function spoilt({ controller: { copied, spoilt: times }, key }: BigKeyMove): void {
  times.set(key, (times.get(key) ?? 0) + 1);
  copied.delete(key);
}

function* beginSwitch(move: BigKeyMove): Work {
  const { world, controller, topology, from, to, step } = move;
  const { rules } = world;
  const epoch = asEpoch(move.epoch + 1);
  const lost = lostOf(move);
  if (rules.switchNeedsFence) yield* fence(move, { sides: [from, to], lost });
  const formerly = rules.fenceCountsForItsSwitch ? [] : [...controller.switches.values()].flatMap((proxies) => [...proxies]);
  if (!compareAndSet(world, move.epoch, startSwitching(topology, { ...step, epoch }))) return;
  controller.switches.set(epoch, new Set([...lost, ...formerly]));
}

function* bringHome(move: BigKeyMove, epoch: Epoch): Work {
  const { world, controller, views, expired } = move;
  const { rules } = world;
  const { behind, lost } = missingAcks(views, epoch);
  const unfenced = lost.filter((id) => rules.lostIsAskedAboutSwitch && !controller.switches.get(epoch)?.has(id));
  if (!rules.renamedOnceAllAcked || (behind.length === 0 && unfenced.length === 0)) yield* finish(move);
  else if (unfenced.length > 0 || expired) yield* giveUp(move);
}

function* giveUp(move: BigKeyMove): Work {
  connect(move);
  yield null;
  if (move.world.rules.whatIsHomeStaysSwitched && isHome(move)) yield* finish(move);
  else backToCopying(move);
}

function backToCopying({ world, epoch, topology, step }: BigKeyMove): void {
  compareAndSet(world, epoch, stopSwitching(topology, step));
}

/** Brings the key to the target under its own name, and away from the source. */
function* finish(move: BigKeyMove): Work {
  const { world, controller, epoch, topology, step, from, to, key } = move;
  const { durable } = world.migration!;
  const { rules } = world;
  connect(move);
  yield null;
  if (!isHome(move) && isThere(move)) {
    if (isWhole(move)) yield handOverWhole(move);
    else if (!isComplete(move)) {
      spoilt(move);
      backToCopying(move);
      return;
    } else {
      if (!rules.deletedOnceItIsHome) yield removal(world, from, [key]);
      yield* rename(move);
    }
  }
  yield* dropCopy(move);
  if (isHome(move)) {
    if (durable && rules.bigKeyWaitsForReplicas) yield waitForReplicas(world, to, true);
    // Over the connection that was there before: it is still the same server.
    if (rules.isStillHomeThen) yield command(to, () => undefined);
    yield removal(world, from, [key]);
  }
  if (isThere(move)) {
    spoilt(move);
    backToCopying(move);
  } else if (compareAndSet(world, epoch, unlistBigKey(topology, step))) {
    controller.copied.delete(key);
    controller.spoilt.delete(key);
  }
}

function* rename(move: BigKeyMove): Work {
  const { world, to, target, key } = move;
  yield command(to, () => {
    const value = target.data.get(ARRIVAL);
    if (value === undefined || target.data.has(key)) return;
    const cause = world.migration?.durable ? 'moved-durably' : 'moved';
    change(world, target, { name: ARRIVAL, value: undefined, cause: 'inner' });
    change(world, target, { name: key, value, cause });
  });
}

function handOverWhole({ world, from, source, target, key }: BigKeyMove): Command {
  const { durable } = world.migration!;
  const copy = durable && world.rules.wholeKeyIsCopied;
  const addr = target.master;
  return { at: from, run: (fate) => handOver(world, source, { keys: [key], to: addr, copy, durable }, fate) };
}
