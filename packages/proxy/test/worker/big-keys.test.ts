// Goal: what a worker does with requests that name a big key, one that the table lists: reads go to the source, the rest waits, nobody overtakes, and
// "applied" is said of a table that switches a key over only when no read of it is under way at the source.
// Method: a worker in this process with two real servers; the test is its primary. The source has the listed key, and what happens to it is seen there.

import { arrivalKey, asEpoch, asMigrationId, fenceKey, type ListedKey, type SlotState, slotOf } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { A, B, betweenTwoServers, raw, restart, source, target, worker } from './between-two.ts';
import { RawClient } from './one-worker.ts';

betweenTwoServers();

const BIG = '{t}big\xff';
const TOO = '{t}too';
const SLOT = slotOf(Buffer.from('{t}'));
const copying = (key: string, db = 0): ListedKey => ({ db, key, phase: 'copying' });
const switching = (key: string, db = 0): ListedKey => ({ db, key, phase: 'switching', epoch: asEpoch(1) });
const big = Buffer.from(BIG, 'latin1');

/** Every slot migrates; the slot of the keys lists some. Returns the epoch. */
function route(...bigKeys: ListedKey[]): number {
  const state: SlotState = { kind: 'migrating', from: A, to: B, migration: asMigrationId(1) };
  return worker.route([source, target], (slot) => (slot === SLOT && bigKeys.length > 0 ? { ...state, bigKeys } : state));
}

function lock(...bigKeys: ListedKey[]): number {
  const state: SlotState = { kind: 'locked', from: A, to: B, migration: asMigrationId(1), epoch: asEpoch(1), leaseMs: 60_000 };
  return worker.route([source, target], (slot) => (slot === SLOT && bigKeys.length > 0 ? { ...state, bigKeys } : state));
}

/** What the controller does at the end: the key is at the target from one moment to the next. */
async function arrive(key: Buffer | string = big): Promise<void> {
  await target.client().restore(key, 0, (await source.client().dumpBuffer(key)) as Buffer);
  await source.client().del(key);
}

const held = (count: number) => eventually(() => worker.report().held >= count, { what: `${count} requests to wait` });
const applied = (epoch: number) => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch);

describe('a big key that is being copied', () => {
  test('is read at the source, in the database where it is listed', async () => {
    await source.client().hset(big, 'f', 'v');
    await source.client({ db: 3 }).hset(big, 'f', 'three');
    route(copying(BIG));
    expect(await raw.ask(encodeRequest(['HGET', big, 'f']))).toEqual(['$1\r\nv\r\n']);
    expect(await raw.ask(Buffer.concat([encodeRequest(['EXISTS', big]), encodeRequest(['TYPE', big])]), 2)).toEqual([
      ':1\r\n',
      '+hash\r\n',
    ]);
    expect(worker.report().handOvers).toBe(0);
    expect(await raw.ask(Buffer.concat([encodeRequest(['SELECT', '3']), encodeRequest(['HGET', big, 'f'])]), 2)).toEqual([
      '+OK\r\n',
      '$5\r\nthree\r\n',
    ]);
    expect(worker.report().handOvers).toBe(1);
    expect([await source.client().exists(big), await source.client({ db: 3 }).exists(big)]).toEqual([1, 0]);
  });

  test('does not hold up the other keys of its slot, which are handed over', async () => {
    await source.client().set(big, 'v');
    await source.client().set('{t}small', 's');
    route(copying(BIG));
    const other = new RawClient(worker.port);
    const waiting = raw.ask(encodeRequest(['APPEND', big, '!']));
    await held(1);
    expect(await other.ask(encodeRequest(['APPEND', '{t}small', '!']))).toEqual([':2\r\n']);
    expect(await target.client().get('{t}small')).toBe('s!');
    await arrive();
    route();
    expect(await waiting).toEqual([':2\r\n']);
    other.close();
  });

  test('is written when it has arrived, by the requests that waited, in their order', async () => {
    await source.client().rpush(big, '0');
    route(copying(BIG));
    const push = (value: string) => encodeRequest(['RPUSH', big, value]);
    const replies = raw.ask(Buffer.concat([push('1'), push('2'), encodeRequest(['LRANGE', big, '0', '-1'])]), 3);
    await held(1);
    expect(await source.client().llen(big)).toBe(1);
    await arrive();
    route();
    expect(await replies).toEqual([':2\r\n', ':3\r\n', '*3\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n']);
    expect(await source.client().exists(big)).toBe(0);
  });

  test.each([
    ['a write', ['SET', big, 'x']],
    ['a command about several keys', ['COPY', big, '{t}other']],
    ['a read of several keys', ['LCS', big, '{t}other']],
    ['a read that writes down what it found', ['PFCOUNT', big]],
    ['a script', ['EVAL', 'return 1', '1', big]],
    ['a script that only reads', ['EVAL_RO', 'return 1', '1', big]],
    ['a command that blocks', ['BLPOP', big, '60']],
    ['a watch', ['WATCH', big]],
    ['the handing over of it by a rename', ['RENAME', '{t}other', big]],
  ])('makes %s wait, and after slot_hold_timeout_ms it is told to try again', async (_, words) => {
    await restart({ slot_hold_timeout_ms: 200 });
    await source.client().set(big, 'v');
    route(copying(BIG));
    expect(await raw.ask(encodeRequest(words))).toEqual([
      expect.stringMatching(/^-TRYAGAIN this key is large and is being moved in pieces/),
    ]);
    expect(await source.client().get(big)).toBe('v');
    expect(await target.client().keys('{t}*')).toEqual([]);
    expect(await raw.ask(encodeRequest(['GET', big]))).toEqual(['$1\r\nv\r\n']);
  });

  test('makes one part of a split command wait, and the whole is answered when it has arrived', async () => {
    await source.client().mset(big, 'v', 'elsewhere', 'w');
    route(copying(BIG));
    expect(await raw.ask(encodeRequest(['MGET', 'elsewhere', big]))).toEqual(['*2\r\n$1\r\nw\r\n$1\r\nv\r\n']);
    const deleted = raw.ask(encodeRequest(['DEL', 'elsewhere', big]));
    await held(2);
    await arrive();
    route();
    expect(await deleted).toEqual([':2\r\n']);
  });

  test('keeps a transaction and a blocking command until it has arrived, and then they are carried out', async () => {
    await source.client().rpush(big, 'a', 'b');
    route(copying(BIG));
    const other = new RawClient(worker.port);
    const popped = other.ask(encodeRequest(['BLPOP', big, '0']));
    await held(1);
    expect(await raw.ask(Buffer.concat([encodeRequest(['MULTI']), encodeRequest(['LLEN', big])]), 2)).toEqual(['+OK\r\n', '+QUEUED\r\n']);
    const executed = raw.ask(encodeRequest(['EXEC']));
    await held(2);
    await arrive();
    route();
    expect((await popped)[0]).toContain('$1\r\na\r\n');
    expect(await executed).toEqual([expect.stringMatching(/^\*1\r\n:[12]\r\n$/)]);
    other.close();
  });

  test('is known when its slot is unlocked: what waited for the lock keeps its order', async () => {
    await source.client().set(big, '1');
    lock(copying(BIG));
    const incr = encodeRequest(['INCR', big]);
    const get = encodeRequest(['GET', big]);
    const replies = raw.ask(Buffer.concat([get, incr, get, encodeRequest(['SET', '{t}after', 'x']), incr]), 5);
    await held(5);
    route(copying(BIG));
    await eventually(() => raw.replies.length === 1, { what: 'the first read' });
    expect([await source.client().exists('{t}after'), await target.client().exists('{t}after')]).toEqual([0, 0]);
    await arrive();
    route();
    expect(await replies).toEqual(['$1\r\n1\r\n', ':2\r\n', '$1\r\n2\r\n', '+OK\r\n', ':3\r\n']);
  });

  test('lets who came behind a refused request go on', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    await source.client().set(big, '1');
    lock(copying(BIG));
    const replies = raw.ask(Buffer.concat([encodeRequest(['INCR', big]), encodeRequest(['GET', big])]), 2);
    await held(2);
    route(copying(BIG));
    const [refused, read] = await replies;
    expect(refused).toMatch(/^-TRYAGAIN /);
    expect(read === '$1\r\n1\r\n' || read?.startsWith('-TRYAGAIN ')).toBe(true);
  });
});

describe('a big key that is switched over', () => {
  test('is neither read nor written, and its table is acknowledged when no read is under way at the source', async () => {
    await source.client().mset(big, 'v', TOO, 'w');
    route(copying(BIG), copying(TOO));
    await raw.ask(encodeRequest(['GET', big]));
    source.child.signal('SIGSTOP');
    raw.socket.write(encodeRequest(['GET', big]));
    await eventually(() => worker.report().requests === 2, { what: 'the read to be sent' });
    const epoch = route(switching(BIG), copying(TOO));
    expect(worker.report().draining).toEqual([SLOT]);
    expect(applied(epoch)).toBe(false);
    source.child.signal('SIGCONT');
    await eventually(() => applied(epoch), { what: 'the ack' });
    const other = new RawClient(worker.port);
    const read = other.ask(encodeRequest(['GET', big]));
    await held(1);
    expect(await raw.ask(encodeRequest(['GET', TOO]))).toBeDefined();
    await arrive();
    route(copying(TOO));
    expect(await read).toEqual(['$1\r\nv\r\n']);
    other.close();
  });

  test('is acknowledged while other requests of its slot are under way: a wait for another key, and reads of another big key', async () => {
    await source.client().mset(big, 'v', TOO, 'w');
    route(copying(BIG), copying(TOO));
    const other = new RawClient(worker.port);
    const popped = other.ask(encodeRequest(['BLPOP', '{t}list', '0']));
    await eventually(async () => (await target.client().info('clients')).includes('blocked_clients:1'), { what: 'the wait' });
    expect(await raw.ask(encodeRequest(['GET', TOO]))).toEqual(['$1\r\nw\r\n']);
    source.child.signal('SIGSTOP');
    raw.socket.write(encodeRequest(['GET', TOO]));
    await eventually(() => worker.report().requests === 3, { what: 'the read to be sent' });
    const epoch = route(switching(BIG), copying(TOO));
    expect(applied(epoch)).toBe(true);
    source.child.signal('SIGCONT');
    await target.client().rpush('{t}list', 'x');
    expect((await popped)[0]).toContain('$1\r\nx\r\n');
    other.close();
  });

  test('is read at the source again when the switch is given up', async () => {
    await source.client().set(big, 'v');
    route(switching(BIG));
    const read = raw.ask(encodeRequest(['GET', big]));
    await held(1);
    route(copying(BIG));
    expect(await read).toEqual(['$1\r\nv\r\n']);
    expect(await source.client().exists(big)).toBe(1);
  });
});

test('a read comes behind what its session has waiting for a hand-over in the same slot', async () => {
  const value = 'x'.repeat(3_000_000);
  await source.client().set(big, 'v');
  await source.client().set('{t}heavy', value);
  route(copying(BIG));
  const replies = await raw.ask(Buffer.concat([encodeRequest(['APPEND', '{t}heavy', '!']), encodeRequest(['GET', big])]), 2);
  expect(replies).toEqual([`:${value.length + 1}\r\n`, '$1\r\nv\r\n']);
  expect(worker.report().draining).toEqual([]);
  const epoch = route(switching(BIG));
  await eventually(() => applied(epoch), { what: 'the ack' });
});

test('a read that waited behind such a request for too long is under way no more', async () => {
  await restart({ slot_hold_timeout_ms: 300 });
  await source.client().mset(big, 'v', '{t}other', 'x');
  route(copying(BIG));
  await raw.ask(encodeRequest(['GET', big]));
  source.child.signal('SIGSTOP');
  const replies = raw.ask(Buffer.concat([encodeRequest(['APPEND', '{t}other', '!']), encodeRequest(['GET', big])]), 2);
  await eventually(() => worker.report().tryAgain >= 1, { what: 'the first to be refused' });
  source.child.signal('SIGCONT');
  expect((await replies)[0]).toMatch(/^-TRYAGAIN /);
  const epoch = route(switching(BIG));
  await eventually(() => applied(epoch), { what: 'the ack' });
  expect(worker.report().draining).toEqual([]);
});

test('the copy that grows at the target is no key of the clients’', async () => {
  const copy = arrivalKey('demo', A);
  await source.client().set(big, 'v');
  await target.client().mset(copy, 'half', 'k', 'v');
  await target.client({ db: 2 }).set(copy, 'half');
  route(copying(BIG), copying(BIG, 2));
  const [keys] = await raw.ask(encodeRequest(['KEYS', '*']));
  expect(keys).toMatch(/^\*2\r\n/);
  expect(keys).not.toContain(fenceKey('demo'));
  expect(await raw.ask(encodeRequest(['SCAN', '0', 'COUNT', '1000']))).toEqual([expect.not.stringContaining(fenceKey('demo'))]);
  expect(await raw.ask(encodeRequest(['DBSIZE']))).toEqual([':2\r\n']);
  for (let time = 0; time < 10; time++) expect(await raw.ask(encodeRequest(['RANDOMKEY']))).toEqual([expect.not.stringContaining('codis')]);
  for (const words of [
    ['GET', copy],
    ['SET', copy, 'x'],
    ['DEL', 'a', copy],
    ['EVAL', 'return 1', '1', copy],
  ]) {
    expect(await raw.ask(encodeRequest(words))).toEqual([expect.stringMatching(/^-ERR this key is reserved/)]);
  }
  expect(
    await raw.ask(Buffer.concat([encodeRequest(['SELECT', '2']), encodeRequest(['DBSIZE']), encodeRequest(['RANDOMKEY'])]), 3),
  ).toEqual(['+OK\r\n', ':0\r\n', '$-1\r\n']);
});

test('a read that waited is not sent to the source any more when a fence may have come in between', async () => {
  await source.client().mset('{t}small', 'v', big, 'large');
  const epoch = route(copying(BIG));
  expect(await raw.ask(encodeRequest(['GET', big]))).toEqual(['$5\r\nlarge\r\n']);
  target.child.signal('SIGSTOP');
  const replies = raw.ask(Buffer.concat([encodeRequest(['GET', '{t}small']), encodeRequest(['GET', big])]), 2);
  await held(2);
  // Its session is lost: it is fenced off, and the key goes its way without it.
  const client = source.client();
  await client.set(fenceKey('demo'), String(epoch + 1));
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await source.client().del(big);
  target.child.signal('SIGCONT');
  await target.client().set(big, 'large');
  expect(route()).toBe(epoch + 1);
  expect(await replies).toEqual(['$1\r\nv\r\n', expect.stringMatching(/^-TRYAGAIN .*moved on/)]);
  expect(await raw.ask(encodeRequest(['GET', big]))).toEqual(['$5\r\nlarge\r\n']);
});
