// One batch of a sweep between two real servers: what arrives, who wins where both have a key, and what is left after a failure.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { Carrier } from '../../src/migration/carry.ts';
import { handOver } from '../../src/migration/hand-over.ts';
import { FIRST_PACE } from '../../src/migration/pace.ts';
import { Portion } from '../../src/migration/portion.ts';
import type { Target } from '../../src/migration/target.ts';
import { laneKey, newMemory, type Office } from '../../src/migration/turn.ts';
import { asGroupId, asMigrationId, asServerAddr, UNTHROTTLED } from '../../src/model/index.ts';

const lane = { migration: asMigrationId(1), from: asGroupId(1), to: asGroupId(2) };

/** Of keys of unknown size nothing is. */
const NOTHING_CARRIED = undefined as unknown as Carrier;

let one: RedisServer;
let two: RedisServer;

beforeAll(async () => {
  [one, two] = await Promise.all([startRedis(), startRedis()]);
});
beforeEach(async () => {
  await one.client().flushall();
  await two.client().flushall();
});
afterAll(() => stopAll());

function officeWith(password = ''): Office {
  return { memory: newMemory(), settings: { product_auth: password } } as unknown as Office;
}

async function give(keys: readonly (string | Buffer)[], { durable = false, office = officeWith(), db = 0, port = two.port } = {}) {
  const portion = Portion.of(
    db,
    keys.map((key) => Buffer.from(key)),
  );
  const heard: string[] = [];
  const target = {
    addr: asServerAddr(`127.0.0.1:${port}`),
    check: async () => void heard.push('checked'),
    answered: () => void heard.push('answered'),
    replicated: async () => {
      heard.push(`replicated, ${await one.client({ db }).exists(...keys)} at the source`);
    },
  } as unknown as Target;
  const batch = portion.batch(0, { keysCount: 100, bytesCount: 1e9 });
  const failed = await handOver(
    { office, lane, redis: one.client({ db }), carrier: NOTHING_CARRIED, target, durable },
    batch,
    UNTHROTTLED,
  ).then(
    () => null,
    (error: Error) => error.message,
  );
  return { failed, heard };
}

test('keys with any name arrive in their database, and those that are gone are no trouble', async () => {
  const binary = Buffer.from('\r\n$3\r\n\xff', 'latin1');
  await one.client({ db: 5 }).mset(binary, 'binary', 'plain', 'text', '', 'no name');
  expect(await give([binary, 'gone', 'plain', ''], { db: 5 })).toEqual({ failed: null, heard: ['checked', 'answered'] });
  expect(await two.client({ db: 5 }).mget(binary, 'plain', '')).toEqual(['binary', 'text', 'no name']);
  expect(await one.client({ db: 5 }).dbsize()).toBe(0);
  expect((await give(['all', 'of them', 'are gone'])).failed).toBeNull();
});

test.each([false, true])('what the target has already stays as it is there, and leaves the source (durable: %s)', async (durable) => {
  await one.client().mset('a', 'old', 'both', 'old', 'z', 'old');
  await two.client().set('both', 'newer');
  const { failed, heard } = await give(['a', 'both', 'z'], { durable });
  expect(failed).toBeNull();
  expect(heard).toEqual(['checked', 'answered', ...(durable ? ['replicated, 3 at the source'] : [])]);
  expect(await two.client().mget('a', 'both', 'z')).toEqual(['old', 'newer', 'old']);
  expect(await one.client().dbsize()).toBe(0);
});

test('a durable batch is at the source until the replicas have it', async () => {
  await one.client().mset('a', '1', 'b', '2');
  expect((await give(['a', 'b'], { durable: true })).heard).toEqual(['checked', 'answered', 'replicated, 2 at the source']);
  expect(await one.client().exists('a', 'b')).toBe(0);
  expect(await two.client().mget('a', 'b')).toEqual(['1', '2']);
});

test('after a failure the keys are at the source, and the next batch is smaller', async () => {
  await one.client().mset('a', '1', 'b', '2');
  const office = officeWith('wrong');
  const { failed } = await give(['a', 'b'], { office });
  expect(failed).toMatch(/WRONGPASS|without any password/);
  expect(await one.client().exists('a', 'b')).toBe(2);
  expect(office.memory.paces.get(laneKey(lane))?.keysCount).toBeLessThan(FIRST_PACE.keysCount);
});
