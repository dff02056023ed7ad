// Goal: SCAN through the proxy is one SCAN over all groups, with Redis's own errors; what is not the clients' is not shown.
// Method: a worker in this process with three real servers. Moves under it are simulated in scan-pass.test.ts, and real in test/scan-under-moves.test.ts.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { asGroupId, asMigrationId, fenceKey, slotOf } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { stopAll } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import { dealtOut, nameSource, type OneWorker, RawClient, startWorker } from '../one-worker.ts';

const KEYS = Array.from({ length: 200 }, (_, at) => `key:${at}`);

let servers: RedisServer[];
let worker: OneWorker;

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
});

beforeEach(async () => {
  worker = await startWorker({ session_max_bufsize: 1_000_000 });
  worker.route(servers);
});

afterEach(async () => {
  worker.close();
  await Promise.all(servers.map((server) => server.client().flushall()));
});

afterAll(() => stopAll());

/** A server that says of itself that it has 2^40 buckets. */
async function startHugeServer(): Promise<{ addr: string; close: () => void }> {
  const answers: Readonly<Record<string, string>> = {
    GET: '$-1\r\n',
    ID: ':1\r\n',
    INFO: '$19\r\nredis_version:7.0.0\r\n',
    SCAN: '*2\r\n$13\r\n1099511627776\r\n*0\r\n',
  };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const [request] of chunk.toString().matchAll(/\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+/g)) {
        const word = Object.keys(answers).find((name) => request.includes(`\r\n${name}\r\n`));
        socket.write(word === undefined ? '+OK\r\n' : (answers[word] as string));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { addr: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

async function fill(db = 0): Promise<void> {
  const client = worker.client();
  await client.select(db);
  await client.mset(Object.fromEntries(KEYS.map((key) => [key, 'v'])));
}

async function scanAll(...options: (string | number)[]): Promise<string[]> {
  const client = worker.client();
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, keys] = (await client.call('SCAN', cursor, ...options)) as [string, string[]];
    expect(BigInt(next) < 2n ** 63n).toBe(true);
    found.push(...keys);
    cursor = next;
  } while (cursor !== '0');
  return found;
}

test('returns every key of every group, each once while nothing moves', async () => {
  await fill();
  expect((await scanAll()).sort()).toEqual(KEYS.toSorted());
  expect((await scanAll('COUNT', 1000)).sort()).toEqual(KEYS.toSorted());
});

test('takes MATCH, COUNT and TYPE, in any database', async () => {
  await fill(7);
  const client = worker.client();
  await client.select(7);
  await client.lpush('key:list', 'x');
  const found = (await client.call('SCAN', '0', 'TYPE', 'list', 'COUNT', 1000, 'MATCH', 'key:*')) as [string, string[]];
  expect(await scanAll('COUNT', 1000)).toEqual([]);
  const rest = [];
  for (let cursor = found[0]; cursor !== '0'; ) {
    const [next, keys] = (await client.call('SCAN', cursor, 'TYPE', 'list', 'COUNT', 1000)) as [string, string[]];
    rest.push(...keys);
    cursor = next;
  }
  expect([...found[1], ...rest]).toEqual(['key:list']);
});

test('hides the marker of a fence, and keys of slots that are not their group’s', async () => {
  await fill();
  const orphan = KEYS.find((key) => slotOf(Buffer.from(key)) % 3 === 0) as string;
  await servers[1]?.client().set(orphan, 'not here');
  await servers[1]?.client().set(fenceKey('demo'), '1');
  expect((await scanAll('COUNT', 1000)).sort()).toEqual(KEYS.toSorted());
});

test('another worker goes on with a cursor, also one that knows nothing of the past', async () => {
  await fill();
  const [cursor, first] = (await worker.client().call('SCAN', '0')) as [string, string[]];
  worker.close();
  worker = await startWorker();
  worker.routeAt(9, servers, dealtOut(3));
  const found = new Set(first);
  for (let at = cursor; at !== '0'; ) {
    const [next, keys] = (await worker.client().call('SCAN', at, 'COUNT', 100)) as [string, string[]];
    for (const key of keys) found.add(key);
    at = next;
  }
  expect(found.size).toBe(KEYS.length);
});

test('shows keys on both sides of a move that stands still, and ends', async () => {
  await fill();
  const state = { kind: 'migrating', from: asGroupId(3), to: asGroupId(1), migration: asMigrationId(1) } as const;
  await nameSource(servers[2] as RedisServer, servers[0] as RedisServer, state);
  worker.route(servers, (slot) => (slot % 3 === 2 ? state : dealtOut(3)(slot)));
  const moved = KEYS.filter((key) => slotOf(Buffer.from(key)) % 3 === 2);
  await worker.client().mget(...moved.slice(0, 20));
  expect(await servers[0]?.client().exists(...moved)).toBe(20);
  expect([...new Set(await scanAll('COUNT', 50))].sort()).toEqual(KEYS.toSorted());
});

test('a group that is gone in the middle of a scan is passed over', async () => {
  await fill();
  const [cursor] = (await worker.client().call('SCAN', '0')) as [string, string[]];
  await servers[0]?.client().flushall();
  worker.route(servers, (slot) => ({ kind: 'online', owner: asGroupId(2 + (slot % 2)) }));
  let at = cursor;
  for (let calls = 0; at !== '0'; calls++) {
    [at] = (await worker.client().call('SCAN', at, 'COUNT', 1000)) as [string, string[]];
    expect(calls).toBeLessThan(20);
  }
});

test('errors are Redis’s own, and a cursor that nobody made is some place', async () => {
  await fill();
  const [via, direct] = [new RawClient(worker.port), new RawClient((servers[0] as RedisServer).port)];
  const lines = [
    'SCAN x',
    'SCAN 1x',
    'SCAN 18446744073709551616',
    'SCAN 0 COUNT',
    'SCAN 0 COUNT 0',
    'SCAN 0 COUNT x',
    'SCAN 0 FOO bar',
    'SCAN',
  ];
  const bytes = lines.map((line) => `${line}\r\n`).join('');
  expect(await via.ask(bytes, lines.length)).toEqual(await direct.ask(bytes, lines.length));
  for (const cursor of ['7', '-1', '18446744073709551615', '9223372036854775807', '123456789123456789']) {
    expect(await via.ask(`SCAN ${cursor}\r\n`)).toEqual([expect.stringMatching(/^\*2\r\n\$\d+\r\n\d+\r\n\*/)]);
  }
  via.close();
  direct.close();
});

test('a group that can’t be reached is an error, not a gap', async () => {
  const nobody = { addr: '127.0.0.1:1' };
  worker.route([servers[0] as RedisServer, nobody]);
  await expect(scanAll()).rejects.toThrow(/127\.0\.0\.1:1 can't be reached/);
});

test('a group that lost its master is an error too', async () => {
  worker.route([servers[0] as RedisServer, { addr: (servers[1] as RedisServer).addr, role: 'replica' }]);
  await expect(scanAll()).rejects.toThrow(/group 2 has no master/);
});

test('a server whose cursor is too large for the one of all groups is an error', async () => {
  const huge = await startHugeServer();
  worker.route([huge]);
  await expect(worker.client().call('SCAN', '0')).rejects.toThrow(/more than 2 billion buckets/);
  huge.close();
});

test('before there is a table there is nothing to scan', async () => {
  worker.close();
  worker = await startWorker();
  await expect(scanAll()).rejects.toThrow(/no group has a master yet/);
});

test('comes after what the same client sent before it, in the protocol it speaks', async () => {
  const raw = new RawClient(worker.port);
  const [hello, ...replies] = await raw.ask('HELLO 3\r\nMSET {a}1 x {a}2 x\r\nSCAN 0 COUNT 1000\r\nGET none\r\n', 4);
  expect(hello).toMatch(/^%/);
  expect(replies).toEqual(['+OK\r\n', expect.stringMatching(/^\*2\r\n/), '_\r\n']);
  raw.close();
});

test('a page that is larger than session_max_bufsize is an error', async () => {
  await worker.client().set(`{k}${'x'.repeat(600_000)}`, 'v');
  await worker.client().set(`{k}${'y'.repeat(600_000)}`, 'v');
  await expect(scanAll('COUNT', 1000)).rejects.toThrow(/session_max_bufsize/);
});
