// Status and metrics against servers that come and go: what they say must be true.

import { asEpoch, asProxyId, encodeProxyLive, encodeProxyRegistration } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../test/harness/redis.ts';
import { startDashboard, type TestDashboard } from './support.ts';

let dashboard: TestDashboard;
let master: RedisServer;
let replica: RedisServer;

beforeAll(async () => {
  [dashboard, master, replica] = await Promise.all([startDashboard(), startRedis(), startRedis()]);
  await dashboard.ok('POST', '/slots/init', {});
  await dashboard.ok('POST', '/groups/1/servers', { addr: master.addr, role: 'master' });
  await dashboard.ok('POST', '/groups/1/servers', { addr: replica.addr, role: 'replica' });
  await dashboard.ok('PUT', '/slots/range', { first: 0, last: 1023, group: 1 });
  await dashboard.ok('GET', '/proxies');
  await registerProxy(3);
});
afterAll(stopAll);

async function registerProxy(epoch: number): Promise<void> {
  const id = asProxyId('proxy_1');
  const data = encodeProxyRegistration({ id, addr: '127.0.0.1:1', adminAddr: '127.0.0.1:11080', wanted: 'online' });
  const live = encodeProxyLive({ epoch: asEpoch(epoch), pid: 1, startedAt: '2026-01-01T00:00:00.000Z' });
  await dashboard.coordinator.commit([
    { op: 'create', path: 'proxies/proxy_1', data },
    { op: 'create', path: 'proxies/proxy_1/live', data: live, ephemeral: true },
  ]);
}

const status = async () => (await dashboard.ok('GET', '/status')).json;
const text = async (url: string) => (await dashboard.app.inject({ url, headers: { host: 'localhost' } })).body;
const untilStatus = (wanted: object) =>
  eventually(async () => expect(await status()).toMatchObject(wanted) ?? true, { what: `status ${JSON.stringify(wanted)}` });

describe('a healthy cluster', () => {
  test('is called healthy, with numbers', async () => {
    await untilStatus({
      verdict: 'healthy',
      summary: 'Healthy: 1024 of 1024 slots served, 1 of 1 group with a working replica, 1 of 1 proxy online',
      problems: [],
      elected: true,
      slots: { served: 1024, offline: 0, moving: 0 },
    });
  });

  test('knows how far each replica is behind, in bytes and in seconds', async () => {
    await untilStatus({
      groups: [
        {
          servers: [
            { lagBytes: null, lagSeconds: null },
            { addr: replica.addr, lagBytes: expect.any(Number), lagSeconds: expect.any(Number) },
          ],
        },
      ],
    });
  });

  test('has metrics that say the same', async () => {
    const metrics = await text('/metrics');
    expect(metrics).toContain('codis_slots{product="test",state="served"} 1024');
    expect(metrics).toContain(`codis_server_up{product="test",group="1",addr="${master.addr}",role="master"} 1`);
  });
});

describe('a cluster with something wrong', () => {
  test('warns of a replica that is down, and stays healthy', async () => {
    await replica.stop();
    await untilStatus({ verdict: 'healthy', warnings: [`the replica ${replica.addr} of group 1 is down`] });
    const server = { addr: replica.addr, up: false, keysCount: null, usedMemoryBytes: null, observedRole: null };
    expect(await status()).toMatchObject({ groups: [{ servers: [{ addr: master.addr, up: true }, server] }] });
  });

  test('warns of a proxy that routes by an older table', async () => {
    await dashboard.ok('POST', '/groups', { group: 2 });
    await untilStatus({ verdict: 'healthy', proxies: [{ id: 'proxy_1', state: 'behind', epoch: 3 }] });
  });

  test('is degraded by slots that belong to no group', async () => {
    await dashboard.ok('PUT', '/slots/range', { first: 0, last: 101, group: null });
    await untilStatus({ verdict: 'degraded', problems: ['102 slots (10 %) belong to no group'], slots: { served: 922, offline: 102 } });
    await dashboard.ok('PUT', '/slots/range', { first: 0, last: 101, group: 1 });
  });

  test('is degraded by a master that is one no more', async () => {
    const other = await startRedis();
    await master.client().replicaof('127.0.0.1', other.port);
    await untilStatus({
      verdict: 'degraded',
      slots: { served: 0 },
      groups: [{ servers: [{ up: true, observedRole: 'replica' }, {}] }, {}],
    });
    await master.client().replicaof('NO', 'ONE');
  });

  test('is degraded by a proxy that was lost', async () => {
    await dashboard.coordinator.commit([{ op: 'delete', path: 'proxies/proxy_1/live' }]);
    await untilStatus({
      verdict: 'degraded',
      problems: ['no proxy is online', 'proxy proxy_1 is lost: it should be online but has no session'],
    });
  });

  test('is degraded by a master that is down, and says what that costs', async () => {
    await master.stop();
    const problem = `the master of group 1, ${master.addr}, is down, so 1024 slots (100 %) can't be reached`;
    await untilStatus({ verdict: 'degraded', slots: { served: 0 } });
    expect((await status())['problems']).toContain(problem);
    expect(await text('/metrics')).toContain(`codis_server_up{product="test",group="1",addr="${master.addr}",role="master"} 0`);
  });
});

describe('a lost proxy', () => {
  test('can be removed', async () => {
    const { json } = await dashboard.ok('DELETE', '/proxies/proxy_1');
    expect(json).toMatchObject({ proxy: { id: 'proxy_1', state: 'lost' }, notes: [expect.any(String)] });
    expect((await dashboard.ok('GET', '/proxies')).json).toEqual({ proxies: [] });
  });
});
