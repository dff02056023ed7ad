// Goal: trying a proxy says what came back of a key that is set, read and deleted, or in words what is wrong; it leaves nothing behind, and a dry run does nothing.
// Method: what is registered as proxies are Redis servers, with and without a password, and addresses where something else answers, or nobody.

import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import type { ProxyTryView } from '@codis/config/api';
import { asProxyId, encodeProxyRegistration } from '@codis/config/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, stopAll } from '../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../test/harness/redis.ts';
import { startDashboard, type TestDashboard } from './support.ts';

let dashboard: TestDashboard;
let good: RedisServer;
const servers: Server[] = [];

beforeAll(async () => {
  dashboard = await startDashboard({ flags: { dashboard_auth: 'off' } });
  good = await startRedis();
});
afterAll(async () => {
  for (const server of servers) server.close();
  await stopAll();
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function register(name: string, addr: string): Promise<void> {
  const id = asProxyId(name);
  const data = encodeProxyRegistration({ id, addr, adminAddr: '127.0.0.1:1', wanted: 'online' });
  await dashboard.coordinator.commit([
    { op: 'create', path: 'proxies', data: Buffer.alloc(0) },
    { op: 'create', path: `proxies/${name}`, data },
  ]);
  await dashboard.coordinator.commit([{ op: 'create', path: `proxies/${name}`, data }]);
}

async function trial(addr: string): Promise<ProxyTryView> {
  const name = `p${addr.replaceAll(/\W/g, '_')}`;
  await register(name, addr);
  return (await dashboard.ok('POST', `/proxies/${name}/try`)).json as unknown as ProxyTryView;
}

const SET_KEY = /^SET (codis:try:[0-9a-f]{12}) hello PX 10000$/;

test('a proxy that serves gives back what was set, and keeps nothing; it is one event', async () => {
  const view = await trial(good.addr);
  const key = SET_KEY.exec(view.steps[0]?.command ?? '')?.[1];
  expect(view).toMatchObject({ ok: true, addr: good.addr, problem: null });
  expect(view.steps.map(({ command, reply }) => [command, reply])).toEqual([
    [`SET ${key} hello PX 10000`, 'OK'],
    [`GET ${key}`, 'hello'],
    [`DEL ${key}`, '1'],
  ]);
  expect(await good.client().dbsize()).toBe(0);
  const [event] = (await dashboard.ok('GET', '/events?limit=1')).json['events'] as Record<string, unknown>[];
  expect(event).toMatchObject({ action: 'proxy.try', object: `proxy ${view.proxy}`, result: 'done' });
});

test('a dry run sends nothing', async () => {
  await register('dry', good.addr);
  const client = good.client();
  await client.set('key', 'value');
  const writes = async () =>
    (await client.info('all'))
      .match(/^(?:total_connections_received|cmdstat_set:calls=\d+|cmdstat_del:calls=\d+).*/gm)
      ?.map((line) => line.replace(/,usec.*/, ''));
  const before = await writes();
  expect((await dashboard.ok('POST', '/proxies/dry/try?dryRun=true')).json).toMatchObject({ would: [{ action: 'proxy.try' }] });
  expect(before?.length).toBe(3);
  expect(await writes()).toEqual(before);
});

test('an error is told as it came, with the command that met it', async () => {
  const full = await startRedis({ config: { 'min-replicas-to-write': '1' } });
  const view = await trial(full.addr);
  expect(view).toMatchObject({ ok: false, problem: expect.stringMatching(/^it answered SET with an error: NOREPLICAS /) });
  expect(view.steps).toHaveLength(1);
});

test('a password that does not fit, another protocol, silence and nobody are told in words', async () => {
  const locked = await startRedis({ config: { requirepass: 'secret' } });
  const silent = createTcpServer((socket) => socket.on('error', () => undefined));
  const cases = [
    [locked.addr, /^it wants another password: session_auth must be the same/],
    [
      await listening(createServer((_, response) => response.end('a page'))),
      /does not speak Redis’s protocol: is that the address clients connect to\?/,
    ],
    [await listening(silent), /can't be reached|did not answer/],
    [`127.0.0.1:${await freePort()}`, /can't be reached: .*ECONNREFUSED.*from where the dashboard runs$/],
  ] as const;
  for (const [addr, problem] of cases) {
    expect(await trial(addr), addr).toMatchObject({ ok: false, steps: [], problem: expect.stringMatching(problem) });
  }
}, 30_000);

test('one that is not there is not found', async () => {
  expect(await dashboard.call('POST', '/proxies/nobody/try')).toMatchObject({ status: 404, json: { code: 'CODIS_E_UNKNOWN_PROXY' } });
});
