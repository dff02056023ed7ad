// Goal: while slots move to and fro under clients that block, every element that is pushed is popped by exactly one of them, none is lost, and each wait
// ends when it should; clients that leave while they are blocked take nothing along.
// Method: consumers of all kinds in one worker, with two servers behind it; producers push numbered tokens; afterwards what was popped and what is left
// is compared with what was pushed.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { RawClient } from '../../../../test/harness/raw-client.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Moving } from './moving.ts';
import { type OneWorker, startWorker } from './one-worker.ts';

const TOKENS = 300;

let servers: [RedisServer, RedisServer];
let worker: OneWorker;
let moving: Moving;

beforeAll(async () => {
  servers = [await startRedis(), await startRedis()];
});

beforeEach(async () => {
  worker = await startWorker({ slot_hold_timeout_ms: 10_000, max_clients: 1000 });
  await Promise.all(servers.map((server) => server.client().flushall()));
  moving = new Moving(worker, servers);
});

afterEach(async () => {
  await moving.stop();
  worker.close();
});
afterAll(() => stopAll());

/** Asks for one element after another until it is told to stop, and keeps what it got. */
class Consumer {
  readonly popped: string[] = [];
  readonly errors: string[] = [];
  #stopping = false;
  readonly #command: string;
  readonly #done: Promise<void>;

  constructor(command: string) {
    this.#command = command;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    const client = await RawClient.open(worker.port);
    while (!this.#stopping) {
      client.send(`${this.#command}\r\n`);
      const reply = (await client.reply()).toString();
      if (reply.startsWith('-')) this.errors.push(reply);
      this.popped.push(...(reply.match(/token-\d+/g) ?? []));
    }
    client.close();
  }
}

async function push(name: string, from: number, count: number, score = false): Promise<void> {
  const client = await RawClient.open(worker.port);
  for (let token = from; token < from + count; token++) {
    const args = score ? ['ZADD', name, token, `token-${token}`] : ['RPUSH', name, `token-${token}`];
    expect((await client.ask(...args)).toString()).toMatch(/^:/);
  }
  client.close();
}

const tokens = (count: number) => Array.from({ length: count }, (_, token) => `token-${token}`).sort();

test.each([
  ['lists', ['BLPOP {t}q 0.3', 'BRPOP {t}none {t}q 0.3', 'BLMPOP 0.3 1 {t}q LEFT COUNT 3', 'BLPOP {t}q 0.3', 'BRPOP {t}q 0.3'], false],
  ['sorted sets', ['BZPOPMIN {t}q 0.3', 'BZPOPMAX {t}q 0.3', 'BZMPOP 0.3 1 {t}q MIN COUNT 2', 'BZPOPMIN {t}q 0.3'], true],
] as const)(
  'every token in %s is popped exactly once',
  async (_, commands, score) => {
    moving.start();
    const consumers = commands.map((command) => new Consumer(command));
    await Promise.all([0, 1, 2].map((part) => push('{t}q', part * TOKENS, TOKENS, score)));
    await eventually(() => consumers.reduce((sum, { popped }) => sum + popped.length, 0) === TOKENS * 3, {
      what: 'all tokens to be popped',
    });
    await moving.stop();
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(consumers.flatMap(({ errors }) => errors)).toEqual([]);
    expect(consumers.flatMap(({ popped }) => popped).sort()).toEqual(tokens(TOKENS * 3));
    expect(moving.moves).toBeGreaterThan(3);
  },
  60_000,
);

test('a consumer group gets every entry exactly once', async () => {
  const client = await RawClient.open(worker.port);
  await client.ask('XGROUP', 'CREATE', '{t}s', 'g', '0', 'MKSTREAM');
  moving.start();
  const consumers = ['c1', 'c2', 'c3'].map((name) => new Consumer(`XREADGROUP GROUP g ${name} COUNT 2 BLOCK 300 STREAMS {t}s >`));
  for (let token = 0; token < TOKENS; token++) await client.ask('XADD', '{t}s', '*', 'f', `token-${token}`);
  await eventually(() => consumers.reduce((sum, { popped }) => sum + popped.length, 0) === TOKENS, { what: 'all entries to be read' });
  await moving.stop();
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  expect(consumers.flatMap(({ errors }) => errors)).toEqual([]);
  expect(consumers.flatMap(({ popped }) => popped).sort()).toEqual(tokens(TOKENS));
  client.close();
}, 60_000);

test('readers of a stream from its end miss nothing when it moves while they wait', async () => {
  const reader = await RawClient.open(worker.port);
  const writer = await RawClient.open(worker.port);
  const admins = servers.map((server) => server.client());
  const waits = async () =>
    (await Promise.all(admins.map((admin) => admin.info('clients')))).some((info) => /blocked_clients:1/.test(info));
  for (let round = 0; round < 60; round++) {
    reader.send('XREAD BLOCK 0 STREAMS {t}s $\r\n');
    await eventually(waits, { what: 'the reader to wait', everyMs: 1 });
    const moves = [moving.move(), ...(round % 2 === 0 ? [] : [writer.ask('PING')])];
    await moves.at(-1);
    expect(await writer.askText('XADD', '{t}s', '*', 'f', `token-${round}`)).toMatch(/^\$/);
    expect((await reader.reply()).toString()).toContain(`token-${round}\r\n`);
    await Promise.all(moves);
  }
  reader.close();
  writer.close();
}, 60_000);

test('clients that leave while they are blocked take nothing along', async () => {
  moving.start();
  const popped: string[] = [];
  for (let round = 0; round < 60; round++) {
    const leaver = await RawClient.open(worker.port);
    leaver.send('BLPOP {t}q 0\r\n');
    await eventually(() => worker.report().clients === 1, { what: 'the client to be there', everyMs: 1 });
    if (round % 2 === 0) leaver.reset();
    else leaver.halfClose();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone', everyMs: 1 });
    await push('{t}q', round * 3, 3);
    const consumer = await RawClient.open(worker.port);
    for (let token = 0; token < 3; token++) popped.push(await consumer.askText('BLPOP', '{t}q', '10'));
    consumer.close();
    await eventually(() => worker.report().clients === 0, { what: 'the consumer to be gone', everyMs: 1 });
    leaver.close();
  }
  expect(popped.map((reply) => /token-\d+/.exec(reply)?.[0])).toEqual(Array.from({ length: 180 }, (_, token) => `token-${token}`));
}, 60_000);
