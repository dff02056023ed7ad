// Goal: behind a reverse proxy that is trusted a call counts as from where it came, and nobody else can say where that is.
// Method: calls that seem to come from the proxy's address, from beside it, and over two of them.

import { ensureAdmin } from '@codis/config/operations';
import { beforeAll, describe, expect, test } from 'vitest';
import { startDashboard, type TestDashboard } from './support.ts';

const PROXY = '10.1.2.3';
const OUTER_PROXY = 'fd00::7';
const STRANGER = '203.0.113.9';

let dashboard: TestDashboard;
let password = '';

beforeAll(async () => {
  dashboard = await startDashboard({ flags: { dashboard_auth: 'on', dashboard_trusted_proxies: '10.0.0.0/8,fd00::/16' } });
  password = (await ensureAdmin({ coordinator: dashboard.coordinator, product: 'test', actor: 'test', password: '' }))!;
});

interface From {
  /** Who connects. */
  readonly peer: string;
  readonly forwarded?: string;
  readonly proto?: string;
  readonly secret?: string;
}

async function login({ peer, forwarded, proto, secret = password }: From, at = dashboard) {
  const { headers, statusCode } = await at.app.inject({
    method: 'POST',
    url: '/api/v1/login',
    remoteAddress: peer,
    headers: {
      host: 'codis.example.com',
      'content-type': 'application/json',
      ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }),
      ...(proto === undefined ? {} : { 'x-forwarded-proto': proto }),
    },
    payload: JSON.stringify({ user: 'admin', password: secret }),
  });
  const cookie = String(headers['set-cookie']);
  return { status: statusCode, cookie };
}

/** Who the newest event says it was, and from where. */
async function toldOf(from: From, at = dashboard): Promise<{ actor: unknown; ip: unknown }> {
  const { status, cookie } = await login(from, at);
  expect(status).toBe(200);
  const session = { cookie: cookie.split(';')[0]! };
  const { json } = await at.ok('GET', '/events?action=session.login&limit=1', undefined, session);
  const [{ actor, ip }] = json['events'] as [{ actor: string; ip: string }];
  return { actor, ip };
}

describe('an event', () => {
  test.each([
    ['who calls through a trusted proxy', { peer: PROXY, forwarded: '198.51.100.1' }, '198.51.100.1'],
    ['who calls through two of them', { peer: PROXY, forwarded: `198.51.100.2, ${OUTER_PROXY}` }, '198.51.100.2'],
    ['who stands before the first that is not trusted, whatever that says', { peer: PROXY, forwarded: `1.1.1.1, ${STRANGER}` }, STRANGER],
    ['the proxy, when it says nothing', { peer: PROXY }, PROXY],
    ['the proxy, when what it says is no address', { peer: PROXY, forwarded: 'x'.repeat(500) }, PROXY],
    ['who connects, whatever he says', { peer: STRANGER, forwarded: '198.51.100.3' }, STRANGER],
    ['this machine, which is not trusted unless it is named', { peer: '127.0.0.1', forwarded: '198.51.100.3' }, '127.0.0.1'],
  ])('names %s', async (_, from, ip) => {
    expect(await toldOf(from)).toEqual({ actor: `admin@${ip}`, ip });
  });

  test('names who connects where no proxy is trusted', async () => {
    const plain = await startDashboard({ flags: { dashboard_auth: 'on' }, beside: dashboard });
    expect(await toldOf({ peer: PROXY, forwarded: '198.51.100.1' }, plain)).toEqual({ actor: `admin@${PROXY}`, ip: PROXY });
  });

  test('of a call that was denied names it too', async () => {
    const headers = { host: 'codis.example.com', 'x-forwarded-for': '198.51.100.4' };
    const denied = await dashboard.app.inject({ method: 'POST', url: '/api/v1/slots/init', remoteAddress: PROXY, headers });
    expect(denied.statusCode).toBe(401);
    const session = { cookie: (await login({ peer: '198.51.100.5' })).cookie.split(';')[0]! };
    const { json } = await dashboard.ok('GET', '/events?action=call.denied&limit=1', undefined, session);
    expect(json['events']).toMatchObject([{ actor: 'nobody@198.51.100.4', ip: '198.51.100.4' }]);
  });
});

describe('the limit of logins', () => {
  const guesses = async (from: (count: number) => From, at: TestDashboard) => {
    const codes: number[] = [];
    for (let count = 0; count < 11; count++) codes.push((await login({ secret: 'guess', ...from(count) }, at)).status);
    return codes;
  };
  const fresh = (proxies: string) =>
    startDashboard({ flags: { dashboard_auth: 'on', dashboard_trusted_proxies: proxies }, beside: dashboard });
  const ALL_REFUSED = new Array<number>(11).fill(401);

  test('is one for each who calls through a trusted proxy', async () => {
    const at = await fresh(PROXY);
    expect(await guesses((count) => ({ peer: PROXY, forwarded: `198.51.100.${count}` }), at)).toEqual(ALL_REFUSED);
    expect((await guesses(() => ({ peer: PROXY, forwarded: '198.51.100.77' }), at)).at(-1)).toBe(429);
    expect((await login({ peer: PROXY, forwarded: '198.51.100.78' }, at)).status).toBe(200);
  });

  test.each([
    ['calls himself another each time', (count: number) => ({ peer: STRANGER, forwarded: `198.51.100.${count}` })],
    ['has a proxy pass on what is no address', (count: number) => ({ peer: PROXY, forwarded: `guess-${count}` })],
    ['puts another address first each time', (count: number) => ({ peer: PROXY, forwarded: `198.51.100.${count}, ${STRANGER}` })],
  ])('holds for who %s', async (_, from) => {
    expect((await guesses(from, await fresh(PROXY))).at(-1)).toBe(429);
  });
});

test('the cookie is kept to TLS when a trusted proxy says that the call came by it, and on nobody else’s word', async () => {
  expect((await login({ peer: PROXY, forwarded: '198.51.100.6', proto: 'https' })).cookie).toContain('; Secure');
  expect((await login({ peer: PROXY, forwarded: '198.51.100.7', proto: 'http' })).cookie).not.toContain('; Secure');
  expect((await login({ peer: '198.51.100.8', proto: 'https' })).cookie).not.toContain('; Secure');
});
