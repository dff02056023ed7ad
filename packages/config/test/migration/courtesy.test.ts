// How much of a source's time a move takes, by what its clients ask for.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Courtesy, clientCalls, Guest, shareOf } from '../../src/migration/courtesy.ts';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => stopAll());

describe('the share', () => {
  test('is all while clients ask for little, an eighth when they ask for much, and never more for more requests', () => {
    expect(shareOf(0, null)).toBe(1);
    expect(shareOf(300, null)).toBe(1);
    expect(shareOf(3000, null)).toBe(0.5);
    expect(shareOf(9000, null)).toBe(0.25);
    expect(shareOf(21_000, null)).toBe(1 / 8);
    const rate = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(rate, rate, (a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a];
        expect(shareOf(more, null)).toBeLessThanOrEqual(shareOf(less, null));
        expect(shareOf(more, null)).toBeGreaterThanOrEqual(1 / 8);
      }),
    );
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
    expect(shareOf(courtesy.rate, null)).toBeLessThan(0.13);
    expect(courtesy.rate).toBeLessThan(30_000);
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
