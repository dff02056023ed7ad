// Goal: what is carried arrives as it was, and nothing that clients have done at the target meanwhile is undone (model/carry.ts).
// Method: real servers; between reading and putting the test does what proxies and their clients do.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Carrier, isOfSmallKeys } from '../../src/migration/carry.ts';
import { Portion } from '../../src/migration/portion.ts';
import type { Target } from '../../src/migration/target.ts';
import { newMemory, type Office } from '../../src/migration/turn.ts';
import {
  asGroupId,
  asMigrationId,
  asServerAddr,
  BEGIN_OR_END_SCRIPT,
  COUNT_FROM_SCRIPT,
  departureKeys,
  NOTE_SCRIPT,
  ON_DEMAND_SCRIPT,
  PUT_SCRIPT,
} from '../../src/model/index.ts';
import { encodeArgs, sendPrepared } from '../../src/redis/prepared.ts';

const lane = { migration: asMigrationId(1), from: asGroupId(1), to: asGroupId(2) };
const { handed, source, left } = departureKeys('test', lane);

let one: RedisServer;
let two: RedisServer;
let run: string;

beforeAll(async () => {
  [one, two] = await Promise.all([startRedis(), startRedis()]);
  run = /run_id:(\w+)/.exec(await one.client().info('server'))![1]!;
});
beforeEach(async () => {
  for (const server of [one, two]) {
    await server.client().config('SET', 'maxmemory', '0');
    await server.client().flushall();
  }
  await one.client().eval(COUNT_FROM_SCRIPT, 1, handed, 0);
  await two.client().eval(BEGIN_OR_END_SCRIPT, 2, source, left, 1, run);
});
afterAll(() => stopAll());

const batchOf = (keys: readonly (string | Buffer)[], db = 0) =>
  Portion.of(
    db,
    keys.map((key) => Buffer.from(key)),
  ).batch(0, { keysCount: 10_000, bytesCount: 1e9 });

/** Names in an encoded list. */
const namesIn = ({ bytes }: { bytes: Buffer }) =>
  bytes
    .toString('latin1')
    .split('\r\n')
    .filter((_, at) => at % 2 === 1);

/** Carries `keys`, with `meanwhile` between reading and putting. */
async function carryAll(keys: readonly (string | Buffer)[], { db = 0, meanwhile = async () => {}, from = one }: CarryOptions = {}) {
  const put: Target['put'] = async (args) => {
    await meanwhile();
    await sendPrepared(two.client(), 'eval', [encodeArgs([PUT_SCRIPT]), ...args]);
  };
  const office = { memory: newMemory(), settings: { product_name: 'test', product_auth: '' } } as unknown as Office;
  const addr = asServerAddr(`127.0.0.1:${from.port}`);
  const actual = /run_id:(\w+)/.exec(await from.client().info('server'))![1]!;
  const carrier = new Carrier({ office, lane, source: { addr, run: actual }, target: { put } as unknown as Target });
  const carried = await carrier.carry(batchOf(keys, db));
  await carrier.close();
  return carried && { names: namesIn(carried.names), others: namesIn(carried.others) };
}

interface CarryOptions {
  readonly db?: number;
  readonly meanwhile?: () => Promise<void>;
  readonly from?: RedisServer;
}

/** What a proxy does before the first command for a key. */
async function askFor(key: string, { db = 0, leftMax = 100 } = {}): Promise<void> {
  const number = String(await one.client({ db }).eval(ON_DEMAND_SCRIPT, 2, key, handed, '127.0.0.1', two.port, db, 1000, '', ''));
  expect(await two.client().eval(NOTE_SCRIPT, 2, source, left, run, leftMax, number, `${db}:${key}`)).toBe('OK');
}

test('keys of any type and name arrive as they are, and are not deleted yet', async () => {
  const db = 3;
  const client = one.client({ db });
  const binary = Buffer.from('\r\n$3\r\n\xff\0', 'latin1');
  await client.mset(binary, binary, 'string', 'text', 'number', '17', '', 'no name');
  await client.rpush('list', 'a', 'b');
  await client.hset('hash', { field: 'value' });
  await client.sadd('set', 'x');
  await client.zadd('zset', 1.5, 'member');
  await client.xadd('stream', '1-1', 'field', 'value');
  const keys = [binary, 'string', 'number', '', 'list', 'hash', 'set', 'zset', 'stream'];
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  expect((await carryAll(keys, { db }))?.others).toEqual([]);
  const there = await Promise.all(keys.map((key) => two.client({ db }).dumpBuffer(key)));
  expect(there).toEqual(dumps);
  expect(await client.exists(...keys)).toBe(keys.length);
});

test('those with a time to live are left to MIGRATE, and those that are not there are no trouble', async () => {
  await one.client().mset('stays', '1', 'timed', '2', 'also', '3');
  await one.client().pexpire('timed', 3_600_000);
  expect(await carryAll(['gone', 'timed', 'stays', 'also'])).toEqual({ names: ['gone', 'stays', 'also'], others: ['timed'] });
  expect(await two.client().mget('gone', 'timed', 'stays', 'also')).toEqual([null, null, '1', '3']);
  expect(await one.client().pttl('timed')).toBeGreaterThan(3_000_000);
});

describe('what clients do between reading and putting is not undone:', () => {
  test('a key that was asked for and written', async () => {
    await one.client().mset('a', 'old', 'b', 'old');
    const meanwhile = async () => {
      await askFor('a');
      await two.client().set('a', 'new');
    };
    expect(await carryAll(['a', 'b'], { meanwhile })).toEqual({ names: ['a', 'b'], others: [] });
    expect(await two.client().mget('a', 'b')).toEqual(['new', 'old']);
  });

  test.each([0, 5])('a key that was asked for and deleted (database %i)', async (db) => {
    await one.client({ db }).mset('a', 'old', 'b', 'old');
    const meanwhile = async () => {
      await askFor('a', { db });
      await two.client({ db }).del('a');
    };
    await carryAll(['a', 'b'], { db, meanwhile });
    expect(await two.client({ db }).mget('a', 'b')).toEqual([null, 'old']);
  });

  test('a key of the same name in another database is not meant', async () => {
    await one.client({ db: 1 }).set('a', 'other');
    await one.client().set('a', 'old');
    await carryAll(['a'], { meanwhile: () => askFor('a', { db: 1 }) });
    expect(await two.client().get('a')).toBe('old');
  });

  test('one that was asked for before, and has left, is not read', async () => {
    await one.client().set('a', 'old');
    await askFor('a');
    await two.client().del('a');
    await carryAll(['a']);
    expect(await two.client().exists('a')).toBe(0);
  });
});

describe('nothing is put', () => {
  beforeEach(() => one.client().mset('a', 'old', 'b', 'old'));

  test('when so many keys were asked for meanwhile that the target does not know all of them any more', async () => {
    const meanwhile = async () => {
      await askFor('a', { leftMax: 1 });
      await two.client().del('a');
      await askFor('b', { leftMax: 1 });
    };
    await expect(carryAll(['a'], { meanwhile })).rejects.toThrow(/^SOURCE too many/);
    expect(await two.client().exists('a')).toBe(0);
  });

  test('that comes from another process than the target knows as the source', async () => {
    await two.client().hset(source, 'run', 'another');
    await expect(carryAll(['a'])).rejects.toThrow(/^SOURCE another process/);
    await expect(carryAll(['a'], { meanwhile: async () => void (await two.client().del(source, left)) })).rejects.toThrow(/^SOURCE/);
    expect(await two.client().dbsize()).toBe(0);
  });

  test('that a source gives away which counts nothing', async () => {
    await one.client().del(handed);
    expect(await carryAll(['a'])).toBeNull();
    expect(await two.client().exists('a')).toBe(0);
  });

  test('of a source that may not DUMP', async () => {
    const limited = await startRedis();
    await limited.client().mset('a', '1', handed, '1');
    await limited.client().call('ACL', 'SETUSER', 'default', '-dump');
    expect(await carryAll(['a'], { from: limited })).toBeNull();
    await limited.stop();
  });

  test('at a target without room, which says so', async () => {
    await two.client().config('SET', 'maxmemory', '1');
    await expect(carryAll(['a'])).rejects.toThrow(/OOM/);
    expect(await one.client().exists('a')).toBe(1);
  });
});

test('only small keys are carried, and none of unknown size', () => {
  const sized = (bytesCount: number) => ({ ...batchOf(['a', 'b']), bytesCount });
  expect([0, 100, 2048, 2049].map((bytes) => isOfSmallKeys(sized(bytes)))).toEqual([false, true, true, false]);
});

test('thousands go at once', async () => {
  const keys = Array.from({ length: 5000 }, (_, n) => `key:${n}`);
  await one.client().mset(keys.flatMap((key) => [key, key]));
  await carryAll(keys);
  expect(await two.client().exists(...keys)).toBe(keys.length);
});
