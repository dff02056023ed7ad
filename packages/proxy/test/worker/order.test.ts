// Goal: what a client sends takes effect in the order it was sent, also when a pipeline goes through slots, groups, databases and both protocols.
// Method: random pipelines, sent in one write to a worker in front of three servers and to a plain Redis; every reply must be the same. Each of the
// worker's connections to a server is differently slow, so that whatever does not wait for its turn overtakes.

import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

const SERVERS = 3;
const RUNS = 100;

let plain: RedisServer;
let servers: RedisServer[];
let worker: OneWorker;
let admins: Redis[];

beforeAll(async () => {
  plain = await startRedis();
  servers = await Promise.all(Array.from({ length: SERVERS }, () => startRedis()));
  admins = [plain, ...servers].map((server) => server.client());
  worker = await startWorker();
  const proxies = await Promise.all(servers.map(({ port }) => slow(port)));
  worker.route(proxies);
});

afterAll(async () => {
  worker.close();
  await stopAll();
});

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const db = fc.constantFrom('0', '1', '5');

const command = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('APPEND'), key, fc.constantFrom('x', 'y', 'z')) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('GET'), key) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('SELECT'), db) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('MOVE'), key, db) },
  { weight: 2, arbitrary: key.chain((name) => fc.tuple(fc.constant('COPY'), fc.constant(name), fc.constant(name), fc.constant('DB'), db)) },
  { weight: 2, arbitrary: fc.array(key, { minLength: 1, maxLength: 4 }).map((keys) => ['DEL', ...keys]) },
  { weight: 2, arbitrary: fc.array(key, { minLength: 1, maxLength: 4 }).map((keys) => ['MGET', ...keys]) },
  { weight: 1, arbitrary: fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => ['MSET', ...keys.flatMap((name) => [name, 'm'])]) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('HSET'), key, fc.constant('f'), fc.constant('v')) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('HGETALL'), key) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('HELLO'), fc.constantFrom('2', '3')) },
);

test('a pipeline over slots, groups, databases and protocols is answered as by one Redis', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), async (commands) => {
      await Promise.all(admins.map((admin) => admin.flushall()));
      const expected = await answers(plain.port, commands);
      expect(await answers(worker.port, commands)).toEqual(expected);
    }),
    { numRuns: RUNS },
  );
});

/** Connections to `port`, the first of them slowest. */
function slow(port: number): Promise<TcpProxy> {
  let connections = 0;
  return startTcpProxy(port, { delayMs: () => [9, 1, 5, 0, 7, 3][connections++ % 6] ?? 0 });
}

/** All replies, but for what HELLO says of the one who answers. */
async function answers(port: number, commands: readonly (readonly string[])[]): Promise<string[]> {
  const client = new RawClient(port);
  const bytes = commands.map((args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`).join('');
  const replies = await client.ask(bytes, commands.length);
  client.close();
  return replies.map((reply, at) => (commands[at]?.[0] === 'HELLO' ? reply.slice(0, 2) : reply));
}
