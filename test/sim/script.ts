// What can happen, as data: fast-check draws scripts of it, runs them, and shrinks those that break a promise. Macros are in macros.ts.

import fc from 'fast-check';
import { control, crash, expireLocks, lateArrival, plantOrphan, watch } from './controller.ts';
import { failOverGroup } from './failures.ts';
import * as macros from './macros.ts';
import { acknowledge, deliver, loseSession, register, take, takeUp, timeOut } from './proxy.ts';
import { masterFor, newProxy, open, type ProxySim, readMarker } from './proxy-state.ts';
import type { Rules } from './rules.ts';
import { replicate } from './servers.ts';
import { newController, type Simulation } from './task.ts';
import { goOnWaiting } from './transfers.ts';
import {
  compareAndSet,
  currentEpoch,
  currentTopology,
  type Fate,
  GROUPS,
  groupOf,
  KEYS,
  newMigration,
  newWorld,
  type Operation,
  type Plan,
  PROXY_IDS,
  type World,
} from './world.ts';

/** What one proxy does. */
type ProxyStep = 'register' | 'lose' | 'return' | 'retire' | 'ack' | 'settle' | 'go-on-waiting' | 'time-out' | 'reconnect';
/** What many do; with a proxy that is the exception. */
type Macro =
  | 'settle-except'
  | 'expire-midway'
  | 'begin-move-without'
  | 'begin-move-hastily'
  | 'move-without'
  | 'begin-switch-without'
  | 'switch-hastily'
  | 'switch-without'
  | 'switch-losing'
  | 'crash-at-home';
/** What happens without anybody's asking. */
type Event = 'crash' | 'crash-in-flight' | 'arrive-late' | 'cancel' | 'expire' | 'touch' | 'late-arrival';

export type Step =
  | { readonly do: ProxyStep | Macro; readonly proxy: number }
  | { readonly do: Event }
  | { readonly do: 'take-up' | 'join'; readonly proxy: number; readonly lag: number }
  | { readonly do: 'open' | 'read-marker'; readonly proxy: number; readonly group: 0 | 1 }
  | { readonly do: 'deliver'; readonly proxy: number; readonly group: 0 | 1; readonly fate: Fate }
  | { readonly do: 'take'; readonly proxy: number; readonly operation: Operation }
  | ({ readonly do: 'call-partly'; readonly proxy: number } & macros.PartOfCall)
  | { readonly do: 'lock-losing'; readonly proxy: number; readonly past: macros.Past }
  | ({ readonly do: 'sleep-through'; readonly proxy: number } & Omit<macros.Sleep, 'index'>)
  | ({ readonly do: 'fail-over-midway' } & macros.FailOverMidway)
  | ({ readonly do: 'go-back' } & macros.GoBack)
  | { readonly do: 'call'; readonly proxy: number; readonly operation: Operation; readonly fate: Fate }
  | ({ readonly do: 'plan' } & Plan)
  | { readonly do: 'migrate'; readonly last: 0 | 1; readonly to: 0 | 1 }
  | { readonly do: 'control' | 'watch'; readonly times: number; readonly fate: Fate }
  | { readonly do: 'replicate'; readonly group: 0 | 1; readonly replica: 0 | 1; readonly lag: number }
  | { readonly do: 'fail-over'; readonly group: 0 | 1; readonly replica: 0 | 1; readonly inPlace: boolean }
  | { readonly do: 'plant'; readonly key: (typeof KEYS)[number] };

const proxy = fc.nat({ max: PROXY_IDS.length - 1 });
const group = fc.constantFrom<0 | 1>(0, 1);
const replica = group;
const key = fc.constantFrom(...KEYS);
const fate = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Fate>('done') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('nothing', 'partly') },
);
const keys = fc.constantFrom<Operation['keys']>(['a'], ['a'], ['b'], ['c'], ['a', 'b'], ['b', 'a']);
const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom<Operation['kind']>('write', 'write', 'read', 'delete'),
  keys,
  inOrder: fc.constantFrom(false, false, true),
});
const call: fc.Arbitrary<macros.PartOfCall> = fc.record({ operation, replies: fc.nat({ max: 7 }), first: group });
const calls = fc.array(call, { maxLength: 2 });
const callsAt = fc.array(
  fc.tuple(fc.constantFrom(0, 1), call).map(([at, part]) => ({ proxy: at, ...part })),
  { minLength: 1, maxLength: 3 },
);
const past = fc.constantFrom<macros.Past>('none', 'retired', 'fenced', 'new', 'late');
const inPlace = fc.boolean();
/** A bit more often when one big key has arrived, and the next is copied: of which the replica has the former's copy only. */
const failOverSteps = fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 22, max: 29 }));
const lag = fc.oneof(fc.nat({ max: 10 }), fc.constant(9));
const just = <T extends Step['do']>(name: T) => fc.constant(name);

const plan: fc.Arbitrary<Step> = fc.record({
  do: just('plan'),
  durable: fc.boolean(),
  big: fc.constantFrom<Plan['big']>([], [], ['a'], ['a', 'b'], ['a', 'b'], ['a', 'c']),
  whole: fc.constantFrom(false, false, true),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('settle', 'settle-except', 'reconnect', 'ack', 'go-on-waiting', 'time-out'), proxy }),
  },
  {
    weight: 7,
    arbitrary: fc.record({ do: fc.constantFrom('begin-move-without', 'begin-move-hastily', 'move-without', 'move-without'), proxy }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('begin-switch-without', 'switch-hastily', 'switch-without', 'switch-losing', 'switch-losing', 'crash-at-home'),
      proxy,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: just('expire-midway'), proxy }) },
  { weight: 3, arbitrary: fc.record({ do: just('lock-losing'), proxy, past }) },
  { weight: 3, arbitrary: fc.record({ do: just('sleep-through'), proxy, moves: fc.nat({ max: 1 }), calls }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('register', 'lose', 'lose', 'return', 'return', 'retire'), proxy }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('take-up', 'join'), proxy, lag: fc.constantFrom(0, 0, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('open', 'read-marker'), proxy, group }) },
  { weight: 6, arbitrary: fc.record({ do: just('deliver'), proxy, group, fate }) },
  { weight: 6, arbitrary: fc.record({ do: just('take'), proxy, operation }) },
  { weight: 12, arbitrary: fc.record({ do: just('call'), proxy, operation, fate }) },
  {
    weight: 5,
    arbitrary: fc.tuple(proxy, call).map(([at, part]) => ({ do: 'call-partly' as const, proxy: at, ...part })),
  },
  { weight: 2, arbitrary: fc.record({ do: just('migrate'), last: group, to: group }) },
  { weight: 1, arbitrary: plan },
  { weight: 2, arbitrary: fc.record({ do: just('watch'), times: fc.integer({ min: 1, max: 8 }), fate }) },
  { weight: 8, arbitrary: fc.record({ do: just('control'), times: fc.integer({ min: 1, max: 8 }), fate }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('crash', 'crash-in-flight', 'arrive-late', 'arrive-late', 'cancel', 'expire', 'touch', 'late-arrival'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: just('plant'), key }) },
  { weight: 1, arbitrary: fc.record({ do: just('replicate'), group, replica, lag: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: just('fail-over'), group, replica, inPlace }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: just('fail-over-midway'), replica, inPlace, steps: failOverSteps, lag, calls }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: just('go-back'),
      proxy: fc.constantFrom(0, 1),
      last: group,
      steps: fc.option(fc.nat({ max: 30 })),
      lag: fc.nat({ max: 16 }),
      replica,
      inPlace,
      looks: fc.oneof(fc.nat({ max: 8 }), fc.constant(8)),
      next: fc.nat({ max: 8 }),
      before: callsAt,
      after: callsAt,
    }),
  },
);

const steps = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' });
export const scripts: fc.Arbitrary<Step[]> = fc.tuple(plan, steps).map(([first, rest]) => [first, ...rest]);

/** Two proxies serve; the third one has yet to come. */
export function newSimulation(rules: Rules): Simulation {
  const world = newWorld(rules);
  const simulation = { world, proxies: PROXY_IDS.map((id) => newProxy(id)), controller: newController() };
  for (const index of [0, 1]) apply(simulation, { do: 'register', proxy: index });
  macros.settleExcept(simulation, null);
  return simulation;
}

/** Runs a script and then lets everything come to rest. Throws Violation for a broken promise. */
export function run(rules: Rules, script: readonly Step[]): void {
  const simulation = newSimulation(rules);
  for (const each of script) apply(simulation, each);
  macros.comeToRest(simulation);
}

export function apply(simulation: Simulation, step: Step): void {
  const { world, proxies, controller } = simulation;
  switch (step.do) {
    case 'take-up':
      takeUp(world, proxies[step.proxy]!, step.lag);
      break;
    case 'open':
    case 'read-marker':
    case 'deliver':
      connected(world, proxies[step.proxy]!, step);
      break;
    case 'take':
      take(world, proxies[step.proxy]!, step.operation);
      break;
    case 'call':
      take(world, proxies[step.proxy]!, step.operation);
      macros.deliverAll(world, proxies[step.proxy]!, step.fate);
      break;
    case 'call-partly':
      macros.callPartly(world, proxies[step.proxy]!, step);
      break;
    case 'lock-losing':
      macros.lockLosing(simulation, proxies[step.proxy]!, { index: step.proxy, past: step.past });
      break;
    case 'sleep-through':
      macros.sleepThrough(simulation, proxies[step.proxy]!, { ...step, index: step.proxy });
      break;
    case 'join':
      macros.join(world, proxies[step.proxy]!, step.lag);
      break;
    case 'plan':
      world.plan = step;
      break;
    case 'migrate':
      world.migration ??= newMigration(world, { first: 0, last: step.last, to: GROUPS[step.to] });
      break;
    case 'control':
      for (let n = 0; n < step.times; n++) control(world, controller, proxies, step.fate);
      break;
    case 'watch':
      for (let n = 0; n < step.times; n++) watch(world, controller, proxies, step.fate);
      break;
    case 'replicate':
      replicate(groupOf(world, GROUPS[step.group]), step.replica, step.lag);
      break;
    case 'fail-over':
      failOverGroup(simulation, { ...step, group: GROUPS[step.group] });
      break;
    case 'fail-over-midway':
      macros.failOverMidway(simulation, step);
      break;
    case 'go-back':
      macros.goBack(simulation, step);
      break;
    case 'plant':
      plantOrphan(world, proxies, step.key);
      break;
    default:
      if ('proxy' in step) PROXY_STEPS[step.do](simulation, proxies[step.proxy]!, step.proxy);
      else EVENTS[step.do](simulation);
  }
}

type Connected = Extract<Step, { readonly group: 0 | 1; readonly proxy: number }>;

function connected(world: World, proxy: ProxySim, step: Connected): void {
  if (proxy.epoch === null) return;
  const addr = masterFor(world, proxy, GROUPS[step.group]);
  if (step.do === 'open') open(proxy, addr);
  else if (step.do === 'read-marker') readMarker(world, proxy, addr);
  else if ('fate' in step) deliver(world, proxy, addr, step.fate);
}

const PROXY_STEPS: Record<ProxyStep | Macro, (simulation: Simulation, proxy: ProxySim, index: number) => void> = {
  register: ({ world }, proxy) => register(world, proxy),
  lose: ({ world }, proxy) => loseSession(world, proxy),
  return: (_, proxy) => {
    proxy.session = proxy.phase !== 'off';
  },
  retire: ({ world }, proxy) => macros.retire(world, proxy),
  ack: ({ world }, proxy) => acknowledge(world, proxy),
  settle: ({ world }, proxy) => macros.settle(world, proxy),
  'go-on-waiting': ({ world }, proxy) => {
    goOnWaiting(world, proxy);
  },
  'time-out': ({ world }, proxy) => timeOut(world, proxy),
  reconnect: ({ world }, proxy) => macros.reconnect(world, proxy),
  'settle-except': (simulation, _, index) => macros.settleExcept(simulation, index),
  'expire-midway': (simulation, _, index) => macros.expireMidway(simulation, index),
  'begin-move-without': (simulation, _, index) => macros.beginMove(simulation, index, () => undefined),
  'begin-move-hastily': (simulation, proxy, index) => macros.beginMoveHastily(simulation, proxy, index),
  'move-without': (simulation, _, index) => macros.moveWithout(simulation, index),
  'begin-switch-without': (simulation, _, index) => macros.beginSwitch(simulation, index),
  'switch-hastily': (simulation, proxy, index) => macros.switchHastily(simulation, proxy, index),
  'switch-without': (simulation, proxy, index) => macros.switchWithout(simulation, proxy, { index, midway: false }),
  'crash-at-home': (simulation, proxy, index) => macros.crashAtHome(simulation, proxy, index),
  'switch-losing': (simulation, proxy, index) => macros.switchWithout(simulation, proxy, { index, midway: true }),
};

const EVENTS: Record<Event, (simulation: Simulation) => void> = {
  crash: ({ world, controller }) => crash(world, controller),
  'crash-in-flight': (simulation) => macros.crashInFlight(simulation),
  'arrive-late': (simulation) => macros.arriveLate(simulation),
  cancel: ({ world }) => {
    if (world.migration) world.migration = { ...world.migration, state: 'cancelled' };
  },
  expire: ({ world }) => expireLocks(world),
  touch: ({ world }) => {
    compareAndSet(world, currentEpoch(world), currentTopology(world));
  },
  'late-arrival': ({ world }) => lateArrival(world),
};
