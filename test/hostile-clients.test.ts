// Goal: whatever bytes a client sends, and however it breaks off, it gets an error or a closed connection, and nobody else notices.
// Method: a table of attacks; after each, a healthy client is served by the same worker process as before, which was never restarted.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';

const MB = 1024 * 1024;

describe('a hostile client', () => {
  let cluster: Cluster;
  let proxy: ProxyProcess;
  let healthy: RawClient;
  let pid: number;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 1 });
    proxy = cluster.proxies[0]!;
    healthy = await RawClient.open(proxy.port);
    await healthy.ask('SET', 'healthy', 'yes');
    await healthy.ask('SET', 'large', Buffer.alloc(8 * MB, 'l'));
    pid = (await proxy.status()).workers[0]!.pid;
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    expect(await healthy.askText('GET', 'healthy')).toBe('$3\r\nyes\r\n');
    const after = await eventually(
      async () => {
        const status = await proxy.status();
        return status.workers[0]?.clients === 1 ? status : undefined;
      },
      { what: 'only the healthy client to be left' },
    );
    expect(after.workerRestarts).toBe(0);
    expect(after.workers[0]!.pid).toBe(pid);
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  async function open(): Promise<RawClient> {
    const client = await RawClient.open(proxy.port);
    clients.push(client);
    return client;
  }

  /** What is said before the connection ends. */
  async function answerTo(bytes: Buffer | string): Promise<string> {
    const client = await open();
    client.send(bytes);
    return (await client.rest()).toString('latin1');
  }

  const REFUSED: readonly (readonly [what: string, bytes: Buffer | string, error: string])[] = [
    ['a million and one arguments', '*1048577\r\n', 'invalid multibulk length'],
    ['a number of arguments that is none', '*x\r\n', 'invalid multibulk length'],
    ['a number of arguments without end', `*${'9'.repeat(100)}`, 'invalid multibulk length'],
    ['a number of 1 GB', '*1\r\n$1073741824\r\n', 'invalid bulk length'],
    ['a negative length', '*1\r\n$-1\r\n', 'invalid bulk length'],
    ['a length of 2^64', '*1\r\n$18446744073709551616\r\n', 'invalid bulk length'],
    ['a length with a sign', '*1\r\n$+4\r\nPING\r\n', 'invalid bulk length'],
    ['a nested array', '*2\r\n*1\r\n$4\r\nPING\r\n', "expected '$', got '*'"],
    ['an integer for an argument', '*1\r\n:1\r\n', "expected '$', got ':'"],
    ['zero bytes for an argument', Buffer.from([0x2a, 0x31, 13, 10, 0, 0]), "expected '$', got '\\x00'"],
    ['quotes that do not match', 'SET k "open\r\n', 'unbalanced quotes in request'],
    ['a line without end', 'x'.repeat(70_000), 'too big inline request'],
    ['a length that goes on in another line', '*1\r\n$4\nPING\r\n', 'invalid bulk length'],
  ];

  test.each(REFUSED)('with %s is told so and disconnected', async (_, bytes, error) => {
    expect(await answerTo(bytes)).toBe(`-ERR Protocol error: ${error}\r\n`);
  });

  test('gets the replies of what came before the garbage, and nothing for what comes after', async () => {
    const replies = await answerTo(
      Buffer.concat([encode(['SET', 'k', '1']), encode(['GET', 'k']), Buffer.from('*1\r\n!oops\r\n'), encode(['SET', 'k', '2'])]),
    );
    expect(replies).toBe("+OK\r\n$1\r\n1\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    expect(await healthy.askText('GET', 'k')).toBe('$1\r\n1\r\n');
  });

  test.each([
    'POST / HTTP/1.1\r\nContent-Length: 30\r\n\r\nSET smuggled 1\r\n',
    'GET / HTTP/1.1\r\nHost: localhost:19000\r\n\r\nSET smuggled 1\r\n',
    'PUT / HTTP/1.1\r\nhost: localhost:19000\r\n\r\nSET smuggled 1\r\n',
  ])('that is a browser can’t smuggle commands: %j', async (bytes) => {
    expect(await answerTo(bytes)).toBe('');
    expect(await healthy.askText('EXISTS', 'smuggled')).toBe(':0\r\n');
  });

  test('that speaks TLS gets an error or nothing', async () => {
    const hello = Buffer.from('16030100f1010000ed0303', 'hex');
    const client = await open();
    client.send(Buffer.concat([hello, Buffer.alloc(300, 0xa5), Buffer.from('\r\n')]));
    expect((await client.reply()).toString('latin1')).toMatch(/^-ERR unknown command/);
  });

  test('that sends random bytes is answered with errors alone', async () => {
    let seed = 12_345;
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.alloc(2000);
      for (let at = 0; at < bytes.length; at++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        bytes[at] = round % 2 ? seed >>> 24 : '*$-+:0123456789\r\n\r\nGETSKV "\''.charCodeAt((seed >>> 16) % 28);
      }
      const client = await open();
      client.send(bytes);
      client.halfClose();
      const answer = (await client.rest()).toString('latin1');
      expect(answer.split('\r\n').filter((line) => line !== '' && !line.startsWith('-'))).toEqual([]);
    }
  });

  test('with a million empty arguments gets one error', async () => {
    const client = await open();
    client.send(Buffer.from(`*1000000\r\n$4\r\nNONE\r\n${'$0\r\n\r\n'.repeat(999_999)}`));
    expect((await client.reply()).toString()).toMatch(/^-ERR unknown command 'NONE', with args beginning with: '' '' /);
    const keys = '$4\r\nnone\r\n'.repeat(999_999);
    client.send(Buffer.from(`*1000000\r\n$4\r\nMGET\r\n${keys}QUIT\r\n`));
    expect((await client.rest()).toString()).toBe(`*999999\r\n${'$-1\r\n'.repeat(999_999)}+OK\r\n`);
  });

  test('that announces much and sends little costs no memory', async () => {
    const before = (await proxy.status()).workers[0]!.rssBytes;
    const many = await Promise.all(Array.from({ length: 100 }, open));
    for (const client of many) client.send('*2\r\n$3\r\nGET\r\n$500000000\r\nx');
    await healthy.ask('PING');
    expect((await proxy.status()).workers[0]!.rssBytes - before).toBeLessThan(100 * MB);
  });

  test('with half a request keeps its connection and harms nobody; the other half completes it', async () => {
    const client = await open();
    client.send('*2\r\n$3\r\nGET\r\n$7\r\nhea');
    expect(await healthy.askText('PING')).toBe('+PONG\r\n');
    client.send('lthy\r\n');
    expect((await client.reply()).toString()).toBe('$3\r\nyes\r\n');
  });

  test('that goes away with half a request leaves nothing behind', async () => {
    const client = await open();
    client.send('*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$10\r\n12345');
    client.halfClose();
    expect((await client.rest()).toString()).toBe('');
    expect(await healthy.askText('EXISTS', 'half')).toBe(':0\r\n');
  });

  test('that says QUIT in the middle of a pipeline gets the replies up to there', async () => {
    expect(await answerTo(Buffer.concat([['SET', 'k', 'a'], ['GET', 'k'], ['QUIT'], ['SET', 'k', 'b']].map(encode)))).toBe(
      '+OK\r\n$1\r\na\r\n+OK\r\n',
    );
    expect(await healthy.askText('GET', 'k')).toBe('$1\r\na\r\n');
  });

  test('that closes its half after a deep pipeline gets all replies', async () => {
    const client = await open();
    const count = 30_000;
    client.send(Buffer.concat(Array.from({ length: count }, (_, at) => encode(['GET', at % 2 ? 'healthy' : `none:${at}`]))));
    client.halfClose();
    const replies = (await client.rest()).toString();
    expect(replies).toBe(Array.from({ length: count }, (_, at) => (at % 2 ? '$3\r\nyes\r\n' : '$-1\r\n')).join(''));
  });

  test('that breaks the connection in the middle of a request, or of a reply, is forgotten', async () => {
    for (let round = 0; round < 20; round++) {
      const [asking, reading] = [await open(), await open()];
      asking.command('GET', 'healthy');
      asking.send('*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$100000\r\n12345');
      reading.command('GET', 'large');
      reading.command('MGET', 'large', 'healthy', 'none:1', 'none:2');
      await eventually(() => reading.receivedBytes > 0, { what: 'the reply to begin', everyMs: 1 });
      asking.reset();
      reading.reset();
    }
    expect(await healthy.askText('EXISTS', 'half')).toBe(':0\r\n');
  });

  test('that connects and leaves, a thousand times', async () => {
    for (let round = 0; round < 20; round++) {
      const many = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(proxy.port)));
      for (const [at, client] of many.entries()) {
        if (at % 2) client.reset();
        else client.close();
      }
    }
  });
});
