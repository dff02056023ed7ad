// Goal: a client that asks for as much work as it can costs a bounded amount, is answered in Redis's words, and nobody else notices while it lasts.
// Method: the same bytes go to a plain Redis and to a proxy; replies must be equal, and so must what becomes of the connection. Meanwhile another client of
// the same worker goes on asking in both groups, and the worker's memory is watched.

import { appendFileSync } from 'node:fs';
import { slotOf } from '@codis/config/model';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { findCommand } from '../packages/proxy/src/commands/command.ts';
import { KEY_SPECS } from '../packages/proxy/src/commands/key-specs.ts';
import { mutated } from '../packages/proxy/test/resp/mutations.ts';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

const MB = 1024 * 1024;
/** A key of group 1 and one of group 2. */
const FIRST = keyWhere((slot) => slot <= 511);
const SECOND = keyWhere((slot) => slot > 511);
const FUNCTION =
  "#!lua name=hostile\nredis.register_function{function_name = 'f', callback = function() return 1 end, flags = {'no-writes'}}";
/** Answers to many requests of a hostile client come late on a busy machine. */
const PATIENCE_MS = 60_000;
vi.setConfig({ testTimeout: 90_000 });

let cluster: Cluster;
let plain: RedisServer;
let proxy: ProxyProcess;
let workerPid: number;
let healthy: RawClient;
let direct: RawClient;
let proxied: RawClient;
const clients: RawClient[] = [];

beforeAll(async () => {
  [cluster, plain] = await Promise.all([startCluster({ proxies: 1, groups: 2 }), startRedis()]);
  proxy = cluster.proxies[0]!;
  for (const { port } of [plain, ...cluster.servers.flat()]) {
    const client = await RawClient.open(port);
    await client.ask('FUNCTION', 'LOAD', FUNCTION);
    client.close();
  }
  workerPid = (await worker()).pid;
  healthy = await RawClient.open(proxy.port);
});

beforeEach(async () => {
  [direct, proxied] = await Promise.all([open(plain.port), open()]);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await eventually(async () => (await worker()).clients === 1, { what: 'nobody but the healthy client to be left' });
  expect((await worker()).pid).toBe(workerPid);
});

afterAll(async () => {
  healthy.close();
  await cluster.stop();
  await plain.stop();
  await stopAll();
});

async function open(port = proxy.port): Promise<RawClient> {
  const client = await RawClient.open(port);
  clients.push(client);
  return client;
}

/** A worker that has much to do reports late. */
function worker() {
  return eventually(async () => (await proxy.status()).workers[0], { what: 'the worker to report', timeoutMs: PATIENCE_MS });
}

/** Does `action` while the healthy client goes on; holds that its replies are right, and that the worker's memory grows by less than `grownMax` bytes. */
async function unnoticed<T>(grownMax: number, action: () => Promise<T>): Promise<T> {
  const before = (await worker()).rssBytes;
  let most = before;
  let done = false;
  const others = async () => {
    do {
      for (const key of [FIRST, SECOND]) {
        expect(await healthy.askText('SET', `{${key}}healthy`, 'well')).toBe('+OK\r\n');
        expect(await healthy.askText('GET', `{${key}}healthy`)).toBe('$4\r\nwell\r\n');
      }
      most = Math.max(most, (await worker()).rssBytes);
    } while (!done);
  };
  const [result] = await Promise.all([
    action().finally(() => {
      done = true;
    }),
    others(),
  ]);
  expect(most - before).toBeLessThan(grownMax);
  return result;
}

/** The replies of both to the same bytes. Neither ends the connection for them. */
async function both(bytes: Buffer | string, count = 1): Promise<[redis: string[], ours: string[]]> {
  for (const client of [direct, proxied]) client.send(bytes);
  const [redis, ours] = await Promise.all([direct, proxied].map((client) => client.replies(count, PATIENCE_MS)));
  for (const client of [direct, proxied]) expect(await client.askText('PING')).toBe('+PONG\r\n');
  return [redis!.map((reply) => reply.toString('latin1')), ours!.map((reply) => reply.toString('latin1'))];
}

/** What both send until they close the connection. */
async function untilClosed(bytes: Buffer): Promise<[redis: string, ours: string]> {
  for (const client of [direct, proxied]) client.send(bytes);
  const [redis, ours] = await Promise.all([direct, proxied].map((client) => client.rest(PATIENCE_MS)));
  return [redis!.toString('latin1'), ours!.toString('latin1')];
}

/** A request of many equal arguments. */
function manyArguments(name: string, first: readonly string[], arg: string, count: number): Buffer {
  const head = encode([name, ...first])
    .toString('latin1')
    .replace(/^\*\d+/, `*${1 + first.length + count}`);
  const one = `$${arg.length}\r\n${arg}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.alloc(count * one.length, one)]);
}

/** Numbers of keys that no request here has. */
const NUMBERS = [
  '999999999',
  '2147483647',
  '2147483648',
  '4294967297',
  '9223372036854775807',
  '9223372036854775808',
  '-1',
  '-999999999',
].concat(['x', '1.5', '1e9', '01', ' 1', '']);
/** Commands that begin with a number of keys, as far as Redis 7.0 has them and the proxy carries them out. */
const NUMKEYS = Object.entries(KEY_SPECS).flatMap(([name, spec]) => {
  const command = findCommand(Buffer.from(name), 0, name.length);
  const isIn70 = !['sdiffcard', 'sunioncard', 'msetex'].includes(name);
  return spec.kind === 'numkeys' && isIn70 && command?.class.kind !== 'later' ? [[name, spec] as const] : [];
});

test.each(NUMKEYS)('%s with a number of keys that it does not have is answered as Redis answers it', async (name, { at, dest }) => {
  const first = dest ? FIRST : name.startsWith('b') ? '0.01' : name.startsWith('fcall') ? 'f' : 'return 1';
  const before = Array.from({ length: at - 1 }, () => first);
  const requests = NUMBERS.map((number) => encode([name, ...before, number, FIRST, 'LEFT']));
  const [redis, ours] = await unnoticed(20 * MB, () => both(Buffer.concat(requests), requests.length));
  const named = (replies: readonly string[]) => NUMBERS.map((number, index) => [number, replies[index]]);
  expect(named(ours)).toEqual(named(redis));
});

describe('arguments', () => {
  test.each(['RPUSH', 'SADD', 'PFADD'])('a million and a half of them for one key are what Redis 7 makes of them: %s', async (name) => {
    const [redis, ours] = await unnoticed(200 * MB, () => both(manyArguments(name, [FIRST], 'x', 1_500_000)));
    expect(ours).toEqual(redis);
  });

  test.each(['DEL', 'EXISTS', 'MSET', 'TOUCH', 'UNLINK'])('a million of them that name keys are answered: %s', async (name) => {
    const [redis, ours] = await unnoticed(600 * MB, () => both(manyArguments(name, [], FIRST, 1_000_000)));
    expect(ours).toEqual(redis);
  });

  test('a million of them that name keys to get are as many replies', async () => {
    const pipeline = Buffer.concat([manyArguments('MGET', [], FIRST, 1_000_000), encode(['QUIT'])]);
    const [redis, ours] = await unnoticed(600 * MB, () => untilClosed(pipeline));
    expect(ours.length).toBe(redis.length);
    expect(ours === redis).toBe(true);
  });

  test.each(['DEL', 'EXISTS', 'MSET', 'MGET'])(
    'a million of them that name keys of both groups are taken apart and put together: %s',
    async (name) => {
      const pair = [FIRST, name === 'MSET' ? FIRST : SECOND, SECOND, FIRST].map((key) => `$${key.length}\r\n${key}\r\n`).join('');
      const request = Buffer.concat([
        Buffer.from(`*1000001\r\n$${name.length}\r\n${name}\r\n`),
        Buffer.from(pair.repeat(250_000)),
        encode(['QUIT']),
      ]);
      const [redis, ours] = await unnoticed(900 * MB, () => untilClosed(request));
      expect(ours.length).toBe(redis.length);
      expect(ours === redis).toBe(true);
    },
  );

  test('more keys of several groups than fit into one command are refused, and the connection goes on', async () => {
    proxied.send(manyArguments('DEL', [FIRST, SECOND], FIRST, 1_100_000));
    const reply = await unnoticed(200 * MB, () => proxied.reply(PATIENCE_MS));
    expect(String(reply)).toBe('-ERR more than 1048576 keys of several groups in one command; send them in several\r\n');
    expect(await proxied.askText('PING')).toBe('+PONG\r\n');
  });

  test('more of them than the proxy answers itself are refused, and the connection goes on', async () => {
    for (const name of ['INFO', 'PING']) {
      proxied.send(manyArguments(name, [], 'get', 2_000_000));
      const reply = await unnoticed(250 * MB, () => proxied.reply(PATIENCE_MS));
      expect(String(reply)).toBe(`-ERR more than 1048576 arguments for '${name.toLowerCase()}' command\r\n`);
    }
    expect(await proxied.askText('PING')).toBe('+PONG\r\n');
  });

  test('half a million names of commands are looked up', async () => {
    proxied.send(Buffer.concat([manyArguments('COMMAND', ['INFO'], 'nosuch', 500_000), manyArguments('COMMAND', ['INFO'], 'get', 50_000)]));
    const isThere = () => proxied.receivedBytes > 500_000 * '*-1\r\n'.length + 50_000 * 50;
    await unnoticed(500 * MB, () => eventually(isThere, { what: 'both replies', timeoutMs: PATIENCE_MS }));
  });

  test.each(['COMMAND', 'CLIENT', 'CONFIG', 'OBJECT', 'SELECT', 'HELLO', 'AUTH', 'NOSUCH', 'GET', 'WAIT'])(
    'half a million of them where few belong are answered at once: %s',
    async (name) => {
      const [redis, ours] = await unnoticed(200 * MB, () => both(manyArguments(name, [], 'x', 500_000)));
      expect(ours).toEqual(redis);
    },
  );
});

describe('a name of 10 MB', () => {
  const LONG = 'n'.repeat(10 * MB);
  test.each([
    ['of a command', [LONG]],
    ['of a subcommand', ['CLIENT', LONG]],
    ['of a subcommand with arguments', ['OBJECT', LONG, 'a']],
    ['of a database', ['SELECT', LONG]],
    ['of a protocol', ['HELLO', LONG]],
    ['of an option', ['SET', FIRST, 'a', LONG]],
    ['of a number', ['INCRBY', FIRST, LONG]],
    ['of a number of keys', ['EVAL', 'return 1', LONG, FIRST]],
    ['of an argument to a command that is not there', ['NOSUCH', LONG]],
    ['of a key', ['GET', LONG]],
    ['of a user', ['AUTH', LONG, LONG]],
  ])('%s is answered as Redis answers it', async (_, request) => {
    const [redis, ours] = await unnoticed(200 * MB, () => both(encode(request)));
    expect(ours).toEqual(redis);
  });
});

test('a pipeline of 100,000 unknown commands is 100,000 errors, in Redis’s words', async () => {
  const count = 100_000;
  const [redis, ours] = await unnoticed(150 * MB, () => both('NOSUCH a b c\r\n'.repeat(count), count));
  expect(new Set(ours)).toEqual(new Set(redis));
  expect(new Set(ours).size).toBe(1);
});

test('2000 connections that send garbage are each told so, or let go', async () => {
  const count = 2000;
  const answered = ['*1\r\n*1\r\n', '\x16\x03\x01\x02\r\n', '*1\r\n$-1\r\n', 'x'.repeat(70_000), '*99999999999\r\n', '"\r\n'];
  const silent = ['\r\n\r\n', '*1\r\n', '*-1\r\n*0\r\n'];
  await unnoticed(300 * MB, async () => {
    const all = await Promise.all(Array.from({ length: count }, () => open()));
    for (const [at, client] of all.entries()) client.send([...answered, ...silent][at % 9]!);
    const isDone = (client: RawClient, at: number) => at % 9 >= answered.length || client.receivedBytes > 0;
    await eventually(() => all.every(isDone), { what: 'all to be answered', timeoutMs: PATIENCE_MS });
    for (const [at, client] of all.entries()) if (at % 9 >= answered.length) expect(client.receivedBytes).toBe(0);
  });
});

test('pipelines with faults are answered by Redis’s bytes, to the end of the connection', async () => {
  const requests = [
    ['PING'],
    ['PING', 'a b'],
    ['ECHO', FIRST],
    ['GET', FIRST],
    ['GET', SECOND],
    ['MGET', FIRST, SECOND],
    ['SELECT', '1'],
  ].map(encode);
  const request = fc.constantFrom(...requests, Buffer.from(`ECHO "a\\x41 b" \r\n`), Buffer.from('PING\r\n'));
  const pipelines = fc.array(request, { minLength: 1, maxLength: 4 }).map((all) => Buffer.concat(all));
  // Redis's search for the end of a line stops at a NUL.
  const withoutNul = mutated(pipelines).filter((bytes) => !bytes.includes(0));
  for (const bytes of fc.sample(withoutNul, 200)) {
    [direct, proxied] = await Promise.all([open(plain.port), open()]);
    for (const client of [direct, proxied]) {
      client.send(bytes);
      client.halfClose();
    }
    const [redis, ours] = await untilClosed(Buffer.alloc(0));
    // Redis waits for the end of a line that we know to be wrong already, and shows a byte that can't be printed as it is.
    const late = ours.startsWith(redis) && /^-ERR Protocol error: [^\r]*\r\n$/.test(ours.slice(redis.length));
    if (!late && !ours.includes("got '\\x")) expect([bytes.toString(), ours]).toEqual([bytes.toString(), redis]);
    for (const client of [direct, proxied]) client.close();
  }
});

describe('half a request', () => {
  test('that trickles in for ever holds no more memory than was sent', async () => {
    const many = await Promise.all(Array.from({ length: 100 }, () => open()));
    await unnoticed(100 * MB, async () => {
      for (const client of many) client.send('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n');
      for (let round = 0; round < 50; round++) await Promise.all(many.map((client) => client.sendAll('x'.repeat(100))));
    });
    for (const client of many) expect(client.ending).toBe(null);
  });

  test('is no sign of life: its client is let go after session_max_timeout', async () => {
    appendFileSync(cluster.configFile, 'session_max_timeout = 1\n');
    const { port } = await cluster.startProxy('proxy_idle');
    const half = await Promise.all(
      ['*', '*2\r\n$3\r\nGET\r\n$3\r\nk', 'GET k'].map(async (bytes) => {
        const client = await open(port);
        client.send(bytes);
        return client;
      }),
    );
    for (const client of half) expect(await client.ended(PATIENCE_MS)).not.toBe(null);
  });
});

function keyWhere(holds: (slot: number) => boolean): string {
  return Array.from({ length: 100 }, (_, number) => `key:${number}`).find((key) => holds(slotOf(Buffer.from(key)))) ?? '';
}
