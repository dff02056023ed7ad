// Scripts over several groups, with a real redis-server for each: where they run, and that they are there when they do.

import { asEpoch, asGroupId, asMigrationId, type SlotState, slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import { shaOf } from '../../../src/worker/scripts/bodies.ts';
import { dealtOut, nameSource, type OneWorker, RawClient, startWorker } from '../one-worker.ts';
import { MemoryRegistry } from './registry-stub.ts';

const GROUPS = 2;
const SET = "return redis.call('SET', KEYS[1], ARGV[1])";
const registry = new MemoryRegistry();
let servers: RedisServer[] = [];
let worker: OneWorker;
let other: OneWorker;
let client: Redis;

/** A key of each group. */
const keys = Array.from({ length: GROUPS }, (_, group) =>
  Array.from({ length: 100 }, (_, at) => `k${at}`).find((key) => slotOf(Buffer.from(key)) % GROUPS === group),
) as string[];

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
  await client.script('FLUSH');
  await Promise.all(servers.map((server) => server.client().flushall()));
  registry.questions.length = 0;
});

const sha = (body: string) => shaOf(Buffer.from(body));
const lost = () => Promise.all(servers.map((server) => server.client().script('FLUSH')));
const raw = async (bytes: string, count = 1): Promise<string[]> => {
  const connection = new RawClient(worker.port);
  const replies = await connection.ask(bytes, count);
  connection.close();
  return replies;
};

test('a script that was loaded runs at every group', async () => {
  expect(await client.script('LOAD', SET)).toBe(sha(SET));
  for (const key of keys) expect(await client.evalsha(sha(SET), 1, key, 'x')).toBe('OK');
  for (const [at, key] of keys.entries()) expect(await servers[at]?.client().get(key)).toBe('x');
});

test('a script that EVAL has brought to one group is found at the others', async () => {
  await client.eval(SET, 1, keys[0] as string, 'x');
  expect(await client.evalsha(sha(SET).toUpperCase(), 1, keys[1] as string, 'y')).toBe('OK');
  expect(await servers[1]?.client().get(keys[1] as string)).toBe('y');
});

test('a script that another proxy has loaded is found in the registry when a server lacks it', async () => {
  const body = "return 'elsewhere'";
  await other.client().script('LOAD', body);
  await lost();
  for (const key of keys) expect(await client.evalsha(sha(body), 1, key)).toBe('elsewhere');
  expect(registry.questions.filter(({ kind }) => kind !== 'written')).toEqual([{ kind: 'script', sha: sha(body) }]);
});

test('what follows a script in a pipeline does not overtake it while the registry is asked', async () => {
  const body = "redis.call('APPEND', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])";
  await other.client().script('LOAD', body);
  await lost();
  const key = keys[0] as string;
  const replies = await raw(
    `APPEND ${key} a\r\nEVALSHA ${sha(body)} 1 ${key} b\r\nAPPEND ${key} c\r\nEVALSHA ${sha(body)} 1 ${key} d\r\nPING\r\n`,
    5,
  );
  expect(replies).toEqual([':1\r\n', '$2\r\nab\r\n', ':3\r\n', '$4\r\nabcd\r\n', '+PONG\r\n']);
});

test('a script that nobody knows is NOSCRIPT, and is not asked for again at once', async () => {
  const unknown = 'e'.repeat(40);
  const missing = `EVALSHA ${unknown} 1 k0\r\nEVALSHA ${unknown} 0\r\n`;
  expect(await raw(missing, 2)).toEqual(Array(2).fill('-NOSCRIPT No matching script. Please use EVAL.\r\n'));
  expect(registry.questions).toHaveLength(1);
});

test('a script that a server has lost unseen is NOSCRIPT once, then it is there again', async () => {
  const key = keys[0] as string;
  await client.script('LOAD', SET);
  await lost();
  await expect(client.evalsha(sha(SET), 1, key, 'x')).rejects.toThrow('NOSCRIPT');
  expect(await client.evalsha(sha(SET), 1, key, 'x')).toBe('OK');
});

test('an error of the script itself comes through as it is', async () => {
  const body = "return redis.error_reply('MINE not so')";
  await client.script('LOAD', body);
  await expect(client.evalsha(sha(body), 1, keys[0] as string)).rejects.toThrow('MINE not so');
});

test('a server that restarted is given the script before it is asked to run it', async () => {
  await client.script('LOAD', SET);
  const [first] = servers;
  const port = first?.port as number;
  await first?.stop();
  await expect(client.get(keys[0] as string)).rejects.toThrow("can't be reached");
  servers[0] = await startRedis({ port });
  await expect.poll(() => client.get(keys[0] as string).catch(() => 'down'), { timeout: 5000 }).toBeNull();
  expect(await client.evalsha(sha(SET), 1, keys[0] as string, 'x')).toBe('OK');
});

test('a script without keys always meets the same server', async () => {
  await Promise.all(servers.map((server, at) => server.client().set('who', at)));
  const met = new Set<unknown>();
  for (let script = 0; script < 16; script++) {
    const body = `return redis.call('GET', 'who') -- ${script}`;
    const who = await client.eval(body, 0);
    for (let time = 0; time < 3; time++) expect(await client.evalsha(sha(body), 0)).toBe(who);
    met.add(who);
  }
  expect(met.size).toBe(GROUPS);
});

test.each([
  ['EVAL x 2 k', "-ERR Number of keys can't be greater than number of args"],
  ['EVAL x -1 k', "-ERR Number of keys can't be negative"],
  ['EVAL x a k', '-ERR value is not an integer or out of range'],
  ['EVALSHA short 3 k', '-NOSCRIPT No matching script. Please use EVAL.'],
  ['EVALSHA short 0', '-NOSCRIPT No matching script. Please use EVAL.'],
  ['SCRIPT FLUSH NOW', '-ERR SCRIPT FLUSH only support SYNC|ASYNC option'],
  ['SCRIPT KILL', '-NOTBUSY No scripts in execution right now.'],
  ['FUNCTION KILL', '-NOTBUSY No scripts in execution right now.'],
])('%s answers as Redis does', async (request, error) => {
  expect((await raw(`${request}\r\n`))[0]).toBe(`${error}\r\n`);
});

test('keys of two slots are refused', async () => {
  await expect(client.eval(SET, 2, keys[0] as string, keys[1] as string, 'x')).rejects.toThrow('CROSSSLOT');
});

test('a script that can’t be compiled gets the server’s error, and is not registered', async () => {
  await expect(client.script('LOAD', 'return (')).rejects.toThrow('Error compiling script');
  expect(registry.scripts.size).toBe(0);
});

test('SCRIPT EXISTS tells what EVALSHA would find', async () => {
  await other.client().script('LOAD', SET);
  await lost();
  await client.eval('return 1', 0);
  expect(await client.script('EXISTS', sha(SET), sha('return 1').toUpperCase(), 'f'.repeat(40))).toEqual([1, 1, 0]);
});

test('SCRIPT FLUSH ends them everywhere', async () => {
  await client.script('LOAD', SET);
  expect(await client.script('FLUSH', 'ASYNC')).toBe('OK');
  expect(registry.scripts.size).toBe(0);
  expect(await client.script('EXISTS', sha(SET))).toEqual([0]);
  await expect(client.evalsha(sha(SET), 1, keys[0] as string, 'x')).rejects.toThrow('NOSCRIPT');
});

test('a script of binary bytes stays what it is', async () => {
  const body = Buffer.concat([Buffer.from("return '"), Buffer.from([0xff, 0x80, 0xfe]), Buffer.from("'")]);
  await other.client().call('SCRIPT', 'LOAD', body);
  await lost();
  const reply = await client.callBuffer('EVALSHA', shaOf(body), 1, keys[0] as string);
  expect(reply).toEqual(Buffer.from([0xff, 0x80, 0xfe]));
});

test('each database and version of the protocol finds the script, in one pipeline', async () => {
  await other.client().script('LOAD', SET);
  await lost();
  const run = (value: string) => `EVALSHA ${sha(SET)} 1 ${keys[0]} ${value}\r\n`;
  const replies = await raw(`${run('a')}SELECT 3\r\n${run('b')}SELECT 4\r\n${run('c')}`, 5);
  expect(replies).toEqual(Array(5).fill('+OK\r\n'));
});

test('in a transaction the script is there, though the server has lost it', async () => {
  await other.client().script('LOAD', SET);
  await lost();
  const key = keys[1] as string;
  const replies = await raw(`MULTI\r\nEVALSHA ${sha(SET)} 1 ${key} in\r\nGET ${key}\r\nEXEC\r\n`, 4);
  expect(replies).toEqual(['+OK\r\n', '+QUEUED\r\n', '+QUEUED\r\n', '*2\r\n+OK\r\n$2\r\nin\r\n']);
});

test('a script for a slot in a move finds its script at the target', async () => {
  await other.client().script('LOAD', SET);
  await lost();
  const key = keys[0] as string;
  const slot = slotOf(Buffer.from(key));
  const move = { from: asGroupId(1), to: asGroupId(2), migration: asMigrationId(1) };
  const route = (state: SlotState) => worker.route(servers, (at) => (at === slot ? state : dealtOut(GROUPS)(at)));
  await servers[0]?.client().set(key, 'before');
  await nameSource(servers[0] as RedisServer, servers[1] as RedisServer);
  route({ kind: 'locked', ...move, epoch: asEpoch(1), leaseMs: 60_000 });
  const reply = client.evalsha(sha(SET), 1, key, 'moved');
  await eventually(() => worker.report().held > 0, { what: 'the request to be held' });
  route({ kind: 'migrating', ...move });
  expect(await reply).toBe('OK');
  expect(await servers[0]?.client().exists(key)).toBe(0);
  expect(await servers[1]?.client().get(key)).toBe('moved');
  worker.route(servers);
});
