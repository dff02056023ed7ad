// ioredis, and iovalkey, which began as its fork: the same calls for both.

import { Redis as Ioredis } from 'ioredis';
import { Redis as Iovalkey } from 'iovalkey';
import { type Check, type Checks, type Library, numbered, runChecks, same } from './library.ts';

const PAGE = 20;

/** With the settings that somebody gets who sets nothing. */
const open = {
  ioredis: (port: number): Ioredis => quiet(new Ioredis(port, '127.0.0.1')),
  // Both have the same calls by design; the types of one stand for both here.
  iovalkey: (port: number): Ioredis => quiet(new Iovalkey(port, '127.0.0.1') as unknown as Ioredis),
};

export function ioredisLike(kind: keyof typeof open, name: string): Library {
  return {
    name,
    language: 'Node.js',
    run: async (port, prefix) => {
      const client = open[kind](port);
      const other = open[kind](port);
      try {
        return await runChecks(checks(client, other, prefix));
      } finally {
        client.disconnect();
        other.disconnect();
      }
    },
  };
}

function quiet(client: Ioredis): Ioredis {
  client.on('error', () => undefined);
  return client;
}

function checks(client: Ioredis, other: Ioredis, prefix: string): Checks {
  const k = (rest: string) => `${prefix}:${rest}`;
  const t = (rest: string) => `{${prefix}}:${rest}`;
  const all: Readonly<Record<Check, () => Promise<void>>> = {
    connect: async () => same(await client.ping(), 'PONG'),
    types: async () => {
      same(await client.set(k('s'), 'v', 'EX', 100), 'OK');
      same(await client.getBuffer(k('s')), Buffer.from('v'));
      same(await client.mset({ [k('a')]: '1', [k('b')]: '2' }), 'OK');
      same(await client.mget(k('a'), k('b'), k('none')), ['1', '2', null]);
      same(await client.hset(k('h'), { f: '1', g: '2' }), 2);
      same(await client.hgetall(k('h')), { f: '1', g: '2' });
      same(await client.rpush(k('l'), 'a', 'b', 'c'), 3);
      same(await client.lrange(k('l'), 0, -1), ['a', 'b', 'c']);
      same(await client.sadd(k('set'), 'x'), 1);
      same(await client.smembers(k('set')), ['x']);
      same(await client.zadd(k('z'), 1.5, 'm', 2, 'n'), 2);
      same(await client.zscore(k('z'), 'm'), '1.5');
      same(await client.xadd(k('x'), '1-1', 'f', 'v'), '1-1');
      same(await client.xrange(k('x'), '-', '+'), [['1-1', ['f', 'v']]]);
      same(await client.pfadd(k('hll'), 'a', 'b'), 1);
      same(await client.pfcount(k('hll')), 2);
      same(await client.geoadd(k('geo'), 13.361389, 38.115556, 'Palermo'), 1);
      same(await client.setbit(k('bits'), 7, 1), 0);
      same(await client.bitcount(k('bits')), 1);
      same(await client.del(k('a'), k('b'), k('s')), 3);
    },
    pipeline: async () => {
      const pipeline = client.pipeline();
      const wanted: [null, string][] = [];
      for (let at = 0; at < 100; at++) {
        pipeline.set(k(`p${at}`), at).get(k(`p${at}`));
        wanted.push([null, 'OK'], [null, String(at)]);
      }
      same(await pipeline.exec(), wanted);
    },
    transaction: async () => {
      same(await client.multi().set(t('tx'), '1').incr(t('tx')).exec(), [
        [null, 'OK'],
        [null, 2],
      ]);
      await client.watch(t('tx'));
      await other.set(t('tx'), 'changed');
      same(await client.multi().set(t('tx'), 'lost').exec(), null);
      same(await client.get(t('tx')), 'changed');
    },
    pubsub: async () => {
      const subscriber = client.duplicate();
      subscriber.on('error', () => undefined);
      const messages: string[] = [];
      const got = new Promise<void>((done) => {
        subscriber.on('message', (_, message) => void (messages.push(message) === 2 && done()));
        subscriber.on('pmessage', (_, __, message) => void (messages.push(message) === 2 && done()));
      });
      await subscriber.subscribe(k('channel'));
      await subscriber.psubscribe(k('pat*'));
      await client.publish(k('channel'), 'hello');
      await client.publish(k('pattern'), 'there');
      await got;
      subscriber.disconnect();
      same(messages.sort(), ['hello', 'there']);
    },
    blocking: async () => {
      const waiter = client.duplicate();
      waiter.on('error', () => undefined);
      same(await waiter.blpop(k('queue'), 0.2), null);
      const popped = waiter.blpop(k('queue'), 20);
      await other.rpush(k('queue'), 'job');
      same(await popped, [k('queue'), 'job']);
      waiter.disconnect();
    },
    script: async () => {
      client.defineCommand('double', { numberOfKeys: 1, lua: "return redis.call('incrby', KEYS[1], ARGV[1] * 2)" });
      const double = Reflect.get(client, 'double') as (key: string, by: number) => Promise<number>;
      same(await double.call(client, k('n'), 5), 10);
      same(await double.call(client, k('n'), 1), 12);
      const sha = (await client.script('LOAD', 'return ARGV[1]')) as string;
      same(await client.script('EXISTS', sha), [1]);
      same(await client.evalsha(sha, 1, k('n'), 'x'), 'x');
    },
    scan: async () => {
      for (let at = 0; at < 50; at++) await client.set(k(`scan:${at}`), at);
      const seen = new Set<string>();
      for await (const page of client.scanStream({ match: k('scan:*'), count: PAGE })) for (const key of page as string[]) seen.add(key);
      same(
        [...seen].sort(),
        numbered(50, (at) => k(`scan:${at}`)),
      );
    },
    reconnect: async () => {
      await other.call('CLIENT', 'KILL', 'ID', String(await client.client('ID')));
      same(await client.set(k('after'), '1'), 'OK');
      same(await client.get(k('after')), '1');
    },
  };
  return all;
}
