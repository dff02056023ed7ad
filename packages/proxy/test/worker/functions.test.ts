// Functions over several groups, with a real redis-server for each.

import { slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';
import { MemoryRegistry } from './scripts/registry-stub.ts';

const GROUPS = 2;
const registry = new MemoryRegistry();
let servers: RedisServer[] = [];
let worker: OneWorker;
let other: OneWorker;
let client: Redis;

const keys = Array.from({ length: GROUPS }, (_, group) =>
  Array.from({ length: 100 }, (_, at) => `k${at}`).find((key) => slotOf(Buffer.from(key)) % GROUPS === group),
) as string[];
const library = (name: string, reply: string) =>
  `#!lua name=${name}\nredis.register_function('${name}_f', function() return '${reply}' end)`;
const names = async (server: RedisServer) => ((await server.client().call('FUNCTION', 'LIST')) as string[][]).map((item) => item[1]);

beforeAll(async () => {
  servers = await Promise.all(Array.from({ length: GROUPS }, () => startRedis()));
  worker = await startWorker({}, 100, registry);
  other = await startWorker({ proxy_id: 'p2' }, 100, registry);
  worker.route(servers);
  other.route(servers);
  client = worker.client();
});

afterAll(async () => {
  worker?.close();
  other?.close();
  await Promise.all(servers.map((server) => server.stop()));
});

beforeEach(async () => {
  await client.function('FLUSH');
});

test('a library is loaded at every group, and called by key', async () => {
  expect(await client.function('LOAD', library('lib', 'one'))).toBe('lib');
  for (const server of servers) expect(await names(server)).toEqual(['lib']);
  for (const key of keys) expect(await client.fcall('lib_f', 1, key)).toBe('one');
  expect(await client.fcall('lib_f', 0)).toBe('one');
  expect(registry.libraries).toEqual([{ name: 'lib', code: library('lib', 'one') }]);
});

test('a server that lost its functions is given them before the first call', async () => {
  await client.function('LOAD', library('a', 'one'));
  await client.function('LOAD', library('b', 'two'));
  const key = keys[1] as string;
  const port = servers[1]?.port as number;
  await servers[1]?.stop();
  await expect(client.get(key)).rejects.toThrow("can't be reached");
  servers[1] = await startRedis({ port });
  await expect.poll(() => client.get(key).catch(() => 'down'), { timeout: 5000 }).toBeNull();
  const raw = new RawClient(worker.port);
  expect(await raw.ask(`FCALL a_f 1 ${key}\r\nFCALL b_f 1 ${key}\r\nSELECT 2\r\nFCALL b_f 1 ${key}\r\n`, 4)).toEqual([
    '$3\r\none\r\n',
    '$3\r\ntwo\r\n',
    '+OK\r\n',
    '$3\r\ntwo\r\n',
  ]);
  raw.close();
});

test('a server that joins is given what another proxy has loaded, also in a transaction', async () => {
  await other.client().function('LOAD', library('lib', 'one'));
  const joined = await startRedis();
  const late = await startWorker({ proxy_id: 'p3' }, 100, registry);
  late.route([joined]);
  const raw = new RawClient(late.port);
  expect(await raw.ask('MULTI\r\nFCALL lib_f 1 k\r\nEXEC\r\n', 3)).toEqual(['+OK\r\n', '+QUEUED\r\n', '*1\r\n$3\r\none\r\n']);
  raw.close();
  late.close();
  await joined.stop();
});

test('what a server has is not overwritten by what was registered', async () => {
  registry.libraries = [{ name: 'lib', code: library('lib', 'old') }];
  const joined = await startRedis();
  await joined.client().call('FUNCTION', 'LOAD', library('lib', 'new'));
  const late = await startWorker({ proxy_id: 'p3' }, 100, registry);
  late.route([joined]);
  expect(await late.client().fcall('lib_f', 0)).toBe('new');
  late.close();
  await joined.stop();
});

test('DELETE and FLUSH end libraries everywhere', async () => {
  await client.function('LOAD', library('a', 'one'));
  await client.function('LOAD', library('b', 'two'));
  expect(await client.function('DELETE', 'a')).toBe('OK');
  for (const server of servers) expect(await names(server)).toEqual(['b']);
  expect(registry.libraries.map(({ name }) => name)).toEqual(['b']);
  expect(await client.function('FLUSH')).toBe('OK');
  expect(registry.libraries).toEqual([]);
  await expect(client.fcall('b_f', 0)).rejects.toThrow('ERR Function not found');
});

test('LOAD REPLACE replaces it', async () => {
  await client.function('LOAD', library('a', 'one'));
  await expect(client.function('LOAD', library('a', 'two'))).rejects.toThrow("ERR Library 'a' already exists");
  expect(await client.function('LOAD', 'REPLACE', library('a', 'two'))).toBe('a');
  for (const key of keys) expect(await client.fcall('a_f', 1, key)).toBe('two');
  expect(registry.libraries).toEqual([{ name: 'a', code: library('a', 'two') }]);
});

test('what fails at one of the servers says where, and that the others have done it', async () => {
  await servers[1]?.client().call('FUNCTION', 'LOAD', library('a', 'there'));
  await expect(client.function('LOAD', library('a', 'one'))).rejects.toThrow(
    `Library 'a' already exists (at ${servers[1]?.addr}; 1 of 2 servers have carried it out)`,
  );
});

test('DUMP and RESTORE take all libraries along', async () => {
  await client.function('LOAD', library('a', 'one'));
  const dump = (await client.callBuffer('FUNCTION', 'DUMP')) as Buffer;
  await client.function('FLUSH');
  expect(await client.call('FUNCTION', 'RESTORE', dump)).toBe('OK');
  for (const key of keys) expect(await client.fcall('a_f', 1, key)).toBe('one');
  expect(registry.libraries).toEqual([{ name: 'a', code: library('a', 'one') }]);
});

test('a library restored by a client of RESP3 is registered too', async () => {
  await client.function('LOAD', library('a', 'one'));
  const dump = (await client.callBuffer('FUNCTION', 'DUMP')) as Buffer;
  await client.function('FLUSH');
  const raw = new RawClient(worker.port);
  await raw.ask('HELLO 3\r\n');
  const restore = Buffer.concat([Buffer.from(`*3\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n$${dump.length}\r\n`), dump, Buffer.from('\r\n')]);
  expect(await raw.ask(restore)).toEqual(['+OK\r\n']);
  raw.close();
  expect(registry.libraries).toEqual([{ name: 'a', code: library('a', 'one') }]);
});

test('LIST and STATS answer as one server does', async () => {
  await client.function('LOAD', library('a', 'one'));
  const direct = servers[0]?.client() as Redis;
  expect(await client.function('LIST', 'WITHCODE')).toEqual(await direct.function('LIST', 'WITHCODE'));
  expect(await client.function('STATS')).toEqual(await direct.function('STATS'));
  expect(await client.function('HELP')).toEqual(await direct.function('HELP'));
  expect(await client.script('HELP' as never)).toEqual(await direct.script('HELP' as never));
});

test.each([
  ['FCALL nosuch 0', '-ERR Function not found'],
  ['FCALL nosuch 1 k', '-ERR Function not found'],
  ['FCALL nosuch x', '-ERR Function not found'],
  ['FCALL nosuch 2 k', '-ERR Function not found'],
  ['FCALL nosuch -1 k', '-ERR Function not found'],
  ['FUNCTION DELETE nosuch', '-ERR Library not found'],
])('%s answers as Redis does', async (request, error) => {
  const raw = new RawClient(worker.port);
  expect((await raw.ask(`${request}\r\n`))[0]).toBe(`${error}\r\n`);
  raw.close();
});

test('KILL ends a script that runs on and on, which its server answers nobody for', async () => {
  const raw = new RawClient(worker.port);
  const [direct] = servers;
  await direct?.client().config('SET', 'busy-reply-threshold', '10');
  await other.client().get(keys[0] as string);
  const killed = raw.ask(`EVAL "while true do end" 1 ${keys[0]}\r\n`);
  await expect.poll(() => other.client().call('SCRIPT', 'KILL').catch(String), { timeout: 5000 }).toBe('OK');
  expect((await killed)[0]).toContain('Script killed by user');
  raw.close();
});
