// What a proxy of the simulation has, and its connections. What it does is in proxy.ts and transfers.ts.

import {
  type Epoch,
  type GroupId,
  type MigrationId,
  type ProxyId,
  requireMaster,
  type ServerAddr,
  type Slot,
  type SlotState,
  slotState,
} from '@codis/config/model';
import { markerOf } from './servers.ts';
import { type Key, type Operation, slotOf, topologyAt, type World } from './world.ts';

export type Request =
  | { readonly kind: 'run'; readonly operation: Operation; readonly lane: Key | null }
  | { readonly kind: 'ask' | 'move' | 'copy' | 'wait' | 'delete' | 'note'; readonly waiting: Waiting; readonly transfer: Transfer };

export interface Transfer {
  readonly keys: readonly Key[];
  readonly from: ServerAddr;
  readonly to: ServerAddr;
  readonly move: string;
  readonly durable: boolean;
  /** Of the table that it follows. */
  readonly epoch: Epoch;
  /** Which process the target is. */
  readonly process: number;
  /** Which process the source is, by what the target says. */
  run: number | null;
  /** Of its hand-over, where these are counted. */
  number: number | null;
}

export interface Waiting {
  readonly operation: Operation;
  /** The listed key that it reads at the source. */
  readonly lane: Key | null;
  /** Where it went by the table of `epoch`, when it came. */
  readonly to: ServerAddr;
  readonly epoch: Epoch;
  transfer: Transfer | null;
  /** What moved its slot then; null when nothing did. */
  readonly migration: MigrationId | null;
  state: 'under-way' | 'copied' | 'failed' | 'ready';
}

interface Connection {
  /** Requests may wait for it to be usable. */
  state: 'named' | 'usable';
  /** What the proxy routed by when it was opened. */
  readonly epoch: Epoch;
  readonly queue: Request[];
}

export interface ProxySim {
  readonly id: ProxyId;
  phase: 'off' | 'registered' | 'serving';
  /** Whether it has a session: without one it can't acknowledge, but goes on serving. */
  session: boolean;
  epoch: Epoch | null;
  readonly connections: Map<ServerAddr, Connection>;
  /** Sent nowhere: their slots are locked, or list a key that they have to wait for. */
  held: Operation[];
  /** Their keys are being handed over, or others of their session come first. */
  waiting: Waiting[];
  readonly departed: Set<string>;
}

export function newProxy(id: ProxyId): ProxySim {
  return { id, phase: 'off', session: false, epoch: null, connections: new Map(), held: [], waiting: [], departed: new Set() };
}

export function send(proxy: ProxySim, to: ServerAddr, request: Request): void {
  open(proxy, to);
  proxy.connections.get(to)?.queue.push(request);
}

/** Opens a connection and gives it its name; it is not used yet. */
export function open(proxy: ProxySim, addr: ServerAddr): void {
  if (proxy.epoch === null || proxy.connections.has(addr)) return;
  proxy.connections.set(addr, { state: 'named', epoch: proxy.epoch, queue: [] });
}

/** Reads the marker over a connection that has its name, and decides whether to use it. */
export function readMarker(world: World, proxy: ProxySim, addr: ServerAddr): void {
  const connection = proxy.connections.get(addr);
  if (connection?.state !== 'named') return;
  const epoch = world.rules.connectionIsOfItsEpoch ? connection.epoch : proxy.epoch!;
  if (epoch >= markerOf(world.byAddr.get(addr)!)) connection.state = 'usable';
  else cutOff(proxy, addr);
}

/** The server cuts its connection: what it had not run is gone, and so are the clients' answers. */
export function cutOff(proxy: ProxySim, addr: ServerAddr): void {
  const connection = proxy.connections.get(addr);
  proxy.connections.delete(addr);
  for (const request of connection?.queue ?? []) if (request.kind !== 'run') request.waiting.state = 'failed';
}

export function isAfter(operation: Operation, other: Operation): boolean {
  return operation.inOrder === true && other.inOrder === true && slotOf(operation) === slotOf(other);
}

export function stateFor(world: World, proxy: ProxySim, slot: Slot): SlotState {
  return slotState(topologyAt(world, proxy.epoch!), slot);
}

export function masterFor(world: World, proxy: ProxySim, group: GroupId): ServerAddr {
  return requireMaster(topologyAt(world, proxy.epoch!), group);
}
