// Goal: SLOWLOG has the proxy's slow requests, over all its workers, in Redis's form, and says where each spent its time.
// Method: workers in this process; a server behind a connection that stalls on purpose. Times are only compared with each other and with what was waited for.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { array, encodeRequest } from '../../src/resp/replies.ts';
import { elementsOf } from '../../src/worker/merge.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';
import { type SeveralWorkers, startWorkers } from './several-workers.ts';

interface Entry {
  readonly id: number;
  readonly time: number;
  readonly micros: number;
  readonly args: readonly string[];
  readonly addr: string;
  readonly name: string;
  readonly stages: Readonly<Record<string, number>>;
}

const items = (reply: Buffer): Buffer[] => elementsOf(reply);
const number = (reply: Buffer): number => Number(reply.toString('latin1', 1));
const textOf = (reply: Buffer): string => reply.toString('latin1', reply.indexOf(10) + 1, reply.length - 2);

function entriesIn(reply: string): Entry[] {
  return items(Buffer.from(reply, 'latin1')).map((entry) => {
    const [id, time, micros, args, addr, name, stages] = items(entry);
    const pairs = stages === undefined ? [] : items(stages);
    return {
      id: number(id!),
      time: number(time!),
      micros: number(micros!),
      args: items(args!).map(textOf),
      addr: textOf(addr!),
      name: textOf(name!),
      stages: Object.fromEntries([0, 2, 4].flatMap((at) => (pairs[at] ? [[textOf(pairs[at]), number(pairs[at + 1]!)]] : []))),
    };
  });
}

let redis: RedisServer;
const clients: RawClient[] = [];
const rawClient = (port: number): RawClient => {
  clients.push(new RawClient(port));
  return clients.at(-1)!;
};
const slow = async (client: RawClient, suffix = ''): Promise<Entry[]> => entriesIn((await client.ask(`SLOWLOG GET -1${suffix}\r\n`))[0]!);

beforeAll(async () => {
  redis = await startRedis();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await redis.stop();
});

describe('every request, when all are slow', () => {
  let proxy: SeveralWorkers;

  beforeAll(async () => {
    proxy = await startWorkers(3, redis, { slowlog_log_slower_than: 0, slowlog_max_len: 20 });
  });

  afterAll(() => proxy.close());

  test('is there once, newest first, with arguments as Redis shows them, whoever answered it', async () => {
    const plain = new RawClient(redis.port);
    clients.push(plain);
    await plain.ask('CONFIG SET slowlog-log-slower-than 0\r\n');
    const script = [
      ['SET', 'a', 'x'.repeat(200)],
      ['get', 'a'],
      ['MSET', ...Array.from({ length: 40 }, (_, at) => String(at))],
      ['MGET', ...Array.from({ length: 30 }, (_, at) => String(at))],
      ['RPUSH', 'l', ...Array.from({ length: 31 }, (_, at) => String(at))],
      ['LPOP', 'l', '\x00\xff'],
      ['AUTH', 'user', 'secret'],
      ['HELLO', '2', 'AUTH', 'user', 'secret'],
      ['CLIENT', 'SETNAME', 'me'],
      ['PING'],
      ['NOSUCH'],
      ['GET'],
    ].map((args) => encodeRequest(args.map((arg) => Buffer.from(arg, 'latin1'))));
    await plain.ask('SLOWLOG RESET\r\n');
    for (const request of script) await plain.ask(request);
    const expected = (await slow(plain)).slice(0, -1);
    await plain.ask('CONFIG SET slowlog-log-slower-than -1\r\n');
    expect(expected.length).toBe(10);
    const sender = proxy.client(1);
    const other = proxy.client(2);
    await other.ask('SLOWLOG RESET\r\n');
    for (const request of script) await sender.ask(request);
    const found = (await slow(other)).filter(({ args }) => args[0] !== 'SLOWLOG');
    expect(found.map(({ args, name }) => ({ args, name }))).toEqual(expected.map(({ args, name }) => ({ args, name })));
    expect(found.every(({ addr }) => addr === `127.0.0.1:${sender.socket.localPort}`)).toBe(true);
    const ids = found.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((x, y) => y - x));
    expect(new Set(ids).size).toBe(ids.length);
    expect(found.every(({ micros, time }) => micros >= 0 && Math.abs(time - Date.now() / 1000) < 60)).toBe(true);
  });

  test('LEN, RESET and GET count are about all workers; slowlog_max_len is the proxy’s', async () => {
    const senders = [0, 1, 2].map((at) => proxy.client(at));
    for (const sender of senders) await sender.ask('PING\r\n'.repeat(15), 15);
    const [a] = senders as [RawClient];
    expect(await a.ask('SLOWLOG LEN\r\n')).toEqual([':20\r\n']);
    expect((await slow(a)).length).toBe(20);
    expect(entriesIn((await a.ask('SLOWLOG GET\r\n'))[0]!).length).toBe(10);
    expect(entriesIn((await a.ask('SLOWLOG GET 3\r\n'))[0]!).length).toBe(3);
    expect(await a.ask('SLOWLOG GET 0\r\n')).toEqual(['*0\r\n']);
    expect(await a.ask('SLOWLOG RESET\r\n')).toEqual(['+OK\r\n']);
    const left = await slow(senders[2]!);
    expect(left.map(({ args }) => args.join(' '))).toEqual(['SLOWLOG RESET']);
  });

  test.each(['SLOWLOG', 'SLOWLOG GET x', 'SLOWLOG GET -2', 'SLOWLOG GET 1 2', 'SLOWLOG LEN x', 'SLOWLOG foo'])(
    '%s is answered in the words of Redis',
    async (line) => {
      const plain = rawClient(redis.port);
      expect(await proxy.client(0).ask(`${line}\r\n`)).toEqual(await plain.ask(`${line}\r\n`));
    },
  );

  test('a pipeline in which replies wait for their turn is timed too', async () => {
    const sender = proxy.client(0);
    await sender.ask('SLOWLOG RESET\r\n');
    await sender.ask('GET a\r\nPING\r\nMGET a b c\r\nECHO x\r\nGET b\r\n', 5);
    const found = await slow(sender);
    expect(
      found
        .map(({ args }) => args.join(' '))
        .filter((args) => !args.startsWith('SLOWLOG'))
        .sort(),
    ).toEqual(['ECHO x', 'GET a', 'GET b', 'MGET a b c', 'PING'].sort());
  });
});

describe('where the time went', () => {
  const STALL_MS = 120;
  let worker: OneWorker;
  let wire: TcpProxy;

  beforeAll(async () => {
    wire = await startTcpProxy(redis.port);
    worker = await startWorker({ slowlog_log_slower_than: (STALL_MS / 2) * 1000 });
  });

  afterAll(async () => {
    worker.close();
    await wire.close();
  });

  /** The one entry for `args`, after something was done that makes it slow. */
  async function entryOf(args: string): Promise<Entry> {
    const client = rawClient(worker.port);
    const found = (await slow(client, ' STAGES')).filter((entry) => entry.args.join(' ') === args);
    expect(found.length).toBe(1);
    return found[0]!;
  }

  const passed = (ms: number) => {
    const from = performance.now();
    return eventually(() => performance.now() - from > ms, { what: 'time to pass' });
  };

  test('in the proxy, while the connection to the server is made', async () => {
    worker.route([wire]);
    wire.stall();
    const client = rawClient(worker.port);
    const before = worker.report().requests;
    const asked = client.ask('GET while:connecting\r\n');
    await eventually(() => worker.report().requests > before, { what: 'the request to arrive' });
    await passed(STALL_MS);
    wire.restore();
    await asked;
    const { micros, stages } = await entryOf('GET while:connecting');
    expect(micros).toBeGreaterThanOrEqual(STALL_MS * 1000);
    expect(stages['proxy']).toBeGreaterThanOrEqual(STALL_MS * 1000);
    expect(stages['proxy']! + stages['held']! + stages['server']!).toBe(micros);
    expect(stages['held']).toBe(0);
  });

  test('at the server', async () => {
    worker.route([wire]);
    const client = rawClient(worker.port);
    await client.ask('GET warm\r\n');
    wire.stall();
    const before = worker.report().requests;
    const asked = client.ask('SET at:server 1\r\nPING\r\n', 2);
    await eventually(() => worker.report().requests > before, { what: 'the request to arrive' });
    await passed(STALL_MS);
    wire.restore();
    await asked;
    const { micros, stages } = await entryOf('SET at:server 1');
    expect(stages['server']).toBeGreaterThanOrEqual(STALL_MS * 1000);
    expect(stages['proxy']! + stages['held']!).toBe(0);
    expect(micros).toBe(stages['server']);
  });

  test('is told of each of a pipeline that came in many pieces, with its own arguments', async () => {
    worker.route([wire]);
    const client = rawClient(worker.port);
    await client.ask('GET warm\r\n');
    const before = worker.report().clientBytesIn;
    wire.stall();
    const sent = Array.from({ length: 20 }, (_, at) => `SET piece:${at} ${at}\r\n${at % 3 === 0 ? 'PING\r\n' : ''}`);
    let bytes = 0;
    for (const piece of sent) {
      client.socket.write(piece);
      bytes += piece.length;
      await eventually(() => worker.report().clientBytesIn - before >= bytes, { what: 'the piece to be read', everyMs: 1 });
    }
    await passed(STALL_MS);
    wire.restore();
    await eventually(() => client.replies.length === 1 + 27, { what: 'all replies' });
    const found = (await slow(rawClient(worker.port))).map(({ args }) => args.join(' '));
    for (const at of sent.keys()) expect(found.filter((args) => args === `SET piece:${at} ${at}`)).toHaveLength(1);
  });

  test('held for a slot in a move', async () => {
    const locked = { kind: 'locked', from: 1, to: 2, migration: 1, epoch: 1, leaseMs: 60_000 } as never;
    worker.route([wire, { addr: '127.0.0.1:1' }], () => locked);
    const client = rawClient(worker.port);
    const asked = client.ask('INCR while:locked\r\n');
    await eventually(() => worker.report().held >= 1, { what: 'the request to be held' });
    await passed(STALL_MS);
    worker.route([wire]);
    await asked;
    const { micros, stages } = await entryOf('INCR while:locked');
    expect(stages['held']).toBeGreaterThanOrEqual(STALL_MS * 1000);
    expect(stages['proxy']! + stages['held']! + stages['server']!).toBe(micros);
  });

  test('what a blocked client waits for is not slow', async () => {
    worker.route([redis]);
    const client = rawClient(worker.port);
    const asked = client.ask('BLPOP no:list 0.2\r\n');
    await asked;
    const found = await slow(rawClient(worker.port));
    expect(found.filter(({ args }) => args[0] === 'BLPOP')).toEqual([]);
  });

  test('the log can be off', async () => {
    const off = await startWorker({ slowlog_log_slower_than: -1 });
    off.route([redis]);
    const client = rawClient(off.port);
    await client.ask('PING\r\n');
    expect(await client.ask('SLOWLOG GET\r\n')).toEqual([array([]).toString()]);
    off.close();
  });
});
