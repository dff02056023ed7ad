// Goal: subscribers hear what is published, and what servers say of their keys, also while slots move and servers come and go.
// Method: two workers in this process with three real servers; the test is their primary. Subscribers at one worker, publishers at the other.

import { createServer } from 'node:net';
import { asEpoch, asGroupId, asMigrationId, fenceKey, type SlotState } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { encode, RawClient } from '../../../../test/harness/raw-client.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { dealtOut, type OneWorker, startWorker } from './one-worker.ts';

const CONNECT_MS = 200;

let servers: [RedisServer, RedisServer, RedisServer];
let here: OneWorker;
let there: OneWorker;
let clients: RawClient[];

const route = (...args: Parameters<OneWorker['route']>) => {
  for (const worker of [here, there]) worker.route(...args);
};

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
});

beforeEach(async () => {
  clients = [];
  here = await startWorker({ proxy_id: 'p1', backend_connect_timeout_ms: CONNECT_MS });
  there = await startWorker({ proxy_id: 'p2', backend_connect_timeout_ms: CONNECT_MS });
  route(servers);
});

afterEach(() => {
  for (const client of clients) client.close();
  for (const worker of [here, there]) worker.close();
  for (const { child } of servers) child.signal('SIGCONT');
});

afterAll(() => stopAll());

async function open(worker: OneWorker): Promise<RawClient> {
  const client = await RawClient.open(worker.port);
  clients.push(client);
  return client;
}

async function subscribed(...words: string[]): Promise<RawClient> {
  const client = await open(here);
  client.command(...words);
  await client.replies(words.length - 1);
  return client;
}

/** The last bulk string of a message. */
const payload = (reply: Buffer): string => reply.toString().split('\r\n').at(-2) ?? '';
/** How many connections are subscribed to `channel` at a server. */
const subscribers = async (server: RedisServer, channel: string) => Number((await server.client().pubsub('NUMSUB', channel))[1]);
const hears = (server: RedisServer, channel: string) =>
  eventually(async () => (await subscribers(server, channel)) === 1, { what: `a subscription to ${channel} on ${server.addr}` });
/** Waits until a message published at `server` itself comes to `subscriber`, and takes all that came. */
async function comesFrom(server: RedisServer, subscriber: RawClient, text: string): Promise<void> {
  expect(await server.client().publish('c', text)).toBe(1);
  expect(payload(await subscriber.reply())).toBe(text);
}

describe('while slots move', () => {
  const [a, b] = [asGroupId(1), asGroupId(2)];
  const steps: ((slot: number) => SlotState)[] = [
    () => ({ kind: 'online', owner: a }),
    () => ({ kind: 'locked', from: a, to: b, migration: asMigrationId(1), epoch: asEpoch(1), leaseMs: 60_000 }),
    () => ({ kind: 'migrating', from: a, to: b, migration: asMigrationId(1) }),
    () => ({ kind: 'online', owner: b }),
    () => ({ kind: 'locked', from: b, to: a, migration: asMigrationId(2), epoch: asEpoch(1), leaseMs: 60_000 }),
    () => ({ kind: 'migrating', from: b, to: a, migration: asMigrationId(2) }),
  ];

  test('to and fro, nothing is lost and nothing doubled, and no PUBLISH waits', async () => {
    const channels = Array.from({ length: 7 }, (_, at) => `c${at}`);
    const subscriber = await subscribed('SUBSCRIBE', ...channels);
    const publishers = await Promise.all([open(here), open(there), open(there)]);
    const expected: string[] = [];
    for (let round = 0; round < 40; round++) {
      // One of the two hears of each step later, in either order.
      const [first, last] = round % 2 === 0 ? [here, there] : [there, here];
      for (const [half, worker] of [first, last].entries()) {
        for (const [at, publisher] of publishers.entries()) {
          for (let number = 0; number < 10; number++) {
            const text = `${round} ${half} ${at} ${number}`;
            publisher.command('PUBLISH', channels[number % channels.length] as string, text);
            expected.push(text);
          }
        }
        worker?.route(servers, steps[round % steps.length]);
        for (const publisher of publishers)
          expect((await publisher.replies(10)).map(String)).toEqual(Array.from({ length: 10 }, () => ':1\r\n'));
      }
    }
    const seen = (await subscriber.replies(expected.length)).map(payload);
    expect(seen.sort()).toEqual(expected.sort());
    expect(await (await open(there)).askText('PUBLISH', 'c0', 'the last')).toBe(':1\r\n');
    expect(payload(await subscriber.reply())).toBe('the last');
  });

  test('proxies that know of different steps publish a channel to one server', async () => {
    const direct = await Promise.all(servers.map((server) => RawClient.open(server.port)));
    clients.push(...direct);
    for (const client of direct) await client.ask('SUBSCRIBE', 'c');
    for (const [step, owner] of [a, a, a, b, b, b].entries()) {
      here.route(servers, steps[step]);
      await (await open(here)).ask('PUBLISH', 'c', String(step));
      expect(payload(await (direct[owner - 1] as RawClient).reply())).toBe(String(step));
    }
  });

  test('a channel whose slot has no owner can’t be published to', async () => {
    const publisher = await open(here);
    here.route(servers, () => ({ kind: 'offline' }));
    expect(await publisher.askText('PUBLISH', 'c', 'x')).toMatch(/^-ERR the message was not published: slot \d+ is offline/);
  });
});

describe('a server', () => {
  test('that dies and is back is subscribed to again, and the others are heard meanwhile', async () => {
    const [alive, , mortal] = servers;
    const subscriber = await subscribed('SUBSCRIBE', 'c', 'd');
    await mortal.stop();
    await comesFrom(alive, subscriber, 'meanwhile');
    servers[2] = await startRedis({ port: mortal.port });
    await hears(servers[2], 'c');
    await comesFrom(servers[2], subscriber, 'again');
  });

  test('that is down does not hold up a confirmation, and is subscribed to when it is back', async () => {
    const [alive, , mortal] = servers;
    await mortal.stop();
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    await comesFrom(alive, subscriber, 'from another');
    servers[2] = await startRedis({ port: mortal.port });
    await hears(servers[2], 'c');
    await comesFrom(servers[2], subscriber, 'from it');
  });

  test('that is frozen holds up a confirmation for backend_connect_timeout_ms, also when its connection is there already', async () => {
    const [, , frozen] = servers;
    await subscribed('SUBSCRIBE', 'before');
    frozen.child.signal('SIGSTOP');
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    await subscribed('SUBSCRIBE', 'c2');
    frozen.child.signal('SIGCONT');
    await hears(frozen, 'c');
    await comesFrom(frozen, subscriber, 'thawed');
  });

  test('that is frozen from the beginning is given up until it answers', async () => {
    const [, , frozen] = servers;
    frozen.child.signal('SIGSTOP');
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    frozen.child.signal('SIGCONT');
    await hears(frozen, 'c');
    await comesFrom(frozen, subscriber, 'thawed');
  });

  test('that becomes a master is subscribed to, and one that is none any more is left', async () => {
    const [first, second, third] = servers;
    route([first, second]);
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    expect(await subscribers(third, 'c')).toBe(0);
    route([first, third]);
    await hears(third, 'c');
    await eventually(async () => (await subscribers(second, 'c')) === 0, { what: 'the subscription to end' });
    await comesFrom(third, subscriber, 'new');
  });

  test('promoted in place of its master: a message comes once, though the old one is now its replica', async () => {
    const [first, ,] = servers;
    const replica = await startRedis({ replicaOf: first });
    await eventually(async () => (await replica.client().info('replication')).includes('master_link_status:up'), { what: 'the replica' });
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    const publisher = await open(there);
    await replica.client().replicaof('NO', 'ONE');
    await first.client().replicaof('127.0.0.1', replica.port);
    await eventually(async () => (await first.client().info('replication')).includes('master_link_status:up'), { what: 'the old master' });
    route([replica], dealtOut(1));
    await hears(replica, 'c');
    for (const text of ['one', 'two', 'three']) {
      expect(await publisher.askText('PUBLISH', 'c', text)).toBe(':1\r\n');
      expect(payload(await subscriber.reply())).toBe(text);
    }
    await first.client().replicaof('NO', 'ONE');
  });

  test('that fences this proxy off is subscribed to when the table is new enough', async () => {
    const [first] = servers;
    await first.client().set(fenceKey('demo'), '5');
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    expect(await subscribers(first, 'c')).toBe(0);
    expect(here.messages).toContainEqual({ type: 'behind' });
    here.routeAt(6, servers, dealtOut(3));
    await hears(first, 'c');
    await comesFrom(first, subscriber, 'allowed');
    await first.client().flushall();
  });

  test('that speaks no Redis is passed over', async () => {
    const impostor = createServer((socket) => socket.on('error', () => undefined).write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((listening) => impostor.listen(0, '127.0.0.1', listening));
    const address = impostor.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    route([servers[0], { addr: `127.0.0.1:${port}` }]);
    const subscriber = await subscribed('SUBSCRIBE', 'c');
    await comesFrom(servers[0], subscriber, 'x');
    impostor.close();
  });
});

describe('keyspace notifications', () => {
  test('come from every group, once', async () => {
    for (const server of servers) await server.client().config('SET', 'notify-keyspace-events', 'KEA');
    const subscriber = await subscribed('PSUBSCRIBE', '__keyspace@0__:k*');
    const writer = await open(there);
    const keys = Array.from({ length: 30 }, (_, at) => `k${at}`);
    for (const key of keys) await writer.ask('SET', key, 'x');
    const seen = (await subscriber.replies(keys.length)).map(String);
    expect(seen.sort()).toEqual(
      keys
        .map((key) => `*4\r\n$8\r\npmessage\r\n$17\r\n__keyspace@0__:k*\r\n$${15 + key.length}\r\n__keyspace@0__:${key}\r\n$3\r\nset\r\n`)
        .sort(),
    );
    await writer.ask('DEL', 'k0');
    expect(String(await subscriber.reply())).toContain('__keyspace@0__:k0\r\n$3\r\ndel\r\n');
  });

  test('of another database come as well', async () => {
    await Promise.all(servers.map((server) => server.client().config('SET', 'notify-keyspace-events', 'KEA')));
    const subscriber = await subscribed('SUBSCRIBE', '__keyevent@3__:expired');
    const writer = await open(there);
    writer.send(Buffer.concat([encode(['SELECT', 3]), encode(['SET', 'short', 'x', 'PX', 1])]));
    await writer.replies(2);
    expect(payload(await subscriber.reply())).toBe('short');
  });
});

describe('PUBSUB', () => {
  test('passes over a master that can’t be reached', async () => {
    const [, , mortal] = servers;
    await subscribed('SUBSCRIBE', 'c');
    await subscribed('PSUBSCRIBE', 'p*');
    await mortal.stop();
    const client = await open(there);
    expect(await client.askText('PUBSUB', 'CHANNELS')).toBe('*1\r\n$1\r\nc\r\n');
    expect(await client.askText('PUBSUB', 'NUMSUB', 'c', 'd')).toBe('*4\r\n$1\r\nc\r\n:1\r\n$1\r\nd\r\n:0\r\n');
    expect(await client.askText('PUBSUB', 'NUMPAT')).toBe(':1\r\n');
    servers[2] = await startRedis({ port: mortal.port });
  });

  test('says why when none can be reached', async () => {
    const [, , mortal] = servers;
    route([mortal]);
    await mortal.stop();
    const client = await open(there);
    expect(await client.askText('PUBSUB', 'NUMPAT')).toMatch(/^-ERR server .* can't be reached/);
    expect(await client.askText('PUBLISH', 'c', 'x')).toMatch(/^-ERR server .* can't be reached/);
    servers[2] = await startRedis({ port: mortal.port });
  });
});
