// Goal: client libraries subscribe and publish through any proxy with their default settings, while slots move underneath and when a master dies.
// Method: two proxies of two workers each, three groups; the libraries themselves; `codis-config` moves the slots.

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { startRedis } from './harness/redis.ts';

let cluster: Cluster;
let closers: (() => unknown)[];

beforeAll(async () => {
  closers = [];
  cluster = await startCluster({ proxies: 2, groups: 3, settings: { workers: 2 } });
});

afterAll(async () => {
  for (const close of closers) await close();
  await cluster.stop();
  await stopAll();
});

const port = (proxy: 0 | 1) => cluster.proxies[proxy]?.port ?? 0;

function ioredis(proxy: 0 | 1, protocol?: 2): Redis {
  const client = new Redis({ port: port(proxy), host: '127.0.0.1', ...(protocol ? { protocol } : {}) });
  client.on('error', () => undefined);
  closers.push(() => client.disconnect());
  return client;
}

async function nodeRedis(proxy: 0 | 1) {
  const client = createClient({ url: `redis://127.0.0.1:${port(proxy)}` });
  client.on('error', () => undefined);
  await client.connect();
  closers.push(() => client.destroy());
  return client;
}

describe('client libraries', () => {
  for (const [name, protocol] of [
    ['with its default settings', undefined],
    ['in RESP2', 2],
  ] as const) {
    test(`ioredis ${name}: channels, patterns and shard channels, from the other proxy`, async () => {
      const subscriber = ioredis(0, protocol);
      const publisher = ioredis(1, protocol);
      const seen: unknown[] = [];
      subscriber.on('message', (...args) => seen.push(['message', ...args]));
      subscriber.on('pmessage', (...args) => seen.push(['pmessage', ...args]));
      subscriber.on('smessage', (...args) => seen.push(['smessage', ...args]));
      expect(await subscriber.subscribe('one', 'two')).toBe(2);
      expect(await subscriber.psubscribe('p*')).toBe(3);
      expect(await subscriber.ssubscribe('shard')).toBe(1);
      expect(await publisher.publish('one', '1')).toBe(1);
      expect(await publisher.publish('pattern', '2')).toBe(1);
      expect(await publisher.spublish('shard', '3')).toBe(1);
      await eventually(() => seen.length === 3, { what: 'three messages' });
      expect(seen).toHaveLength(3);
      expect(seen).toEqual(
        expect.arrayContaining([
          ['message', 'one', '1'],
          ['pmessage', 'p*', 'pattern', '2'],
          ['smessage', 'shard', '3'],
        ]),
      );
      expect(await subscriber.unsubscribe('one')).toBe(2);
      expect(await subscriber.punsubscribe('p*')).toBe(1);
      expect(await subscriber.sunsubscribe('shard')).toBe(0);
      expect(await subscriber.unsubscribe('two')).toBe(0);
      expect(await subscriber.get('none')).toBeNull();
    });
  }

  test('ioredis subscribes again by itself after its connection broke', async () => {
    const subscriber = ioredis(0);
    const seen: string[] = [];
    subscriber.on('message', (_, text: string) => seen.push(text));
    await subscriber.subscribe('again');
    subscriber.disconnect(true);
    const publisher = ioredis(1);
    // Again and again, for the first ones may be counted for the connection that is just breaking.
    await eventually(
      async () => {
        await publisher.publish('again', 'x');
        return seen.length > 0;
      },
      { what: 'a message' },
    );
  });

  test('node-redis with its default settings: listeners, patterns, buffers, sharded, and commands beside', async () => {
    const subscriber = await nodeRedis(0);
    const publisher = await nodeRedis(1);
    const seen: unknown[] = [];
    await subscriber.subscribe('one', (text, channel) => seen.push([channel, text]));
    await subscriber.pSubscribe('p*', (text, channel) => seen.push([channel, text]), true);
    await subscriber.sSubscribe('shard', (text, channel) => seen.push([channel, text]));
    expect(await publisher.publish('one', '1')).toBe(1);
    expect(await publisher.publish('pattern', '2')).toBe(1);
    expect(await publisher.sPublish('shard', '3')).toBe(1);
    await eventually(() => seen.length === 3, { what: 'three messages' });
    expect(seen).toEqual(
      expect.arrayContaining([
        ['one', '1'],
        [Buffer.from('pattern'), Buffer.from('2')],
        ['shard', '3'],
      ]),
    );
    expect(await publisher.pubSubChannels('o*')).toEqual(['one']);
    expect(await publisher.pubSubNumSub(['one', 'none'])).toEqual({ one: 1, none: 0 });
    await subscriber.unsubscribe('one');
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe();
    expect(await subscriber.set('beside', 'v')).toBe('OK');
  });
});

/** Publishes to its channel without end, a number at a time, and knows which numbers were taken. */
function publishOn(client: Redis, channel: string): { readonly taken: number[]; stop(): Promise<void> } {
  const taken: number[] = [];
  let running = true;
  const done = (async () => {
    for (let number = 0; running; number++) {
      // An error says that the message was not published, or may not have been: it is not counted on.
      const receivers = await client.publish(channel, String(number)).catch(() => 0);
      if (receivers > 0) taken.push(number);
    }
  })();
  return {
    taken,
    stop: () => {
      running = false;
      return done;
    },
  };
}

test('while all slots move to and fro, every message arrives once', async () => {
  const channels = Array.from({ length: 12 }, (_, at) => `moving:${at}`);
  const subscribers = [ioredis(0), ioredis(1), ioredis(1, 2)];
  const seen = subscribers.map((subscriber) => {
    const numbers = new Map<string, number[]>(channels.map((channel) => [channel, []]));
    subscriber.on('message', (channel: string, text: string) => numbers.get(channel)?.push(Number(text)));
    return numbers;
  });
  for (const subscriber of subscribers) await subscriber.subscribe(...channels);
  const publishers = channels.map((channel, at) => publishOn(ioredis(at % 2 === 0 ? 0 : 1), channel));
  for (const group of ['3', '1', '2']) await cluster.cliOk('slot', 'migrate', '0', '1023', group, '--wait');
  for (const publisher of publishers) await publisher.stop();
  await eventually(
    () => seen.every((numbers) => channels.every((channel, at) => numbers.get(channel)?.length === publishers[at]?.taken.length)),
    {
      what: 'all messages',
      timeoutMs: 20_000,
    },
  );
  const inOrder = (numbers: readonly number[] | undefined) => [...(numbers ?? [])].sort((a, b) => a - b);
  for (const numbers of seen) {
    for (const [at, channel] of channels.entries()) expect(inOrder(numbers.get(channel))).toEqual(publishers[at]?.taken);
  }
  expect(Math.min(...publishers.map(({ taken }) => taken.length))).toBeGreaterThan(20);
});

test('when a master dies and comes back, its channels are heard again, and the others all the time', async () => {
  const [mortal] = cluster.servers[1] ?? [];
  if (mortal === undefined) throw new Error('there is a second group');
  const subscriber = ioredis(0);
  const seen = new Set<string>();
  subscriber.on('message', (_, text: string) => seen.add(text));
  await subscriber.subscribe('lasting');
  await mortal.stop();
  const alive = cluster.servers[0]?.[0]?.client();
  await alive?.publish('lasting', 'meanwhile');
  await eventually(() => seen.has('meanwhile'), { what: 'a message of another server' });
  const back = await startRedis({ port: mortal.port });
  (cluster.servers[1] ?? [])[0] = back;
  await eventually(async () => (await back.client().publish('lasting', 'back')) > 0, { what: 'a subscription there' });
  await eventually(() => seen.has('back'), { what: 'a message of the server that is back' });
});
