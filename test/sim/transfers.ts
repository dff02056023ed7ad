// How a proxy of the simulation has keys handed over before a request runs at the target:
//
//   ask ──▶ move ──▶ note ──▶ ready                    durable: ask ──▶ copy ──▶ wait (for the target's replicas) ──▶ delete ──▶ note ──▶ ready
//
// The target is asked which process the source is, and told what has left it. Each step is a request on a connection, and may be delivered late or fail; what failed is begun again by the table of then.

import { type Epoch, requireMaster, type ServerAddr } from '@codis/config/model';
import { count, hasArrived, namedAt, note } from './departures.ts';
import { isAfter, masterFor, type ProxySim, type Request, send, stateFor, type Transfer, type Waiting } from './proxy-state.ts';
import { type Group, replicateAll } from './servers.ts';
import { type Fate, handOver, type Key, type Operation, remove, slotOf, topologyAt, type World } from './world.ts';

/** False when all its keys have left. */
export function beginTransfer(world: World, proxy: ProxySim, operation: Operation): boolean {
  const now = moveOf(world, proxy, operation);
  if (now === null || missingKeys(world, proxy, operation, now.move).length === 0) return false;
  const waiting: Waiting = {
    operation,
    lane: null,
    to: now.to,
    epoch: proxy.epoch!,
    migration: now.migration,
    transfer: null,
    state: 'failed',
  };
  proxy.waiting.push(waiting);
  begin(world, proxy, waiting);
  return true;
}

/** The move of its slot; null when there is none. What is known of one that had other servers is not known of it. */
export function moveOf(world: World, proxy: ProxySim, operation: Operation) {
  const state = stateFor(world, proxy, slotOf(operation));
  if (state.kind !== 'migrating') return null;
  const [from, to] = [masterFor(world, proxy, state.from), masterFor(world, proxy, state.to)];
  const { migration, durable = false } = state;
  return { from, to, durable, migration, move: `${migration} ${from} ${to}` };
}

function missingKeys({ rules }: World, { departed }: ProxySim, { keys }: Operation, move: string): Key[] {
  return keys.filter((key) => !departed.has(departure(rules.departedForOneMove, key, move)));
}

const departure = (forOneMove: boolean, key: Key, move: string): string => (forOneMove ? `${key} ${move}` : key);

/** By the table of now. */
function begin(world: World, proxy: ProxySim, waiting: Waiting): void {
  const now = moveOf(world, proxy, waiting.operation);
  if (now === null) {
    waiting.state = 'ready';
    return;
  }
  const { from, to, move, durable } = now;
  const keys = missingKeys(world, proxy, waiting.operation, move);
  const transfer = { keys, from, to, move, durable, epoch: proxy.epoch!, process: world.byAddr.get(to)!.process, run: null, number: null };
  waiting.transfer = transfer;
  waiting.state = 'under-way';
  sendStep(world, proxy, to, { kind: 'ask', waiting, transfer });
}

type Step = Exclude<Request, { kind: 'run' }>;

/** A connection that was opened since may have been let in by a newer table than the one that the step follows. */
function sendStep(world: World, proxy: ProxySim, addr: ServerAddr, step: Step): void {
  if (outlivesItsFence(world, proxy, addr, step.transfer.epoch)) step.waiting.state = 'failed';
  else send(proxy, addr, step);
}

function outlivesItsFence({ rules }: World, { connections, epoch }: ProxySim, addr: ServerAddr, routedAt: Epoch): boolean {
  const openedAt = connections.get(addr)?.epoch ?? epoch!;
  return rules.nothingOutlivesAFence && openedAt > routedAt;
}

/** A server (`master`, null for a replica) answers one step. */
export function runTransfer(world: World, proxy: ProxySim, run: { request: Step; master: Group | null; fate: Fate }): void {
  const { request, master, fate } = run;
  const { waiting, transfer } = request;
  const worked = master !== null && stepWorked(world, request, master, fate);
  if (!worked && (request.kind !== 'move' || world.rules.departedOnceHandedOver)) {
    waiting.state = 'failed';
    return;
  }
  goOn(world, proxy, request);
  if (waiting.state === 'ready' && moveOf(world, proxy, waiting.operation)?.move === transfer.move) {
    for (const key of transfer.keys) proxy.departed.add(departure(world.rules.departedForOneMove, key, transfer.move));
  }
  release(world, proxy);
}

function stepWorked(world: World, { kind, waiting, transfer }: Step, master: Group, fate: Fate): boolean {
  const { rules } = world;
  const { keys, process } = transfer;
  if (kind === 'move' || kind === 'copy') return handedOver(world, { kind, transfer }, master, fate);
  if (fate === 'nothing') return false;
  switch (kind) {
    case 'ask':
      return isTold(world, { waiting, transfer }, master);
    case 'note':
      return note(world, master, { keys, run: transfer.run!, number: transfer.number! });
    case 'wait':
      if (rules.proxiesWaitForReplicas) replicateAll(master);
      return fate === 'done' && (master.process === process || !rules.replicasAreAskedByWhoHasIt);
    case 'delete':
      if (isAnother(world, transfer, master)) return false;
      remove(world, master, keys);
      transfer.number = count(world, master);
      return fate === 'done';
  }
}

function handedOver(world: World, { kind, transfer }: Pick<Step, 'kind' | 'transfer'>, master: Group, fate: Fate): boolean {
  const { keys, to, durable } = transfer;
  const copy = kind === 'copy';
  if (isAnother(world, transfer, master)) return false;
  if (!handOver(world, master, { keys, to, copy, durable }, fate)) return false;
  if (!copy) transfer.number = count(world, master);
  return true;
}

/** Another process answers than the one that keys are taken from. */
function isAnother({ rules }: World, { run }: Transfer, { process }: Group): boolean {
  return rules.takenFromTheNamed && (run === null ? rules.unnamedIsNotUsed : run !== process);
}

/** What the target says of the source. */
function isTold(world: World, { waiting, transfer }: Pick<Step, 'waiting' | 'transfer'>, target: Group): boolean {
  const { rules } = world;
  const named = namedAt(world, target);
  const slot = slotOf(waiting.operation);
  if (rules.arrivedIsKnown && hasArrived(named, { slot, epoch: transfer.epoch })) waiting.state = 'ready';
  transfer.run = named?.run ?? null;
  return waiting.state === 'ready' || transfer.run !== null || (named === null && !rules.unnamedIsNotUsed);
}

function goOn(world: World, proxy: ProxySim, { kind, waiting, transfer }: Step): void {
  const { durable, run, number, from, to } = transfer;
  const send = (addr: ServerAddr, next: Step['kind']) => sendStep(world, proxy, addr, { kind: next, waiting, transfer });
  switch (kind) {
    case 'ask':
      if (waiting.state !== 'ready') send(from, durable ? 'copy' : 'move');
      return;
    case 'copy':
      waiting.state = 'copied';
      return;
    case 'wait':
      send(from, 'delete');
      if (!world.rules.nothingRunsBeforeItHasLeft) waiting.state = 'ready';
      return;
    case 'move':
    case 'delete':
      if (world.rules.whatLeftIsNoted && run !== null && number !== null) send(to, 'note');
      else waiting.state = 'ready';
      return;
    case 'note':
      waiting.state = 'ready';
  }
}

/** A newer table is there: what waits for another move is refused, and what failed is tried again at once, unless between the same servers. */
export function onTable(world: World, proxy: ProxySim): void {
  proxy.waiting = proxy.waiting.filter(({ operation, migration }) => {
    const now = moveOf(world, proxy, operation);
    return now === null || now.migration === migration || !world.rules.waitsWithinOneMove;
  });
  for (const waiting of proxy.waiting) {
    if (waiting.state !== 'failed' || moveOf(world, proxy, waiting.operation)?.move === waiting.transfer?.move) continue;
    begin(world, proxy, waiting);
  }
  release(world, proxy);
}

/** Some time has passed: what failed is tried again, and the replicas are asked about what was copied. */
export function goOnWaiting(world: World, proxy: ProxySim): boolean {
  const stuck = proxy.waiting.filter(({ state }) => state === 'failed' || state === 'copied');
  for (const waiting of stuck) {
    const { state, transfer } = waiting;
    if (state === 'failed' || transfer === null) begin(world, proxy, waiting);
    else {
      waiting.state = 'under-way';
      sendStep(world, proxy, transfer.to, { kind: 'wait', waiting, transfer });
    }
  }
  return release(world, proxy) || stuck.length > 0;
}

/** Sends what is ready, unless an earlier request of its session is still here. */
export function release(world: World, proxy: ProxySim): boolean {
  const stay: Waiting[] = [];
  const ready: Waiting[] = [];
  for (const waiting of proxy.waiting) {
    const isReady = waiting.state === 'ready' && !stay.some(({ operation }) => isAfter(waiting.operation, operation));
    (isReady ? ready : stay).push(waiting);
  }
  proxy.waiting = stay;
  for (const waiting of ready) sendArrived(world, proxy, waiting);
  return ready.length > 0;
}

/** Where the table of now has its slot; while that is locked, and for a read at the source, where it was to go when it came. That is refused when it may be out of date. */
function sendArrived(world: World, proxy: ProxySim, waiting: Waiting): void {
  const { operation, lane, to, epoch } = waiting;
  const home = lane === null ? homeOf(world, proxy, operation) : null;
  if (home === null && outlivesItsFence(world, proxy, to, epoch)) return;
  send(proxy, home ?? to, { kind: 'run', operation, lane });
}

function homeOf(world: World, proxy: ProxySim, operation: Operation): ServerAddr | null {
  const state = stateFor(world, proxy, slotOf(operation));
  if (state.kind !== 'online' && state.kind !== 'migrating') return null;
  return requireMaster(topologyAt(world, proxy.epoch!), state.kind === 'online' ? state.owner : state.to);
}
