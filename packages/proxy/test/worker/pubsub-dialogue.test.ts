// Goal: Pub/Sub through a worker reads as one Redis's, to the byte, in both protocols.
// Method: the same dialogues with a plain Redis and with a worker in front of three; every step says how many replies it brings.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

let plain: RedisServer;
let worker: OneWorker;

beforeAll(async () => {
  plain = await startRedis();
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  worker = await startWorker();
  worker.route(servers);
});

afterAll(async () => {
  worker.close();
  await stopAll();
});

/** A request by one of two clients, and how many replies come to whom. */
type Step = readonly [who: 'a' | 'b', request: string, a: number, b?: number];

async function dialogue(port: number, steps: readonly Step[]): Promise<string[]> {
  const clients = { a: new RawClient(port), b: new RawClient(port) };
  const seen: string[] = [];
  for (const [who, request, a, b = 0] of steps) {
    const before = { a: clients.a.replies.length, b: clients.b.replies.length };
    clients[who].socket.write(encodeRequest(request.split(' ')));
    const all = () => clients.a.replies.length >= before.a + a && clients.b.replies.length >= before.b + b;
    await eventually(all, { what: `the replies to ${request}; so far ${JSON.stringify(seen)}` });
    for (const name of ['a', 'b'] as const) seen.push(...clients[name].replies.slice(before[name]).map((reply) => `${name}: ${reply}`));
  }
  clients.a.close();
  clients.b.close();
  return seen;
}

const SUBSCRIBING: readonly Step[] = [
  ['a', 'UNSUBSCRIBE', 1],
  ['a', 'PUNSUBSCRIBE', 1],
  ['a', 'SUNSUBSCRIBE', 1],
  ['a', 'UNSUBSCRIBE x y', 2],
  ['a', 'SUBSCRIBE', 1],
  ['a', 'SUBSCRIBE one', 1],
  ['a', 'SUBSCRIBE two one three one', 4],
  ['a', 'PSUBSCRIBE p* one', 2],
  ['a', 'SSUBSCRIBE s1 s2', 2],
  ['a', 'PING', 1],
  ['a', 'PING text', 1],
  ['a', 'PING a b', 1],
  ['a', 'NONSENSE', 1],
  ['a', 'GET', 1],
  ['a', 'PUBSUB NONSENSE', 1],
  ['b', 'PUBLISH one m', 2, 1],
  ['b', 'PUBLISH pattern m', 1, 1],
  ['b', 'SPUBLISH s1 m', 1, 1],
  ['b', 'SPUBLISH one m', 0, 1],
  ['b', 'PUBLISH s1 m', 0, 1],
  ['b', 'PUBLISH one', 0, 1],
  ['b', 'PUBSUB NUMSUB one none one', 0, 1],
  ['b', 'PUBSUB SHARDNUMSUB s1 one', 0, 1],
  ['b', 'PUBSUB NUMPAT', 0, 1],
  ['b', 'PUBSUB CHANNELS t[w]*', 0, 1],
  ['b', 'PUBSUB SHARDCHANNELS s1', 0, 1],
  ['b', 'PUBSUB CHANNELS a b', 0, 1],
  ['b', 'PUBSUB NUMSUB', 0, 1],
  ['b', 'PUBSUB NUMPAT x', 0, 1],
  ['b', 'PUBSUB HELP', 0, 1],
  ['b', 'PUBSUB', 0, 1],
  ['a', 'UNSUBSCRIBE none two', 2],
  ['a', 'UNSUBSCRIBE one three', 2],
  ['a', 'PUNSUBSCRIBE one', 1],
  ['a', 'PUNSUBSCRIBE', 1],
  ['a', 'SUNSUBSCRIBE s2', 1],
];

describe('a dialogue is what one Redis answers', () => {
  const dialogues: readonly (readonly [string, readonly Step[]])[] = [
    [
      'in RESP2, where a subscribed client may say little',
      [
        ...SUBSCRIBING,
        ['a', 'GET one', 1],
        ['a', 'CONFIG GET x', 1],
        ['a', 'PUBLISH one m', 1],
        ['a', 'HELLO 3', 1],
        ['a', 'MULTI', 1],
        ['a', 'SUNSUBSCRIBE', 1],
        ['a', 'GET one', 1],
        ['a', 'PING', 1],
        ['a', 'SSUBSCRIBE s', 1],
        ['a', 'GET one', 1],
        ['a', 'RESET', 1],
        ['a', 'GET one', 1],
        ['b', 'PUBSUB CHANNELS none', 0, 1],
        ['a', 'UNSUBSCRIBE', 1],
        ['a', 'SUBSCRIBE last', 1],
        ['a', 'QUIT', 1],
      ],
    ],
    [
      'in RESP3, where everything stays allowed',
      [
        ['a', 'CLIENT SETNAME me', 1],
        ...SUBSCRIBING.map((step): Step => (step[1] === 'NONSENSE' ? ['a', 'HELLO 3 x', 1] : step)),
        ['a', 'SET one 1', 1],
        ['a', 'GET one', 1],
        ['a', 'RESET', 1],
        ['a', 'PING', 1],
        ['a', 'SUBSCRIBE one', 1],
        ['a', 'GET one', 1],
      ],
    ],
  ];
  for (const [name, steps] of dialogues) {
    test(name, async () => {
      const hello: readonly Step[] = name.includes('RESP3') ? [['a', 'HELLO 3', 1]] : [];
      const [expected, seen] = await Promise.all([dialogue(plain.port, [...hello, ...steps]), dialogue(worker.port, [...hello, ...steps])]);
      expect(seen.slice(hello.length)).toEqual(expected.slice(hello.length));
    });
  }

  test('when a subscribed client goes over to the other protocol', async () => {
    const steps: readonly Step[] = [
      ['a', 'SUBSCRIBE c', 1],
      ['b', 'PUBLISH c m', 1, 1],
      ['a', 'PING', 1],
    ];
    const seen = async (port: number) => (await dialogue(port, [['a', 'HELLO 3', 1], ...steps, ['a', 'HELLO 2', 1], ...steps])).slice(1);
    const withoutHello = (replies: string[]) => replies.filter((reply) => !reply.includes('server'));
    expect(withoutHello(await seen(worker.port))).toEqual(withoutHello(await seen(plain.port)));
  });
});
