// Goal: an application that uses Redis today works through the proxies as it is, whatever its language and library, also while slots move to and fro
// underneath. Method: the libraries themselves with the settings of somebody who sets none, each doing the same nine things; first against a plain
// Redis, which shows that what is asked of them is right. What comes out is the table of docs/clients.md.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { glide, removeSockets } from './clients/glide.ts';
import { ioredisLike } from './clients/ioredis.ts';
import { CHECKS, type Library, type Outcome } from './clients/library.ts';
import { nodeRedis } from './clients/node-redis.ts';
import { clientsPage } from './clients/page.ts';
import { programs } from './clients/programs.ts';
import { redisBenchmark, redisCli } from './clients/redis-cli.ts';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { REPO, stopAll } from './harness/process.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

const GOOD = Object.fromEntries(CHECKS.map((check) => [check, '']));
const LIBRARIES: readonly Library[] = [
  ioredisLike('ioredis', 'ioredis 6.0'),
  nodeRedis,
  ioredisLike('iovalkey', 'iovalkey 0.4'),
  glide,
  redisCli(2),
  redisCli(3),
];
const TEST_MS = 300_000;

let plain: RedisServer;
let cluster: Cluster;
let libraries: readonly Library[];

beforeAll(async () => {
  [plain, cluster, libraries] = await Promise.all([
    startRedis(),
    startCluster({ proxies: 2, groups: 3 }),
    programs().then((others) => [...LIBRARIES, ...others]),
  ]);
}, TEST_MS);

afterAll(async () => {
  await cluster.stop();
  await stopAll();
  removeSockets();
});

/** All libraries at once against one port. */
async function outcomes(port: number, prefix: string): Promise<Record<string, Outcome>> {
  const all = await Promise.all(libraries.map(async (library, at) => [library.name, await library.run(port, `${prefix}${at}`)] as const));
  return Object.fromEntries(all);
}

const proxyPort = (number: number): number => cluster.proxies[number - 1]?.port ?? 0;

describe('every library with its default settings', () => {
  test('does on a plain Redis what is asked of it here', { timeout: TEST_MS }, async () => {
    const expected = Object.fromEntries(libraries.map(({ name }) => [name, GOOD]));
    expect(await outcomes(plain.port, 'plain')).toEqual(expected);
  });

  test('does the same through a proxy, as docs/clients.md says', { timeout: TEST_MS }, async () => {
    const results = await outcomes(proxyPort(1), 'proxy');
    expect(results).toEqual(Object.fromEntries(libraries.map(({ name }) => [name, GOOD])));
    const page = clientsPage(libraries.map(({ name, language }) => ({ name, language, outcome: results[name] as Outcome })));
    await expect(page).toMatchFileSnapshot(join(REPO, 'docs/clients.md'));
  });

  test('does the same while slots move to and fro underneath', { timeout: TEST_MS }, async () => {
    let done = false;
    const moving = moveToAndFro(() => done);
    const results = await outcomes(proxyPort(2), 'moving');
    done = true;
    const moves = await moving;
    expect(results).toEqual(Object.fromEntries(libraries.map(({ name }) => [name, GOOD])));
    expect(moves).toBeGreaterThan(1);
  });
});

test('redis-benchmark runs everything that it runs by default', { timeout: TEST_MS }, async () => {
  expect(await redisBenchmark(proxyPort(1))).toBe('');
});

/** Moves all slots around the three groups until told to stop; how many moves were made. */
async function moveToAndFro(isDone: () => boolean): Promise<number> {
  let moves = 0;
  while (!isDone()) {
    const to = String((moves % 3) + 1);
    await cluster.cliOk('slot', 'migrate', '0', '1023', to, '--wait');
    moves++;
  }
  return moves;
}
