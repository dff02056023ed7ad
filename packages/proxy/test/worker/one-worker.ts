// A worker in this process, with real servers behind it: what a primary would tell it, a test tells it.

import { connect, type Socket } from 'node:net';
import {
  asEpoch,
  asGroupId,
  asServerAddr,
  departureKeys,
  emptyTopology,
  encodeTopology,
  SLOT_COUNT,
  type SlotState,
  type Topology,
} from '@codis/config/model';
import { parseSettings } from '@codis/config/settings';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { eventually, freePort } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import type { LiveProxy, ToPrimary, WorkerReport } from '../../src/ipc.ts';
import { ReplyScanner } from '../../src/resp/reply-scanner.ts';
import { Worker } from '../../src/worker/worker.ts';
import { MemoryRegistry } from './scripts/registry-stub.ts';

/** The master of a group (or its only replica), and its replicas. */
type Member = Pick<RedisServer, 'addr'> & { readonly role?: 'replica'; readonly replicas?: readonly Replica[] };
/** `replicaReads`: false when it answers no client. */
type Replica = Pick<RedisServer, 'addr'> & { readonly replicaReads?: false };

export interface OneWorker {
  readonly port: number;
  /** What it told its primary. */
  readonly messages: readonly ToPrimary[];
  /** Routes by the next epoch: each server is the master of a group, from 1; `slots` overrides states. Returns the epoch. */
  route(servers: readonly Member[], slots?: (slot: number) => SlotState): number;
  /** Routes by a given epoch; returns the one it holds then. */
  routeAt(epoch: number, servers: readonly Member[], slots: (slot: number) => SlotState): number;
  /** Tells it which proxies serve clients. */
  setProxies(proxies: readonly LiveProxy[]): void;
  report(): WorkerReport;
  client(): Redis;
  /** Stops serving, as on SIGTERM. */
  drain(): void;
  close(): void;
}

/** Slots dealt out to the groups in turn. */
export function dealtOut(groups: number): (slot: number) => SlotState {
  return (slot) => ({ kind: 'online', owner: asGroupId(1 + (slot % groups)) });
}

export async function startWorker(
  settings: Readonly<Record<string, string | number>> = {},
  maxClients = 100,
  registry = new MemoryRegistry(),
): Promise<OneWorker> {
  const port = await freePort();
  // Nothing listens at admin_addr here; its default may be the port that was free.
  const addrs = { proxy_addr: `127.0.0.1:${port}`, admin_addr: '127.0.0.1:1' };
  const lines = Object.entries({ product_name: 'demo', proxy_id: 'p1', ...addrs, ...settings });
  const parsed = parseSettings({ text: lines.map(([key, value]) => `${key} = ${value}\n`).join('') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const messages: ToPrimary[] = [];
  const send = (message: ToPrimary) => {
    messages.push(message);
    registry.onMessage(message, (answer) => worker.registry.onAnswer(answer));
  };
  const worker: Worker = new Worker({ settings: parsed.settings, version: '0', maxClients, log: pino({ level: 'silent' }), send });
  worker.listen();
  await eventually(() => messages.some(({ type }) => type === 'listening'), { what: 'the worker to listen' });
  const clients: Redis[] = [];
  let epoch = 0;
  return {
    port,
    messages,
    route: (servers, slots = dealtOut(servers.length)) => {
      worker.applyTable(asEpoch(++epoch), encodeTopology(topologyOf(servers, slots)).toString());
      return epoch;
    },
    routeAt: (at, servers, slots) => {
      worker.applyTable(asEpoch(at), encodeTopology(topologyOf(servers, slots)).toString());
      return worker.report().epoch;
    },
    setProxies: (proxies) => worker.setProxies(proxies),
    report: () => worker.report(),
    client: () => {
      const client = new Redis({
        host: '127.0.0.1',
        port,
        protocol: 2,
        maxRetriesPerRequest: 0,
        disableClientInfo: true,
        retryStrategy: null,
      });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    drain: () => worker.drain({ timeoutMs: 10_000, graceMs: 0 }),
    close: () => {
      for (const client of clients) client.disconnect();
      worker.close();
    },
  };
}

/** As a controller does before slots migrate: the target, which is the master of group 2, knows which process the source is, that of group 1. Or the other way. */
export async function nameSource(from: RedisServer, to: RedisServer, way = { from: asGroupId(1), to: asGroupId(2) }): Promise<void> {
  const run = /run_id:(\S+)/.exec(await from.client().info('server'))?.[1] as string;
  await to.client().hset(departureKeys('demo', way).source, { run });
}

function topologyOf(servers: readonly Member[], slots: (slot: number) => SlotState): Topology {
  return {
    ...emptyTopology(),
    slots: Array.from({ length: SLOT_COUNT }, (_, slot) => slots(slot)),
    groups: servers.map(({ addr, role, replicas = [] }, at) => ({
      id: asGroupId(at + 1),
      servers: [
        { addr: asServerAddr(addr), role: role ?? ('master' as const) },
        ...replicas.map(({ addr: one, replicaReads }) => ({
          addr: asServerAddr(one),
          role: 'replica' as const,
          ...(replicaReads === false ? { replicaReads } : {}),
        })),
      ],
    })),
  };
}

/** A raw connection: bytes out, whole replies in. */
export class RawClient {
  readonly socket: Socket;
  readonly replies: string[] = [];
  closed = false;
  #rest: Buffer = Buffer.alloc(0);
  #waiting = 0;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Sends `bytes` and waits for `count` further replies. */
  async ask(bytes: string | Buffer, count = 1): Promise<string[]> {
    const from = this.#waiting;
    this.#waiting += count;
    this.socket.write(bytes);
    await eventually(() => this.replies.length >= from + count || this.closed, {
      what: `${count} replies to ${bytes.toString('latin1', 0, 80)}`,
    });
    return this.replies.slice(from, from + count);
  }

  close(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = new ReplyScanner().scan(this.#rest, 0, this.#rest.length);
      if (end < 0) return;
      this.replies.push(this.#rest.toString('latin1', 0, end));
      this.#rest = this.#rest.subarray(end);
    }
  }
}
