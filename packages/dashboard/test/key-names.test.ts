// Goal: who has too small a role for the names of keys sees them nowhere: not of big keys, in plans, in the slow log, nor from the doctor, and can't find them by how they begin.
// Method: one key with a name that can be looked for in whole answers, as a viewer and as an operator.

import { slotOf } from '@codis/config/model';
import { ensureAdmin, readTopology } from '@codis/config/operations';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopAll } from '../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../test/harness/redis.ts';
import { startDashboard, type TestDashboard } from './support.ts';

const SECRET = 'patient:jane-doe';
type Headers = Record<string, string>;

let dashboard: TestDashboard;
let viewer: Headers;
let operator: Headers;
let servers: RedisServer[];

beforeAll(async () => {
  dashboard = await startDashboard({ flags: { dashboard_auth: 'on', dashboard_key_names: 'operator' } });
  servers = await Promise.all([startRedis(), startRedis()]);
  const caller = { coordinator: dashboard.coordinator, product: 'test', actor: 'test', password: '' };
  const password = (await ensureAdmin(caller))!;
  const { headers, json } = await dashboard.ok('POST', '/login', { user: 'admin', password });
  const admin = { cookie: String(headers['set-cookie']).split(';')[0]!, 'x-codis-csrf': String(json['csrf']) };
  const tokenOf = async (role: string) => {
    const answer = await dashboard.ok('POST', '/tokens', { name: role, role }, admin);
    return { authorization: `Bearer ${String(answer.json['token'])}` };
  };
  viewer = await tokenOf('viewer');
  operator = await tokenOf('operator');
  const groups = servers.map(({ addr }, index) => ({ group: index + 1, servers: [{ addr, role: 'master' }] }));
  await dashboard.ok('POST', '/setup', { groups }, operator);
  for (const server of servers) {
    await server.client().config('SET', 'slowlog-log-slower-than', '0');
    await server.client().set(SECRET, 'x'.repeat(8 * 1024 * 1024));
  }
}, 60_000);
afterAll(stopAll);

test('names of keys are marks for a viewer, the same in each list, and names for an operator', async () => {
  await dashboard.ok('GET', '/keys/big?refresh=true', undefined, operator);
  const goal = { kind: 'move', moves: [{ first: 0, last: 1023, to: 2 }] };
  const { json: plan } = await dashboard.ok('POST', '/plans', goal, operator);
  expect(JSON.stringify(plan)).toContain(SECRET);
  const marks = new Set<string>();
  for (const path of ['/keys/big', `/plans/${String(plan['id'])}`, '/slowlog?source=server&command=set', '/doctor?scan=full']) {
    const shown = JSON.stringify((await dashboard.ok('GET', path, undefined, operator)).json);
    expect(shown, path).toContain(SECRET);
    const hidden = JSON.stringify((await dashboard.ok('GET', path, undefined, viewer)).json);
    expect(hidden, path).not.toContain(SECRET);
    const [mark] = /\(key [0-9a-f]{10}\)/.exec(hidden) ?? [];
    expect(mark, path).toBeDefined();
    marks.add(mark!);
  }
  expect(marks.size).toBe(1);
  expect((await dashboard.ok('GET', '/keys/hot', undefined, viewer)).json).toMatchObject({ keys: [], basis: ['no proxy is registered'] });
});

test('names that were hot in a minute are marks too, the same ones', async () => {
  const minute = Math.floor(Date.now() / 60_000) - 2;
  const key = { key: SECRET, db: 0, requestsPerSecond: 9, overPerSecond: 0 };
  const told = new Map([['p1', { sampleEvery: 256, seconds: 60, sampled: 9, keyBytesMax: 1024, missing: 0, keys: [key] }]]);
  const { topology } = await readTopology({ coordinator: dashboard.coordinator });
  dashboard.app.hotKeyWatch.history.add(minute, { told, topology, nowMs: Date.now() });
  const slot = slotOf(Buffer.from(SECRET));
  const hot = async (who: Headers, only: string) =>
    (await dashboard.ok('GET', `/keys/hot?at=${minute * 60 + 7}${only}`, undefined, who)).json;
  expect(await hot(operator, `&slot=${slot}`)).toMatchObject({
    minute: { state: 'kept' },
    keys: [{ key: `"${SECRET}"`, slot, opsPerSecond: 9 }],
  });
  expect(await hot(operator, `&slot=${(slot + 1) % 1024}`)).toMatchObject({ minute: { state: 'kept' }, keys: [] });
  const hidden = JSON.stringify(await hot(viewer, `&slot=${slot}`));
  expect(hidden).not.toContain(SECRET);
  const [mark] = /\(key [0-9a-f]{10}\)/.exec(hidden) ?? [];
  const big = JSON.stringify((await dashboard.ok('GET', '/keys/big', undefined, viewer)).json);
  expect(big).toContain(mark);
});

test('who may not see names can’t find them by how they begin', async () => {
  const found = async (who: Headers) =>
    ((await dashboard.ok('GET', '/slowlog?prefix=patient:', undefined, who)).json['entries'] as unknown[]).length;
  expect(await found(operator)).toBeGreaterThan(0);
  expect(await found(viewer)).toBe(0);
});

test('mending names keys to who may see them, and only to those', async () => {
  const admins = await startDashboard({ flags: { dashboard_auth: 'on', dashboard_key_names: 'admin' }, beside: dashboard });
  const look = async (at: TestDashboard) => {
    const found = await Promise.all(
      [1, 2].map(async (group) => (await at.ok('POST', `/groups/${group}/keys/mend`, { action: 'preview' }, operator)).json['examples']),
    );
    return JSON.stringify(found);
  };
  expect(await look(dashboard)).toContain(SECRET);
  const hidden = await look(admins);
  expect(hidden).not.toContain(SECRET);
  expect(hidden).toMatch(/\(key [0-9a-f]{10}\) \(slot \d+, database 0; group \d has it too\)/);
});
