// The HTTP API as a client sees it. Each answer, good or bad, is checked against /api/openapi.json by the harness.

import { migrationPath } from '@codis/config/coordinator';
import { arrivalsOf, asGroupId, asMigrationId, asSlot, decodeMigration, encodeMigration } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, stopAll } from '../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../test/harness/redis.ts';
import { startDashboard, type TestDashboard } from './support.ts';

let dashboard: TestDashboard;
let one: RedisServer;
let two: RedisServer;

beforeAll(async () => {
  [dashboard, one, two] = await Promise.all([startDashboard(), startRedis(), startRedis()]);
});
afterAll(stopAll);

describe('the life of a product', () => {
  test('begins without a slot table, and says so', async () => {
    expect(await dashboard.call('GET', '/topology')).toMatchObject({ status: 409, json: { code: 'CODIS_E_NOT_INITIALISED' } });
    expect((await dashboard.ok('GET', '/status')).json).toMatchObject({ verdict: 'empty', epoch: null });
    expect((await dashboard.ok('GET', '/proxies')).json).toEqual({ proxies: [] });
  });

  test('goes on from slot init to groups and slots', async () => {
    expect((await dashboard.ok('POST', '/slots/init', {})).json).toEqual({ epoch: 0, notes: [] });
    await dashboard.ok('POST', '/groups', { group: 9 });
    await dashboard.ok('DELETE', '/groups/9');
    await dashboard.ok('POST', '/groups/1/servers', { addr: one.addr, role: 'master' });
    await dashboard.ok('POST', '/groups/2/servers', { addr: two.addr, role: 'master' });
    await dashboard.ok('PUT', '/slots/range', { first: 0, last: 511, group: 1 });
    await dashboard.ok('PUT', '/slots/range', { first: 512, last: 1023, group: 2 });
    const { json, headers } = await dashboard.ok('GET', '/topology');
    expect(json).toMatchObject({
      epoch: 6,
      slots: [
        { first: 0, last: 511, state: 'online', group: 1 },
        { first: 512, group: 2 },
      ],
    });
    expect(headers['etag']).toBe('"6"');
    expect((await dashboard.ok('GET', '/slots/511')).json).toMatchObject({ slot: 511, group: 1, server: one.addr });
    expect((await dashboard.ok('GET', '/groups/2')).json).toMatchObject({ id: 2, slotsCount: 512 });
  });

  test('takes Codis’s slave for a replica', async () => {
    const replica = await startRedis();
    await dashboard.ok('POST', '/groups/1/servers', { addr: replica.addr, role: 'slave' });
    const { json } = await dashboard.ok('GET', '/groups/1');
    expect(json['servers']).toEqual([
      { addr: one.addr, role: 'master', zone: null, replicaReads: true },
      { addr: replica.addr, role: 'replica', zone: null, replicaReads: true },
    ]);
    await dashboard.ok('DELETE', `/groups/1/servers/${encodeURIComponent(replica.addr)}`);
  });

  test('has migrations that are asked for, looked at and cancelled', async () => {
    const { json } = await dashboard.ok('POST', '/migrations', { moves: [{ first: 0, last: 9, to: 2 }], delayMs: 10 });
    expect(json).toMatchObject({ id: 1, state: 'running', slotsTotal: 10, slotsDone: 0 });
    expect((await dashboard.ok('GET', '/migrations')).json).toEqual({ migrations: [json] });
    expect((await dashboard.ok('POST', '/migrations/1/cancel')).json).toMatchObject({ id: 1, state: 'cancelled' });
    expect((await dashboard.ok('GET', '/migrations/1')).json).toMatchObject({ state: 'cancelled' });
  });

  test('tells of each slot how it was moved last, from the records of migrations', async () => {
    expect((await dashboard.ok('GET', '/slots/moves')).json).toEqual({ moves: [] });
    const { coordinator } = dashboard;
    const entry = (await coordinator.read(migrationPath(asMigrationId(1))))!;
    const [from, to, at] = [asGroupId(1), asGroupId(2), '2026-01-01T00:00:00.000Z'];
    const arrivals = arrivalsOf([asSlot(3), asSlot(4)], { from, to, at, looked: 9 });
    const record = { ...decodeMigration(entry.data), id: asMigrationId(7), arrivals };
    await coordinator.commit([{ op: 'create', path: migrationPath(record.id), data: encodeMigration(record) }]);

    const lastMove = { at, migration: 7, from: 1, to: 2 };
    expect((await dashboard.ok('GET', '/slots/moves')).json).toEqual({ moves: [{ first: 3, last: 4, ...lastMove }] });
    expect((await dashboard.ok('GET', '/slots/4')).json).toMatchObject({ lastMove });
    expect((await dashboard.ok('GET', '/slots/5')).json).toMatchObject({ lastMove: null });
    expect((await dashboard.ok('GET', '/migrations/7')).json).toMatchObject({ verified: { slotsCount: 2, keysLooked: 9 } });
    await coordinator.commit([{ op: 'delete', path: migrationPath(record.id) }]);
  });

  test('is written down: who, what, when, newest first', async () => {
    const before = (await dashboard.ok('GET', '/events?limit=1')).json['events'] as { seq: number }[];
    await dashboard.ok('POST', '/groups', { group: 8 }, { 'x-codis-actor': 'alice' });
    const { json } = await dashboard.ok('GET', `/events?since=${before[0]!.seq}`);
    expect(json['events']).toMatchObject([{ action: 'group.add', object: 'group 8', actor: 'alice@127.0.0.1' }]);
    await dashboard.ok('DELETE', '/groups/8');
  });

  test('is read page by page, with a filter too, until there is nothing older', async () => {
    type Page = { events: { seq: number; action: string }[]; older: number | null };
    const page = async (query: string) => (await dashboard.ok('GET', `/events?${query}`)).json as unknown as Page;
    const walk = async (query: string) => {
      const found: number[] = [];
      for (let at: Page = await page(query); ; at = await page(`${query}&before=${at.older}`)) {
        found.push(...at.events.map(({ seq }) => seq));
        if (at.older === null) return found;
        expect(at.older).toBeGreaterThan(1);
      }
    };
    const all = (await page('limit=1000')).events;
    expect(all.length).toBeGreaterThan(8);
    expect(await page('limit=1000')).toMatchObject({ older: null });
    expect(await walk('limit=3')).toEqual(all.map(({ seq }) => seq));
    const ofGroups = all.filter(({ action }) => action.startsWith('group.')).map(({ seq }) => seq);
    expect(ofGroups.length).toBeGreaterThan(2);
    expect(await walk('limit=1&action=group.')).toEqual(ofGroups);
    expect(await dashboard.call('GET', '/events?before=0')).toMatchObject({ status: 400, json: { code: 'CODIS_E_BAD_REQUEST' } });
  });
});

describe('the doctor', () => {
  test('says what is wrong and what to try, and looks at keys only when asked to', async () => {
    const { json } = await dashboard.ok('GET', '/doctor');
    expect(json).toMatchObject({ scan: 'none', findings: expect.arrayContaining([expect.objectContaining({ kind: 'no-proxy' })]) });
    await two.client().set('{}stray', 'value');
    const full = (await dashboard.ok('GET', '/doctor?scan=full')).json;
    expect(full).toMatchObject({ scan: 'full', findings: expect.arrayContaining([expect.objectContaining({ kind: 'misplaced-keys' })]) });
  });

  test('mends keys: a preview writes nothing down, a change exactly one event', async () => {
    const events = async () => ((await dashboard.ok('GET', '/events?result=done')).json['events'] as unknown[]).length;
    const before = await events();
    const mend = (action: string, headers = {}) => dashboard.call('POST', '/groups/2/keys/mend', { action }, headers);
    expect(await mend('preview')).toMatchObject({ status: 200, json: { movedCount: 0, slots: [{ slot: 0, owner: 1, keysCount: 1 }] } });
    expect(await mend('move', { 'if-match': '"1"' })).toMatchObject({ status: 412, json: { code: 'CODIS_E_STALE' } });
    expect(await events()).toBe(before);
    expect(await mend('move')).toMatchObject({ status: 200, json: { movedCount: 1, deletedCount: 0 } });
    expect(await events()).toBe(before + 1);
    expect(await one.client().get('{}stray')).toBe('value');
    await one.client().del('{}stray');
    expect(await dashboard.coordinator.list('mending')).toEqual([]);
  });
});

describe('a write with If-Match', () => {
  test('is made at the epoch it names, and stale at another', async () => {
    const epoch = (await dashboard.epoch())!;
    await dashboard.ok('POST', '/groups', { group: 5 }, { 'if-match': `"${epoch}"` });
    const stale = await dashboard.call('DELETE', '/groups/5', undefined, { 'if-match': `"${epoch}"` });
    expect(stale).toMatchObject({ status: 412, json: { code: 'CODIS_E_STALE', retryable: false } });
    await dashboard.ok('DELETE', '/groups/5', undefined, { 'if-match': '*' });
  });

  test('that is no ETag of ours is refused', async () => {
    expect(await dashboard.call('DELETE', '/groups/1', undefined, { 'if-match': 'seven' })).toMatchObject({
      status: 400,
      json: { code: 'CODIS_E_BAD_REQUEST' },
    });
  });
});

type BadInput = [what: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body: unknown, status: number, code: string];

describe('bad input changes nothing:', () => {
  const range = { first: 0, last: 9, group: 1 };
  const table: BadInput[] = [
    ['slot 1024 in a range', 'PUT', '/slots/range', { ...range, last: 1024 }, 400, 'CODIS_E_BAD_SLOT'],
    ['slot -1', 'PUT', '/slots/range', { ...range, first: -1 }, 400, 'CODIS_E_BAD_SLOT'],
    ['half a slot', 'PUT', '/slots/range', { ...range, last: 1.5 }, 400, 'CODIS_E_BAD_SLOT'],
    ['a slot in quotes', 'PUT', '/slots/range', { ...range, first: '3' }, 400, 'CODIS_E_BAD_SLOT'],
    ['null for a slot', 'PUT', '/slots/range', { ...range, first: null }, 400, 'CODIS_E_BAD_SLOT'],
    ['a range that runs backwards', 'PUT', '/slots/range', { ...range, first: 10 }, 400, 'CODIS_E_BAD_SLOT'],
    ['slot 1024 in the path', 'GET', '/slots/1024', undefined, 400, 'CODIS_E_BAD_SLOT'],
    ['a word for a slot', 'GET', '/slots/seven', undefined, 400, 'CODIS_E_BAD_SLOT'],
    ['an unknown group', 'PUT', '/slots/range', { ...range, group: 77 }, 404, 'CODIS_E_UNKNOWN_GROUP'],
    ['group 0', 'POST', '/groups', { group: 0 }, 400, 'CODIS_E_BAD_GROUP'],
    ['group 10000', 'GET', '/groups/10000', undefined, 400, 'CODIS_E_BAD_GROUP'],
    ['a group that exists', 'POST', '/groups', { group: 1 }, 409, 'CODIS_E_GROUP_EXISTS'],
    ['removing a group in use', 'DELETE', '/groups/1', undefined, 409, 'CODIS_E_GROUP_IN_USE'],
    ['a second slot init', 'POST', '/slots/init', {}, 409, 'CODIS_E_SLOTS_EXIST'],
    ['an address without port', 'POST', '/groups/1/servers', { addr: 'localhost', role: 'replica' }, 400, 'CODIS_E_BAD_ADDRESS'],
    ['an address with a path', 'POST', '/groups/1/servers', { addr: 'a/b:1', role: 'replica' }, 400, 'CODIS_E_BAD_ADDRESS'],
    ['port 65536', 'POST', '/groups/1/servers', { addr: 'localhost:65536', role: 'replica' }, 400, 'CODIS_E_BAD_ADDRESS'],
    ['a role that is none', 'POST', '/groups/1/servers', { addr: 'localhost:1', role: 'king' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['a server that is not there', 'DELETE', '/groups/1/servers/localhost:1', undefined, 404, 'CODIS_E_UNKNOWN_SERVER'],
    ['promoting one that is not there', 'POST', '/groups/1/servers/localhost:1/promote', {}, 404, 'CODIS_E_UNKNOWN_SERVER'],
    ['an unknown proxy', 'PUT', '/proxies/p9/wanted', { wanted: 'online' }, 404, 'CODIS_E_UNKNOWN_PROXY'],
    ['a proxy id with a blank', 'GET', '/proxies/p%209', undefined, 400, 'CODIS_E_BAD_PROXY_ID'],
    ['a wish that is none', 'PUT', '/proxies/p9/wanted', { wanted: 'sideways' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['an unknown migration', 'POST', '/migrations/99/cancel', undefined, 404, 'CODIS_E_UNKNOWN_MIGRATION'],
    ['migration 0', 'GET', '/migrations/0', undefined, 400, 'CODIS_E_BAD_MIGRATION'],
    ['a migration of nothing', 'POST', '/migrations', { moves: [] }, 400, 'CODIS_E_BAD_REQUEST'],
    ['a migration to nowhere', 'POST', '/migrations', { moves: [{ first: 0, last: 1, to: 77 }] }, 404, 'CODIS_E_UNKNOWN_GROUP'],
    ['a migration of slot 1024', 'POST', '/migrations', { moves: [{ first: 0, last: 1024, to: 2 }] }, 400, 'CODIS_E_BAD_SLOT'],
    ['a delay below zero', 'POST', '/migrations', { moves: [{ first: 0, last: 1, to: 2 }], delayMs: -1 }, 400, 'CODIS_E_BAD_REQUEST'],
    ['mending what is no action', 'POST', '/groups/1/keys/mend', { action: 'burn' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['mending slot 1024', 'POST', '/groups/1/keys/mend', { action: 'preview', slots: { first: 0, last: 1024 } }, 400, 'CODIS_E_BAD_SLOT'],
    ['mending an unknown group', 'POST', '/groups/77/keys/mend', { action: 'preview' }, 404, 'CODIS_E_UNKNOWN_GROUP'],
    ['a scan that is none', 'GET', '/doctor?scan=half', undefined, 400, 'CODIS_E_BAD_REQUEST'],
    ['a field nobody knows', 'POST', '/groups', { group: 3, colour: 'red' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['no body', 'POST', '/groups', undefined, 400, 'CODIS_E_BAD_REQUEST'],
    ['a list for a body', 'POST', '/groups', [1], 400, 'CODIS_E_BAD_REQUEST'],
    ['a limit of 0', 'GET', '/events?limit=0', undefined, 400, 'CODIS_E_BAD_REQUEST'],
    ['a path that is none', 'GET', '/nonsense', undefined, 404, 'CODIS_E_NOT_FOUND'],
    ['a method that is none', 'DELETE', '/topology', undefined, 404, 'CODIS_E_NOT_FOUND'],
  ];

  test.each(table)('%s', async (_, method, path, body, status, code) => {
    const before = await dashboard.epoch();
    const answer = await dashboard.call(method, path, body);
    expect(answer.json).toMatchObject({ code, status, type: `urn:codis:error:${code}` });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json['try']).not.toEqual([]);
    expect(await dashboard.epoch()).toBe(before);
  });

  test('a server that can’t be one', async () => {
    const before = await dashboard.epoch();
    const add = (addr: string, role = 'master') => dashboard.call('POST', '/groups/3/servers', { addr, role });
    expect(await add(one.addr)).toMatchObject({ status: 409, json: { code: 'CODIS_E_SERVER_EXISTS' } });
    expect(await add(`127.0.0.1:${await freePort()}`)).toMatchObject({
      status: 502,
      json: { code: 'CODIS_E_SERVER_UNREACHABLE', retryable: true },
    });
    const replica = await startRedis({ replicaOf: one });
    expect(await add(replica.addr)).toMatchObject({ status: 422, json: { code: 'CODIS_E_SERVER_WRONG_ROLE' } });
    const full = await startRedis();
    await full.client().set('key', 'value');
    expect(await add(full.addr)).toMatchObject({ status: 422, json: { code: 'CODIS_E_SERVER_NOT_EMPTY' } });
    expect(await dashboard.epoch()).toBe(before);
  });

  test.each([
    ['is no JSON', '{"group":', 'application/json', 400, 'CODIS_E_BAD_REQUEST'],
    ['is text', '{"group":3}', 'text/plain', 415, 'CODIS_E_BAD_REQUEST'],
    ['is a form', 'group=3', 'application/x-www-form-urlencoded', 415, 'CODIS_E_BAD_REQUEST'],
    ['is huge', JSON.stringify({ group: 3, padding: 'x'.repeat(200_000) }), 'application/json', 413, 'CODIS_E_TOO_LARGE'],
    ['hides a prototype', '{"group":3,"__proto__":{"admin":true}}', 'application/json', 400, 'CODIS_E_BAD_REQUEST'],
  ])('a body that %s', async (_, payload, type, status, code) => {
    const headers = { host: 'localhost:18087', 'content-type': type };
    const response = await dashboard.app.inject({ method: 'POST', url: '/api/v1/groups', headers, payload });
    expect(response.json()).toMatchObject({ code, status });
    expect(response.statusCode).toBe(status);
  });

  test('a path that can’t be decoded', async () => {
    const response = await dashboard.app.inject({ url: '/api/v1/proxies/%zz', headers: { host: 'localhost' } });
    expect(response.json()).toMatchObject({ code: 'CODIS_E_BAD_REQUEST', status: 400 });
  });
});

describe('requests that a web page could make its visitor send', () => {
  test.each([
    ['from another origin', { host: '127.0.0.1:18087', origin: 'https://evil.example' }],
    ['from another port of this machine', { host: '127.0.0.1:18087', origin: 'http://127.0.0.1:3000' }],
    ['from nowhere', { host: '127.0.0.1:18087', origin: 'null' }],
    ['to a foreign name that points here', { host: 'evil.example:18087' }],
  ])('%s are denied', async (_, headers) => {
    const answer = await dashboard.call('POST', '/groups', { group: 4 }, headers);
    expect(answer).toMatchObject({ status: 403, json: { code: 'CODIS_E_DENIED' } });
  });

  test('from its own origin are served', async () => {
    await dashboard.ok('GET', '/status', undefined, { host: 'localhost:18087', origin: 'http://localhost:18087' });
  });

  test('with an actor that would spoil the log are refused', async () => {
    const headers = { 'x-codis-actor': 'a'.repeat(101) };
    expect(await dashboard.call('POST', '/groups', { group: 4 }, headers)).toMatchObject({
      status: 400,
      json: { code: 'CODIS_E_BAD_REQUEST' },
    });
  });
});

describe('the description', () => {
  test('is OpenAPI 3.1 and lists every route with its problems', async () => {
    const response = await dashboard.app.inject({ url: '/api/openapi.json', headers: { host: 'localhost' } });
    const { openapi, paths } = response.json() as {
      openapi: string;
      paths: Record<string, Record<string, { summary?: string; responses: object }>>;
    };
    expect(openapi).toBe('3.1.0');
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(operations.length).toBeGreaterThan(20);
    for (const operation of operations) {
      expect(operation.summary).toBeTruthy();
      expect(Object.keys(operation.responses)).toEqual(['200', '4XX', '5XX']);
    }
  });
});

test('the description is a page too', async () => {
  const { body, headers } = await dashboard.app.inject({ url: '/api/docs', headers: { host: 'localhost' } });
  expect(headers['content-security-policy']).toContain("default-src 'self'");
  for (const { method, path } of await dashboard.changes()) expect(body).toContain(`<code>${method} /api/v1${path}</code>`);
  expect(body).not.toContain('<script');
});

describe('without a coordinator', () => {
  test('every answer says so, and nothing pretends to know', async () => {
    const cut = await startDashboard();
    await cut.ok('POST', '/slots/init', {});
    await cut.coordinator.close();
    const get = (url: string) => cut.app.inject({ url, headers: { host: 'localhost' } });
    expect(await cut.call('GET', '/status')).toMatchObject({ status: 503, json: { code: 'CODIS_E_COORDINATOR_LOST' } });
    expect(await cut.call('POST', '/groups', { group: 1 })).toMatchObject({ status: 503 });
    expect((await get('/readyz')).statusCode).toBe(503);
    expect((await get('/healthz')).statusCode).toBe(200);
    expect((await get('/metrics')).body).toContain('codis_dashboard_status_failures_total 1');
  });
});
