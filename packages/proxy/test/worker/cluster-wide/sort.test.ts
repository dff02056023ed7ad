// Goal: SORT with patterns works where the slot has all its keys, and what needs the whole slot waits while it is in two places, without losing its turn.
// Method: a worker in this process with two real servers; the test moves every slot by hand. A plain connection is the oracle.

import { asEpoch, asGroupId, asMigrationId, type SlotState } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import { nameSource, type OneWorker, RawClient, startWorker } from '../one-worker.ts';

const [A, B] = [asGroupId(1), asGroupId(2)];
const move = { from: A, to: B, migration: asMigrationId(1) };
const online = (owner: typeof A) => (): SlotState => ({ kind: 'online', owner });
const migrating = (): SlotState => ({ kind: 'migrating', ...move });
const locked = (): SlotState => ({ kind: 'locked', ...move, epoch: asEpoch(1), leaseMs: 60_000 });

let source: RedisServer;
let target: RedisServer;
let worker: OneWorker;
let raw: RawClient;

const route = (slots: () => SlotState) => worker.route([source, target], slots);
const DATA = 'RPUSH {t}l b a c\r\nMSET {t}w_a 3 {t}w_b 1 {t}w_c 2\r\nHSET {t}h_a f x\r\n';

beforeAll(async () => {
  [source, target] = await Promise.all([startRedis(), startRedis()]);
});

/** Requests for a slot in a move are not refused for being held, however busy this machine is. */
beforeEach(() => start(15_000));

async function start(holdMs: number): Promise<void> {
  worker = await startWorker({ slot_hold_timeout_ms: holdMs });
  raw = new RawClient(worker.port);
  route(online(A));
  await nameSource(source, target);
  await raw.ask(DATA, 3);
}

function close(): void {
  raw.close();
  worker.close();
}

afterEach(async () => {
  close();
  await Promise.all([source.client().flushall(), target.client().flushall()]);
});

afterAll(() => stopAll());

/** Every key goes, as a sweep moves it. */
async function handOverAll(): Promise<void> {
  const [from, to] = [source.client(), target.client()];
  for (const key of await from.keysBuffer('*')) {
    await to.restore(key, 0, (await from.dumpBuffer(key)) as Buffer);
    await from.del(key);
  }
}

test('patterns with the tag of the key answer as they do on a plain server', async () => {
  const lines = [
    'SORT {t}l BY {t}w_*',
    'SORT {t}l BY {t}w_* GET # GET {t}h_*->f GET none',
    'SORT_RO {t}l BY {t}w_* DESC LIMIT 0 2',
    'SORT {t}l BY {t}w_* STORE {t}out',
    'LRANGE {t}out 0 -1',
    'SORT {t}l BY nosort GET # ALPHA',
    'SORT {t}l BY {t}w_* FOO',
    'SORT {t}l BY',
  ];
  const bytes = lines.map((line) => `${line}\r\n`).join('');
  const direct = new RawClient(source.port);
  expect(await raw.ask(bytes, lines.length)).toEqual(await direct.ask(bytes, lines.length));
  direct.close();
});

test.each(['BY', 'GET'])('a %s pattern that may lead elsewhere gets Redis Cluster’s error', async (option) => {
  expect(await raw.ask(`SORT {t}l ${option} w_*\r\n`)).toEqual([
    `-ERR ${option} option of SORT denied in cluster mode when keys formed by the pattern may be in different slots.\r\n`,
  ]);
});

test.each([
  ['SORT {t}l BY {t}w_* ALPHA', '*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n'],
  ['COPY {t}w_a {t}w_a DB 2', ':1\r\n'],
  ['MOVE {t}w_a 2', ':1\r\n'],
])('while the slot moves, %s waits until it has arrived, and what comes after it waits too', async (line, expected) => {
  route(migrating);
  const replies = raw.ask(`${line}\r\nDEL {t}w_a {t}w_b {t}l\r\n`, 2);
  await eventually(() => worker.report().held === 1, { what: 'the request to be held' });
  expect(await source.client().exists('{t}l')).toBe(1);
  await handOverAll();
  route(online(B));
  expect((await replies)[0]).toBe(expected);
  expect(await target.client().exists('{t}l')).toBe(0);
});

test('held while the slot was locked, it keeps its turn when keys begin to move', async () => {
  route(locked);
  const replies = raw.ask('SORT {t}l BY {t}w_* ALPHA\r\nDEL {t}l\r\n', 2);
  await eventually(() => worker.report().held === 1, { what: 'the request to be held' });
  route(migrating);
  await handOverAll();
  route(online(B));
  expect(await replies).toEqual(['*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n', ':1\r\n']);
});

test('it answers TRYAGAIN when the move takes longer than slot_hold_timeout_ms, and did nothing', async () => {
  close();
  await start(300);
  route(migrating);
  const replies = await raw.ask('SORT {t}l BY {t}w_* STORE {t}out\r\nEXISTS {t}out\r\n', 2);
  expect(replies).toEqual([expect.stringMatching(/^-TRYAGAIN .*slot_hold_timeout_ms/), ':0\r\n']);
});

test('in a transaction it is refused while the slot moves', async () => {
  route(migrating);
  const replies = await raw.ask('MULTI\r\nSORT {t}l BY {t}w_*\r\nEXEC\r\n', 3);
  expect(replies[2]).toMatch(/TRYAGAIN/);
});
