// Goal: a worker takes keys from no other process than the one that the target knows as their source, notes what it has taken before a command for it runs at the
// target, and shows clients nothing of what is kept for that.
// Method: a worker in this process with two real servers; the test names the source, as a controller does.

import { asGroupId, asMigrationId, asSlot, departureKeys, encodeGoing, type SlotState, slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

const [A, B] = [asGroupId(1), asGroupId(2)];
/** Of the table that the worker has. */
const EPOCH = 5;
const migrating =
  (durable = false) =>
  (): SlotState => ({ kind: 'migrating', from: A, to: B, migration: asMigrationId(1), ...(durable ? { durable } : {}) });
const { handed: HANDED, source: SOURCE, left: LEFT } = departureKeys('demo', { from: A, to: B });

let source: RedisServer;
let target: RedisServer;
let worker: OneWorker;
let raw: RawClient;

const name = async (run: string) => target.client().hset(SOURCE, { run });
const runIdOf = async (server: RedisServer) => /run_id:(\S+)/.exec(await server.client().info('server'))?.[1] ?? '';
const left = () => target.client().zrange(LEFT, '0', '-1', 'WITHSCORES');
const handed = () => source.client().get(HANDED);

beforeAll(async () => {
  [source, target] = await Promise.all([startRedis(), startRedis()]);
});

beforeEach(async () => {
  worker = await startWorker({ slot_hold_timeout_ms: 1000 });
  raw = new RawClient(worker.port);
  await name(await runIdOf(source));
  await source.client().set(HANDED, '0');
});

afterEach(async () => {
  raw.close();
  worker.close();
  await Promise.all([source.client().flushall(), target.client().flushall()]);
});

afterAll(() => stopAll());

test('what was handed over is noted, with the number that it has at the source, also when it was not there', async () => {
  await source.client({ db: 3 }).set('k', 'v');
  worker.routeAt(EPOCH, [source, target], migrating());
  expect(await raw.ask('SELECT 3\r\nDEL k\r\n', 2)).toEqual(['+OK\r\n', ':1\r\n']);
  expect(await raw.ask(encodeRequest(['GET', 'none']))).toEqual(['$-1\r\n']);
  const [k, first, none, last] = await left();
  expect([k, none]).toEqual(['3:k', '3:none']);
  expect(Number(last)).toBeGreaterThan(Number(first));
  expect(last).toBe(await handed());
});

test('in a durable move it is noted when the source has given it up', async () => {
  const replica = await startRedis({ replicaOf: target });
  await eventually(async () => /state=online/.test(await target.client().info('replication')), { what: 'a replica' });
  await source.client().set('k', 'v');
  worker.routeAt(EPOCH, [source, { ...target, replicas: [replica] }], migrating(true));
  expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual(['$1\r\nv\r\n']);
  expect(await source.client().exists('k')).toBe(0);
  expect(await left()).toEqual(['0:k', await handed()]);
  await replica.stop();
});

test('nothing is taken from another process, and the client is told to try again, until that one is known', async () => {
  await source.client().set('k', 'v');
  await name('another');
  worker.routeAt(EPOCH, [source, target], migrating());
  expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual([
    expect.stringMatching(/^-TRYAGAIN .*SOURCE .* was started anew or replaced/),
  ]);
  expect(await source.client().get('k')).toBe('v');
  const answer = raw.ask(encodeRequest(['GET', 'k']));
  await name(await runIdOf(source));
  expect(await answer).toEqual(['$1\r\nv\r\n']);
});

test('nothing is taken from any process while the target knows none, and the client is told to try again', async () => {
  await source.client().set('k', 'v');
  await target.client().del(SOURCE);
  worker.routeAt(EPOCH, [source, target], migrating());
  expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual([expect.stringMatching(/^-TRYAGAIN .*SOURCE .* does not know the server/)]);
  expect(await source.client().get('k')).toBe('v');
  expect(await target.client().exists('k')).toBe(0);
});

test('many clients are told so at once', async () => {
  await target.client().del(SOURCE);
  worker.routeAt(EPOCH, [source, target], migrating());
  const told = (client: Redis, key: string): Promise<string> => client.get(key).then(String, (error: Error) => error.message);
  const clients = Array.from({ length: 80 }, () => worker.client());
  const replies = await Promise.all(clients.flatMap((client, at) => Array.from({ length: 200 }, (_, n) => told(client, `k${at}:${n}`))));
  expect(new Set(replies.map((reply) => reply.slice(0, 8)))).toEqual(new Set(['TRYAGAIN']));
});

/** As a controller does when it names a source, or when slots have arrived: which of them went at `epoch`. */
const tell = (epoch: number, slots: readonly string[], run: string | null) =>
  target
    .client()
    .multi()
    .del(SOURCE)
    .hset(SOURCE, { epoch, slots: encodeGoing(slots.map((key) => asSlot(slotOf(Buffer.from(key))))), ...(run === null ? {} : { run }) })
    .exec();

test.each([
  ['when nobody is named any more', null],
  ['when a source is named for other slots', 'the source'],
])('of a slot that has arrived by then nothing is taken, though this proxy has not heard of that: %s', async (_, run) => {
  await source.client().set('k', 'stale');
  await target.client().set('other', 'x');
  await tell(EPOCH + 1, ['other'], run === null ? null : await runIdOf(source));
  worker.routeAt(EPOCH, [source, target], migrating());
  expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual(['$-1\r\n']);
  expect(await source.client().get('k')).toBe('stale');
});

test.each([
  ['of a slot that goes still', EPOCH + 1, ['k', 'other']],
  ['when what the target knows is older than the table', EPOCH - 1, ['other']],
])('keys are taken from the source %s', async (_, epoch, slots) => {
  await source.client().set('k', 'v');
  await tell(epoch, slots, await runIdOf(source));
  worker.routeAt(EPOCH, [source, target], migrating());
  expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual(['$1\r\nv\r\n']);
  expect(await source.client().exists('k')).toBe(0);
});

test('a key that is known to have left is read meanwhile', async () => {
  await source.client().mset('k', 'v', 'other', 'x');
  worker.routeAt(EPOCH, [source, target], migrating());
  await raw.ask(encodeRequest(['GET', 'k']));
  await name('another');
  expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual(['$1\r\nv\r\n']);
});

describe('what is kept', () => {
  beforeEach(async () => {
    await source.client().mset('{t}1', 'v', '{t}2', 'v');
    worker.routeAt(EPOCH, [source, target], migrating());
    await raw.ask(encodeRequest(['GET', '{t}1']));
    expect(await handed()).not.toBe('0');
  });

  test('is no key of the clients’', async () => {
    const client = worker.client();
    expect(await client.dbsize()).toBe(2);
    expect(await client.keys('*')).toHaveLength(2);
    expect(await client.info('keyspace')).toMatch(/^db0:keys=2,/m);
    for (const key of [SOURCE, LEFT, HANDED]) await expect(client.del(key)).rejects.toThrow(/reserved/);
  });

  test('is none when the slots have arrived either', async () => {
    worker.routeAt(EPOCH + 1, [source, target], () => ({ kind: 'online', owner: B }));
    await Promise.all([source.client().del('{t}2', HANDED), target.client().del('{t}1', LEFT)]);
    await tell(EPOCH + 1, [], null);
    const client = worker.client();
    expect([await client.dbsize(), await client.randomkey(), await client.keys('*')]).toEqual([0, null, []]);
    expect(await client.flushall()).toBe('OK');
    expect(await target.client().hget(SOURCE, 'epoch')).toBe(String(EPOCH + 1));
    // Not even should it be one that nobody expects.
    await target.client().set(LEFT, 'x');
    expect(await client.randomkey()).toBe(null);
  });

  test('outlives FLUSHALL', async () => {
    const before = await left();
    const number = await handed();
    expect(await worker.client().flushall()).toBe('OK');
    expect(await left()).toEqual(before);
    expect(await handed()).toBe(number);
    expect(await target.client().hget(SOURCE, 'run')).toBe(await runIdOf(source));
    expect(await worker.client().dbsize()).toBe(0);
  });
});
