// How a proxy of the simulation has keys handed over before a request runs at the target:
//
//   move ──▶ ready                                     durable: copy ──▶ wait (for the target's replicas) ──▶ delete ──▶ ready
//
// Each step is a request on a connection, and may be delivered late or fail; what failed is begun again by the table of then.

import { type Epoch, requireMaster, type ServerAddr } from '@codis/config/model';
import { isAfter, masterFor, type ProxySim, type Request, send, stateFor, type Waiting } from './proxy-state.ts';
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
  const transfer = { keys, from, to, move, durable, epoch: proxy.epoch!, process: world.byAddr.get(to)!.process };
  waiting.transfer = transfer;
  waiting.state = 'under-way';
  sendStep(world, proxy, from, { kind: durable ? 'copy' : 'move', waiting, transfer });
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

function stepWorked(world: World, { kind, transfer }: Step, master: Group, fate: Fate): boolean {
  const { keys, to, process, durable } = transfer;
  if (kind === 'move' || kind === 'copy') return handOver(world, master, { keys, to, copy: kind === 'copy', durable }, fate);
  if (fate === 'nothing') return false;
  if (kind === 'delete') remove(world, master, keys);
  else if (world.rules.proxiesWaitForReplicas) replicateAll(master);
  return fate === 'done' && (kind === 'delete' || master.process === process || !world.rules.replicasAreAskedByWhoHasIt);
}

function goOn(world: World, proxy: ProxySim, { kind, waiting, transfer }: Step): void {
  if (kind === 'move' || kind === 'delete') waiting.state = 'ready';
  else if (kind === 'copy') waiting.state = 'copied';
  else {
    sendStep(world, proxy, transfer.from, { kind: 'delete', waiting, transfer });
    if (!world.rules.nothingRunsBeforeItHasLeft) waiting.state = 'ready';
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
