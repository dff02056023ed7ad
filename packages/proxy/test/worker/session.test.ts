// Goal: one client's fault is that client's alone: what it sends and does not read costs bounded memory, and nobody else waits for it.
// Method: a worker in this process with a real server behind it, and raw sockets that misbehave.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { dealtOut, type OneWorker, RawClient, startWorker } from './one-worker.ts';

let redis: RedisServer;
let target: RedisServer;
let worker: OneWorker;
let client: RawClient;
const clients: RawClient[] = [];

const newClient = (): RawClient => {
  clients.push(new RawClient(worker.port));
  return clients.at(-1)!;
};

const locked = { kind: 'locked', from: 1, to: 2, migration: 1, epoch: 1, leaseMs: 60_000 } as never;
const lockAll = () => worker.route([redis, target], () => locked);
const unlock = () => worker.route([redis], dealtOut(1));

beforeAll(async () => {
  redis = await startRedis();
  target = await startRedis();
  worker = await startWorker({ session_max_bufsize: 1_048_576, slot_hold_timeout_ms: 10_000, request_max_bytes: 65_536 });
});

afterEach(() => {
  for (const each of clients.splice(0)) each.close();
  unlock();
});

afterAll(async () => {
  worker.close();
  await redis.stop();
  await target.stop();
});

describe('a client that does not read', () => {
  test('is not answered on and on: replies made for it are bounded', async () => {
    unlock();
    client = newClient();
    client.socket.pause();
    const before = worker.report().calls['command'] ?? 0;
    const answered = () => (worker.report().calls['command'] ?? 0) - before;
    client.socket.write('COMMAND\r\n'.repeat(2000));
    await eventually(() => answered() > 0, { what: 'the first reply' });
    expect(answered()).toBeLessThan(500);
    client.socket.resume();
    await eventually(() => client.replies.length === 2000, { what: 'all replies, once it reads', timeoutMs: 20_000 });
    expect(new Set(client.replies).size).toBe(1);
  });
});

describe('replies that wait for their turn', () => {
  test('are bounded, also those the proxy makes itself: no more is read until they have gone out', async () => {
    lockAll();
    client = newClient();
    const other = newClient();
    const before = worker.report().calls['command'] ?? 0;
    const answered = () => (worker.report().calls['command'] ?? 0) - before;
    client.socket.write(`GET a\r\n${'COMMAND\r\n'.repeat(200)}`);
    await eventually(() => answered() > 0, { what: 'the first reply' });
    expect(await other.ask('PING\r\n')).toEqual(['+PONG\r\n']);
    expect(answered()).toBeLessThan(100);
    expect(client.replies).toEqual([]);
    unlock();
    await eventually(() => client.replies.length === 201, { what: 'all replies' });
  });

  test('are to what that client sent, though others are read meanwhile', async () => {
    lockAll();
    client = newClient();
    const other = newClient();
    const value = 'v'.repeat(9000);
    const before = worker.report().held;
    const replies = client.ask(`SET a ${value}\r\nSELECT 1\r\nSET a b\r\nECHO ${value}\r\n*2\r\n$3\r\nGET\r\n$1\r`, 4);
    await eventually(() => worker.report().held > before, { what: 'the first request to wait' });
    expect(await other.ask(`ECHO ${'x'.repeat(20_000)}\r\n`)).toEqual([`$20000\r\n${'x'.repeat(20_000)}\r\n`]);
    unlock();
    expect(await replies).toEqual(['+OK\r\n', '+OK\r\n', '+OK\r\n', `$9000\r\n${value}\r\n`]);
    expect(await other.ask(`ECHO ${'x'.repeat(200)}\r\n`)).toHaveLength(1);
    expect(await client.ask('\na\r\nSELECT 0\r\nGET a\r\n', 3)).toEqual(['$1\r\nb\r\n', '+OK\r\n', `$9000\r\n${value}\r\n`]);
  });

  test('come in the order of the requests', async () => {
    lockAll();
    client = newClient();
    client.socket.write('SET a 1\r\nPING\r\nGET a\r\nECHO x\r\nNOSUCH\r\n');
    await newClient().ask('PING\r\n');
    expect(client.replies).toEqual([]);
    unlock();
    expect(await client.ask('PING\r\n', 6)).toEqual([
      '+OK\r\n',
      '+PONG\r\n',
      '$1\r\n1\r\n',
      '$1\r\nx\r\n',
      "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
      '+PONG\r\n',
    ]);
  });
});

describe('a request that is no request', () => {
  test('is answered in its turn, and then the connection closes', async () => {
    unlock();
    client = newClient();
    expect(await client.ask('SET a 1\r\nGET a\r\n*1\r\n:1\r\nPING\r\n', 4)).toEqual([
      '+OK\r\n',
      '$1\r\n1\r\n',
      "-ERR Protocol error: expected '$', got ':'\r\n",
    ]);
    expect(client.closed).toBe(true);
  });

  test('larger than request_max_bytes is refused by that name', async () => {
    unlock();
    client = newClient();
    const [reply] = await client.ask(encodeRequest(['SET', 'a', Buffer.alloc(65_536)]));
    expect(reply).toBe('-ERR Protocol error: request is larger than request_max_bytes (65536)\r\n');
    await eventually(() => client.closed, { what: 'the connection to be closed' });
  });
});

describe('a name that is no name', () => {
  test.each([
    [['OBJECT', 'x'.repeat(60_000)], /^-ERR unknown subcommand 'x{128}'\. Try OBJECT HELP\.\r\n$/],
    [['x'.repeat(60_000), 'y'], /^-ERR unknown command 'x{128}', with args beginning with: 'y' \r\n$/],
    [['x', 'y'.repeat(60_000)], /^-ERR unknown command 'x', with args beginning with: 'y{128}' \r\n$/],
    [['a\r\n+OK'], /^-ERR unknown command 'a {2}\+OK', with args beginning with: \r\n$/],
    [['OBJECT', ''], /^-ERR unknown subcommand ''\. Try OBJECT HELP\.\r\n$/],
  ])('is named, shortened, in an error of one line', async (args, expected) => {
    unlock();
    const [reply] = await newClient().ask(encodeRequest(args));
    expect(reply).toMatch(expected);
  });
});

describe('COMMAND GETKEYS', () => {
  test.each([
    ['GET k', ['k']],
    ['MSET a 1 b 2', ['a', 'b']],
    ['OBJECT ENCODING k', ['k']],
    ['XREAD BLOCK 0 STREAMS a b 0 0', ['a', 'b']],
    ['SORT k BY w_* STORE dest', ['k', 'dest']],
  ])('%s', async (invocation, keys) => {
    const [reply] = await newClient().ask(encodeRequest(['COMMAND', 'GETKEYS', ...invocation.split(' ')]));
    expect(reply).toBe(encodeRequest(keys).toString());
  });
});
