// What a look at a source sees, in every database, of the slots that move and no others: keys that are big, by bytes or by elements, and the roll of all others.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Courtesy, Guest } from '../../src/migration/courtesy.ts';
import { lookThrough } from '../../src/migration/look-through.ts';
import { OwnWrites } from '../../src/migration/own-writes.ts';
import { arrivalKey, asGroupId, asServerAddr, fenceKey, slotOf } from '../../src/model/index.ts';

const BINARY = Buffer.from('{t}\xff\r\n', 'latin1');
const SLOT = slotOf(BINARY);
/** In that slot: seven to look at, and fillers. */
const KEYS_COUNT = 3007;

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => stopAll());

const find = async (thresholds: { big_key_bytes: number; big_key_elements: number }) => {
  const request = {
    addr: asServerAddr(server.addr),
    product: 'demo',
    password: '',
    slots: new Set([SLOT, slotOf(Buffer.from(fenceKey('demo')))]),
    thresholds,
    guest: new Guest(new Courtesy(), { servers: [], stated: () => null, signal: new AbortController().signal }),
    own: new OwnWrites(),
  };
  const { bigKeys, sizesKnown, roll } = await lookThrough(server.client(), request);
  expect(sizesKnown).toBe(true);
  expect(roll.keysCountOf(request.slots)).toBe(KEYS_COUNT - bigKeys.length);
  return bigKeys.map(({ db, key, slot, bytes }) => {
    expect(slot).toBe(SLOT);
    expect(bytes).toBeGreaterThan(1000);
    return `${db} ${key}`;
  });
};

test('by bytes, or by elements where those cost time', async () => {
  const one = server.client();
  const two = server.client({ db: 5 });
  const numbers = Array.from({ length: 2000 }, (_, n) => `member ${n}`);
  await one.set(BINARY, 'x'.repeat(100_000));
  await one.mset('{t}small', 'x', 'elsewhere', 'x'.repeat(100_000), arrivalKey('demo', asGroupId(1)), 'x'.repeat(100_000));
  await one.rpush('{t}list', ...numbers);
  await two.sadd('{t}set', ...numbers);
  await two.zadd('{t}zset', ...numbers.flatMap((member, n) => [n, member]));
  await two.hset('{t}hash', ...numbers.slice(0, 1000).flatMap((field) => [field, 'v']));
  await one.xadd('{t}stream', '*', 'f', 'y'.repeat(90_000));
  for (let n = 0; n < 3000; n++) await one.set(`{t}filler:${n}`, 'small');

  const everything = await find({ big_key_bytes: 10_000, big_key_elements: 1_000_000 });
  const names = [`0 ${BINARY.toString('latin1')}`, '0 {t}list', '0 {t}stream', '5 {t}hash', '5 {t}set', '5 {t}zset'];
  expect(everything.toSorted()).toEqual(names.toSorted());
  expect((await find({ big_key_bytes: 80_000, big_key_elements: 1_000_000 })).filter((name) => name.startsWith('0')).toSorted()).toEqual(
    [`0 ${BINARY.toString('latin1')}`, '0 {t}stream'].toSorted(),
  );
  expect((await find({ big_key_bytes: 1e9, big_key_elements: 2000 })).toSorted()).toEqual(['5 {t}set', '5 {t}zset']);
  expect(await find({ big_key_bytes: 1e9, big_key_elements: 2001 })).toEqual([]);
}, 30_000);
