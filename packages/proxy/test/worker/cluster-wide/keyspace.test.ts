// Goal: commands about the whole keyspace are about all groups; no key is missed or spared because it moved while servers were asked one after the other;
// the marker of a fence is neither seen nor lost.
// Method: a worker in this process with two real servers, the first behind a line that can be held up, so that a key moves past a command on its way.

import { asEpoch, asGroupId, asMigrationId, fenceKey, type SlotState, slotOf } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../../../../test/harness/tcp-proxy.ts';
import { dealtOut, type OneWorker, RawClient, startWorker } from '../one-worker.ts';

const KEYS = Array.from({ length: 100 }, (_, at) => `key:${at}`);
const MARKER = fenceKey('demo');
const [A, B] = [asGroupId(1), asGroupId(2)];
const move = { from: A, to: B, migration: asMigrationId(1) };
const LOCKED: SlotState = { kind: 'locked', ...move, epoch: asEpoch(1), leaseMs: 60_000 };
const MIGRATING: SlotState = { kind: 'migrating', ...move };
const MOVED: SlotState = { kind: 'online', owner: B };

/** Of slots that group 1 has. */
const inA = KEYS.filter((key) => slotOf(Buffer.from(key)) % 2 === 0);
const MOVER = inA[0] as string;
const slot = slotOf(Buffer.from(MOVER));

let first: RedisServer;
let second: RedisServer;
let line: TcpProxy;
let worker: OneWorker;
let raw: RawClient;

const route = (state?: SlotState) => worker.route([line, second], (at) => (at === slot && state ? state : dealtOut(2)(at)));

beforeAll(async () => {
  [first, second] = await Promise.all([startRedis(), startRedis()]);
  line = await startTcpProxy(first.port);
});

beforeEach(async () => {
  worker = await startWorker({ session_max_bufsize: 1_000_000 });
  raw = new RawClient(worker.port);
  route();
});

afterEach(async () => {
  line.restore();
  raw.close();
  worker.close();
  await Promise.all([first, second].map((server) => server.client().flushall()));
});

afterAll(async () => {
  await line.close();
  await stopAll();
});

async function fill(db = 0): Promise<void> {
  const client = worker.client();
  await client.select(db);
  await client.mset(Object.fromEntries(KEYS.map((key) => [key, 'v'])));
}

async function fence(): Promise<void> {
  await Promise.all([first, second].map((server) => server.client().set(MARKER, '1')));
}

/** How often a server was told `command`. */
async function calls(server: RedisServer, command: string): Promise<number> {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await server.client().info('commandstats'))?.[1] ?? 0);
}

/** Sends `command`, and while the first server has not had it, and the second has, the key moves from the first to the second. */
async function whileTheKeyMoves(args: readonly string[], seen: string, state: SlotState): Promise<unknown> {
  const client = worker.client();
  await client.ping();
  const before = await calls(second, seen);
  line.stall();
  const reply = client.call(args[0] as string, ...args.slice(1));
  await eventually(async () => (await calls(second, seen)) > before, { what: 'the second server to be asked' });
  route(LOCKED);
  await second.client().set(MOVER, 'v');
  await first.client().del(MOVER);
  if (state !== LOCKED) route(MIGRATING);
  if (state === MOVED) route(MOVED);
  line.restore();
  return reply;
}

describe('KEYS and DBSIZE', () => {
  test('are about all groups, without the marker', async () => {
    await fill();
    await fence();
    const client = worker.client();
    expect((await client.keys('*')).sort()).toEqual(KEYS.toSorted());
    expect((await client.keys('key:1?')).sort()).toEqual(KEYS.filter((key) => /^key:1.$/.test(key)));
    expect(await client.keys('none*')).toEqual([]);
    expect(await client.dbsize()).toBe(KEYS.length);
    await client.select(3);
    expect(await client.dbsize()).toBe(0);
    expect(await client.keys('*')).toEqual([]);
  });

  test('KEYS does not show a key that is in a group without its slot', async () => {
    await fill();
    await second.client().set(MOVER, 'orphan');
    expect((await worker.client().keys('*')).sort()).toEqual(KEYS.toSorted());
  });

  test.each([
    ['is locked by now', LOCKED],
    ['is on its way', MIGRATING],
    ['has moved', MOVED],
  ])('KEYS shows a key once whose slot %s', async (_, state) => {
    await fill();
    await raw.ask('KEYS none\r\n');
    expect(((await whileTheKeyMoves(['KEYS', '*'], 'keys', state)) as string[]).sort()).toEqual(KEYS.toSorted());
  });

  test('KEYS goes on when a slot is taken out of service, or the group it went to is removed, meanwhile', async () => {
    await fill();
    const client = worker.client();
    const others = KEYS.filter((key) => key !== MOVER).sort();
    await first.client().del(MOVER);
    const during = async (change: () => void): Promise<string[]> => {
      await client.ping();
      const before = await calls(second, 'keys');
      line.stall();
      const reply = client.keys('*');
      await eventually(async () => (await calls(second, 'keys')) > before, { what: 'the second server to be asked' });
      change();
      line.restore();
      return (await reply).sort();
    };
    await client.keys('none');
    expect(await during(() => route({ kind: 'offline' }))).toEqual(others);
    route();
    await second.client().flushall();
    expect(await during(() => worker.route([line], () => ({ kind: 'online', owner: A })))).toEqual(
      expect.arrayContaining(inA.filter((key) => key !== MOVER)),
    );
  });

  test('KEYS answers what exceeds session_max_bufsize with an error, and the connection goes on', async () => {
    const client = worker.client();
    for (const letter of 'ab') await client.set(letter.repeat(600_000), 'v');
    await expect(client.keys('*')).rejects.toThrow(/session_max_bufsize/);
    expect(await client.keys('key*')).toEqual([]);
  });

  test('a group that can’t be reached, or has no master, is an error', async () => {
    worker.route([line, { addr: '127.0.0.1:1' }]);
    const replies = await raw.ask('KEYS *\r\nDBSIZE\r\nRANDOMKEY\r\nFLUSHALL\r\n', 4);
    for (const reply of replies) expect(reply).toMatch(/^-ERR .*127\.0\.0\.1:1 can't be reached/);
  });

  test('a group that lost its master is an error too', async () => {
    worker.route([line, { addr: second.addr, role: 'replica' }]);
    const replies = await raw.ask('KEYS *\r\nDBSIZE\r\nRANDOMKEY\r\nFLUSHALL\r\n', 4);
    for (const reply of replies) expect(reply).toMatch(/^-ERR group 2 has no master, .*codis-config server list/);
  });

  test('KEYS gives up with TRYAGAIN when a slot is moved to and fro all the while', async () => {
    const client = worker.client();
    let over = false;
    const reply = client.keys('*').finally(() => {
      over = true;
    });
    const toAndFro = () => {
      const back = { from: B, to: A, migration: asMigrationId(2) };
      route(LOCKED);
      route(MIGRATING);
      route(MOVED);
      route({ kind: 'locked', ...back, epoch: asEpoch(1), leaseMs: 60_000 });
      route({ kind: 'migrating', ...back });
      route();
      if (!over) setImmediate(toAndFro);
    };
    toAndFro();
    await expect(reply).rejects.toThrow(/^TRYAGAIN slots were moved to and fro/);
    expect(await client.keys('*')).toEqual([]);
  });

  test('come after what the same client sent before, and before what it sends after', async () => {
    const bytes = 'SET a 1\r\nKEYS *\r\nSET b 1\r\nDBSIZE\r\nSET c 1\r\nFLUSHALL\r\nDBSIZE\r\nSET d 1\r\nKEYS *\r\n';
    const [, keys, , size, , flushed, none, , last] = await raw.ask(bytes, 9);
    expect([keys, size, flushed, none, last]).toEqual(['*1\r\n$1\r\na\r\n', ':2\r\n', '+OK\r\n', ':0\r\n', '*1\r\n$1\r\nd\r\n']);
  });
});

describe('RANDOMKEY', () => {
  test('is nil when there is none, in both protocols, and never the marker', async () => {
    await fence();
    expect(await raw.ask('RANDOMKEY\r\n')).toEqual(['$-1\r\n']);
    expect((await raw.ask('HELLO 3\r\nRANDOMKEY\r\nSELECT 2\r\nRANDOMKEY\r\n', 4)).slice(1)).toEqual(['_\r\n', '+OK\r\n', '_\r\n']);
  });

  test('gives keys of every group, in proportion to how many each has', async () => {
    await fence();
    const client = worker.client();
    await client.mset(Object.fromEntries(inA.map((key) => [key, 'v'])));
    const other = KEYS.find((key) => slotOf(Buffer.from(key)) % 2 === 1) as string;
    await client.set(other, 'v');
    const found = await Promise.all(Array.from({ length: 400 }, () => client.randomkey()));
    expect(found.filter((key) => key === MARKER)).toEqual([]);
    const others = found.filter((key) => key === other).length;
    expect(others).toBeLessThan(100);
    expect(new Set(found).size).toBeGreaterThan(20);
  });

  test('passes over keys that are in a group without their slot', async () => {
    await worker.client().set(MOVER, 'v');
    await second.client().mset(Object.fromEntries(inA.slice(1, 3).map((key) => [key, 'orphan'])));
    const found = await Promise.all(Array.from({ length: 20 }, () => worker.client().randomkey()));
    expect(new Set(found)).toEqual(new Set([MOVER]));
  });
});

describe('FLUSHALL and FLUSHDB', () => {
  test.each([['FLUSHALL'], ['FLUSHALL ASYNC'], ['FLUSHALL SYNC'], ['flushall async']])(
    '%s empties every database of every group',
    async (command) => {
      await fill();
      await fill(5);
      await fence();
      expect(await raw.ask(`${command}\r\n`)).toEqual(['+OK\r\n']);
      for (const server of [first, second]) {
        expect(await server.client().keys('*')).toEqual([MARKER]);
        expect(await server.client({ db: 5 }).dbsize()).toBe(0);
      }
    },
  );

  test.each([0, 5])('FLUSHDB empties database %i alone, and the marker stays', async (db) => {
    await fill();
    await fill(5);
    await fence();
    expect(await raw.ask(`SELECT ${db}\r\nFLUSHDB\r\nDBSIZE\r\nSELECT ${5 - db}\r\nDBSIZE\r\n`, 5)).toEqual([
      '+OK\r\n',
      '+OK\r\n',
      ':0\r\n',
      '+OK\r\n',
      `:${KEYS.length}\r\n`,
    ]);
    for (const server of [first, second]) expect(await server.client().get(MARKER)).toBe('1');
  });

  test('the marker is at replicas too, as if it had never been away', async () => {
    const replica = await startRedis({ replicaOf: second });
    await fence();
    await fill();
    await eventually(async () => (await replica.client().dbsize()) > 1, { what: 'the replica to have the keys' });
    await raw.ask('FLUSHALL\r\n');
    await eventually(async () => (await replica.client().keys('*')).join() === MARKER, { what: 'the replica to have the marker alone' });
    await replica.stop();
  });

  test('bad options are Redis’s syntax error', async () => {
    await fill();
    const error = '-ERR syntax error\r\n';
    expect(await raw.ask('FLUSHALL NOW\r\nFLUSHDB ASYNC x\r\nFLUSHDB x\r\n', 3)).toEqual([error, error, error]);
    expect(await worker.client().dbsize()).toBe(KEYS.length);
  });

  test.each([
    ['is locked by now', LOCKED],
    ['is on its way', MIGRATING],
    ['has moved', MOVED],
  ])('no key survives that moves past it, when its slot %s', async (_, state) => {
    await fill();
    expect(await whileTheKeyMoves(['FLUSHALL'], 'flushall', state)).toBe('OK');
    for (const server of [first, second]) expect(await server.client().dbsize()).toBe(0);
  });

  test('groups without slots are flushed too', async () => {
    worker.route([line, second], () => ({ kind: 'online', owner: A }));
    await second.client().set('orphan', '1');
    await raw.ask('FLUSHALL\r\n');
    expect(await second.client().dbsize()).toBe(0);
  });

  test('where one server refuses, the error says who did it and who did not', async () => {
    await fill();
    const replica = await startRedis({ replicaOf: second });
    await eventually(async () => (await replica.client().info('replication')).includes('master_link_status:up'), { what: 'the replica' });
    worker.route([line, replica]);
    const [reply] = await raw.ask('FLUSHALL\r\n');
    expect(reply).toMatch(new RegExp(`^-(?:ERR|READONLY) FLUSHALL was carried out at ${line.addr}, but not at ${replica.addr}: .*replica`));
    await replica.stop();
  });
});

describe('SWAPDB', () => {
  test.each([
    [0, 5],
    [5, 0],
    [4, 5],
  ])('swaps %i and %i in every group, and the marker stays where it is', async (one, other) => {
    await fill(5);
    await fence();
    expect(await raw.ask(`SWAPDB ${one} ${other}\r\nSELECT ${one === 5 ? other : one}\r\nDBSIZE\r\n`, 3)).toEqual([
      '+OK\r\n',
      '+OK\r\n',
      `:${KEYS.length}\r\n`,
    ]);
    for (const server of [first, second]) {
      expect(await server.client().get(MARKER)).toBe('1');
      expect(await server.client({ db: 5 }).dbsize()).toBe(0);
    }
  });

  test('errors are Redis’s own', async () => {
    const direct = new RawClient(first.port);
    const lines = [
      'SWAPDB x 1',
      'SWAPDB 1 x',
      'SWAPDB 0 99',
      'SWAPDB -1 0',
      'SWAPDB 99999999999 0',
      'SWAPDB 01 0',
      'SWAPDB 3 3',
      'SWAPDB 1',
    ];
    const bytes = lines.map((text) => `${text}\r\n`).join('');
    expect(await raw.ask(bytes, lines.length)).toEqual(await direct.ask(bytes, lines.length));
    direct.close();
  });

  test.each([LOCKED, MIGRATING])('waits until no slot is in a move: $kind', async (state) => {
    route(state);
    expect(await raw.ask('SWAPDB 0 1\r\n')).toEqual([expect.stringMatching(/^-TRYAGAIN slots are being moved/)]);
  });

  test('no lock is acknowledged while it is under way', async () => {
    await raw.ask('DBSIZE\r\n');
    line.stall();
    raw.socket.write('SWAPDB 0 1\r\n');
    await eventually(async () => (await calls(second, 'swapdb')) > 0, { what: 'the second server to swap' });
    const epoch = route(LOCKED);
    expect(worker.report().draining).toEqual([slot]);
    expect(worker.messages).not.toContainEqual({ type: 'applied', epoch });
    line.restore();
    await eventually(() => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch), { what: 'the ack' });
  });

  test('a client that goes away meanwhile changes nothing about that', async () => {
    await raw.ask('DBSIZE\r\n');
    line.stall();
    const before = await calls(second, 'swapdb');
    raw.socket.write('SWAPDB 0 1\r\n');
    await eventually(async () => (await calls(second, 'swapdb')) > before, { what: 'the second server to swap' });
    raw.socket.resetAndDestroy();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
    route(LOCKED);
    expect(worker.report().draining).toEqual([slot]);
    line.restore();
    await eventually(() => worker.report().draining.length === 0, { what: 'the lock to be drained' });
  });
});
