// How much of a source's time a move takes, by what its clients ask for.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Courtesy, clientCalls, Guest, shareOf, slotsAtOnce } from '../../src/migration/courtesy.ts';
import { departureKeys, type GroupId, NOTE_SCRIPT, ON_DEMAND_SCRIPT } from '../../src/model/index.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => stopAll());

describe('the share', () => {
  test('is all while clients ask for little, a sixteenth when they ask for much, and never more for more requests', () => {
    expect(shareOf(0, null)).toBe(1);
    expect(shareOf(300, null)).toBe(1);
    expect(shareOf(3000, null)).toBe(0.5);
    expect(shareOf(9000, null)).toBe(0.25);
    expect(shareOf(45_000, null)).toBe(1 / 16);
    const rate = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(rate, rate, (a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        expect(shareOf(more, null)).toBeLessThanOrEqual(shareOf(less, null));
        expect(shareOf(more, null)).toBeGreaterThanOrEqual(1 / 16);
      }),
    );
  });

  test('goes with fewer slots at once the more they ask', () => {
    expect(slotsAtOnce(0, 1000)).toBeGreaterThanOrEqual(1024);
    expect(slotsAtOnce(256, 1000)).toBe(1024);
    expect(slotsAtOnce(4096, 1000)).toBe(256);
    expect(slotsAtOnce(1e9, 4000)).toBe(1);
  });

  test('but not with so few that there is next to nothing in them', () => {
    expect(slotsAtOnce(1e9, 0)).toBeGreaterThan(1024);
    expect(slotsAtOnce(1e9, 20)).toBe(100);
  });

  test('is what the operator said, if he did', () => {
    expect(shareOf(1e6, 100)).toBe(1);
    expect(shareOf(0, 5)).toBe(0.05);
  });
});

test('what clients ask for is counted, and what moves send is not', async () => {
  const client = server.client();
  const count = async () => clientCalls(await client.info('commandstats'));
  const before = await count();
  await client.mset('a', '1', 'b', '2');
  await client.get('a');
  await client.get('b');
  expect((await count()) - before).toBe(3);
  await client.scan('0');
  await client.eval(`redis.call('MEMORY', 'USAGE', KEYS[1]) return redis.call('TYPE', KEYS[1])`, 1, 'a');
  await client.select(0);
  await client.ping();
  await client.client('ID');
  await client.object('ENCODING', 'a');
  expect((await count()) - before).toBe(3);
});

test('what proxies do to have a key handed over counts as nothing that clients ask for', async () => {
  const source = server.client();
  const target = (await startRedis()).client();
  const { handed, source: named, left } = departureKeys('demo', { from: 1 as GroupId, to: 2 as GroupId });
  await source.set(handed, '1');
  await target.hset(named, 'run', 'it');
  const { host, port } = target.options;
  await source.mset('k1', '1', 'k2', '2', 'k3', '3');
  await target.ping();
  const count = async () =>
    (await Promise.all([source, target].map((redis) => redis.info('commandstats').then(clientCalls)))).reduce((a, b) => a + b);
  const before = await count();
  for (const keys of [['k1'], ['k2', 'k3']]) {
    const number = String(
      await source.eval(ON_DEMAND_SCRIPT, keys.length + 1, ...keys, handed, host ?? '', String(port), '0', '1000', '', ''),
    );
    expect(Number(number)).toBeGreaterThan(1);
    await target.eval(NOTE_SCRIPT, 2, named, left, 'it', '100', ...keys.flatMap((key) => [number, `0:${key}`]));
  }
  expect(await target.zcard(left)).toBe(3);
  // Our own ZCARD.
  expect((await count()) - before).toBe(1);
});

describe('the most of late counts', () => {
  test('and fades', () => {
    const courtesy = new Courtesy();
    courtesy.seen(8000);
    courtesy.seen(10);
    expect(courtesy.rate).toBeGreaterThan(4000);
    expect(courtesy.rate).toBeLessThanOrEqual(8000);
  });

  test('up to what makes a difference', () => {
    const courtesy = new Courtesy();
    courtesy.seen(1e9);
    expect(shareOf(courtesy.rate, null)).toBeLessThan(0.085);
    expect(courtesy.rate).toBeLessThan(50_000);
  });

  test('before anybody has looked some are assumed', () => {
    const courtesy = new Courtesy();
    expect(shareOf(courtesy.rate, null)).toBe(0.5);
    courtesy.seen(5);
    expect(shareOf(courtesy.rate, null)).toBe(1);
  });
});

describe('a guest', () => {
  const signal = new AbortController().signal;

  test('waits in proportion to the time it took, and gives up when it is to stop', async () => {
    const guest = new Guest(new Courtesy(), { servers: [], stated: () => 25, signal });
    const startedMs = performance.now();
    for (let n = 0; n < 10; n++) await guest.rest(10);
    expect(performance.now() - startedMs).toBeGreaterThan(250);
    const stopped = new Guest(new Courtesy(), { servers: [], stated: () => 1, signal: AbortSignal.abort() });
    await expect(stopped.rest(10)).rejects.toThrow(/abort/);
  });

  test('takes half while slots are migrating, and pays what it owes when somebody settles', async () => {
    const courtesy = new Courtesy();
    courtesy.seen(27_000);
    const options = { servers: [], stated: () => null, signal };
    const guest = new Guest(courtesy, { ...options, isInMove: true });
    const startedMs = performance.now();
    await guest.rest(20);
    expect(performance.now() - startedMs).toBeGreaterThan(15);
    expect(courtesy.owedMs).toBeGreaterThan(20);
    const { owedMs } = courtesy;
    const settledFromMs = performance.now();
    // Who wait together don't wait for less.
    await Promise.all([new Guest(courtesy, options).settle(), new Guest(courtesy, options).settle()]);
    expect(performance.now() - settledFromMs).toBeGreaterThan(owedMs - 5);
    expect(courtesy.owedMs).toBeLessThan(1);
  });

  test('owes nothing beyond the share that was stated, and nobody who has gone away', async () => {
    const courtesy = new Courtesy();
    courtesy.seen(27_000);
    await new Guest(courtesy, { servers: [], stated: () => 50, signal, isInMove: true }).rest(5);
    expect(courtesy.owedMs).toBe(0);
    const gone = new Courtesy();
    gone.seen(0);
    gone.owedMs = 3_600_000;
    await new Guest(gone, { servers: [], stated: () => null, signal }).settle();
    expect(gone.owedMs).toBe(0);
  });

  test('notices that clients come', async () => {
    const courtesy = new Courtesy();
    const guest = new Guest(courtesy, { servers: [server.client()], stated: () => null, signal });
    const client = server.client();
    courtesy.seen(0);
    expect(guest.isAlone).toBe(true);
    for (const startedMs = performance.now(); guest.isAlone && performance.now() - startedMs < 20_000; ) {
      await Promise.all(Array.from({ length: 1000 }, () => client.get('a')));
      await guest.rest(0);
    }
    expect(guest.isAlone).toBe(false);
  });
});
