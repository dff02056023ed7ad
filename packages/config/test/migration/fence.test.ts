// Fencing on real servers: the marker, and who is cut off.

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { killClients } from '../../src/migration/clients.ts';
import { fence, lowerFence, readFence, reassertFence } from '../../src/migration/fence.ts';
import { asEpoch, asProxyId, asServerAddr, fenceKey, type Group, type ProxyId, proxyClientName } from '../../src/model/index.ts';
import { ONE, PRODUCT } from './product.ts';

const [LOST, ALIVE, LOST_TOO] = [asProxyId('p1'), asProxyId('p11'), asProxyId('P1')];
let master: RedisServer;
let replica: RedisServer;
let group: Group;

beforeAll(async () => {
  master = await startRedis();
  replica = await startRedis({ replicaOf: master });
  group = groupOf(master.addr, replica.addr);
});
beforeEach(() => master.client().flushall());
afterAll(() => Promise.all([master.stop(), replica.stop()]));

function groupOf(masterAddr: string, ...replicas: string[]): Group {
  const servers = replicas.map((addr) => ({ addr: asServerAddr(addr), role: 'replica' as const }));
  return { id: ONE, servers: [{ addr: asServerAddr(masterAddr), role: 'master' }, ...servers] };
}

const request = (epoch: number, proxies = [LOST]) => ({ product: PRODUCT, password: '', group, proxies, epoch: asEpoch(epoch) });

const nameOf = (id: ProxyId) => proxyClientName(id, { pid: 1, workerPid: 2 });

/** A connection as a proxy has it, and whether it was cut off since. */
async function connection(server: RedisServer, name: string): Promise<() => Promise<boolean>> {
  const client: Redis = server.client();
  await client.client('SETNAME', name);
  const id = await client.client('ID');
  return async () => (await client.client('ID')) !== id;
}

test('the marker is raised to the epoch, and never lowered by a fence', async () => {
  expect(await readFence(request(0))).toBeNull();
  expect(await fence(request(7))).toMatchObject({ raised: true });
  expect(await fence(request(7))).toMatchObject({ raised: false });
  expect(await fence(request(3))).toMatchObject({ raised: false });
  expect(await readFence(request(0))).toBe(7);
  expect(await fence(request(10))).toMatchObject({ raised: true });
  expect(await master.client().get(fenceKey(PRODUCT))).toBe('10');
});

test('the connections of the fenced proxies are killed on every server, and nobody else’s', async () => {
  const cut = await Promise.all([
    connection(master, nameOf(LOST)),
    connection(master, nameOf(LOST)),
    connection(replica, nameOf(LOST)),
    connection(master, nameOf(LOST_TOO)),
  ]);
  const spared = await Promise.all([connection(master, nameOf(ALIVE)), connection(replica, 'p1'), connection(master, 'codis-proxy:')]);

  expect(await fence(request(5, [LOST, LOST_TOO]))).toEqual({ raised: true, killedCount: 4, unreachable: [] });

  for (const wasCut of cut) expect(await wasCut()).toBe(true);
  for (const wasCut of spared) expect(await wasCut()).toBe(false);
});

test('a connection in the middle of a blocking command is killed too', async () => {
  const client = master.client();
  await client.client('SETNAME', nameOf(LOST));
  const blocked = client.blpop('list', 0);
  const outcome = expect(blocked).rejects.toThrow();
  await fence(request(5));
  await outcome;
});

test('a replica that can’t be reached is named, and does not stop the fence', async () => {
  const down = `127.0.0.1:${await freePort()}`;
  const result = await fence({ ...request(5), group: groupOf(master.addr, down) });
  expect(result).toEqual({ raised: true, killedCount: 0, unreachable: [down] });
});

test('a master that can’t be reached, or is none, is no fence', async () => {
  const down = groupOf(`127.0.0.1:${await freePort()}`);
  await expect(fence({ ...request(5), group: down })).rejects.toMatchObject({ code: 'CODIS_E_SERVER_UNREACHABLE' });
  await expect(fence({ ...request(5), group: { id: ONE, servers: [] } })).rejects.toMatchObject({ code: 'CODIS_E_NO_MASTER' });
  await expect(fence({ ...request(5), group: groupOf(replica.addr) })).rejects.toThrow(/READONLY/);
});

test('a fence with the wrong password is no fence', async () => {
  const guarded = await startRedis({ config: { requirepass: 'secret' } });
  const at = { ...request(5), group: groupOf(guarded.addr) };
  await expect(fence({ ...at, password: 'wrong' })).rejects.toMatchObject({ code: 'CODIS_E_NOT_REDIS' });
  expect(await fence({ ...at, password: 'secret' })).toMatchObject({ raised: true });
  await guarded.stop();
});

test('a marker that is still there is left alone, and so are connections; one that was lost is put back, and who came in is cut off', async () => {
  await fence(request(5));
  const returned = await connection(master, nameOf(LOST));
  expect(await reassertFence(request(5))).toBe(false);
  expect(await returned()).toBe(false);

  await master.client().flushall();

  expect(await reassertFence(request(5))).toBe(true);
  expect(await readFence(request(0))).toBe(5);
  expect(await returned()).toBe(true);
});

test('a marker is set back only from what it was seen to be', async () => {
  await fence(request(5000));
  await lowerFence(request(0), { from: asEpoch(4999), to: asEpoch(3) });
  expect(await readFence(request(0))).toBe(5000);
  await lowerFence(request(0), { from: asEpoch(5000), to: asEpoch(3) });
  expect(await readFence(request(0))).toBe(3);
});

test('whoever kills by name spares itself, also when it bears the name', async () => {
  const [self, other] = [master.client(), master.client()];
  for (const client of [self, other]) await client.client('SETNAME', 'same');
  const id = await self.client('ID');
  expect(await killClients(self, (name) => name === 'same')).toBe(1);
  expect(await self.client('ID')).toBe(id);
  expect(await killClients(self, (name) => name === 'same')).toBe(0);
});
