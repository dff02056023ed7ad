// Goal: with dashboard_auth = on nobody reads without a login, nobody changes what his role does not allow, and no route is forgotten.
// Method: the routes are taken from the description of the API, so one that is added is held to the same.

import { addUser, ensureAdmin } from '@codis/config/operations';
import { beforeAll, describe, expect, test } from 'vitest';
import { startDashboard, type TestDashboard } from './support.ts';

/** Not refused for a viewer: they concern nobody else. */
const OWN = ['/login', '/logout', '/session/password'];
const ADMIN_ONLY = ['/users', '/tokens'];

let dashboard: TestDashboard;
let password: string;
let admin: Record<string, string>;

beforeAll(async () => {
  dashboard = await startDashboard({ flags: { dashboard_auth: 'on' } });
  const caller = { coordinator: dashboard.coordinator, product: 'test', actor: 'test', password: '' };
  password = (await ensureAdmin(caller))!;
  expect(await ensureAdmin(caller)).toBeNull();
  await addUser(caller, { name: 'vera', role: 'viewer', password: 'looks but never touches' });
  admin = await login('admin', password);
});

async function login(user: string, secret: string): Promise<Record<string, string>> {
  const { headers, json } = await dashboard.ok('POST', '/login', { user, password: secret });
  const cookie = String(headers['set-cookie']);
  expect(cookie).toMatch(/^codis_session=.*HttpOnly.*SameSite=Strict/);
  return { cookie: cookie.split(';')[0]!, 'x-codis-csrf': String(json['csrf']) };
}

async function tokenOf(role: string, name = role): Promise<Record<string, string>> {
  const { json } = await dashboard.ok('POST', '/tokens', { name, role }, admin);
  return { authorization: `Bearer ${String(json['token'])}` };
}

const filled = (path: string) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'addr' ? 'localhost:1' : name === 'proxy' || name === 'user' ? 'x' : '1'));
const events = async () =>
  (await dashboard.ok('GET', '/events', undefined, admin)).json['events'] as {
    result: string;
    object: string;
    ip: string;
    actor: string;
  }[];

/** Calls every change, and holds the answer, the events and all that is kept against what a refusal is. */
async function refusesAll(headers: Record<string, string>, status: number, code: string, who: TestDashboard = dashboard): Promise<void> {
  const changes = (await dashboard.changes()).filter(({ path }) => !OWN.includes(path));
  expect(changes.length).toBeGreaterThan(25);
  for (const { method, path } of changes) {
    const tree = await dashboard.tree(['events']);
    const [before] = await events();
    const answer = await who.call(method, filled(path), {}, headers);
    expect({ method, path, status: answer.status, code: answer.json['code'] }).toEqual({ method, path, status, code });
    expect(await dashboard.tree(['events']), path).toEqual(tree);
    const after = await events();
    expect(
      after.slice(
        0,
        after.findIndex((event) => JSON.stringify(event) === JSON.stringify(before)),
      ),
      path,
    ).toMatchObject([{ action: 'call.denied', result: 'denied', object: `${method} /api/v1${filled(path)}`, ip: '127.0.0.1' }]);
  }
}

describe('without a login', () => {
  test('every change is refused and written down', async () => refusesAll({}, 401, 'CODIS_E_LOGIN_REQUIRED'));

  test('nothing is read but who one is', async () => {
    for (const path of await dashboard.reads()) {
      const answer = await dashboard.call('GET', filled(path));
      expect({ path, status: answer.status }).toEqual({ path, status: path === '/session' ? 200 : 401 });
    }
    const metrics = await dashboard.app.inject({ url: '/metrics', headers: { host: 'localhost' } });
    expect(metrics.statusCode).toBe(401);
    expect((await dashboard.app.inject({ url: '/api/v1/live', headers: { host: 'localhost' } })).statusCode).toBe(401);
    expect((await dashboard.app.inject({ url: '/healthz', headers: { host: 'localhost' } })).statusCode).toBe(200);
    expect((await dashboard.ok('GET', '/session')).json).toMatchObject({ authRequired: true, user: null, role: null, csrf: null });
  });
});

describe('a viewer', () => {
  test('reads everything but users and tokens', async () => {
    const viewer = await tokenOf('viewer', 'reader');
    for (const path of await dashboard.reads()) {
      const { status, json } = await dashboard.call('GET', filled(path), undefined, viewer);
      if (ADMIN_ONLY.includes(path)) expect({ path, status }).toEqual({ path, status: 403 });
      else expect([401, 403], `${path} ${JSON.stringify(json)}`).not.toContain(status);
    }
  });

  test('is refused every change, by token and by cookie', async () => {
    await refusesAll(await tokenOf('viewer'), 403, 'CODIS_E_DENIED');
    const cookie = await login('vera', 'looks but never touches');
    expect(await dashboard.call('POST', '/slots/init', {}, cookie)).toMatchObject({ status: 403 });
  });

  test('changes his own password, and is out with the old one', async () => {
    const before = await login('vera', 'looks but never touches');
    const change = (current: string, headers = before) =>
      dashboard.call('PUT', '/session/password', { current, next: 'a longer one than before' }, headers);
    expect(await change('not this one')).toMatchObject({ status: 403 });
    expect(await change('looks but never touches')).toMatchObject({ status: 200 });
    expect(await dashboard.call('GET', '/status', undefined, before)).toMatchObject({ status: 401 });
    await login('vera', 'a longer one than before');
  });
});

describe('an operator', () => {
  test('changes the cluster, and no users', async () => {
    const operator = await tokenOf('operator');
    await dashboard.ok('POST', '/slots/init', {}, operator);
    const [event] = await events();
    expect(event).toMatchObject({ action: 'slot.init', actor: 'token:operator@127.0.0.1', via: 'token', result: 'done' });
    expect(await dashboard.call('GET', '/users', undefined, operator)).toMatchObject({ status: 403 });
    expect(await dashboard.call('POST', '/tokens', { name: 'more', role: 'admin' }, operator)).toMatchObject({ status: 403 });
  });
});

describe('read-only', () => {
  test('refuses every change to everybody, and is said', async () => {
    const readOnly = await startDashboard({ flags: { dashboard_auth: 'on', dashboard_read_only: 'on' }, beside: dashboard });
    await refusesAll(admin, 403, 'CODIS_E_DENIED', readOnly);
    expect((await readOnly.ok('GET', '/session', undefined, admin)).json).toMatchObject({ readOnly: true, role: 'admin' });
  });
});

describe('a login', () => {
  test('by cookie needs the header for every change, and none for reading', async () => {
    const { cookie } = admin as { cookie: string };
    await dashboard.ok('GET', '/users', undefined, { cookie });
    expect(await dashboard.call('POST', '/groups', { group: 7 }, { cookie })).toMatchObject({
      status: 403,
      json: { code: 'CODIS_E_DENIED' },
    });
    const other = { cookie, 'x-codis-csrf': 'x'.repeat(43) };
    expect(await dashboard.call('POST', '/groups', { group: 7 }, other)).toMatchObject({ status: 403 });
  });

  test('holds at every dashboard, and is over everywhere at once', async () => {
    const second = await startDashboard({ flags: { dashboard_auth: 'on' }, beside: dashboard });
    const session = await login('admin', password);
    await second.ok('GET', '/users', undefined, session);
    await second.ok('POST', '/logout', undefined, session);
    expect(await dashboard.call('GET', '/users', undefined, session)).toMatchObject({ status: 401 });
  });

  test.each([
    ['a wrong password', { user: 'admin', password: 'wrong' }],
    ['nobody', { user: 'nobody', password: 'wrong' }],
  ])('of %s is refused in the same words', async (_, body) => {
    expect((await dashboard.call('POST', '/login', body)).json).toMatchObject({
      code: 'CODIS_E_LOGIN_REQUIRED',
      detail: 'there is no user with this name and password',
    });
  });

  test('is tried only so often', async () => {
    const fresh = await startDashboard({ flags: { dashboard_auth: 'on' }, beside: dashboard });
    const codes: unknown[] = [];
    for (let count = 0; count < 11; count++) {
      codes.push((await fresh.call('POST', '/login', { user: 'admin', password: 'guess' })).json['code']);
    }
    expect(codes.slice(0, 10)).toEqual(new Array(10).fill('CODIS_E_LOGIN_REQUIRED'));
    expect(codes[10]).toBe('CODIS_E_TOO_MANY');
  });
});

describe('what has an end', () => {
  /** Sets a field of what is kept. */
  async function rewrite(path: string, change: object): Promise<void> {
    const { data } = (await dashboard.coordinator.read(path))!;
    const next = { ...(JSON.parse(data.toString()) as object), ...change };
    await dashboard.coordinator.commit([{ op: 'set', path, data: Buffer.from(JSON.stringify(next)) }]);
  }
  const past = new Date(Date.now() - 1000).toISOString();

  test('is of no use after it: a token, a session', async () => {
    const token = await dashboard.ok('POST', '/tokens', { name: 'short', role: 'viewer', expiresInDays: 1 }, admin);
    const bearer = { authorization: `Bearer ${String(token.json['token'])}` };
    await dashboard.ok('GET', '/status', undefined, bearer);
    await rewrite('tokens/short', { expiresAt: past });
    expect(await dashboard.call('GET', '/status', undefined, bearer)).toMatchObject({ status: 401 });

    const known = await dashboard.coordinator.list('sessions');
    const session = await login('admin', password);
    const [fresh] = (await dashboard.coordinator.list('sessions')).filter((name) => !known.includes(name));
    await rewrite(`sessions/${fresh}`, { expiresAt: past });
    expect(await dashboard.call('GET', '/status', undefined, session)).toMatchObject({ status: 401 });
    await login('admin', password);
    expect(await dashboard.coordinator.list('sessions')).not.toContain(fresh);
  });

  test.each([
    ['none', 'Bearer '],
    ['another shape', 'Bearer secret'],
    ['another secret', `Bearer codis.reader.${'x'.repeat(43)}`],
    ['a name that is a path', `Bearer codis.../users/admin.${'x'.repeat(43)}`],
  ])('a token of %s is nobody’s', async (_, authorization) => {
    expect(await dashboard.call('GET', '/status', undefined, { authorization })).toMatchObject({ status: 401 });
  });
});

describe('users and tokens', () => {
  test('are added, changed and removed; no secret is ever shown again', async () => {
    await dashboard.ok('POST', '/users', { name: 'otto', role: 'viewer', password: 'long enough' }, admin);
    await dashboard.ok('PUT', '/users/otto', { role: 'operator' }, admin);
    const { json } = await dashboard.ok('GET', '/users', undefined, admin);
    expect(json['users']).toContainEqual({ name: 'otto', role: 'operator', createdAt: expect.any(String) });
    await dashboard.ok('DELETE', '/users/otto', undefined, admin);
    const kept = JSON.stringify(await dashboard.tree());
    expect(kept).not.toContain('long enough');
    const token = await tokenOf('viewer', 'gone-soon');
    expect(JSON.stringify(await dashboard.tree())).not.toContain(token['authorization']!.split('.')[2]);
    await dashboard.ok('DELETE', '/tokens/gone-soon', undefined, admin);
    expect(await dashboard.call('GET', '/status', undefined, token)).toMatchObject({ status: 401 });
  });

  test.each([
    ['a short password', 'POST', '/users', { name: 'a', role: 'viewer', password: 'short' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['a name that is there', 'POST', '/users', { name: 'admin', role: 'viewer', password: 'long enough' }, 409, 'CODIS_E_USER_EXISTS'],
    ['a role that is none', 'POST', '/users', { name: 'b', role: 'king', password: 'long enough' }, 400, 'CODIS_E_BAD_REQUEST'],
    ['removing the last admin', 'DELETE', '/users/admin', undefined, 409, 'CODIS_E_USER_NEEDED'],
    ['making the last admin a viewer', 'PUT', '/users/admin', { role: 'viewer' }, 409, 'CODIS_E_USER_NEEDED'],
    ['an unknown user', 'DELETE', '/users/nobody', undefined, 404, 'CODIS_E_UNKNOWN_USER'],
    ['an unknown token', 'DELETE', '/tokens/nothing', undefined, 404, 'CODIS_E_UNKNOWN_TOKEN'],
  ] as const)('%s is refused', async (_, method, path, body, status, code) => {
    expect(await dashboard.call(method, path, body, admin)).toMatchObject({ status, json: { code } });
  });
});

test('without a coordinator nobody is known: health and pages are served, and the API says why it is not', async () => {
  const cut = await startDashboard({ flags: { dashboard_auth: 'on' } });
  await cut.coordinator.close();
  const headers = { host: 'localhost', cookie: `codis_session=${'x'.repeat(43)}` };
  expect((await cut.app.inject({ url: '/healthz', headers })).statusCode).toBe(200);
  expect(await cut.call('GET', '/session', undefined, headers)).toMatchObject({ status: 503, json: { code: 'CODIS_E_COORDINATOR_LOST' } });
  expect(await cut.call('POST', '/groups', { group: 1 }, headers)).toMatchObject({ status: 503 });
});
