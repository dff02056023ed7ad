import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../../../test/harness/process.ts';
import { proxyLivePath, proxyPath } from '../../src/coordinator/index.ts';
import { asEpoch, asProxyId, encodeProxyLive, encodeProxyRegistration, type ProxyRegistration } from '../../src/model/index.ts';
import { type Caller, listEvents, listProxies, readProxy, removeProxy, setProxyWanted } from '../../src/operations/index.ts';
import { newProduct, refusal } from './support.ts';

const P1 = asProxyId('proxy_1');

/** As a proxy registers itself. */
async function register(caller: Caller, options: { addr: string; live: boolean; wanted?: ProxyRegistration['wanted'] }): Promise<void> {
  const { addr, live, wanted = 'online' } = options;
  const registration = encodeProxyRegistration({ id: P1, addr, adminAddr: '127.0.0.1:11080', wanted });
  const session = encodeProxyLive({ epoch: asEpoch(0), pid: 42, startedAt: '2026-01-01T00:00:00.000Z' });
  await caller.coordinator.commit([
    { op: 'create', path: proxyPath(P1), data: registration },
    ...(live ? [{ op: 'create', path: proxyLivePath(P1), data: session, ephemeral: true } as const] : []),
  ]);
}

async function listenSomewhere(): Promise<{ addr: string; server: Server }> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return { addr: `127.0.0.1:${port}`, server };
}

const nowhere = async () => `127.0.0.1:${await freePort()}`;

describe('proxies', () => {
  test('are listed with their session, and null without one', async () => {
    const caller = await newProduct();
    expect(await listProxies(caller.coordinator)).toEqual([]);
    await register(caller, { addr: '127.0.0.1:19000', live: true });
    expect(await listProxies(caller.coordinator)).toMatchObject([{ id: P1, addr: '127.0.0.1:19000', live: { epoch: 0, pid: 42 } }]);
    await caller.coordinator.commit([{ op: 'delete', path: proxyLivePath(P1) }]);
    expect((await readProxy(caller.coordinator, P1)).live).toBeNull();
  });

  test('that nobody registered are unknown to every operation', async () => {
    const caller = await newProduct();
    await expect(readProxy(caller.coordinator, P1)).rejects.toMatchObject({ code: 'CODIS_E_UNKNOWN_PROXY' });
    expect(await refusal(caller, () => setProxyWanted(caller, { id: P1, wanted: 'online' }))).toBe('CODIS_E_UNKNOWN_PROXY');
    expect(await refusal(caller, () => removeProxy(caller, { id: P1 }))).toBe('CODIS_E_UNKNOWN_PROXY');
  });

  test('wanted online are so once they listen', async () => {
    const caller = await newProduct();
    const { addr, server } = await listenSomewhere();
    await register(caller, { addr, live: true, wanted: 'offline' });
    expect(await setProxyWanted(caller, { id: P1, wanted: 'online' })).toMatchObject({
      takenUp: true,
      note: null,
      proxy: { wanted: 'online' },
    });
    expect((await listEvents(caller.coordinator))[0]).toMatchObject({ action: 'proxy.online', object: 'proxy proxy_1', epoch: null });
    server.close();
  });

  test('that do not do as they are told are waited for only so long', async () => {
    const caller = await newProduct();
    const { addr, server } = await listenSomewhere();
    await register(caller, { addr, live: true });
    const result = await setProxyWanted(caller, { id: P1, wanted: 'offline', waitMs: 200 });
    expect(result).toMatchObject({ takenUp: false, note: expect.stringContaining('still takes clients') });
    server.close();
  });

  test('that are not running will be online when they start, and are offline already', async () => {
    const caller = await newProduct();
    await register(caller, { addr: await nowhere(), live: false });
    expect(await setProxyWanted(caller, { id: P1, wanted: 'online', waitMs: 200 })).toMatchObject({
      takenUp: false,
      note: expect.stringContaining('not running'),
    });
    expect(await setProxyWanted(caller, { id: P1, wanted: 'offline' })).toMatchObject({ takenUp: true });
  });

  test('can be forgotten once they are gone', async () => {
    const caller = await newProduct();
    await register(caller, { addr: await nowhere(), live: false });
    expect((await removeProxy(caller, { id: P1 })).join()).toContain('be sure that its process is gone');
    expect(await listProxies(caller.coordinator)).toEqual([]);
    expect((await listEvents(caller.coordinator))[0]).toMatchObject({ action: 'proxy.remove' });
  });

  test('with a session, or that still listen without one, can’t be forgotten', async () => {
    const caller = await newProduct();
    const { addr, server } = await listenSomewhere();
    await register(caller, { addr, live: true });
    expect(await refusal(caller, () => removeProxy(caller, { id: P1 }))).toBe('CODIS_E_PROXY_RUNNING');
    await caller.coordinator.commit([{ op: 'delete', path: proxyLivePath(P1) }]);
    expect(await refusal(caller, () => removeProxy(caller, { id: P1 }))).toBe('CODIS_E_PROXY_RUNNING');
    server.close();
    await once(server, 'close');
    await removeProxy(caller, { id: P1 });
  });
});
