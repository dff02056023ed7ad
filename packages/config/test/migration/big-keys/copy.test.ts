// Goal: the copy of a big key is the key, whatever its type and bytes; what can't be copied is said to be so, and nothing is taken for complete that is not.
// Method: keys of several pieces on one real server are copied to another and compared by Redis's own digest of values, and by XINFO for what that leaves out.

import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import { copyBigKey, type Ends, isComplete } from '../../../src/migration/big-keys/copy.ts';
import { PIECE_ELEMENTS } from '../../../src/migration/big-keys/pieces.ts';
import { asMigrationId, asServerAddr } from '../../../src/model/index.ts';
import { connectRedis } from '../../../src/redis/connection.ts';

const KEY = Buffer.from('key\xff\r\n\x00', 'latin1');
const COPY = Buffer.from('copy');

let servers: RedisServer[];
let ends: Ends;
let pieces = 0;

beforeAll(async () => {
  servers = await Promise.all([1, 2].map(() => startRedis({ config: { 'enable-debug-command': 'yes' } })));
  const [one, two] = await Promise.all(servers.map(({ addr }) => connectRedis(asServerAddr(addr), { password: '' })));
  const addrs = servers.map(({ addr }) => asServerAddr(addr));
  ends = {
    product: 'demo',
    migration: asMigrationId(2),
    from: { redis: one!, key: KEY, addr: addrs[0]! },
    to: { redis: two!, key: COPY, addr: addrs[1]! },
  };
});

afterEach(async () => {
  pieces = 0;
  for (const server of servers) await server.client().flushall();
});

afterAll(async () => {
  ends.from.redis.disconnect();
  ends.to.redis.disconnect();
  await stopAll();
});

const copy = () =>
  copyBigKey(ends, async () => {
    pieces++;
  });
const digests = () => Promise.all([ends.from, ends.to].map(({ redis, key }) => redis.call('DEBUG', ['DIGEST-VALUE', key])));

/** Many elements, some of them larger than a piece, of any bytes. */
function elements(count: number): Buffer[] {
  return Array.from({ length: count }, (_, n) =>
    n % 1000 === 7 ? randomBytes(300_000) : Buffer.concat([Buffer.from(`${n}:`), randomBytes(n % 50)]),
  );
}

async function fill(command: string, args: readonly (Buffer | string)[], step: number): Promise<void> {
  for (let at = 0; at < args.length; at += step) await ends.from.redis.callBuffer(command, [KEY, ...args.slice(at, at + step)]);
}

async function checkCopied(): Promise<void> {
  expect(await copy()).toEqual({ kind: 'copied' });
  expect(pieces).toBeGreaterThan(3);
  expect(await isComplete(ends)).toBe(true);
  const [one, two] = await digests();
  expect(two).toEqual(one);
}

describe('the copy is the key:', () => {
  test('a string', async () => {
    await ends.from.redis.set(KEY, randomBytes(3_333_333));
    await checkCopied();
  });

  test('an empty string', async () => {
    await ends.from.redis.set(KEY, '');
    expect(await copy()).toEqual({ kind: 'copied' });
    expect(await isComplete(ends)).toBe(true);
  });

  test('a list, with elements that stand there several times', async () => {
    await fill('RPUSH', [...elements(4000), ...elements(10), 'same', 'same', ''], 500);
    await checkCopied();
  });

  test('a hash', async () => {
    await fill(
      'HSET',
      elements(4000).flatMap((field, n) => [field, n % 3 === 0 ? '' : randomBytes(30)]),
      500,
    );
    await checkCopied();
  });

  test('a set', async () => {
    await fill('SADD', elements(4000), 500);
    await checkCopied();
  });

  test('a small set of numbers, which a scan gives at once', async () => {
    await ends.from.redis.sadd(KEY, 1, 2, 3);
    expect(await copy()).toEqual({ kind: 'copied' });
    expect(await digests()).toEqual([(await digests())[0], (await digests())[0]]);
  });

  test('a sorted set, to the last bit of its scores', async () => {
    const scores = ['inf', '-inf', '0.1', '-0', '1e300', '5e-324', '3.0000000000000004', '9007199254740993', '1e-20'];
    const args = elements(4000).flatMap((member, n) => [scores[n % 30] ?? String(Math.random() * 10 ** (n % 30)), member]);
    await fill('ZADD', args, 500);
    await checkCopied();
  });
});

describe('a stream', () => {
  async function fillStream(count: number): Promise<void> {
    const { redis } = ends.from;
    const values = elements(count);
    for (const [n, value] of values.entries()) await redis.xadd(KEY, `${100 + Math.floor(n / 3)}-${n}`, 'field', value, '', `${n}`);
  }

  const full = async ({ redis, key }: Ends['from']) => {
    const reply = await redis.xinfo('STREAM', key, 'FULL', 'COUNT', 0);
    const idle = (text: string) => text.replace(/("(?:seen|active)-time"),\d+/g, '$1');
    return idle(JSON.stringify(reply).replace(/"radix-tree-(keys|nodes)",\d+/g, ''));
  };

  test('comes with ids, groups, consumers, what is pending with its counts, and what was deleted', async () => {
    const { redis } = ends.from;
    await fillStream(2500);
    await redis.xadd(KEY, '9999999-5', 'last', 'deleted');
    await redis.xdel(KEY, '9999999-5', '100-0');
    await redis.xgroup('CREATE', KEY, 'all read', '$');
    await redis.xgroup('CREATE', KEY, 'some \xff', '0');
    await redis.xgroup('CREATECONSUMER', KEY, 'some \xff', 'idle one');
    await redis.xreadgroup('GROUP', 'some \xff', 'busy', 'COUNT', 1200, 'STREAMS', KEY, '>');
    await redis.xreadgroup('GROUP', 'some \xff', 'other', 'COUNT', 20, 'STREAMS', KEY, '>');
    const [first] = (await redis.xrange(KEY, '-', '+', 'COUNT', 1)) as [[string, string[]]];
    await redis.xclaim(KEY, 'some \xff', 'other', 0, first[0], 'IDLE', 50_000, 'RETRYCOUNT', 7);
    await redis.xack(KEY, 'some \xff', `${100 + 3}-9`);
    await checkCopied();
    const strip = (text: string) =>
      text.replace(/\["\d+-\d+","(busy|other)",\d+,/g, '["id","$1",').replace(/\["(\d+-\d+)",\d{13},/g, '["$1",');
    expect(strip(await full(ends.to))).toBe(strip(await full(ends.from)));
    const [id, consumer, idleMs, count] = (
      (await ends.to.redis.xpending(COPY, 'some \xff', first[0], first[0], 1)) as [string, string, number, number][]
    )[0]!;
    expect([id, consumer, count]).toEqual([first[0], 'other', 7]);
    expect(idleMs).toBeGreaterThanOrEqual(50_000);
  }, 30_000);

  test('goes in one piece when deleted entries are pending', async () => {
    const { redis } = ends.from;
    await fillStream(50);
    await redis.xgroup('CREATE', KEY, 'g', '0');
    await redis.xreadgroup('GROUP', 'g', 'c', 'COUNT', 10, 'STREAMS', KEY, '>');
    await redis.xdel(KEY, '100-0');
    expect(await copy()).toEqual({ kind: 'whole', why: 'entries are pending that were deleted from it' });
  });

  test('goes in one piece when it is empty', async () => {
    await ends.from.redis.xgroup('CREATE', KEY, 'g', '$', 'MKSTREAM');
    expect(await copy()).toMatchObject({ kind: 'whole' });
  });
});

describe('what is no copy:', () => {
  test('a key that is not there is gone', async () => {
    expect(await copy()).toEqual({ kind: 'gone' });
    expect(await isComplete(ends)).toBe(false);
  });

  test('what was left of an earlier one is no part of it', async () => {
    await ends.to.redis.rpush(COPY, 'left over');
    await ends.from.redis.rpush(KEY, 'a', 'b');
    expect(await copy()).toEqual({ kind: 'copied' });
    expect(await ends.to.redis.lrange(COPY, 0, -1)).toEqual(['a', 'b']);
  });

  test('one that lost something, or is of another type, is not complete', async () => {
    await fill('SADD', elements(PIECE_ELEMENTS + 5), 500);
    await copy();
    await ends.to.redis.spop(COPY);
    expect(await isComplete(ends)).toBe(false);
    await ends.to.redis.del(COPY);
    expect(await isComplete(ends)).toBe(false);
    await ends.to.redis.hset(COPY, 'f', 'v');
    expect(await isComplete(ends)).toBe(false);
  });

  test('one of another key, which a replica may still have that takes the place of its master, is not complete', async () => {
    const other = { ...ends, from: { ...ends.from, key: Buffer.from('other') } };
    for (const { redis, key } of [ends.from, other.from]) await redis.set(key, randomBytes(300_000));
    await copy();
    expect(await isComplete(ends)).toBe(true);
    expect(await isComplete(other)).toBe(false);
  });

  test('one of the same key that an earlier move has left at such a replica is not complete, though it is as long', async () => {
    await ends.from.redis.set(KEY, 'older');
    await copyBigKey({ ...ends, migration: asMigrationId(1) }, async () => undefined);
    await ends.from.redis.set(KEY, 'newer');
    expect(await isComplete(ends)).toBe(false);
    await copy();
    expect(await isComplete(ends)).toBe(true);
  });

  test('of a string whose connection broke in the middle nothing is left', async () => {
    await ends.from.redis.set(KEY, randomBytes(3_000_000));
    const doomed = await connectRedis(ends.to.addr, { password: '' });
    const cut = async () => doomed.disconnect();
    await expect(copyBigKey({ ...ends, to: { ...ends.to, redis: doomed } }, cut)).rejects.toThrow();
    expect(await ends.to.redis.exists(COPY)).toBe(0);
  });
});
