// The hand-over script against two real servers: what moves, what wins, and what is left after each way in which it can fail.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { HAND_OVER_SCRIPT } from '../../src/model/index.ts';

interface To {
  readonly port: number;
  readonly db?: number;
  readonly password?: string;
  readonly timeoutMs?: number;
}

const handOver = (from: RedisServer, to: To, keys: readonly (string | Buffer)[]) =>
  from
    .client({ db: to.db ?? 0 })
    .eval(HAND_OVER_SCRIPT, keys.length, ...keys, '127.0.0.1', to.port, to.db ?? 0, to.timeoutMs ?? 1000, to.password ?? '');

/** What the values are, whatever the order their parts are stored in. */
const digestsOf = (server: RedisServer, keys: readonly string[]) =>
  server.client().debug('DIGEST-VALUE', ...keys) as Promise<unknown> as Promise<string[]>;

let one: RedisServer;
let two: RedisServer;

beforeAll(async () => {
  const config = { 'enable-debug-command': 'yes' };
  [one, two] = await Promise.all([startRedis({ config }), startRedis({ config })]);
});
beforeEach(async () => {
  await one.client().flushall();
  await two.client().flushall();
});
afterAll(() => Promise.all([one.stop(), two.stop()]));

describe('what moves', () => {
  test('a key of every type arrives with its value', async () => {
    const client = one.client();
    await client.set('string', 'value');
    await client.rpush('list', ...Array.from({ length: 300 }, (_, n) => `element ${n}`));
    await client.sadd('set', 'a', 'b', '3');
    await client.sadd('intset', 1, 2, 3);
    await client.zadd('zset', 1.5, 'a', -2, 'b');
    await client.hset('hash', { a: '1', b: 'x'.repeat(200) });
    await client.xadd('stream', '5-1', 'field', 'value');
    await client.xgroup('CREATE', 'stream', 'readers', '0');
    await client.xreadgroup('GROUP', 'readers', 'me', 'STREAMS', 'stream', '>');
    await client.pfadd('hll', 'a', 'b', 'c');
    await client.setbit('bitmap', 1000, 1);
    await client.geoadd('geo', 13.36, 38.11, 'Palermo');
    const keys = await client.keys('*');
    const digests = await digestsOf(one, keys);

    expect(await handOver(one, two, keys)).toBe('OK');

    expect(await digestsOf(two, keys)).toEqual(digests);
    expect(new Set(digests).size).toBe(keys.length);
    expect(await two.client().xpending('stream', 'readers')).toEqual([1, '5-1', '5-1', [['me', '1']]]);
    expect(await client.dbsize()).toBe(0);
  });

  test('a time to live goes on running at the target, and a key without one has none', async () => {
    const client = one.client();
    await client.set('with', '1', 'PX', 500_000);
    await client.set('without', '1');
    await handOver(one, two, ['with', 'without']);
    const left = await two.client().pttl('with');
    expect(left).toBeGreaterThan(400_000);
    expect(left).toBeLessThanOrEqual(500_000);
    expect(await two.client().pttl('without')).toBe(-1);
  });

  test('binary keys and values are not changed, nor taken for words of the command', async () => {
    const every = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const keys = [every, Buffer.from('KEYS'), Buffer.from('AUTH'), Buffer.from(''), Buffer.from('a b\r\n')];
    for (const key of keys) await one.client().set(key, every);
    expect(await handOver(one, two, keys)).toBe('OK');
    for (const key of keys) expect(await two.client().getBuffer(key)).toEqual(every);
    expect(await one.client().dbsize()).toBe(0);
  });

  test('a key stays in its database', async () => {
    for (const db of [0, 3, 15]) await one.client({ db }).set('same', `in ${db}`);
    await handOver(one, { port: two.port, db: 3 }, ['same']);
    expect(await two.client({ db: 3 }).get('same')).toBe('in 3');
    expect(await two.client().dbsize()).toBe(0);
    expect(await one.client({ db: 3 }).dbsize()).toBe(0);
    expect(await one.client({ db: 15 }).get('same')).toBe('in 15');
  });

  test.each([499, 500, 501, 1700])('%i keys in one call all arrive', async (count) => {
    const keys = Array.from({ length: count }, (_, n) => `key ${n}`);
    await one.client().mset(keys.flatMap((key) => [key, key]));
    expect(await handOver(one, two, keys)).toBe('OK');
    expect(await two.client().mget(keys)).toEqual(keys);
    expect(await one.client().dbsize()).toBe(0);
  });

  test('keys that are not there are no error, alone or among others', async () => {
    await one.client().set('there', '1');
    expect(await handOver(one, two, ['missing'])).toBe('OK');
    expect(await handOver(one, two, ['missing', 'there', 'gone'])).toBe('OK');
    expect(await two.client().keys('*')).toEqual(['there']);
  });
});

describe('B wins', () => {
  test('a key that the target has already keeps the target’s value, and is gone at the source', async () => {
    await one.client().mset('both', 'old', 'first', '1', 'last', '2');
    await two.client().set('both', 'new');
    expect(await handOver(one, two, ['first', 'both', 'last'])).toBe('OK');
    expect(await two.client().mget('first', 'both', 'last')).toEqual(['1', 'new', '2']);
    expect(await one.client().dbsize()).toBe(0);
  });

  test('the same holds for one of more than 500 keys, wherever it stands', async () => {
    const keys = Array.from({ length: 1200 }, (_, n) => `key ${n}`);
    await one.client().mset(keys.flatMap((key) => [key, 'old']));
    const taken = [keys[0]!, keys[499]!, keys[500]!, keys[1199]!];
    for (const key of taken) await two.client().set(key, 'new');
    expect(await handOver(one, two, keys)).toBe('OK');
    expect(await two.client().mget(taken)).toEqual(['new', 'new', 'new', 'new']);
    expect(await two.client().dbsize()).toBe(1200);
    expect(await one.client().dbsize()).toBe(0);
  });

  test('handing over twice is as handing over once', async () => {
    await one.client().set('key', 'value');
    await handOver(one, two, ['key']);
    await two.client().set('key', 'newer');
    expect(await handOver(one, two, ['key'])).toBe('OK');
    expect(await two.client().get('key')).toBe('newer');
  });

  test('a target’s key that has expired does not win', async () => {
    await one.client().set('key', 'value');
    const target = two.client();
    await target.debug('SET-ACTIVE-EXPIRE', '0');
    await target.set('key', 'expired', 'PX', 1);
    await target.wait(1, 10);
    expect(await target.dbsize()).toBe(1);
    expect(await handOver(one, two, ['key'])).toBe('OK');
    expect(await target.get('key')).toBe('value');
    await target.debug('SET-ACTIVE-EXPIRE', '1');
  });
});

describe('what goes wrong', () => {
  test('a target that can’t be reached is an error, and every key is still there', async () => {
    await one.client().mset('a', '1', 'b', '2');
    await expect(handOver(one, { port: await freePort(), timeoutMs: 200 }, ['a', 'b'])).rejects.toThrow(/IOERR/);
    expect(await one.client().mget('a', 'b')).toEqual(['1', '2']);
  });

  test('a target that hangs is an error after the timeout, and nothing is lost once it answers again', async () => {
    await one.client().mset('a', '1', 'b', '2');
    const target = await startRedis();
    target.child.signal('SIGSTOP');
    await expect(handOver(one, { port: target.port, timeoutMs: 100 }, ['a', 'b'])).rejects.toThrow(/IOERR/);
    expect(await one.client().mget('a', 'b')).toEqual(['1', '2']);
    target.child.signal('SIGCONT');
    expect(await handOver(one, target, ['a', 'b'])).toBe('OK');
    expect(await target.client().mget('a', 'b')).toEqual(['1', '2']);
    expect(await one.client().dbsize()).toBe(0);
    await target.stop();
  });

  test('a full target is an error, and every key is at one side at least', async () => {
    const target = await startRedis({ config: { maxmemory: '1', 'maxmemory-policy': 'noeviction' } });
    await one.client().mset('a', '1', 'b', '2');
    await expect(handOver(one, target, ['a', 'b'])).rejects.toThrow(/OOM/);
    expect(await one.client().mget('a', 'b')).toEqual(['1', '2']);
    await target.stop();
  });

  test.each(['secret', 'KEYS', 'a b'])('the password %j works, a wrong one is an error, and so is none', async (password) => {
    const target = await startRedis({ config: { requirepass: password } });
    await one.client().mset('a', '1', 'b', '2');
    await expect(handOver(one, { port: target.port, password: 'wrong' }, ['a', 'b'])).rejects.toThrow(/WRONGPASS/);
    await expect(handOver(one, { port: target.port }, ['a', 'b'])).rejects.toThrow(/NOAUTH/);
    expect(await one.client().exists('a', 'b')).toBe(2);
    expect(await handOver(one, { port: target.port, password }, ['a', 'b'])).toBe('OK');
    expect(await target.client({ password }).mget('a', 'b')).toEqual(['1', '2']);
    await target.stop();
  });

  test('a source that is a replica hands nothing over', async () => {
    const replica = await startRedis({ replicaOf: one });
    await one.client().set('a', '1');
    await one.client().wait(1, 5000);
    await expect(handOver(replica, two, ['a'])).rejects.toThrow(/READONLY/);
    expect(await two.client().dbsize()).toBe(0);
    await replica.stop();
  });
});
