// Goal: CLIENT is about all clients of a proxy, whichever worker they are with, in Redis's own words.
// Method: three workers in this process in front of one server; the same command to a plain Redis where the words are Redis's.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { RawClient } from './one-worker.ts';
import { type SeveralWorkers, startWorkers } from './several-workers.ts';

let redis: RedisServer;
let proxy: SeveralWorkers;
const clients: RawClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startWorkers(3, redis);
});

afterEach(async () => {
  const [cleaner] = await client(0);
  await cleaner!.ask('CLIENT UNPAUSE\r\n');
  for (const each of clients.splice(0)) each.close();
  await eventually(() => redis.client().flushall(), { what: 'a clean server' });
});

afterAll(async () => {
  proxy.close();
  await redis.stop();
});

/** One client each of these workers, with their ids. */
async function client(...workers: number[]): Promise<(RawClient & { id: number })[]> {
  return Promise.all(
    workers.map(async (at) => {
      const raw = proxy.client(at);
      clients.push(raw);
      const [id] = await raw.ask('CLIENT ID\r\n');
      return Object.assign(raw, { id: Number(id!.slice(1)) });
    }),
  );
}

const lineOf = (list: string, id: number): Record<string, string> => {
  const line = list.split('\n').find((each) => each.startsWith(`id=${id} `)) ?? '';
  return Object.fromEntries(line.split(' ').map((field) => field.split(/=(.*)/s).slice(0, 2) as [string, string]));
};

describe('ids', () => {
  test('are unique over all workers, and grow with each', async () => {
    const all = await client(0, 1, 2, 0, 1, 2);
    expect(new Set(all.map(({ id }) => id)).size).toBe(6);
    expect(all[3]!.id).toBeGreaterThan(all[0]!.id);
    expect(all.every(({ id }) => Number.isSafeInteger(id) && id > 0)).toBe(true);
  });
});

describe('CLIENT LIST', () => {
  test('has a line for each client of every worker, with the fields of Redis', async () => {
    const [a, b, c] = await client(0, 1, 2);
    await b!.ask('CLIENT SETNAME bee\r\n');
    await c!.ask('SELECT 5\r\n');
    await c!.ask('GET x\r\n');
    const [list] = await a!.ask('CLIENT LIST\r\n');
    expect(lineOf(list!, b!.id)).toMatchObject({ name: 'bee', flags: 'N', db: '0', user: 'default', resp: '2', cmd: 'client|setname' });
    expect(lineOf(list!, c!.id)).toMatchObject({ db: '5', cmd: 'get', laddr: `127.0.0.1:${proxy.members[2]!.port}`, multi: '-1' });
    const plain = new RawClient(redis.port);
    const [theirs] = await plain.ask('CLIENT LIST\r\n');
    plain.close();
    const fields = (text: string) =>
      text
        .split('\r\n')[1]!
        .split('\n')[0]!
        .split(' ')
        .map((field) => field.split('=')[0]);
    expect(fields(list!).slice(0, fields(theirs!).length)).toEqual(fields(theirs!));
    const ids = list!.match(/id=\d+/g)!.map((field) => Number(field.slice(3)));
    expect(ids).toEqual([...ids].sort((x, y) => x - y));
  });

  test('can be asked for some ids, and for a type', async () => {
    const [a, b, c] = await client(0, 1, 2);
    const [list] = await a!.ask(`CLIENT LIST ID ${b!.id} ${c!.id} 999999999999\r\n`);
    expect(list!.match(/id=\d+/g)).toEqual([`id=${b!.id}`, `id=${c!.id}`]);
    expect(await a!.ask('CLIENT LIST TYPE master\r\n')).toEqual(['$0\r\n\r\n']);
    expect((await a!.ask('CLIENT LIST TYPE normal\r\n'))[0]).toContain(`id=${c!.id} `);
  });

  test('leaves out a worker that hangs, and does not wait for one that died', async () => {
    const [a, b] = await client(0, 1);
    proxy.members[1]!.hangs = true;
    const [list] = await a!.ask('CLIENT LIST\r\n');
    proxy.members[1]!.hangs = false;
    expect(list).toContain(`id=${a!.id} `);
    expect(list).not.toContain(`id=${b!.id} `);
    await eventually(async () => (await a!.ask('CLIENT LIST\r\n'))[0]!.includes(`id=${b!.id} `), { what: 'the worker to be asked again' });
  });
});

describe('CLIENT KILL', () => {
  test('by id ends a client of another worker', async () => {
    const [a, b, c] = await client(0, 1, 2);
    expect(await a!.ask(`CLIENT KILL ID ${b!.id}\r\n`)).toEqual([':1\r\n']);
    await eventually(() => b!.closed, { what: 'the connection to be closed' });
    expect(await c!.ask('PING\r\n')).toEqual(['+PONG\r\n']);
    expect(await a!.ask(`CLIENT KILL ID ${b!.id}\r\n`)).toEqual([':0\r\n']);
  });

  test('in its old form is by address, and may be about oneself: the answer comes first', async () => {
    const [a, b] = await client(0, 1);
    const address = (of: RawClient) => `127.0.0.1:${of.socket.localPort}`;
    expect(await a!.ask(`CLIENT KILL ${address(b!)}\r\n`)).toEqual(['+OK\r\n']);
    await eventually(() => b!.closed, { what: 'the other connection to be closed' });
    expect(await a!.ask(`CLIENT KILL ${address(b!)}\r\n`)).toEqual(['-ERR No such client\r\n']);
    expect(await a!.ask(`CLIENT KILL ${address(a!)}\r\n`)).toEqual(['+OK\r\n']);
    await eventually(() => a!.closed, { what: 'its own connection to be closed' });
  });

  test('skips oneself unless told otherwise, and by default every condition must hold', async () => {
    const [a, b, c] = await client(0, 1, 2);
    const laddr = `127.0.0.1:${proxy.members[1]!.port}`;
    expect(await a!.ask(`CLIENT KILL LADDR ${laddr} ID ${c!.id}\r\n`)).toEqual([':0\r\n']);
    expect(await b!.ask(`CLIENT KILL LADDR ${laddr} ID ${b!.id}\r\n`)).toEqual([':0\r\n']);
    expect(await b!.ask(`CLIENT KILL LADDR ${laddr} SKIPME no USER default TYPE normal\r\n`)).toEqual([':1\r\n']);
    await eventually(() => b!.closed, { what: 'its own connection to be closed' });
    expect(await c!.ask('PING\r\n')).toEqual(['+PONG\r\n']);
  });
});

describe('CLIENT UNBLOCK', () => {
  test.each([
    ['TIMEOUT', '*-1\r\n'],
    ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
  ])('%s ends the wait of a client of another worker', async (kind, expected) => {
    const [a, b] = await client(0, 1);
    const waiting = b!.ask('BLPOP no:such:list 0\r\n');
    await eventually(async () => (await a!.ask(`CLIENT UNBLOCK ${b!.id} ${kind}\r\n`))[0] === ':1\r\n', { what: 'it to be blocked' });
    expect(await waiting).toEqual([expected]);
    expect(await a!.ask(`CLIENT UNBLOCK ${b!.id}\r\n`)).toEqual([':0\r\n']);
  });
});

describe('CLIENT LIST of clients in some state', () => {
  test('tells subscribers, transactions and monitors', async () => {
    const [a, b, c, d] = await client(0, 1, 2, 0);
    await b!.ask('SUBSCRIBE x y\r\nPSUBSCRIBE z*\r\n', 3);
    await c!.ask('MULTI\r\nSET k 1\r\n', 2);
    await d!.ask('MONITOR\r\n');
    const [list] = await a!.ask('CLIENT LIST\r\n');
    expect(lineOf(list!, b!.id)).toMatchObject({ flags: 'P', sub: '2', psub: '1', ssub: '0' });
    expect(lineOf(list!, c!.id)).toMatchObject({ flags: 'x', multi: '1' });
    expect(lineOf(list!, d!.id)).toMatchObject({ flags: 'O' });
    expect((await a!.ask('CLIENT LIST TYPE pubsub\r\n'))[0]!.match(/id=\d+/g)).toEqual([`id=${b!.id}`]);
    expect(await a!.ask('CLIENT KILL TYPE pubsub\r\n')).toEqual([':1\r\n']);
    await eventually(() => b!.closed, { what: 'the subscriber to be cut off' });
  });
});

describe('CLIENT PAUSE', () => {
  test('holds what others send, on every worker, until CLIENT UNPAUSE', async () => {
    const [a, b, c] = await client(0, 1, 2);
    expect(await a!.ask('CLIENT PAUSE 100000\r\n')).toEqual(['+OK\r\n']);
    b!.socket.write('SET k 1\r\nGET k\r\n');
    c!.socket.write('PING\r\n');
    const before = c!.replies.length;
    expect((await a!.ask('CLIENT LIST\r\n'))[0]).toContain(`id=${b!.id} `);
    expect(c!.replies.length).toBe(before);
    expect(await redis.client().exists('k')).toBe(0);
    expect(await a!.ask('CLIENT UNPAUSE\r\n')).toEqual(['+OK\r\n']);
    await eventually(() => b!.replies.slice(-2).join('') === '+OK\r\n$1\r\n1\r\n', { what: 'both answers, in order' });
    await eventually(() => c!.replies.length === before + 1, { what: 'PONG' });
  });

  test('WRITE lets reads through, and holds what may write', async () => {
    const [a, b, c] = await client(0, 1, 2);
    await a!.ask('CLIENT PAUSE 100000 WRITE\r\n');
    expect(await b!.ask('GET k\r\n')).toEqual(['$-1\r\n']);
    c!.socket.write('PFCOUNT k\r\nPING\r\n');
    b!.socket.write('SET k 1\r\nPING\r\n');
    const counts = [b!.replies.length, c!.replies.length];
    expect(await a!.ask('GET k\r\n')).toEqual(['$-1\r\n']);
    expect([b!.replies.length, c!.replies.length]).toEqual(counts);
    await a!.ask('CLIENT UNPAUSE\r\n');
    await eventually(() => b!.replies.at(-1) === '+PONG\r\n' && c!.replies.at(-1) === '+PONG\r\n', { what: 'the rest' });
    expect(b!.replies.at(-2)).toBe('+OK\r\n');
  });

  test('ends by itself; a shorter one does not shorten it', async () => {
    const [a, b] = await client(0, 1);
    const from = performance.now();
    await a!.ask('CLIENT PAUSE 300\r\nCLIENT PAUSE 1\r\n', 2);
    expect(await b!.ask('PING\r\n')).toEqual(['+PONG\r\n']);
    expect(performance.now() - from).toBeGreaterThanOrEqual(300);
  });

  test('holds for clients that come during it; one that goes away is let go', async () => {
    const [a] = await client(0);
    await a!.ask('CLIENT PAUSE 100000\r\n');
    const late = proxy.client(1);
    late.socket.write('SET k 1\r\n');
    const [b] = await client(2);
    b!.socket.write('SET k 2\r\n');
    await eventually(async () => lineOf((await a!.ask('CLIENT LIST\r\n'))[0]!, b!.id)['flags'] === 'b', { what: 'it to be held' });
    b!.close();
    await eventually(async () => !(await a!.ask('CLIENT LIST\r\n'))[0]!.includes(`id=${b!.id} `), { what: 'it to be gone' });
    await a!.ask('CLIENT UNPAUSE\r\n');
    await eventually(() => late.replies.length === 1, { what: 'its answer' });
    expect(await a!.ask('GET k\r\n')).toEqual(['$1\r\n1\r\n']);
    late.close();
  });

  test('reaches a worker that starts during it', async () => {
    const own = await startWorkers(2, redis);
    const a = own.client(0);
    await a.ask('CLIENT PAUSE 100000\r\n');
    own.kill(1);
    await own.add();
    const late = own.client(2);
    await eventually(
      async () => {
        const [id] = await late.ask('CLIENT ID\r\n');
        late.socket.write('PING\r\n');
        return lineOf((await a.ask('CLIENT LIST\r\n'))[0]!, Number(id!.slice(1)))['flags'] === 'b';
      },
      { what: 'the new worker to hold requests' },
    );
    await a.ask('CLIENT UNPAUSE\r\n');
    await eventually(() => late.replies.at(-1) === '+PONG\r\n', { what: 'PONG' });
    own.close();
  });
});

describe('a worker that is replaced', () => {
  test('gives out ids that its predecessor did not', async () => {
    const own = await startWorkers(2, redis);
    const ids = await own.client(1).ask('CLIENT ID\r\n');
    own.kill(1);
    await own.add();
    const [next] = await own.client(2).ask('CLIENT ID\r\n');
    expect(Number(next!.slice(1))).toBeGreaterThan(Number(ids[0]!.slice(1)) + 2 ** 20);
    own.close();
  });
});

describe('CLIENT REPLY', () => {
  test('SKIP drops the one reply after it, OFF all until ON; commands run', async () => {
    const [a] = await client(0);
    expect(await a!.ask('CLIENT REPLY SKIP\r\nSET k 1\r\nGET k\r\n')).toEqual(['$1\r\n1\r\n']);
    expect(await a!.ask('CLIENT REPLY OFF\r\nSET k 2\r\nPING\r\nNOSUCH\r\nGET k\r\nMGET k l\r\nCLIENT REPLY ON\r\nGET k\r\n', 2)).toEqual([
      '+OK\r\n',
      '$1\r\n2\r\n',
    ]);
    expect(await a!.ask('CLIENT REPLY SKIP\r\nNOSUCH\r\nPING\r\n')).toEqual(['+PONG\r\n']);
    expect(await a!.ask('CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\n')).toEqual(['+OK\r\n']);
  });

  test('keeps the order with what is under way before and behind it', async () => {
    const [a] = await client(0);
    const value = 'x'.repeat(100_000);
    await a!.ask(encodeRequest(['SET', 'big', value]));
    const pipeline =
      'GET big\r\nCLIENT REPLY SKIP\r\nGET big\r\nSELECT 1\r\nGET big\r\nSELECT 0\r\nCLIENT REPLY OFF\r\nGET big\r\nCLIENT REPLY ON\r\nPING\r\n';
    const expected = [`$100000\r\n${value}\r\n`, '+OK\r\n', '$-1\r\n', '+OK\r\n', '+OK\r\n', '+PONG\r\n'];
    expect(await a!.ask(pipeline, expected.length)).toEqual(expected);
  });

  test('is ended by RESET, and a client that goes away meanwhile harms nobody', async () => {
    const [a, b] = await client(0, 0);
    expect(await a!.ask('CLIENT REPLY OFF\r\nRESET\r\nPING\r\n', 2)).toEqual(['+RESET\r\n', '+PONG\r\n']);
    b!.socket.write('CLIENT REPLY OFF\r\nSET k 3\r\nGET k\r\n');
    await eventually(async () => (await redis.client().get('k')) === '3', { what: 'the command to run' });
    b!.close();
    expect(await a!.ask('GET k\r\n')).toEqual(['$1\r\n3\r\n']);
  });
});

describe('in the words of Redis', () => {
  test.each([
    'CLIENT',
    'CLIENT HELP',
    'CLIENT KILL',
    'CLIENT KILL a',
    'CLIENT KILL ID x',
    'CLIENT KILL ID 0',
    'CLIENT KILL foo bar',
    'CLIENT KILL ID 1 TYPE',
    'CLIENT KILL TYPE foo',
    'CLIENT KILL USER nouser',
    'CLIENT KILL SKIPME x',
    'CLIENT LIST foo',
    'CLIENT LIST TYPE foo',
    'CLIENT LIST ID',
    'CLIENT LIST ID x',
    'CLIENT LIST ID 999999',
    'CLIENT LIST TYPE pubsub',
    'CLIENT PAUSE',
    'CLIENT PAUSE x',
    'CLIENT PAUSE -1',
    'CLIENT PAUSE 10 foo',
    'CLIENT PAUSE 10 WRITE foo',
    'CLIENT UNPAUSE x',
    'CLIENT UNPAUSE',
    'CLIENT REPLY foo',
    'CLIENT TRACKING OFF',
    'CLIENT TRACKING foo',
    'CLIENT TRACKINGINFO',
    'CLIENT CACHING YES',
    'CLIENT GETREDIR',
    'CLIENT UNBLOCK 999999',
    'CLIENT UNBLOCK 999999 foo',
    'CLIENT UNBLOCK x',
    'CLIENT UNBLOCK 1 TIMEOUT foo',
    'CLIENT NO-EVICT on',
    'CLIENT NO-EVICT x',
    'CLIENT GETNAME',
    'CLIENT SETNAME "a b"',
    'MONITOR x',
  ])('%s', async (line) => {
    const [a] = await client(0);
    const plain = new RawClient(redis.port);
    const expected = await plain.ask(`${line}\r\n`);
    plain.close();
    expect(await a!.ask(`${line}\r\n`)).toEqual(expected);
  });

  test('CLIENT TRACKINGINFO in RESP3', async () => {
    const [a] = await client(0);
    const plain = new RawClient(redis.port);
    const [, expected] = await plain.ask('HELLO 3\r\nCLIENT TRACKINGINFO\r\n', 2);
    plain.close();
    expect((await a!.ask('HELLO 3\r\nCLIENT TRACKINGINFO\r\n', 2))[1]).toBe(expected);
  });

  test('CLIENT TRACKING ON is refused, with the reason', async () => {
    const [a] = await client(0);
    expect((await a!.ask('CLIENT TRACKING ON\r\n'))[0]).toMatch(/^-ERR CLIENT TRACKING is refused by the proxy: it shares/);
  });
});
