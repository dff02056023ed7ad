// What can happen, as data: fast-check draws scripts of it, runs them, and shrinks those that break a promise.
//
// Besides single steps there are macros that bring a crowd of steps to a common end (everybody but one catches up; a whole move goes through without
// one proxy). Single steps alone hardly ever line up into the few situations that matter.

import type { SlotState } from '@codis/config/model';
import fc from 'fast-check';
import { type ControllerSim, control, crash, expireLocks, newController, plantOrphan } from './controller.ts';
import { acknowledge, deliver, loseSession, newProxy, open, type ProxySim, readMarker, register, take, takeUp } from './proxy.ts';
import type { Rules } from './rules.ts';
import {
  A,
  B,
  compareAndSet,
  currentEpoch,
  type Fate,
  groupData,
  handOver,
  KEYS,
  newMigration,
  newWorld,
  type Operation,
  PROXY_IDS,
  topologyAt,
  type World,
} from './world.ts';

/** What one proxy does, or everybody but one. */
type ProxyStep =
  | 'register'
  | 'lose'
  | 'return'
  | 'retire'
  | 'ack'
  | 'settle'
  | 'settle-except'
  | 'reconnect'
  | 'expire-midway'
  | 'lose-midway'
  | 'begin-move-without'
  | 'begin-move-hastily'
  | 'move-without';
/** What happens without anybody's asking. */
type Event = 'crash' | 'crash-in-flight' | 'cancel' | 'expire' | 'touch' | 'late-hand-over' | 'revive';

export type Step =
  | { readonly do: ProxyStep; readonly proxy: number }
  | { readonly do: Event }
  | { readonly do: 'take-up' | 'join'; readonly proxy: number; readonly lag: number }
  | { readonly do: 'open' | 'read-marker'; readonly proxy: number; readonly group: 0 | 1 }
  | { readonly do: 'deliver'; readonly proxy: number; readonly group: 0 | 1; readonly fate: Fate }
  | { readonly do: 'take'; readonly proxy: number; readonly operation: Operation }
  | { readonly do: 'call'; readonly proxy: number; readonly operation: Operation; readonly fate: Fate }
  | { readonly do: 'migrate'; readonly last: 0 | 1; readonly to: 0 | 1 }
  | { readonly do: 'control'; readonly times: number; readonly fate: Fate }
  | { readonly do: 'plant'; readonly key: (typeof KEYS)[number] };

const GROUPS = [A, B] as const;
const proxy = fc.nat({ max: PROXY_IDS.length - 1 });
const group = fc.constantFrom<0 | 1>(0, 1);
const key = fc.constantFrom(...KEYS);
const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>('done') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('nothing', 'copied') },
);
const operation = fc.record({ kind: fc.constantFrom<Operation['kind']>('write', 'write', 'read', 'delete'), key });
const just = <T extends Step['do']>(name: T) => fc.constant(name);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('settle', 'settle-except', 'reconnect', 'ack'), proxy }) },
  {
    weight: 7,
    arbitrary: fc.record({ do: fc.constantFrom('begin-move-without', 'begin-move-hastily', 'move-without', 'move-without'), proxy }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('expire-midway', 'lose-midway'), proxy }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('register', 'lose', 'lose', 'return', 'return', 'retire'), proxy }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('take-up', 'join'), proxy, lag: fc.constantFrom(0, 0, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('open', 'read-marker'), proxy, group }) },
  { weight: 6, arbitrary: fc.record({ do: just('deliver'), proxy, group, fate }) },
  { weight: 5, arbitrary: fc.record({ do: just('take'), proxy, operation }) },
  { weight: 12, arbitrary: fc.record({ do: just('call'), proxy, operation, fate }) },
  { weight: 2, arbitrary: fc.record({ do: just('migrate'), last: group, to: group }) },
  { weight: 8, arbitrary: fc.record({ do: just('control'), times: fc.integer({ min: 1, max: 8 }), fate }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'crash',
        'crash-in-flight',
        'crash-in-flight',
        'cancel',
        'expire',
        'touch',
        'late-hand-over',
        'late-hand-over',
        'revive',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: just('plant'), key }) },
);

export const scripts: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 10, maxLength: 70, size: 'max' });

/** A whole simulation. */
export interface Simulation {
  readonly world: World;
  readonly proxies: readonly ProxySim[];
  readonly controller: ControllerSim;
}

/** Two proxies serve; the third one has yet to come. */
export function newSimulation(rules: Rules): Simulation {
  const world = newWorld(rules);
  const simulation = { world, proxies: PROXY_IDS.map((id) => newProxy(world, id)), controller: newController() };
  for (const index of [0, 1]) apply(simulation, { do: 'register', proxy: index });
  settleExcept(simulation, null);
  return simulation;
}

/** Runs a script and then lets everything come to rest. Throws Violation for a broken promise. */
export function run(rules: Rules, script: readonly Step[]): void {
  const simulation = newSimulation(rules);
  for (const each of script) apply(simulation, each);
  comeToRest(simulation);
}

export function apply(simulation: Simulation, step: Step): void {
  const { world, proxies, controller } = simulation;
  switch (step.do) {
    case 'take-up':
      takeUp(world, proxies[step.proxy]!, step.lag);
      break;
    case 'open':
      open(proxies[step.proxy]!, GROUPS[step.group]);
      break;
    case 'read-marker':
      readMarker(world, proxies[step.proxy]!, GROUPS[step.group]);
      break;
    case 'deliver':
      deliver(world, proxies[step.proxy]!, GROUPS[step.group], step.fate);
      break;
    case 'take':
      take(world, proxies[step.proxy]!, step.operation);
      break;
    case 'call':
      take(world, proxies[step.proxy]!, step.operation);
      deliverAll(world, proxies[step.proxy]!, step.fate);
      break;
    case 'join':
      join(world, proxies[step.proxy]!, step.lag);
      break;
    case 'migrate':
      world.migration ??= newMigration(world, { first: 0, last: step.last, to: GROUPS[step.to] });
      break;
    case 'control':
      for (let n = 0; n < step.times; n++) control(world, controller, proxies, step.fate);
      break;
    case 'plant':
      plantOrphan(world, proxies, step.key);
      break;
    default:
      if ('proxy' in step) PROXY_STEPS[step.do](simulation, proxies[step.proxy]!, step.proxy);
      else EVENTS[step.do](simulation);
  }
}

const PROXY_STEPS: Record<ProxyStep, (simulation: Simulation, proxy: ProxySim, index: number) => void> = {
  register: ({ world }, proxy) => register(world, proxy),
  lose: ({ world }, proxy) => loseSession(world, proxy),
  return: (_, proxy) => {
    proxy.session = proxy.phase !== 'off';
  },
  retire: ({ world }, proxy) => retire(world, proxy),
  ack: ({ world }, proxy) => acknowledge(world, proxy),
  settle: ({ world }, proxy) => settle(world, proxy),
  'settle-except': (simulation, _, index) => settleExcept(simulation, index),
  reconnect: ({ world }, proxy) => reconnect(world, proxy),
  'expire-midway': expireMidway,
  'lose-midway': loseMidway,
  'begin-move-without': (simulation, _, index) => beginMove(simulation, index, () => undefined),
  'begin-move-hastily': (simulation, proxy, index) => beginMove(simulation, index, () => hasten(simulation.world, proxy)),
  'move-without': (simulation, _, index) => moveWithout(simulation, index),
};

const EVENTS: Record<Event, (simulation: Simulation) => void> = {
  crash: ({ world, controller }) => crash(world, controller),
  'crash-in-flight': crashInFlight,
  cancel: ({ world }) => {
    if (world.migration) world.migration = { ...world.migration, state: 'cancelled' };
  },
  expire: ({ world }) => expireLocks(world),
  touch: ({ world }) => {
    compareAndSet(world, currentEpoch(world), topologyAt(world, currentEpoch(world)));
  },
  'late-hand-over': ({ world }) => lateHandOver(world),
  revive: ({ world, proxies }) => revive(world, proxies),
};

function retire(world: World, { id }: ProxySim): void {
  const registration = world.registrations.get(id);
  if (registration) registration.wanted = 'offline';
}

function lateHandOver(world: World): void {
  const stray = world.strays.shift();
  if (stray) handOver(world, stray, 'done');
}

/** The source fails over to a replica that has not heard of a hand-over: a key is back there that has left. Proxies hear of the new master, and forget what
 *  had departed from the old one. Clients must not have deleted the key at the target by then: that deletion is lost, which only durable mode prevents. */
function revive(world: World, proxies: readonly ProxySim[]): void {
  const state = topologyAt(world, currentEpoch(world)).slots[0];
  if (state?.kind !== 'migrating') return;
  const inFlight = proxies.some(({ connections }) => [...connections.values()].some(({ queue }) => queue.length > 0));
  const [source, target] = [groupData(world, state.from).data, groupData(world, state.to).data];
  if (inFlight || !target.has('a') || source.has('a')) return;
  source.set('a', -2);
  for (const { departed } of proxies) departed.clear();
}

/** A proxy does all it has to do. */
function settle(world: World, proxy: ProxySim): void {
  takeUp(world, proxy, 0);
  reconnect(world, proxy);
  deliverAll(world, proxy);
  acknowledge(world, proxy);
}

function reconnect(world: World, proxy: ProxySim): void {
  for (const id of GROUPS) {
    open(proxy, id);
    readMarker(world, proxy, id);
  }
}

/** A proxy does what it can without waiting for any reply. */
function hasten(world: World, proxy: ProxySim): void {
  takeUp(world, proxy, 0);
  acknowledge(world, proxy);
}

/** A proxy starts, perhaps by an old topology. */
function join(world: World, proxy: ProxySim, lag: number): void {
  register(world, proxy);
  takeUp(world, proxy, lag);
  reconnect(world, proxy);
  acknowledge(world, proxy);
}

function settleExcept({ world, proxies }: Simulation, except: number | null): void {
  for (const [index, each] of proxies.entries()) if (index !== except) settle(world, each);
}

function deliverAll(world: World, proxy: ProxySim, fate: Fate = 'done'): void {
  for (let busy = true; busy; ) {
    busy = false;
    for (const id of GROUPS) if (deliver(world, proxy, id, fate)) busy = true;
  }
}

/** Slots move to where they are not, while one proxy sleeps. */
function moveWithout(simulation: Simulation, except: number): void {
  const { world, controller, proxies } = simulation;
  askForMove(world);
  for (let n = 0; n < 12 && world.migration; n++) {
    for (let steps = 0; steps < 6; steps++) control(world, controller, proxies, 'done');
    settleExcept(simulation, except);
  }
}

/** The same, but only until keys may be handed over, and the one does as it is told. */
function beginMove(simulation: Simulation, except: number, itself: () => void): void {
  const { world, controller, proxies } = simulation;
  askForMove(world);
  for (let n = 0; n < 12 && !isInState(world, 'migrating'); n++) {
    control(world, controller, proxies, 'done');
    settleExcept(simulation, except);
    itself();
  }
}

/** The controller has seen every acknowledgement, but before it says so the lock is rolled back, and all but one hear of it. */
function expireMidway(simulation: Simulation, _: ProxySim, except: number): void {
  const { world, controller, proxies } = simulation;
  lockSoon(simulation);
  settleExcept(simulation, null);
  control(world, controller, proxies, 'done');
  expireLocks(world);
  settleExcept(simulation, except);
}

/** A proxy loses its session when slots have just been locked. */
function loseMidway(simulation: Simulation, proxy: ProxySim): void {
  lockSoon(simulation);
  loseSession(simulation.world, proxy);
}

function lockSoon({ world, controller, proxies }: Simulation): void {
  askForMove(world);
  for (let n = 0; n < 8 && !isInState(world, 'locked'); n++) control(world, controller, proxies, 'done');
}

function askForMove(world: World): void {
  const state = topologyAt(world, currentEpoch(world)).slots[0];
  const to = state?.kind === 'online' && state.owner === A ? B : A;
  world.migration ??= newMigration(world, { first: 0, last: 1, to });
}

function isInState(world: World, kind: SlotState['kind']): boolean {
  return topologyAt(world, currentEpoch(world)).slots[0]?.kind === kind;
}

/** The controller dies when it has just sent a hand-over, if it sends one soon. */
function crashInFlight({ world, controller, proxies }: Simulation): void {
  for (let steps = 0; steps < 8 && !controller.task?.inFlight; steps++) control(world, controller, proxies, 'done');
  crash(world, controller);
}

/** Everybody wakes and finishes, then every key is read through every proxy. */
function comeToRest(simulation: Simulation): void {
  const { world, proxies } = simulation;
  for (const each of proxies) {
    deliverAll(world, each);
    each.session = each.phase !== 'off';
  }
  for (let n = 0; n < 3; n++) {
    settleExcept(simulation, null);
    moveOn(simulation);
  }
  EVENTS.touch(simulation);
  for (const each of proxies) {
    settle(world, each);
    for (const name of KEYS) {
      take(world, each, { kind: 'read', key: name });
      deliverAll(world, each);
    }
  }
}

function moveOn({ world, controller, proxies }: Simulation): void {
  for (let steps = 0; steps < 30; steps++) control(world, controller, proxies, 'done');
}
