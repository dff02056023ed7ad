// Goal: READONLY lets a replica answer this client's reads, and nothing else: not its writes, not other clients' reads, and never at the price of an error.
// Method: a worker in this process with a master and two replicas; which of them was asked is what their own commandstats say.

import { asEpoch, asGroupId, asMigrationId, type SlotState } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { nameSource, type OneWorker, RawClient, startWorker } from './one-worker.ts';

let master: RedisServer;
let other: RedisServer;
let replicas: RedisServer[];
let worker: OneWorker;
let raw: RawClient;

const online = (): SlotState => ({ kind: 'online', owner: asGroupId(1) });
const route = (slots = online, of: readonly { addr: string; replicaReads?: false }[] = replicas) =>
  worker.route([{ addr: master.addr, replicas: of }, { addr: other.addr }], slots);

beforeAll(async () => {
  [master, other] = await Promise.all([startRedis(), startRedis()]);
  replicas = await Promise.all([1, 2].map(() => startRedis({ replicaOf: master })));
  for (const replica of replicas) {
    await eventually(async () => (await replica.client().info('replication')).includes('master_link_status:up'), { what: 'a replica' });
  }
});

beforeEach(async () => {
  worker = await startWorker();
  raw = new RawClient(worker.port);
  route();
  await worker.client().mset({ k: 'v', k2: 'v2' });
  for (const replica of replicas) await eventually(async () => (await replica.client().get('k2')) === 'v2', { what: 'replication' });
  await Promise.all([master, other, ...replicas].map((server) => server.client().config('RESETSTAT')));
});

afterEach(async () => {
  raw.close();
  worker.close();
  await master.client().flushall();
});

afterAll(() => stopAll());

/** How often each server was told `command` by the proxy: the master, then the replicas. */
async function told(command: string): Promise<number[]> {
  const stats = await Promise.all([master, ...replicas].map((server) => server.client().info('commandstats')));
  return stats.map((text) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(text)?.[1] ?? 0));
}

/** Until the replica of this client has a connection; the master answers till then. */
async function warmUp(client: RawClient): Promise<void> {
  await eventually(
    async () => {
      await client.ask('STRLEN k\r\n');
      return (await told('strlen')).slice(1).some((count) => count > 0);
    },
    { what: 'a replica to be asked' },
  );
}

test('reads go to one replica, writes to the master, until READWRITE', async () => {
  expect(await raw.ask('READONLY\r\n')).toEqual(['+OK\r\n']);
  await warmUp(raw);
  const before = (await told('get')).slice(1);
  expect(await raw.ask('GET k\r\nGET k2\r\nGET k\r\n', 3)).toEqual(['$1\r\nv\r\n', '$2\r\nv2\r\n', '$1\r\nv\r\n']);
  const after = (await told('get')).slice(1);
  const asked = after.map((count, at) => count - (before[at] as number));
  expect(asked.toSorted((a, b) => a - b)).toEqual([0, 3]);
  expect(await raw.ask('SET k w\r\n')).toEqual(['+OK\r\n']);
  expect((await told('set'))[0]).toBe(1);
  expect(await raw.ask('READWRITE\r\nGET k\r\n', 2)).toEqual(['+OK\r\n', '$1\r\nw\r\n']);
  expect((await told('get')).slice(1)).toEqual(after);
});

test('reads of several keys too, together', async () => {
  await raw.ask('READONLY\r\n');
  await warmUp(raw);
  expect(await raw.ask('MGET k k2 none\r\nEXISTS k k2\r\n', 2)).toEqual(['*3\r\n$1\r\nv\r\n$2\r\nv2\r\n$-1\r\n', ':2\r\n']);
  expect((await told('mget')).reduce((sum, count) => sum + count, 0)).toBe(1);
  expect((await told('mget'))[0]).toBe(0);
});

test('clients are spread over the replicas', async () => {
  const clients = Array.from({ length: 4 }, () => new RawClient(worker.port));
  for (const client of clients) {
    await client.ask('READONLY\r\n');
    await eventually(
      async () => {
        const before = (await told('strlen'))[0];
        await client.ask('STRLEN k\r\n');
        return (await told('strlen'))[0] === before;
      },
      { what: 'a replica to be asked' },
    );
    client.close();
  }
  expect((await told('strlen')).slice(1).every((count) => count > 0)).toBe(true);
});

test('a client that did not ask for it reads from the master, and so does one after RESET', async () => {
  await raw.ask('READONLY\r\n');
  await warmUp(raw);
  await raw.ask('RESET\r\nGET k\r\n', 2);
  const plain = new RawClient(worker.port);
  await plain.ask('GET k\r\n');
  plain.close();
  expect((await told('get'))[0]).toBe(2);
});

test('in the protocol and database of the client', async () => {
  await raw.ask('HELLO 3\r\nSELECT 2\r\nREADONLY\r\nSET here x\r\n', 4);
  for (const replica of replicas)
    await eventually(async () => (await replica.client({ db: 2 }).get('here')) === 'x', { what: 'replication' });
  await eventually(
    async () => {
      await raw.ask('HGETALL none\r\n');
      return (await told('hgetall')).slice(1).some((count) => count > 0);
    },
    { what: 'a replica to be asked' },
  );
  expect(await raw.ask('HGETALL none\r\nGET here\r\n', 2)).toEqual(['%0\r\n', '$1\r\nx\r\n']);
});

test('the master answers for a replica that can’t be reached', async () => {
  route(online, [{ addr: '127.0.0.1:1' }]);
  await raw.ask('READONLY\r\n');
  for (let number = 0; number < 20; number++) expect(await raw.ask('GET k\r\n')).toEqual(['$1\r\nv\r\n']);
  expect((await told('get'))[0]).toBe(20);
});

test('a replica whose reads are switched off answers nobody, and the other one or the master does; switched on again it answers', async () => {
  const off = replicas.map(({ addr }) => ({ addr, replicaReads: false as const }));
  await raw.ask('READONLY\r\n');
  await warmUp(raw);
  route(online, off);
  const ask = async () => {
    const before = await told('get');
    expect(await raw.ask('GET k\r\n')).toEqual(['$1\r\nv\r\n']);
    return (await told('get')).map((count, at) => count - (before[at] as number));
  };
  for (let number = 0; number < 5; number++) expect(await ask()).toEqual([1, 0, 0]);
  route(online, [off[0]!, replicas[1]!]);
  await eventually(async () => (await ask())[2] === 1, { what: 'the other replica to be asked' });
  for (let number = 0; number < 5; number++) expect(await ask()).toEqual([0, 0, 1]);
  route();
  await eventually(async () => (await ask())[0] === 0, { what: 'a replica to be asked' });
});

test('a slot in a move is read at its home', async () => {
  await raw.ask('READONLY\r\n');
  await warmUp(raw);
  const before = (await told('get')).slice(1);
  const move = { from: asGroupId(1), to: asGroupId(2), migration: asMigrationId(1) };
  await nameSource(master, other);
  route(() => ({ kind: 'locked', ...move, epoch: asEpoch(1), leaseMs: 60_000 }));
  route(() => ({ kind: 'migrating', ...move }));
  expect(await raw.ask('GET k\r\n')).toEqual(['$1\r\nv\r\n']);
  expect(await other.client().get('k')).toBe('v');
  expect((await told('get')).slice(1)).toEqual(before);
  await other.client().flushall();
});

test('connections to replicas are closed when the group has them no more', async () => {
  await raw.ask('READONLY\r\n');
  await warmUp(raw);
  const open = worker.report().backendConnections;
  route(online, []);
  await eventually(() => worker.report().backendConnections < open, { what: 'the connection to be closed' });
});
