// Goal: the clients that ask the most are found, by what they ask lately, and the event loop's lateness is measured.

import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { ClientRates, mergeBusiest } from '../../src/worker/busiest-clients.ts';
import { LoopLagMeter } from '../../src/worker/loop-lag.ts';
import type { Session } from '../../src/worker/session.ts';

function session(id: number, requests: number, startedAt = 0): Session {
  const said = { addr: `c:${id}`, name: '', db: 0, inputBytes: 0, waitingBytes: 0, command: null };
  return { id, requests, startedAt, activeAt: startedAt, marks: { older: 0, newer: 0 }, ...said } as unknown as Session;
}

describe('busiest clients', () => {
  test('are those that ask the most lately, not those that have asked the most', () => {
    const [old, busy] = [session(1, 1_000_000), session(2, 0)];
    const rates = new ClientRates(new Set([old, busy]), 0);
    for (let second = 1; second <= 10; second++) rates.tick(second * 1000);
    old.requests += 10;
    busy.requests += 500;
    const { count, clients } = rates.busiest(1, 15_000);
    expect(count).toBe(2);
    expect(clients).toMatchObject([{ id: 2, requests: 500, requestsPerSecond: 50, ageSeconds: 15 }]);
    expect(rates.busiest(2, 15_000).clients[1]).toMatchObject({ id: 1, requests: 1_000_010, requestsPerSecond: 1 });
  });

  test('have the rate of the time they are there, and one that has just come no more than it has asked', () => {
    const sessions = new Set<Session>();
    const rates = new ClientRates(sessions, 0);
    sessions.add(session(1, 30, 12_000)).add(session(2, 30, 14_900));
    expect(rates.busiest(2, 15_000).clients.map(({ id, requestsPerSecond }) => [id, requestsPerSecond])).toEqual([
      [2, 30],
      [1, 10],
    ]);
  });

  test('of several workers are one list', () => {
    const of = (...rates: number[]) => ({
      count: 10,
      clients: rates.map((requestsPerSecond) => ({ id: requestsPerSecond, requestsPerSecond, requests: 0 })) as never,
    });
    const { count, clients } = mergeBusiest([of(9, 2), of(5, 4)], 3);
    expect([count, clients.map(({ id }) => id)]).toEqual([20, [9, 5, 4]]);
  });
});

test('an event loop that stands still for a while shows, and is forgotten after two windows', async () => {
  const meter = new LoopLagMeter(0);
  await eventually(() => meter.read() !== null, { what: 'a first measurement' });
  const until = performance.now() + 300;
  while (performance.now() < until);
  await eventually(() => (meter.read()?.max ?? 0) > 200_000, { what: 'the stall to be measured' });
  expect(meter.read()?.p50).toBeLessThan(200_000);
  meter.tick(5000);
  expect(meter.read()?.max).toBeGreaterThan(200_000);
  meter.tick(5001);
  expect(meter.read()?.max).toBeGreaterThan(200_000);
  meter.tick(10_000);
  expect(meter.read()?.max ?? 0).toBeLessThan(200_000);
  meter.close();
});
