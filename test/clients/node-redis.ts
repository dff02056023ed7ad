// node-redis, with the settings that somebody gets who sets nothing: RESP3.

import { createClient, WatchError } from 'redis';
import { type Checks, type Library, numbered, runChecks, same } from './library.ts';

const open = async (port: number) => {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => undefined);
  return await client.connect();
};
type Client = Awaited<ReturnType<typeof open>>;

export const nodeRedis: Library = {
  name: 'node-redis 6.3',
  language: 'Node.js',
  run: async (port, prefix) => {
    const client = await open(port);
    const other = await open(port);
    try {
      return await runChecks(checks(client, other, prefix));
    } finally {
      client.destroy();
      other.destroy();
    }
  },
};

function checks(client: Client, other: Client, prefix: string): Checks {
  const k = (rest: string) => `${prefix}:${rest}`;
  const t = (rest: string) => `{${prefix}}:${rest}`;
  return {
    connect: async () => same(await client.ping(), 'PONG'),
    types: async () => {
      same(await client.set(k('s'), 'v', { expiration: { type: 'EX', value: 100 } }), 'OK');
      same(await client.get(k('s')), 'v');
      same(await client.mSet({ [k('a')]: '1', [k('b')]: '2' }), 'OK');
      same(await client.mGet([k('a'), k('b'), k('none')]), ['1', '2', null]);
      same(await client.hSet(k('h'), { f: '1', g: '2' }), 2);
      same(await client.hGetAll(k('h')), { f: '1', g: '2' });
      same(await client.rPush(k('l'), ['a', 'b', 'c']), 3);
      same(await client.lRange(k('l'), 0, -1), ['a', 'b', 'c']);
      same(await client.sAdd(k('set'), 'x'), 1);
      same(await client.sMembers(k('set')), ['x']);
      same(await client.zAdd(k('z'), { score: 1.5, value: 'm' }), 1);
      same(await client.zRangeWithScores(k('z'), 0, -1), [{ score: 1.5, value: 'm' }]);
      same(await client.xAdd(k('x'), '1-1', { f: 'v' }), '1-1');
      same(await client.xRange(k('x'), '-', '+'), [{ id: '1-1', message: { f: 'v' } }]);
      same(await client.pfAdd(k('hll'), ['a', 'b']), 1);
      same(await client.pfCount(k('hll')), 2);
      same(await client.geoAdd(k('geo'), { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' }), 1);
      same(await client.setBit(k('bits'), 7, 1), 0);
      same(await client.bitCount(k('bits')), 1);
      same(await client.del([k('a'), k('b'), k('s')]), 3);
    },
    pipeline: async () => {
      const replies: Promise<string | null>[] = [];
      const wanted: string[] = [];
      for (let at = 0; at < 100; at++) {
        replies.push(client.set(k(`p${at}`), String(at)), client.get(k(`p${at}`)));
        wanted.push('OK', String(at));
      }
      same(await Promise.all(replies), wanted);
    },
    transaction: async () => {
      same(await client.multi().set(t('tx'), '1').incr(t('tx')).exec(), ['OK', 2]);
      const watching = await client
        .duplicate()
        .on('error', () => undefined)
        .connect();
      await watching.watch(t('tx'));
      await other.set(t('tx'), 'changed');
      const broken = await watching
        .multi()
        .set(t('tx'), 'lost')
        .exec()
        .catch((error: unknown) => error);
      watching.destroy();
      same(broken instanceof WatchError, true);
      same(await client.get(t('tx')), 'changed');
    },
    pubsub: async () => {
      const messages: string[] = [];
      const subscriber = await client
        .duplicate()
        .on('error', () => undefined)
        .connect();
      const got = new Promise<void>((done) => {
        const listener = (message: string) => void (messages.push(message) === 2 && done());
        void subscriber
          .subscribe(k('channel'), listener)
          .then(() => subscriber.pSubscribe(k('pat*'), listener))
          .then(() => client.publish(k('channel'), 'hello'))
          .then(() => client.publish(k('pattern'), 'there'));
      });
      await got;
      subscriber.destroy();
      same(messages.sort(), ['hello', 'there']);
    },
    blocking: async () => {
      const waiter = await client
        .duplicate()
        .on('error', () => undefined)
        .connect();
      same(await waiter.blPop(k('queue'), 0.2), null);
      const popped = waiter.blPop(k('queue'), 20);
      await other.rPush(k('queue'), 'job');
      same(await popped, { key: k('queue'), element: 'job' });
      waiter.destroy();
    },
    script: async () => {
      const by = (amount: string) => ({ keys: [k('n')], arguments: [amount] });
      same(await client.eval("return redis.call('incrby', KEYS[1], ARGV[1])", by('10')), 10);
      const sha = await client.scriptLoad('return ARGV[1]');
      same(await client.scriptExists([sha]), [1]);
      same(await client.evalSha(sha, by('x')), 'x');
    },
    scan: async () => {
      for (let at = 0; at < 50; at++) await client.set(k(`scan:${at}`), String(at));
      const seen = new Set<string>();
      for await (const page of client.scanIterator({ MATCH: k('scan:*'), COUNT: 20 })) for (const key of page) seen.add(key);
      same(
        [...seen].sort(),
        numbered(50, (at) => k(`scan:${at}`)),
      );
    },
    reconnect: async () => {
      await other.sendCommand(['CLIENT', 'KILL', 'ID', String(await client.clientId())]);
      same(await client.set(k('after'), '1'), 'OK');
      same(await client.get(k('after')), '1');
    },
  };
}
