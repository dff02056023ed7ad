// Plans as a client of the HTTP API sees them. Each answer is held against /api/openapi.json by the harness.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../test/harness/redis.ts';
import { startDashboard, type TestDashboard } from './support.ts';

let dashboard: TestDashboard;
let servers: RedisServer[];

beforeAll(async () => {
  dashboard = await startDashboard();
  servers = await Promise.all([startRedis(), startRedis(), startRedis(), startRedis()]);
  await dashboard.ok('POST', '/slots/init', {});
  for (const [index, server] of servers.entries())
    await dashboard.ok('POST', `/groups/${index + 1}/servers`, { addr: server.addr, role: 'master' });
  await dashboard.ok('PUT', '/slots/range', { first: 0, last: 340, group: 1 });
  await dashboard.ok('PUT', '/slots/range', { first: 341, last: 681, group: 2 });
  await dashboard.ok('PUT', '/slots/range', { first: 682, last: 1023, group: 3 });
});
afterAll(stopAll);

interface PlanJson {
  readonly id: number;
  readonly moves: { first: number; last: number; from: number; to: number }[];
}

describe('a plan', () => {
  test('to rebalance after a group was added moves a quarter of the slots and none twice', async () => {
    const { json } = await dashboard.ok('POST', '/plans', { kind: 'rebalance' });
    const plan = json as unknown as PlanJson;
    expect(json).toMatchObject({ id: 1, state: 'pending', goal: 'rebalance by slots', slotsCount: 256, migration: null });
    const slots = plan.moves.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
    expect(slots.length).toBeLessThanOrEqual(Math.ceil(1024 / 4));
    expect(new Set(slots).size).toBe(slots.length);
    expect(json['groups']).toMatchObject([
      { group: 1, slotsAfter: 256 },
      { slotsAfter: 256 },
      { slotsAfter: 256 },
      { group: 4, slotsBefore: 0 },
    ]);
    expect((await dashboard.ok('POST', '/plans', { kind: 'rebalance', by: 'slots', weights: [] })).json).toEqual(json);
    expect((await dashboard.ok('GET', '/plans/1')).json).toEqual(json);
  });

  test('says how even the groups are, and what it costs with the limits that are asked for', async () => {
    const { json } = await dashboard.ok('GET', '/plans/1');
    expect(json['balance']).toEqual({ before: 75, after: 100 });
    await servers[0]!.client().set('{}', 'x'.repeat(200_000));
    const { json: costly } = await dashboard.ok('POST', '/plans?dryRun=true', { kind: 'move', moves: [{ first: 0, last: 0, to: 2 }] });
    expect(costly['plan']).toMatchObject({ biggestKeys: [{ inPieces: false, blockingMs: 3 }], keysCount: 1 });
    await dashboard.ok('POST', '/plans', { kind: 'move', moves: [{ first: 0, last: 0, to: 2 }] });
    const { plans } = (await dashboard.ok('GET', '/plans')).json as { plans: { id: number; durationMs: number }[] };
    const { id, durationMs } = plans.at(-1)!;
    expect(durationMs).toBeLessThan(20);
    const { json: limited } = await dashboard.ok('GET', `/plans/${id}?bytesPerSecond=100000&delayMs=10`);
    expect(limited['durationMs']).toBeGreaterThanOrEqual(2000);
    expect(limited['basis']).toContain('duration: with these limits: bytesPerSecond 100000, delayMs 10');
    expect(await dashboard.call('GET', `/plans/${id}?sharePercent=0`)).toMatchObject({ status: 400 });
    await servers[0]!.client().flushall();
  });

  test('is listed with the others, oldest first', async () => {
    await dashboard.ok('POST', '/plans', { kind: 'drain', group: 3 });
    await dashboard.ok('POST', '/plans', { kind: 'move', moves: [{ first: 0, last: 9, to: 2 }] });
    const { plans } = (await dashboard.ok('GET', '/plans')).json as { plans: { goal: string; slotsCount: number }[] };
    expect(plans.map(({ goal, slotsCount }) => [goal, slotsCount])).toEqual([
      ['rebalance by slots', 256],
      ['move slot 0 to group 2', 1],
      ['drain group 3', 342],
      ['move slots 0-9 to group 2', 10],
    ]);
  });

  test('that is applied is one migration of exactly its moves', async () => {
    const { json } = await dashboard.ok('POST', '/plans', {
      kind: 'move',
      moves: [
        { first: 0, last: 9, to: 2 },
        { first: 682, last: 690, to: 1 },
      ],
    });
    const { id, moves } = json as unknown as PlanJson;
    const applied = (await dashboard.ok('POST', `/plans/${id}/apply`, { delayMs: 5 })).json;
    expect(applied).toEqual({ ...json, state: 'applied', migration: 1 });
    expect((await dashboard.ok('GET', '/migrations/1')).json).toMatchObject({
      throttle: { delayMs: 5 },
      moves: moves.map(({ first, last, to }) => ({ first, last, to })),
    });
    expect(await dashboard.call('POST', `/plans/${id}/apply`, {})).toMatchObject({ status: 409, json: { code: 'CODIS_E_CONFLICT' } });
    await dashboard.ok('POST', '/migrations/1/cancel');
    const { events } = (await dashboard.ok('GET', '/events?limit=4')).json as { events: { action: string }[] };
    expect(events.map(({ action }) => action)).toEqual(['migration.cancel', 'call.failed', 'plan.apply', 'plan.create']);
  });

  test('is refused when the topology has changed since, with what changed', async () => {
    const { json } = await dashboard.ok('POST', '/plans', { kind: 'rebalance', by: 'keys' });
    await dashboard.ok('POST', '/groups', { group: 8 }, { 'x-codis-actor': 'alice' });
    expect((await dashboard.ok('GET', `/plans/${String(json['id'])}`)).json).toMatchObject({ state: 'stale' });
    const refused = await dashboard.call('POST', `/plans/${String(json['id'])}/apply`, {});
    expect(refused).toMatchObject({ status: 409, json: { code: 'CODIS_E_PLAN_STALE', retryable: false } });
    expect(refused.json['detail']).toContain('group.add group 8 by alice@127.0.0.1');
  });

  test('that does not fit into the memory of a target is refused, unless force says otherwise', async () => {
    const admin = servers[3]!.client();
    await admin.config('SET', 'maxmemory', '1');
    const { json } = await dashboard.ok('POST', '/plans', { kind: 'move', moves: [{ first: 20, last: 21, to: 4 }] });
    const path = `/plans/${String(json['id'])}/apply`;
    expect(await dashboard.call('POST', path, { force: false })).toMatchObject({
      status: 409,
      json: { code: 'CODIS_E_NO_ROOM', detail: expect.stringContaining('group 4 would need'), try: [expect.stringContaining('--force')] },
    });
    const applied = (await dashboard.ok('POST', path, { force: true })).json;
    expect(applied).toMatchObject({ state: 'applied' });
    await dashboard.ok('POST', `/migrations/${String(applied['migration'])}/cancel`);
    await admin.config('SET', 'maxmemory', '0');
  });

  const range = { first: 0, last: 9, to: 2 };
  test.each<[what: string, path: string, body: unknown, status: number, code: string]>([
    ['slot 1024', '/plans', { kind: 'move', moves: [{ ...range, last: 1024 }] }, 400, 'CODIS_E_BAD_SLOT'],
    ['no moves', '/plans', { kind: 'move' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['moves of nothing', '/plans', { kind: 'move', moves: [] }, 400, 'CODIS_E_BAD_REQUEST'],
    ['a range that runs backwards', '/plans', { kind: 'move', moves: [{ ...range, first: 10 }] }, 400, 'CODIS_E_BAD_SLOT'],
    ['weights for a drain', '/plans', { kind: 'drain', group: 1, weights: [] }, 400, 'CODIS_E_BAD_REQUEST'],
    ['no group to drain', '/plans', { kind: 'drain' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['a group to drain that is not there', '/plans', { kind: 'drain', group: 77 }, 404, 'CODIS_E_UNKNOWN_GROUP'],
    [
      'a weight of a group that is not there',
      '/plans',
      { kind: 'rebalance', weights: [{ group: 77, weight: 2 }] },
      404,
      'CODIS_E_UNKNOWN_GROUP',
    ],
    ['a weight below zero', '/plans', { kind: 'rebalance', weights: [{ group: 1, weight: -1 }] }, 400, 'CODIS_E_BAD_REQUEST'],
    ['another measure', '/plans', { kind: 'rebalance', by: 'colour' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['another goal', '/plans', { kind: 'shuffle' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['a plan that is not there', '/plans/99/apply', {}, 404, 'CODIS_E_UNKNOWN_PLAN'],
    ['plan 0', '/plans/0/apply', {}, 400, 'CODIS_E_BAD_PLAN'],
  ])('with %s is refused', async (_, path, body, status, code) => {
    const before = await dashboard.epoch();
    expect(await dashboard.call('POST', path, body)).toMatchObject({ status, json: { code } });
    expect(await dashboard.epoch()).toBe(before);
  });
});
