// A small product for migration tests: a real coordinator in a scratch directory, two groups of one real redis-server each, and stand-ins for proxies
// that do what a migration asks of one: register, take up each topology, acknowledge it.

import pino from 'pino';
import { scratchDir } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { openFilesystemCoordinator } from '../../src/coordinator/filesystem/filesystem.ts';
import { type Coordinator, type Op, PATHS, proxyLivePath, proxyPath } from '../../src/coordinator/index.ts';
import { Controller, type ControllerSettings } from '../../src/migration/index.ts';
import {
  addServer,
  asEpoch,
  asGroupId,
  asProxyId,
  asServerAddr,
  asSlot,
  assignSlots,
  emptyTopology,
  encodeProxyLive,
  encodeProxyRegistration,
  encodeTopology,
  type Slot,
  slotOf,
  type Topology,
} from '../../src/model/index.ts';
import { ensureParents } from '../../src/operations/index.ts';

export const PRODUCT = 'demo';
export const [ONE, TWO] = [asGroupId(1), asGroupId(2)];
export const quiet = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

/** Small numbers, so that what takes seconds in production takes moments here. */
export const SETTINGS: ControllerSettings = {
  product_name: PRODUCT,
  product_auth: '',
  migration_batch_slots: 3,
  slot_lock_lease_ms: 400,
  proxy_lost_timeout: 1,
  big_key_bytes: 4_194_304,
  big_key_elements: 50_000,
};

export interface Product {
  connect(): Promise<Coordinator>;
  controller(coordinator: Coordinator, settings?: Partial<ControllerSettings>): Promise<Controller>;
  proxy(id: string): Promise<StandIn>;
  /** Closes everything that was opened. */
  close(): Promise<void>;
}

/** A product whose slots are all in group 1. */
export async function makeProduct(masters: { one: RedisServer; two: RedisServer }): Promise<Product> {
  const dir = scratchDir('coordinator');
  const opened: { close(): Promise<void> }[] = [];
  const connect = async () => {
    const coordinator = openFilesystemCoordinator({ dir, product: PRODUCT, sessionTimeoutMs: 2000 });
    opened.push(coordinator);
    await coordinator.ready(10_000);
    return coordinator;
  };
  const coordinator = await connect();
  await ensureParents({ coordinator });
  await committed(coordinator, { op: 'create', path: PATHS.topology, data: encodeTopology(initialTopology(masters)) });
  return {
    connect,
    controller: async (own, settings = {}) => {
      const controller = new Controller({ coordinator: own, settings: { ...SETTINGS, ...settings }, log: quiet, id: 'test' });
      opened.push(controller);
      await controller.start();
      return controller;
    },
    proxy: async (id) => {
      const proxy = new StandIn(await connect(), id);
      opened.push(proxy);
      await proxy.start();
      return proxy;
    },
    close: async () => {
      for (const each of opened.reverse()) await each.close();
    },
  };
}

function initialTopology({ one, two }: { one: RedisServer; two: RedisServer }): Topology {
  let topology = addServer(emptyTopology(), { group: ONE, addr: asServerAddr(one.addr), role: 'master' });
  topology = addServer(topology, { group: TWO, addr: asServerAddr(two.addr), role: 'master' });
  return assignSlots(topology, { first: asSlot(0), last: asSlot(1023), owner: ONE });
}

export async function committed(coordinator: Coordinator, ...ops: Op[]): Promise<void> {
  const result = await coordinator.commit(ops);
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.refusal)}`);
}

/** What a migration sees of a proxy. */
export class StandIn {
  readonly #coordinator: Coordinator;
  readonly #id;
  #acking = true;
  #unconfirmed: readonly string[] = [];
  #stop = () => {};
  #last = Promise.resolve();

  constructor(coordinator: Coordinator, id: string) {
    this.#coordinator = coordinator;
    this.#id = asProxyId(id);
  }

  async start(): Promise<void> {
    const registration = { id: this.#id, addr: '127.0.0.1:1', adminAddr: '127.0.0.1:2', wanted: 'online' } as const;
    await committed(this.#coordinator, { op: 'create', path: proxyPath(this.#id), data: encodeProxyRegistration(registration) });
    this.#stop = this.#coordinator.watch(PATHS.topology, () => this.#catchUp());
  }

  /** Stops or resumes taking up topologies; its session lives on. */
  setAcking(acking: boolean): void {
    this.#acking = acking;
    if (acking) this.#catchUp();
  }

  /** Says that these masters may still carry out what it gave up. */
  setUnconfirmed(servers: readonly string[]): void {
    this.#unconfirmed = servers;
    this.#catchUp();
  }

  /** As if it was killed: its session ends, its registration stays. */
  async lose(): Promise<void> {
    this.#acking = false;
    await this.#last;
    await this.#coordinator.commit([{ op: 'delete', path: proxyLivePath(this.#id) }]);
  }

  async close(): Promise<void> {
    this.#stop();
    this.#acking = false;
    await this.#last;
  }

  #catchUp(): void {
    this.#last = this.#last.then(() => this.#ack());
  }

  async #ack(): Promise<void> {
    const topology = await this.#coordinator.read(PATHS.topology);
    if (!topology || !this.#acking) return;
    const live = await this.#coordinator.read(proxyLivePath(this.#id));
    const data = encodeProxyLive({
      epoch: asEpoch(topology.version),
      pid: process.pid,
      startedAt: '2026-01-01T00:00:00.000Z',
      unconfirmed: this.#unconfirmed,
    });
    const path = proxyLivePath(this.#id);
    const write: Op = live ? { op: 'set', path, data } : { op: 'create', path, data, ephemeral: true };
    await this.#coordinator.commit([{ op: 'check', path: PATHS.topology, version: topology.version }, write]);
  }
}

/** A key of this slot, another one for each `n`. */
export function keyOf(slot: number, n = 0): string {
  for (let tag = 0; ; tag++) {
    const key = `{${tag}}:${n}`;
    if (slotOf(Buffer.from(key)) === (slot as Slot)) return key;
  }
}

export const startMasters = async () => {
  const [one, two] = await Promise.all([startRedis(), startRedis()]);
  return { one, two };
};
