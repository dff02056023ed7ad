// SCAN over a connection of its own: every key once over, whatever pieces the replies come in, and an end with a reason when the server is not there any more.

import { connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { asServerAddr } from '../../src/model/index.ts';
import { BulkConnection, type PageOptions } from '../../src/redis/bulk-connection.ts';

const EVERYTHING: PageOptions = { count: 100, isWanted: () => true, mayHurry: () => true };

let server: RedisServer;
const closers: (() => void)[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(() => stopAll());

async function runIdOf(redis: RedisServer): Promise<string> {
  return /run_id:(\w+)/.exec(await redis.client().info('server'))?.[1] ?? '';
}

async function open(
  addr: string,
  { runId, db = 0, password = '', timeoutMs = 10_000 }: { runId: string; db?: number; password?: string; timeoutMs?: number },
) {
  const scan = await BulkConnection.open(asServerAddr(addr), { runId, db, password, timeoutMs });
  closers.push(() => scan.close());
  return scan;
}

async function read(scan: BulkConnection, options: Partial<PageOptions> = {}) {
  const keys = new Set<string>();
  let lookedCount = 0;
  for await (const page of scan.pages({ ...EVERYTHING, ...options })) {
    lookedCount += page.lookedCount;
    for (const key of page.keys) keys.add(key.toString('latin1'));
  }
  return { keys, lookedCount };
}

/** Between us and the real server: what it answers comes in pieces of so many bytes. */
async function inPiecesOf(size: number): Promise<string> {
  const relay = createServer((near: Socket) => {
    const far = connect({ port: server.port, host: '127.0.0.1' });
    near.on('data', (data) => far.write(data));
    far.on('data', (data: Buffer) => {
      for (let at = 0; at < data.length; at += size) near.write(Uint8Array.prototype.slice.call(data, at, at + size));
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done));
  closers.push(() => relay.close());
  const address = relay.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('every key', () => {
  const names = [...Array.from({ length: 3000 }, (_, n) => `key ${n}`), '', '\r\n', '$3\r\n*2\r\n', '-ERR', 'x'.repeat(70_000), '\xff\x00'];

  beforeAll(async () => {
    const pipeline = server.client({ db: 3 }).pipeline();
    for (const name of names) pipeline.set(Buffer.from(name, 'latin1'), 'v');
    await pipeline.exec();
  });

  test.each([true, false])('with the next page asked for ahead: %s', async (ahead) => {
    const scan = await open(server.addr, { runId: await runIdOf(server), db: 3 });
    const { keys, lookedCount } = await read(scan, { mayHurry: () => ahead });
    expect([...keys].toSorted()).toEqual(names.toSorted());
    expect(lookedCount).toBeGreaterThanOrEqual(names.length);
  });

  test.each([1, 7, 1000])(
    'in pieces of %i bytes',
    async (size) => {
      const scan = await open(await inPiecesOf(size), { runId: await runIdOf(server), db: 3, timeoutMs: 60_000 });
      const { keys } = await read(scan);
      expect([...keys].toSorted()).toEqual(names.toSorted());
    },
    60_000,
  );

  test('that is wanted, and none in another database', async () => {
    const runId = await runIdOf(server);
    const isWanted = (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end).endsWith('7');
    const { keys } = await read(await open(server.addr, { runId, db: 3 }), { isWanted });
    expect([...keys].toSorted()).toEqual(names.filter((name) => name.endsWith('7')).toSorted());
    expect(await read(await open(server.addr, { runId, db: 4 }))).toEqual({ keys: new Set(), lookedCount: 0 });
  });
});

describe('ends with a reason when', () => {
  test('another process answers', async () => {
    await expect(open(server.addr, { runId: 'another' })).rejects.toThrow(/started anew/);
  });

  test('nobody answers', async () => {
    await expect(open('127.0.0.1:1', { runId: '' })).rejects.toThrow(/127.0.0.1:1 can't be reached/);
  });

  test('the server refuses', async () => {
    await expect(open(server.addr, { runId: '', password: 'wrong' })).rejects.toThrow(/AUTH|password/);
  });

  test('the server hangs, but not while nobody asks', async () => {
    const scan = await open(server.addr, { runId: await runIdOf(server), db: 3, timeoutMs: 300 });
    const pages = scan.pages({ ...EVERYTHING, mayHurry: () => false });
    await pages.next();
    await new Promise((done) => setTimeout(done, 700));
    await pages.next();
    server.child.signal('SIGSTOP');
    try {
      await expect(pages.next()).rejects.toThrow(/did not answer within 300 ms/);
    } finally {
      server.child.signal('SIGCONT');
    }
  });

  test('it is closed', async () => {
    const scan = await open(server.addr, { runId: await runIdOf(server), db: 3 });
    scan.close();
    await expect(read(scan)).rejects.toThrow(/closed the connection/);
  });
});
