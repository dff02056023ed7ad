// Goal: whatever a client does with transactions, and another client between its commands, is answered as by one Redis; also while the slots move.
// Method: random programs of two clients, one command at a time in a fixed order, against a plain Redis and a worker in front of two servers. While slots
// move a watch may be broken by that: then EXEC's nil is the one difference that is allowed, and nothing of that transaction may have happened.

import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { RawClient } from '../../../../test/harness/raw-client.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Moving } from './moving.ts';
import { type OneWorker, startWorker } from './one-worker.ts';

let plain: RedisServer;
let servers: [RedisServer, RedisServer];
let worker: OneWorker;
let admins: Redis[];

beforeAll(async () => {
  plain = await startRedis();
  servers = [await startRedis(), await startRedis()];
  admins = [plain, ...servers].map((server) => server.client());
  worker = await startWorker({ slot_hold_timeout_ms: 10_000 });
});

afterAll(async () => {
  worker.close();
  await stopAll();
});

const key = fc.constantFrom('{t}a', '{t}b', '{t}c');
const args = (...parts: (string | fc.Arbitrary<string>)[]) =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((words) => words.join(' '));
const data = fc.oneof(
  args('INCR', key),
  args('GET', key),
  args('SET', key, fc.constantFrom('1', 'x')),
  args('DEL', key, key),
  args('MGET', key, key),
  args('MSET', key, '5', key, '6'),
  args('LPUSH', key, 'e'),
  args('BLPOP', key, '0.001'),
  args('APPEND', key, '1'),
  args('EVAL', `"return redis.call('incrby',KEYS[1],7)"`, '1', key),
  args('RENAME', key, key),
  args('PING'),
  args('PING', 'x'),
);
const control = fc.oneof(
  { weight: 6, arbitrary: args('MULTI') },
  { weight: 6, arbitrary: args('EXEC') },
  { weight: 1, arbitrary: args('DISCARD') },
  { weight: 4, arbitrary: args('WATCH', key) },
  { weight: 1, arbitrary: args('WATCH', key, key) },
  { weight: 1, arbitrary: args('UNWATCH') },
  { weight: 1, arbitrary: args('NONSENSE', key) },
  { weight: 1, arbitrary: args('GET') },
  { weight: 1, arbitrary: args('RESET') },
);
const step = fc.record({
  client: fc.constantFrom(0, 0, 0, 1),
  command: fc.oneof({ weight: 3, arbitrary: data }, { weight: 4, arbitrary: control }),
});
const program = fc.array(step, { minLength: 3, maxLength: 40 });
type Step = { readonly client: number; readonly command: string };

test('programs of two clients are answered as by one Redis', async () => {
  const moving = new Moving(worker, servers);
  await fc.assert(
    fc.asyncProperty(program, fc.boolean(), async (steps, piped) => {
      await Promise.all(admins.map((admin) => admin.flushall()));
      const run = piped ? runPiped : runOneByOne;
      expect([...(await run(worker.port, steps))]).toEqual([...(await run(plain.port, steps))]);
    }),
    { numRuns: 150 },
  );
  expect(moving.moves).toBe(0);
});

test('also while the slots move to and fro, but for watches that are broken by it', async () => {
  const moving = new Moving(worker, servers);
  for (const admin of admins) await admin.flushall();
  moving.start();
  let broken = 0;
  try {
    await fc.assert(
      fc.asyncProperty(program, async (steps) => {
        await Promise.all([worker.port, plain.port].map(clear));
        // Where EXEC answered nil through the proxy, it is brought about at the plain Redis if it would not do so by itself.
        const through = await runOneByOne(worker.port, steps);
        const directly = await runOneByOne(plain.port, steps, through);
        broken += through.filter((reply, at) => reply === '*-1\r\n' && directly.forced.has(at)).length;
        expect([...through]).toEqual([...directly]);
      }),
      { numRuns: 100 },
    );
  } finally {
    await moving.stop();
  }
  expect(moving.moves).toBeGreaterThan(5);
  expect(broken).toBeGreaterThan(0);
});

/** Without FLUSHALL: what is between two servers must not come back. */
async function clear(port: number): Promise<void> {
  const client = await RawClient.open(port);
  expect(await client.askText('DEL', '{t}a', '{t}b', '{t}c')).toMatch(/^:/);
  client.close();
}

class Replies extends Array<string> {
  /** Where EXEC was made to answer nil. */
  readonly forced = new Set<number>();
}

/** `broken`: another run's replies; where it has nil for EXEC, that is brought about here with DISCARD. */
async function runOneByOne(port: number, steps: readonly Step[], broken: readonly string[] = []): Promise<Replies> {
  const clients = [await RawClient.open(port), await RawClient.open(port)];
  const replies = new Replies();
  const watching = [false, false];
  for (const [at, { client, command }] of steps.entries()) {
    const raw = clients[client] as RawClient;
    const forced = command === 'EXEC' && broken[at] === '*-1\r\n' && watching[client];
    if (command.startsWith('WATCH')) watching[client] = true;
    raw.send(`${forced ? 'DISCARD' : command}\r\n`);
    const reply = (await raw.reply()).toString();
    const endsWatch = /^(EXEC|DISCARD|UNWATCH|RESET)$/.test(command) && !/without MULTI|QUEUED/.test(reply);
    if (endsWatch) watching[client] = false;
    if (forced && reply === '+OK\r\n') replies.forced.add(at);
    replies.push(forced && reply === '+OK\r\n' ? '*-1\r\n' : reply);
  }
  for (const client of clients) client.close();
  return replies;
}

/** The first client's commands in one write, the other's before. */
async function runPiped(port: number, steps: readonly Step[]): Promise<string[]> {
  const replies: string[] = [];
  for (const client of [1, 0]) {
    const raw = await RawClient.open(port);
    const commands = steps.filter((one) => one.client === client).map(({ command }) => `${command}\r\n`);
    raw.send(commands.join(''));
    replies.push(...(await raw.replies(commands.length)).map(String));
    raw.close();
  }
  return replies;
}
