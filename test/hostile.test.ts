// Goal: whatever bytes come in and however a client leaves, it gets what one Redis would give it, and nobody else notices.
// Method: a table of hostile inputs, sent as raw bytes to a plain Redis and to a proxy: replies and the end of the connection must be equal. After each
// a healthy client goes on in both groups, and the proxy's only worker is still the same process.

import { slotOf } from '@codis/config/model';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

const MB = 1024 * 1024;
const PIPELINE_MAX = 1000;
const CLIENTS = 500;
/** A key of group 1 and one of group 2. */
const FIRST = keyWhere((slot) => slot <= 511);
const SECOND = keyWhere((slot) => slot > 511);

/** What breaks the protocol, and the error that Redis closes the connection with. */
const BROKEN: readonly (readonly [what: string, bytes: string, error: string])[] = [
  ['a bulk string of 1 GB', '*2\r\n$3\r\nGET\r\n$1073741824\r\n', 'invalid bulk length'],
  ['a bulk string of 512 MB and a byte', '*2\r\n$3\r\nGET\r\n$536870913\r\n', 'invalid bulk length'],
  ['a bulk string of length -1', '*2\r\n$3\r\nGET\r\n$-1\r\n', 'invalid bulk length'],
  ['a bulk string of length -2^63', '*1\r\n$-9223372036854775808\r\n', 'invalid bulk length'],
  ['a bulk string of length 2^64', '*1\r\n$18446744073709551616\r\n', 'invalid bulk length'],
  ['a bulk string without a length', '*1\r\n$\r\nPING\r\n', 'invalid bulk length'],
  ['a length in hexadecimal', '*1\r\n$0x4\r\nPING\r\n', 'invalid bulk length'],
  ['a length with a sign', '*1\r\n$+4\r\nPING\r\n', 'invalid bulk length'],
  ['a length with an exponent', '*1\r\n$4e0\r\nPING\r\n', 'invalid bulk length'],
  ['a length with a space', '*1\r\n$ 4\r\nPING\r\n', 'invalid bulk length'],
  ['a length with a leading zero', '*1\r\n$04\r\nPING\r\n', 'invalid bulk length'],
  ['a length of many digits', `*1\r\n$${'9'.repeat(1000)}\r\n`, 'invalid bulk length'],
  ['a count of 2^63', '*9223372036854775808\r\n', 'invalid multibulk length'],
  ['a count of many digits', `*${'9'.repeat(1000)}\r\n`, 'invalid multibulk length'],
  ['a count of words', '*many\r\n', 'invalid multibulk length'],
  ['no count', '*\r\n', 'invalid multibulk length'],
  ['an array in an array', '*1\r\n*1\r\n$4\r\nPING\r\n', "expected '$', got '*'"],
  ['arrays nested a thousand deep', '*1\r\n'.repeat(1000), "expected '$', got '*'"],
  ['an integer for an argument', '*2\r\n$3\r\nGET\r\n:1\r\n', "expected '$', got ':'"],
  ['a simple string for an argument', '*1\r\n+PING\r\n', "expected '$', got '+'"],
  ['an argument longer than it says', '*3\r\n$3\r\nSET\r\n$1\r\nabcd\r\n$1\r\nx\r\n', "expected '$', got 'd'"],
  ['a quote that is not closed', 'SET key "value\r\n', 'unbalanced quotes in request'],
  ['a quote closed in the middle of a word', "SET key 'val'ue\r\n", 'unbalanced quotes in request'],
  ['a line without an end', 'x'.repeat(64 * 1024 + 1), 'too big inline request'],
];

/** What a client may begin and not go on with. */
const TRUNCATED: readonly string[] = [
  '*',
  '*3',
  '*3\r',
  '*3\r\n',
  '*3\r\n$',
  '*3\r\n$3\r\nSE',
  '*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$5\r\nvalu',
  '*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$5\r\nvalue\r',
  'SET half value',
  '*1000000\r\n$1\r\nx\r\n',
  '*2\r\n$3\r\nGET\r\n$500000000\r\n',
];

describe('a hostile client', () => {
  let cluster: Cluster;
  let plain: RedisServer;
  let proxy: ProxyProcess;
  let workerPid: number;
  let healthy: RawClient;
  let direct: RawClient;
  let proxied: RawClient;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    [cluster, plain] = await Promise.all([
      startCluster({ proxies: 1, groups: 2, settings: { session_max_pipeline: PIPELINE_MAX } }),
      startRedis(),
    ]);
    proxy = cluster.proxies[0]!;
    workerPid = (await proxy.status()).workers[0]!.pid;
    healthy = await RawClient.open(proxy.port);
  });

  beforeEach(async () => {
    [direct, proxied] = await Promise.all([open(plain.port), open()]);
  });

  afterEach(async () => {
    for (const [master] of cluster.servers) master?.child.signal('SIGCONT');
    await expectOthersUnharmed();
    for (const client of clients.splice(0)) client.close();
    await eventually(async () => (await proxy.status()).workers[0]!.clients === 1, { what: 'nobody but the healthy client to be left' });
    await expectOthersUnharmed();
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

  async function expectOthersUnharmed(): Promise<void> {
    for (const key of [FIRST, SECOND]) {
      expect(await healthy.askText('SET', `{${key}}healthy`, 'well')).toBe('+OK\r\n');
      expect(await healthy.askText('GET', `{${key}}healthy`)).toBe('$4\r\nwell\r\n');
    }
    const { workers, workerRestarts } = await proxy.status();
    expect([workers[0]!.pid, workerRestarts]).toEqual([workerPid, 0]);
  }

  /** What the plain Redis and the proxy send until they close the connection. */
  async function untilClosed(bytes: Buffer | string): Promise<[redis: string, ours: string]> {
    for (const client of [direct, proxied]) client.send(bytes);
    const [redis, ours] = await Promise.all([direct.rest(), proxied.rest()]);
    return [redis.toString('latin1'), ours.toString('latin1')];
  }

  test.each(BROKEN)('that sends %s is told so in Redis’s words and let go', async (_, bytes, error) => {
    const [redis, ours] = await untilClosed(`PING\r\n${bytes}`);
    expect(ours).toBe(redis);
    expect(ours.startsWith(`+PONG\r\n-ERR Protocol error: ${error}`), ours).toBe(true);
    expect(proxied.ending).toBe('end');
  });

  test.each(TRUNCATED)('that sends %j and closes is forgotten, and nothing was done', async (bytes) => {
    proxied.send(bytes);
    proxied.halfClose();
    expect(String(await proxied.rest())).toBe('');
    const gone = await open();
    await gone.sendAll(bytes);
    gone.reset();
    expect(await healthy.askText('EXISTS', 'half')).toBe(':0\r\n');
  });

  test('that sends half a request for ever keeps nobody waiting, and may still finish it', async () => {
    const idle = await Promise.all(Array.from({ length: 100 }, () => open()));
    const request = encode(['SET', `{${FIRST}}late`, 'but whole']);
    await Promise.all(idle.map((client, at) => client.sendAll(request.subarray(0, 1 + (at % (request.length - 1))))));
    await expectOthersUnharmed();
    for (const [at, client] of idle.entries()) client.send(request.subarray(1 + (at % (request.length - 1))));
    expect(new Set((await Promise.all(idle.map((client) => client.reply()))).map(String))).toEqual(new Set(['+OK\r\n']));
  });

  test('that sends garbage gets errors, or is let go, and nothing else', async () => {
    const garbage = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 4000 }), { numRuns: 50, seed: 7 });
    for (const bytes of garbage) {
      const client = await open();
      client.send(Buffer.concat([bytes, Buffer.from('\r\nQUIT\r\n')]));
      const replies = (await client.rest()).toString('latin1').split('\r\n').slice(0, -1);
      expect(replies.at(-1)).toMatch(/^(?:\+OK$|-ERR Protocol error: )/);
      for (const reply of replies.slice(0, -1)) expect(reply).toMatch(/^-ERR unknown command /);
    }
  });

  test.each([
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\nSET posted by\r\n',
    'GET / HTTP/1.1\r\nAccept: *\r\nhOST: localhost\r\n\r\nSET posted by\r\n',
    'PUT / HTTP/1.1\r\nHost: localhost\r\n\r\nSET posted by\r\n',
  ])('that is a browser is let go before a command in what it sends is carried out: %j', async (bytes) => {
    const [redis, ours] = await untilClosed(bytes);
    for (const text of [redis, ours]) expect(text).not.toContain('+OK');
    expect(await healthy.askText('EXISTS', 'posted')).toBe(':0\r\n');
  });

  test('that speaks TLS gets an error, and may go away', async () => {
    const hello = Buffer.from(`16030100c8010000c40303${'5a'.repeat(32)}20${'a5'.repeat(32)}003e130213031301c02c0a0d0aff`, 'hex');
    proxied.send(hello);
    expect(String(await proxied.reply())).toMatch(/^-ERR unknown command /);
    proxied.halfClose();
    expect(await proxied.ended()).toBe('end');
  });

  test.each(['PING', 'RPUSH', 'DEL', 'NOSUCH'])('that gives %s a million arguments gets Redis’s reply', async (name) => {
    const request = Buffer.concat([Buffer.from(`*1000001\r\n$${name.length}\r\n${name}\r\n`), Buffer.alloc(7_000_000, '$1\r\nx\r\n')]);
    for (const client of [direct, proxied]) client.send(request);
    const [redis, ours] = await Promise.all([direct.reply(), proxied.reply()]);
    expect(String(ours)).toBe(String(redis));
  });

  test('that asks in the middle of a pipeline to quit gets answers up to there', async () => {
    const pipeline = `SET ${FIRST} a\r\nGET ${FIRST}\r\nSET ${SECOND} a\r\nMGET ${FIRST} ${SECOND}\r\nQUIT\r\nSET ${FIRST} b\r\nnonsense\r\n`;
    const [redis, ours] = await untilClosed(pipeline);
    expect(ours).toBe(redis);
    expect(ours).toBe('+OK\r\n$1\r\na\r\n+OK\r\n*2\r\n$1\r\na\r\n$1\r\na\r\n+OK\r\n');
    expect(await healthy.askText('GET', FIRST)).toBe('$1\r\na\r\n');
  });

  test.each([10, PIPELINE_MAX])('that closes its half right after %i requests gets every reply', async (count) => {
    const one = Buffer.concat([FIRST, SECOND].map((key) => encode(['APPEND', `{${key}}closed${count}`, 'x'])));
    proxied.send(Buffer.concat(Array.from({ length: count / 2 }, () => one)));
    proxied.halfClose();
    expect(String(await proxied.rest())).toBe(Array.from({ length: count / 2 }, (_, at) => `:${at + 1}\r\n:${at + 1}\r\n`).join(''));
    expect(proxied.ending).toBe('end');
  });

  test('that closes its half while it is not read from gets every reply', async () => {
    const count = PIPELINE_MAX + 500;
    const master = cluster.servers[0]![0]!;
    master.child.signal('SIGSTOP');
    proxied.send(`INCR {${FIRST}}closed\r\n`.repeat(count));
    proxied.halfClose();
    const isPaused = async () => ((await proxy.status()).workers[0]!.calls['incr'] ?? 0) >= PIPELINE_MAX;
    await eventually(isPaused, { what: 'session_max_pipeline requests to be under way' });
    master.child.signal('SIGCONT');
    expect(String(await proxied.rest())).toBe(Array.from({ length: count }, (_, at) => `:${at + 1}\r\n`).join(''));
  });

  test('that breaks off in the middle of a large reply spoils it for nobody', async () => {
    const value = Buffer.alloc(20 * MB, 'large value ');
    const key = `{${FIRST}}large`;
    await healthy.ask('SET', key, value);
    for (const readBytes of [1, MB, 10 * MB]) {
      const client = await open();
      client.command('GET', key);
      client.command('GET', `{${FIRST}}healthy`);
      await eventually(() => client.receivedBytes >= readBytes, { what: `${readBytes} bytes of the reply`, everyMs: 1 });
      client.reset();
      await expectOthersUnharmed();
    }
    expect(Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]).equals(await healthy.ask('GET', key))).toBe(
      true,
    );
  });

  test('that breaks off in the middle of a large value has written nothing', async () => {
    const request = encode(['SET', `{${SECOND}}broken-off`, Buffer.alloc(20 * MB, 'x')]);
    await proxied.sendAll(request.subarray(0, request.length - 1));
    proxied.reset();
    expect(await healthy.askText('EXISTS', `{${SECOND}}broken-off`)).toBe(':0\r\n');
  });

  test(`that comes ${CLIENTS} times and vanishes leaves nothing behind`, async () => {
    const pipeline = Buffer.concat([FIRST, SECOND, FIRST].map((key) => encode(['INCR', `{${key}}vanished`])));
    const many = await Promise.all(Array.from({ length: CLIENTS }, () => open()));
    for (const [at, client] of many.entries()) {
      if (at % 4 > 0) client.send(at % 4 === 1 ? pipeline.subarray(0, 30) : pipeline);
      if (at % 2 === 0) client.reset();
      else client.close();
    }
    await eventually(async () => (await proxy.status()).workers[0]!.clients <= 3, { what: 'those that vanished to be forgotten' });
  });

  test('that announces much and sends little costs no memory', async () => {
    const before = (await proxy.status()).workers[0]!.rssBytes;
    const many = await Promise.all(Array.from({ length: 100 }, () => open()));
    for (const client of many) client.send('*2\r\n$3\r\nGET\r\n$500000000\r\nx');
    await healthy.ask('PING');
    expect((await proxy.status()).workers[0]!.rssBytes - before).toBeLessThan(100 * 1024 * 1024);
  });
});

function keyWhere(test: (slot: number) => boolean): string {
  return Array.from({ length: 100 }, (_, number) => `key:${number}`).find((key) => test(slotOf(Buffer.from(key)))) ?? '';
}
