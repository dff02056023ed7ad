// Goal: Pub/Sub over workers and groups: every message arrives once, in order, after the confirmation, and never inside another reply.
// Method: two workers in this process, as of two proxies, in front of three real servers; subscribers at one, publishers at the other.

import { asGroupId, type SlotState, slotOf } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { encode, RawClient } from '../../../../test/harness/raw-client.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { startTcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { type OneWorker, startWorker } from './one-worker.ts';

const GROUPS = 3;
const BUFFER_BYTES = 262_144;

let servers: RedisServer[];
let here: OneWorker;
let there: OneWorker;
let clients: RawClient[];

beforeAll(async () => {
  servers = await Promise.all(Array.from({ length: GROUPS }, () => startRedis()));
});

beforeEach(async () => {
  clients = [];
  here = await startWorker({ proxy_id: 'p1', session_max_bufsize: BUFFER_BYTES });
  there = await startWorker({ proxy_id: 'p2' });
  for (const worker of [here, there]) worker.route(servers);
});

afterEach(() => {
  for (const client of clients) client.close();
  for (const worker of [here, there]) worker.close();
});

afterAll(() => stopAll());

async function open(worker: OneWorker, protocol: 2 | 3 = 2): Promise<RawClient> {
  const client = await RawClient.open(worker.port);
  clients.push(client);
  if (protocol === 3) await client.ask('HELLO', 3);
  return client;
}

async function subscribed(worker: OneWorker, words: readonly string[], protocol: 2 | 3 = 2): Promise<RawClient> {
  const client = await open(worker, protocol);
  client.command(...words);
  await client.replies(words.length - 1);
  return client;
}

const message = (channel: string, text: string) =>
  `*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${text.length}\r\n${text}\r\n`;
const texts = (replies: readonly Buffer[]) => replies.map(String);
/** Channels whose names begin with `prefix`, one for each group by its number. */
const channelsOf = (prefix: string): string[] =>
  Array.from({ length: GROUPS }, (_, group) => {
    for (let at = 0; ; at++) if (slotOf(Buffer.from(`${prefix}${at}`)) % GROUPS === group) return `${prefix}${at}`;
  });

describe('a message', () => {
  test('reaches its subscribers at another worker once, whatever group its channel’s slot is in', async () => {
    const channels = Array.from({ length: 30 }, (_, at) => `channel:${at}`);
    const subscriber = await subscribed(here, ['SUBSCRIBE', ...channels]);
    const publisher = await open(there);
    for (const round of ['first', 'last']) {
      for (const channel of channels) expect(await publisher.askText('PUBLISH', channel, round)).toBe(':1\r\n');
      const seen = texts(await subscriber.replies(channels.length));
      expect(seen.sort()).toEqual(channels.map((channel) => message(channel, round)).sort());
    }
    for (const server of servers) expect(await server.client().pubsub('NUMSUB', 'channel:1')).toEqual(['channel:1', 1]);
  });

  test('comes for each of the channel and the patterns that a client has, also with bytes that are no text', async () => {
    const name = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0x2a]);
    const subscriber = await open(here, 3);
    for (const request of [
      ['SUBSCRIBE', name],
      ['PSUBSCRIBE', Buffer.concat([name.subarray(0, 1), Buffer.from('*')])],
    ] as const) {
      await subscriber.ask(...request);
    }
    expect(await (await open(there)).askText('PUBLISH', name, name)).toBe(':2\r\n');
    const seen = (await subscriber.replies(2)).map((reply) => reply.toString('latin1')).sort();
    const text = name.toString('latin1');
    expect(seen).toEqual([
      `>3\r\n$7\r\nmessage\r\n$5\r\n${text}\r\n$5\r\n${text}\r\n`,
      `>4\r\n$8\r\npmessage\r\n$2\r\n\xff*\r\n$5\r\n${text}\r\n$5\r\n${text}\r\n`,
    ]);
  });

  test('of a shard channel is none of a channel of the same name', async () => {
    const shard = await subscribed(here, ['SSUBSCRIBE', 'c']);
    const channel = await subscribed(here, ['SUBSCRIBE', 'c']);
    const publisher = await open(there);
    await publisher.ask('SPUBLISH', 'c', 'to the shard');
    await publisher.ask('PUBLISH', 'c', 'to the channel');
    expect(String(await shard.reply())).toBe('*3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$12\r\nto the shard\r\n');
    expect(String(await channel.reply())).toBe(message('c', 'to the channel'));
  });

  test('that is published after the confirmation arrives', async () => {
    const publisher = await open(there);
    for (let round = 0; round < 50; round++) {
      const channel = `fresh:${round}`;
      const subscriber = await subscribed(here, ['SUBSCRIBE', channel], round % 2 === 0 ? 2 : 3);
      expect(await publisher.askText('PUBLISH', channel, 'x')).toBe(':1\r\n');
      expect(String(await subscriber.reply())).toContain(channel);
      subscriber.close();
    }
  });

  test('longer than session_max_bufsize drops who should get it, and nobody else', async () => {
    const small = await subscribed(here, ['SUBSCRIBE', 'small']);
    const large = await subscribed(here, ['SUBSCRIBE', 'large']);
    const publisher = await open(there);
    await publisher.ask('PUBLISH', 'large', Buffer.alloc(BUFFER_BYTES * 3));
    await large.ended();
    await publisher.ask('PUBLISH', 'small', 'x');
    expect(String(await small.reply())).toBe(message('small', 'x'));
  });
});

describe('order', () => {
  test('what a client wrote before it published is there when the message comes', async () => {
    const [, b] = servers as [RedisServer, RedisServer, RedisServer];
    const slow = await startTcpProxy(b.port, { delayMs: () => 30 });
    there.route([servers[0]!, slow, servers[2]!]);
    const [channel] = channelsOf('c') as [string];
    const [, key] = channelsOf('k') as [string, string];
    const subscriber = await subscribed(here, ['SUBSCRIBE', channel]);
    const publisher = await open(there);
    for (let round = 0; round < 5; round++) {
      publisher.send(Buffer.concat([encode(['SET', key, round]), encode(['PUBLISH', channel, round])]));
      expect(String(await subscriber.reply())).toBe(message(channel, String(round)));
      expect(await b.client().get(key)).toBe(String(round));
      expect(texts(await publisher.replies(2))).toEqual(['+OK\r\n', ':1\r\n']);
    }
  });

  test('a pipeline of messages to one channel arrives in its order, other commands in between', async () => {
    const subscriber = await subscribed(here, ['SUBSCRIBE', 'c']);
    const publisher = await open(there);
    const pipeline: Buffer[] = [];
    const expected: string[] = [];
    for (let at = 0; at < 2000; at++) {
      pipeline.push(encode(['PUBLISH', 'c', at]));
      expected.push(':1\r\n');
      if (at % 100 === 7) {
        pipeline.push(encode(['ECHO', at]));
        expected.push(`$${String(at).length}\r\n${at}\r\n`);
      }
    }
    publisher.send(Buffer.concat(pipeline));
    expect(texts(await publisher.replies(pipeline.length))).toEqual(expected);
    expect(texts(await subscriber.replies(2000))).toEqual(Array.from({ length: 2000 }, (_, at) => message('c', String(at))));
  });

  test('what is published after a channel has gone to another server does not overtake what is under way to the old one', async () => {
    const slow = await startTcpProxy(servers[0]!.port, { delayMs: () => 100 });
    const all = [slow, servers[1]!, servers[2]!];
    const [from, to] = [1, 2].map((id) => (): SlotState => ({ kind: 'online', owner: asGroupId(id) })) as [
      () => SlotState,
      () => SlotState,
    ];
    there.route(all, from);
    const subscriber = await subscribed(here, ['SUBSCRIBE', 'c']);
    const publisher = await open(there);
    await publisher.ask('PUBLISH', 'none', 'x');
    const { requests } = there.report();
    publisher.send(Buffer.concat(['1', '2', '3'].map((text) => encode(['PUBLISH', 'c', text]))));
    await eventually(() => there.report().requests === requests + 3, { what: 'the messages to be under way', everyMs: 1 });
    there.route(all, to);
    publisher.send(Buffer.concat(['4', '5', '6'].map((text) => encode(['PUBLISH', 'c', text]))));
    expect(texts(await subscriber.replies(6))).toEqual(['1', '2', '3', '4', '5', '6'].map((text) => message('c', text)));
  });

  test('the replies to messages for channels of all groups come in the order of the requests', async () => {
    const channels = channelsOf('c');
    await subscribed(here, ['SUBSCRIBE', channels[1] as string]);
    const publisher = await open(there, 3);
    publisher.send(Buffer.concat(Array.from({ length: 300 }, (_, at) => encode(['PUBLISH', channels[at % 3] as string, at]))));
    const replies = texts(await publisher.replies(300));
    expect(replies).toEqual(Array.from({ length: 300 }, (_, at) => (at % 3 === 1 ? ':1\r\n' : ':0\r\n')));
  });

  test('a confirmation comes in its place, and nothing is delivered before it', async () => {
    await subscribed(here, ['SUBSCRIBE', 'busy']);
    const publisher = await open(there);
    publisher.send(Buffer.concat(Array.from({ length: 3000 }, (_, at) => encode(['PUBLISH', 'busy', at]))));
    const client = await open(here);
    const pipeline = [
      ['SET', 'k', 'v'],
      ['GET', 'k'],
      ['SUBSCRIBE', 'busy', 'new'],
      ['PING'],
      ['UNSUBSCRIBE', 'busy', 'new'],
      ['GET', 'k'],
    ];
    client.send(Buffer.concat(pipeline.map(encode)));
    const isMessage = (reply: string) => reply.startsWith('*3\r\n$7\r\nmessage');
    const replies: string[] = [];
    while (replies.filter((reply) => !isMessage(reply)).length < 8) replies.push(String(await client.reply()));
    expect(replies.filter((reply) => !isMessage(reply))).toEqual([
      '+OK\r\n',
      '$1\r\nv\r\n',
      '*3\r\n$9\r\nsubscribe\r\n$4\r\nbusy\r\n:1\r\n',
      '*3\r\n$9\r\nsubscribe\r\n$3\r\nnew\r\n:2\r\n',
      '*2\r\n$4\r\npong\r\n$0\r\n\r\n',
      '*3\r\n$11\r\nunsubscribe\r\n$4\r\nbusy\r\n:1\r\n',
      '*3\r\n$11\r\nunsubscribe\r\n$3\r\nnew\r\n:0\r\n',
      '$1\r\nv\r\n',
    ]);
    expect(replies.slice(0, 3).some(isMessage)).toBe(false);
    await publisher.replies(3000);
  });

  test('a RESP2 client gets no message of a channel it asks for before the replies to what it asked before', async () => {
    const slow = await startTcpProxy(servers[0]!.port, { delayMs: () => 150 });
    here.route([slow, servers[1]!, servers[2]!]);
    const key = channelsOf('k')[0] as string;
    const channel = channelsOf('c')[1] as string;
    await subscribed(here, ['SUBSCRIBE', channel]);
    const client = await open(here);
    await client.ask('SET', key, 'v');
    client.send(Buffer.concat([encode(['GET', key]), encode(['SUBSCRIBE', channel])]));
    const publisher = await open(there);
    const replies: string[] = [];
    const reading = client.replies(3).then((all) => replies.push(...texts(all)));
    await eventually(
      async () => {
        await publisher.ask('PUBLISH', channel, 'x');
        return replies.length === 3;
      },
      { what: 'three replies', everyMs: 5 },
    );
    await reading;
    expect(replies).toEqual(['$1\r\nv\r\n', `*3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:1\r\n`, message(channel, 'x')]);
  });

  test('messages that come while a large reply is on its way follow it', async () => {
    const value = Buffer.alloc(30_000_000, 'v');
    const front = await startTcpProxy(servers[0]!.port);
    there.route([front, servers[1]!, servers[2]!]);
    const key = channelsOf('k')[0] as string;
    const channel = channelsOf('c')[1] as string;
    const client = await subscribed(there, ['SUBSCRIBE', channel], 3);
    const witness = await subscribed(there, ['SUBSCRIBE', channel]);
    expect(await client.askText('SET', key, value)).toBe('+OK\r\n');
    const before = client.receivedBytes;
    client.command('GET', key);
    await eventually(() => client.receivedBytes > before, { what: 'the reply to begin', everyMs: 0 });
    front.stall();
    const publisher = await open(here);
    for (const text of ['1', '2', '3']) await publisher.ask('PUBLISH', channel, text);
    expect(await witness.replies(3)).toHaveLength(3);
    expect(client.receivedBytes - before).toBeLessThan(value.length);
    front.restore();
    const [reply, ...messages] = await client.replies(4);
    expect(reply?.equals(Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]))).toBe(true);
    expect(texts(messages)).toEqual(['1', '2', '3'].map((text) => `>${message(channel, text).slice(1)}`));
    expect(await servers[0]!.client().del(key)).toBe(1);
  });

  test('messages come between the replies to a RESP3 client, never inside one', async () => {
    const value = Buffer.alloc(3_000_000, 'v');
    const client = await subscribed(there, ['SUBSCRIBE', 'c'], 3);
    expect(await client.askText('SET', 'large', value)).toBe('+OK\r\n');
    const publisher = await open(here);
    for (let round = 0; round < 10; round++) {
      client.command('GET', 'large');
      publisher.send(Buffer.concat(Array.from({ length: 50 }, (_, at) => encode(['PUBLISH', 'c', round * 50 + at]))));
    }
    const replies = await client.replies(510);
    const messages = replies.filter((reply) => reply[0] === 0x3e);
    expect(texts(messages)).toEqual(Array.from({ length: 500 }, (_, at) => `>${message('c', String(at)).slice(1)}`));
    for (const reply of replies)
      if (reply[0] !== 0x3e) expect(reply.equals(Buffer.concat([Buffer.from('$3000000\r\n'), value, Buffer.from('\r\n')]))).toBe(true);
    await publisher.replies(500);
  });
});

describe('a subscription', () => {
  const subscribers = async (name: string) => {
    const counts = await Promise.all(servers.map(async (server) => (await server.client().pubsub('NUMSUB', name))[1]));
    return counts.map(Number);
  };
  const ends = (name: string) =>
    eventually(async () => (await subscribers(name)).every((count) => count === 0), { what: `nobody to be subscribed to ${name}` });

  test('is shared by all clients of a worker and ends with the last of them', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => subscribed(here, ['SUBSCRIBE', 'shared'])));
    expect(await subscribers('shared')).toEqual([1, 1, 1]);
    for (const client of all.slice(1)) client.close();
    const publisher = await open(there);
    expect(await publisher.askText('PUBLISH', 'shared', 'x')).toBe(':1\r\n');
    expect(String(await all[0]!.reply())).toBe(message('shared', 'x'));
    all[0]!.close();
    await ends('shared');
  });

  test.each([
    ['the client says UNSUBSCRIBE', 'UNSUBSCRIBE'],
    ['the client says RESET', 'RESET'],
    ['the client says QUIT', 'QUIT'],
  ])('ends when %s', async (_, word) => {
    const client = await subscribed(here, ['SUBSCRIBE', 'one']);
    await client.ask(word);
    await ends('one');
  });

  test('ends when the client goes away before it was confirmed', async () => {
    const client = await open(here);
    client.command('SUBSCRIBE', 'never');
    await client.sendAll(encode(['PING']));
    client.reset();
    await ends('never');
  });

  test.each([0, 50])('refused by a server is refused with its words, whoever answers first: another one %s ms later', async (delayMs) => {
    const admin = servers[1]!.client();
    const slow = await startTcpProxy(servers[2]!.port, { delayMs: () => delayMs });
    here.route([servers[0]!, servers[1]!, slow]);
    await admin.call('ACL', 'SETUSER', 'default', 'resetchannels', '&allowed');
    const client = await open(here);
    expect(await client.askText('SUBSCRIBE', 'allowed', 'forbidden')).toMatch(/^-NOPERM /);
    expect(await client.askText('GET', 'k')).toMatch(/^\$/);
    await ends('allowed');
    await admin.call('ACL', 'SETUSER', 'default', 'allchannels');
    expect(await client.askText('SUBSCRIBE', 'forbidden')).toMatch(/subscribe\r\n\$9\r\nforbidden\r\n:1/);
    client.close();
    await ends('forbidden');
  });

  test('names so long that they would exceed session_max_bufsize are refused, and none of them is kept', async () => {
    const client = await open(here);
    const long = Buffer.alloc(BUFFER_BYTES / 2, 'n');
    expect(
      await client.askText('SUBSCRIBE', 'a', Buffer.concat([long, Buffer.from('1')]), Buffer.concat([long, Buffer.from('2')])),
    ).toMatch(/^-ERR the names/);
    expect(await client.askText('PING')).toBe('+PONG\r\n');
    await ends('a');
  });

  test('before there is a master anywhere is an error that says so, as publishing is', async () => {
    const empty = await startWorker({ proxy_id: 'p3' });
    const client = await open(empty);
    expect(await client.askText('SUBSCRIBE', 'c')).toMatch(/^-ERR no group has a master yet/);
    expect(await client.askText('PUBLISH', 'c', 'x')).toMatch(
      /^-ERR the message was not published: this proxy has not seen a slot table yet/,
    );
    expect(await client.askText('PUBSUB', 'CHANNELS')).toMatch(/^-ERR no group has a master yet/);
    empty.close();
  });
});

describe('a client that does not read', () => {
  test('is dropped at session_max_bufsize, and costs the others nothing', async () => {
    const slow = await subscribed(here, ['SUBSCRIBE', 'c']);
    const quick = await subscribed(here, ['SUBSCRIBE', 'c']);
    slow.pause();
    const publisher = await open(there);
    const text = 'x'.repeat(20_000);
    let sent = 0;
    await eventually(
      async () => {
        for (let at = 0; at < 5; at++) publisher.command('PUBLISH', 'c', text);
        await publisher.replies(5);
        const replies = texts(await quick.replies(5));
        sent += 5;
        expect(replies.every((reply) => reply === message('c', text))).toBe(true);
        return here.report().clients === 1;
      },
      { what: 'the slow client to be dropped', timeoutMs: 15_000, everyMs: 0 },
    );
    expect(sent * text.length).toBeGreaterThan(BUFFER_BYTES);
  });
});
