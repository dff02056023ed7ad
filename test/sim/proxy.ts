// A proxy of the simulation: a table, connections to servers with requests in flight, requests whose keys are being handed over (transfers.ts), and requests
// that it holds. It does one small thing at a time, and may stop for as long as it likes between any two: that is a slow, frozen or cut-off proxy.

import type { Epoch, ListedKey, ServerAddr, SlotState } from '@codis/config/model';
import { isAfter, masterFor, type ProxySim, send, stateFor } from './proxy-state.ts';
import { beginTransfer, moveOf, onTable, release, runTransfer } from './transfers.ts';
import { currentEpoch, execute, type Fate, type Key, masterAt, type Operation, slotOf, type World } from './world.ts';

/** Registers; it serves only after its first acknowledgement. */
export function register(world: World, proxy: ProxySim): void {
  if (proxy.phase !== 'off') return;
  world.registrations.set(proxy.id, { wanted: 'online', live: null });
  proxy.phase = 'registered';
  proxy.session = true;
}

/** Its session ends: it may be dead, frozen or cut off, and does not know. */
export function loseSession(world: World, proxy: ProxySim): void {
  const registration = world.registrations.get(proxy.id);
  if (registration) registration.live = null;
  proxy.session = false;
}

/** Reads the topology, perhaps an old one, and routes by it. Reads of one proxy never go back. */
export function takeUp(world: World, proxy: ProxySim, lag: number): void {
  if (proxy.phase === 'off') return;
  const epoch = Math.max(0, currentEpoch(world) - lag) as Epoch;
  if (world.rules.epochsOnlyGoUp && proxy.epoch !== null && epoch < proxy.epoch) return;
  proxy.epoch = epoch;
  onTable(world, proxy);
  const held = proxy.held;
  proxy.held = [];
  for (const operation of held) take(world, proxy, operation);
}

/** Tells the coordinator that it routes by its table, unless something is in flight that the table forbids. */
export function acknowledge(world: World, proxy: ProxySim): void {
  const registration = world.registrations.get(proxy.id);
  if (!registration || !proxy.session || proxy.epoch === null) return;
  if (world.rules.ackIsChecked && proxy.epoch !== currentEpoch(world)) return;
  if (!isDrained(world, proxy)) return;
  registration.live = proxy.epoch;
  proxy.phase = 'serving';
}

/** Reads at the source count for their key, everything else for its slot. */
function isDrained(world: World, proxy: ProxySim): boolean {
  const { ackWaitsForDrain, switchWaitsForReads } = world.rules;
  const forbids = (operation: Operation, lane: Key | null): boolean => {
    const state = stateFor(world, proxy, slotOf(operation));
    if (lane === null) return ackWaitsForDrain && state.kind === 'locked';
    return switchWaitsForReads && phaseOf(state, lane) === 'switching';
  };
  if (proxy.waiting.some(({ operation, lane }) => forbids(operation, lane))) return false;
  for (const { queue } of proxy.connections.values()) {
    if (queue.some((request) => request.kind === 'run' && forbids(request.operation, request.lane))) return false;
  }
  return true;
}

/** A client's request arrives. One that can't be sent is answered with an error, which promises nothing. */
export function take(world: World, proxy: ProxySim, operation: Operation): void {
  if (proxy.phase !== 'serving') return;
  const state = stateFor(world, proxy, slotOf(operation));
  if (state.kind === 'online') sendInOrder(world, proxy, { operation, to: masterFor(world, proxy, state.owner) });
  else if (state.kind === 'locked') proxy.held.push(operation);
  else if (state.kind === 'migrating') takeMigrating(world, proxy, state, operation);
}

type Migrating = Extract<SlotState, { kind: 'migrating' }>;

function takeMigrating(world: World, proxy: ProxySim, state: Migrating, operation: Operation): void {
  const from = masterFor(world, proxy, state.from);
  const verdict = verdictOn(world, state, operation);
  if (verdict === 'wait') proxy.held.push(operation);
  else if (verdict === 'read') sendInOrder(world, proxy, { operation, to: from, lane: operation.keys[0] });
  else if (!world.rules.nothingRunsAtSource && masterAt(world, from)?.data.has(operation.keys[0])) {
    sendInOrder(world, proxy, { operation, to: from });
  } else if (!beginTransfer(world, proxy, operation)) sendInOrder(world, proxy, { operation, to: masterFor(world, proxy, state.to) });
}

/** What the big keys that its slot lists mean for a request. */
function verdictOn({ rules }: World, state: Migrating, { kind, keys }: Operation): 'unlisted' | 'read' | 'wait' {
  const phases = keys.map((key) => phaseOf(state, key)).filter((phase) => phase !== null);
  const [phase] = phases;
  if (phase === undefined) return 'unlisted';
  if (phase === 'switching' && rules.everythingWaitsForASwitch) return 'wait';
  if (kind !== 'read') return rules.listedKeysAreNotWritten ? 'wait' : 'unlisted';
  return keys.length > 1 && rules.whatNamesMoreKeysWaits ? 'wait' : 'read';
}

function phaseOf(state: SlotState, key: Key): ListedKey['phase'] | null {
  if (state.kind !== 'migrating') return null;
  return state.bigKeys?.find((listed) => listed.key === key)?.phase ?? null;
}

/** `lane`: the listed key that it reads at the source. */
function sendInOrder(world: World, proxy: ProxySim, what: { operation: Operation; to: ServerAddr; lane?: Key }): void {
  const { operation, to, lane = null } = what;
  if (mustWait(proxy, operation)) {
    const migration = moveOf(world, proxy, operation)?.migration ?? null;
    proxy.waiting.push({ operation, lane, to, epoch: proxy.epoch!, migration, transfer: null, state: 'ready' });
  } else send(proxy, to, { kind: 'run', operation, lane });
}

function mustWait({ waiting }: ProxySim, operation: Operation): boolean {
  return waiting.some((other) => isAfter(operation, other.operation));
}

/** The server runs the oldest request on this connection, and the proxy has its reply. */
export function deliver(world: World, proxy: ProxySim, addr: ServerAddr, fate: Fate): boolean {
  const connection = proxy.connections.get(addr);
  if (connection?.state !== 'usable') return false;
  const request = connection.queue.shift();
  if (!request) return false;
  const master = masterAt(world, addr);
  if (request.kind !== 'run') runTransfer(world, proxy, { request, master, fate });
  else if (master) execute(world, master, request.operation);
  return true;
}

/** Its clients give up, or have waited too long: they get errors. */
export function timeOut(world: World, proxy: ProxySim): void {
  proxy.waiting = proxy.waiting.filter(({ state }) => state === 'under-way' || state === 'copied');
  release(world, proxy);
}
