// A proxy of the simulation: a table, connections to both groups with requests in flight, and requests that it holds. It does one small thing at a time,
// and may stop for as long as it likes between any two: that is a slow, frozen or cut-off proxy.

import { type Epoch, type GroupId, type MigrationId, type ProxyId, type SlotState, slotState } from '@codis/config/model';
import {
  currentEpoch,
  execute,
  type Fate,
  groupData,
  handOver,
  type Key,
  type Operation,
  slotOfKey,
  topologyAt,
  type World,
} from './world.ts';

type Request =
  | { readonly kind: 'run'; readonly operation: Operation }
  | { readonly kind: 'hand-over'; readonly operation: Operation; readonly to: GroupId; readonly move: MigrationId };

interface Connection {
  state: 'none' | 'named' | 'usable';
  queue: Request[];
}

export interface ProxySim {
  readonly id: ProxyId;
  phase: 'off' | 'registered' | 'serving';
  /** Whether it has a session: without one it can't acknowledge, but goes on serving. */
  session: boolean;
  epoch: Epoch | null;
  readonly connections: Map<GroupId, Connection>;
  held: Operation[];
  readonly departed: Set<string>;
}

export function newProxy(world: World, id: ProxyId): ProxySim {
  const connections = new Map([...world.groups.keys()].map((group): [GroupId, Connection] => [group, { state: 'none', queue: [] }]));
  return { id, phase: 'off', session: false, epoch: null, connections, held: [], departed: new Set() };
}

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
  const held = proxy.held;
  proxy.held = [];
  for (const operation of held) take(world, proxy, operation);
}

/** Tells the coordinator that it routes by its table, unless something is in flight that the table forbids. */
export function acknowledge(world: World, proxy: ProxySim): void {
  const registration = world.registrations.get(proxy.id);
  if (!registration || !proxy.session || proxy.epoch === null) return;
  if (world.rules.ackIsChecked && proxy.epoch !== currentEpoch(world)) return;
  if (world.rules.ackWaitsForDrain && !isDrained(world, proxy)) return;
  registration.live = proxy.epoch;
  proxy.phase = 'serving';
}

function isDrained(world: World, proxy: ProxySim): boolean {
  for (const { queue } of proxy.connections.values()) {
    if (queue.some(({ operation }) => stateFor(world, proxy, operation.key).kind === 'locked')) return false;
  }
  return true;
}

/** A client's request arrives. One that can't be sent is answered with an error, which promises nothing. */
export function take(world: World, proxy: ProxySim, operation: Operation): void {
  if (proxy.phase !== 'serving') return;
  const state = stateFor(world, proxy, operation.key);
  if (state.kind === 'online') send(proxy, state.owner, { kind: 'run', operation });
  else if (state.kind === 'locked') proxy.held.push(operation);
  else if (state.kind === 'migrating') takeMigrating(world, proxy, state, operation);
}

type Migrating = Extract<SlotState, { kind: 'migrating' }>;

function takeMigrating({ rules, ...world }: World, proxy: ProxySim, { from, to, migration }: Migrating, operation: Operation): void {
  const atSource = world.groups.get(from)?.data.has(operation.key);
  if (!rules.nothingRunsAtSource && atSource) send(proxy, from, { kind: 'run', operation });
  else if (proxy.departed.has(departure(rules.departedForOneMove, operation.key, migration))) send(proxy, to, { kind: 'run', operation });
  else send(proxy, from, { kind: 'hand-over', operation, to, move: migration });
}

const departure = (forOneMove: boolean, key: Key, move: MigrationId): string => (forOneMove ? `${key} ${move}` : key);

function send(proxy: ProxySim, group: GroupId, request: Request): void {
  const connection = proxy.connections.get(group)!;
  if (connection.state === 'usable') connection.queue.push(request);
}

/** The server runs the oldest request on this connection, and the proxy has its reply. */
export function deliver(world: World, proxy: ProxySim, group: GroupId, fate: Fate): boolean {
  const request = proxy.connections.get(group)?.queue.shift();
  if (!request) return false;
  if (request.kind === 'run') {
    execute(world, group, request.operation);
    return true;
  }
  const { operation, to, move } = request;
  const worked = handOver(world, { key: operation.key, from: group, to }, fate);
  if (!worked && world.rules.departedOnceHandedOver) return true;
  proxy.departed.add(departure(world.rules.departedForOneMove, operation.key, move));
  send(proxy, to, { kind: 'run', operation });
  return true;
}

/** Opens a connection and gives it its name; it is not used yet. */
export function open(proxy: ProxySim, group: GroupId): void {
  const connection = proxy.connections.get(group)!;
  if (connection.state === 'none') connection.state = 'named';
}

/** Reads the marker over a connection that has its name, and decides whether to use it. */
export function readMarker(world: World, proxy: ProxySim, group: GroupId): void {
  const connection = proxy.connections.get(group)!;
  if (connection.state !== 'named') return;
  connection.state = (proxy.epoch ?? -1) >= groupData(world, group).marker ? 'usable' : 'none';
}

/** The server cuts its connection: what it had not run is gone, and so are the clients' answers. */
export function cutOff(proxy: ProxySim, group: GroupId): void {
  proxy.connections.set(group, { state: 'none', queue: [] });
}

function stateFor(world: World, proxy: ProxySim, key: Key): SlotState {
  return slotState(topologyAt(world, proxy.epoch!), slotOfKey(key));
}
