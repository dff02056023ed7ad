// Workers of one proxy in this process, each on a port of its own, so that a test chooses which one a client is with. What the primary does for them in a
// running proxy is done by the same classes here, with every message made JSON and back.

import { asEpoch, asGroupId, asServerAddr, emptyTopology, encodeTopology, SLOT_COUNT } from '@codis/config/model';
import { parseSettings } from '@codis/config/settings';
import { pino } from 'pino';
import { eventually, freePort } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import type { ToPrimary, ToWorker } from '../../src/ipc.ts';
import { Exchange, type ExchangeMember } from '../../src/primary/exchange.ts';
import { Places } from '../../src/primary/places.ts';
import { Worker } from '../../src/worker/worker.ts';
import { RawClient } from './one-worker.ts';

export interface SeveralWorkers {
  readonly members: readonly Member[];
  /** A new client of worker `at`, closed with the workers. */
  client(at: number): RawClient;
  /** It dies, as far as the others can tell. */
  kill(at: number): void;
  /** A worker in the place of one that died. */
  add(): Promise<Member>;
  close(): void;
}

export interface Member extends ExchangeMember {
  readonly worker: Worker;
  readonly port: number;
  /** While true it gets no messages: it hangs. */
  hangs: boolean;
}

/** All slots are `redis`'s. */
export async function startWorkers(
  count: number,
  redis: RedisServer,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<SeveralWorkers> {
  const members: Member[] = [];
  const up = new Set<Member>();
  const exchange = new Exchange(() => up, 300);
  const places = new Places(count);
  const clients: RawClient[] = [];
  const add = async (): Promise<Member> => {
    const port = await freePort();
    const lines = Object.entries({ product_name: 'demo', proxy_id: 'p1', proxy_addr: `127.0.0.1:${port}`, ...settings });
    const parsed = parseSettings({ text: lines.map(([key, value]) => `${key} = ${value}\n`).join('') });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const messages: ToPrimary[] = [];
    const send = (message: ToPrimary) => {
      messages.push(message);
      setImmediate(() => onMessage(member, JSON.parse(JSON.stringify(message)) as ToPrimary));
    };
    const place = places.take(members.length);
    const worker = new Worker({ settings: parsed.settings, version: '0', maxClients: 10_000, log: pino({ level: 'silent' }), send, place });
    const member: Member = { worker, port, hangs: false, post: (message) => setImmediate(() => deliver(member, message)) };
    members.push(member);
    up.add(member);
    worker.applyTable(asEpoch(1), topologyOf(redis));
    worker.listen();
    await eventually(() => messages.some(({ type }) => type === 'listening'), { what: 'the worker to listen' });
    return member;
  };
  const onMessage = (member: Member, message: ToPrimary) => {
    if (!up.has(member)) return;
    if (message.type === 'ask') exchange.ask(member, message);
    if (message.type === 'answer') exchange.answer(member, message);
  };
  const deliver = (member: Member, message: ToWorker) => {
    if (!up.has(member)) return;
    if (member.hangs) setTimeout(() => deliver(member, message), 20);
    else if (message.type === 'asked') member.worker.peers.onAsked(message);
    else if (message.type === 'answers') member.worker.peers.onAnswers(message);
  };
  for (let at = 0; at < count; at++) await add();
  return {
    members,
    client: (at) => {
      const client = new RawClient(members[at]!.port);
      clients.push(client);
      return client;
    },
    kill: (at) => {
      const member = members[at]!;
      up.delete(member);
      places.giveBack(at);
      exchange.forget(member);
      member.worker.close();
    },
    add,
    close: () => {
      exchange.close();
      for (const client of clients) client.close();
      for (const member of up) member.worker.close();
      up.clear();
    },
  };
}

function topologyOf(redis: RedisServer): string {
  const topology = {
    ...emptyTopology(),
    slots: Array.from({ length: SLOT_COUNT }, () => ({ kind: 'online', owner: asGroupId(1) }) as const),
    groups: [{ id: asGroupId(1), servers: [{ addr: asServerAddr(redis.addr), role: 'master' as const }] }],
  };
  return encodeTopology(topology).toString();
}
