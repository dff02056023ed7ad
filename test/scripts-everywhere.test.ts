// A script or function that was loaded through any proxy runs everywhere: over several workers, at a server that was restarted, and at one that joined later.
// All programs are real, and the slots move as an operator moves them.

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually } from './harness/process.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

const SET = "return redis.call('SET', KEYS[1], ARGV[1])";
const LIBRARY = "#!lua name=lib\nredis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)";
const KEYS = Array.from({ length: 32 }, (_, at) => `key:${at}`);
const servers: RedisServer[] = [];
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 2, groups: 2, settings: { workers: 2 } });
}, 60_000);

afterAll(async () => {
  await cluster?.stop();
  await Promise.all(servers.map((server) => server.stop()));
});

const client = (proxy: number): Redis => cluster.proxies[proxy]?.client() as Redis;
const master = (group: number): RedisServer => cluster.servers[group - 1]?.[0] as RedisServer;

/** Connections to every proxy, enough of them that every worker has some. */
function everyWorker(): Redis[] {
  return [0, 1].flatMap((proxy) => Array.from({ length: 4 }, () => client(proxy)));
}

async function runEverywhere(sha: string): Promise<void> {
  for (const [number, redis] of everyWorker().entries()) {
    for (const key of KEYS) expect(await redis.evalsha(sha, 1, key, `${number}`)).toBe('OK');
    for (const key of KEYS) expect(await redis.fcall('put', 1, key, `${number}`)).toBe('OK');
  }
}

test('a script and a function run at every server, before and after it was restarted, and at one that joined later', {
  timeout: 120_000,
}, async () => {
  const sha = (await client(0).script('LOAD', SET)) as string;
  await client(1).function('LOAD', LIBRARY);
  await runEverywhere(sha);

  const { port } = master(1);
  await master(1).stop();
  (cluster.servers[0] as RedisServer[])[0] = await startRedis({ port });
  await eventually(async () => (await Promise.all(everyWorker().flatMap((redis) => KEYS.map((key) => redis.get(key))))).length > 0, {
    what: 'the server to be back for every worker',
  });
  await runEverywhere(sha);

  const joined = await startRedis();
  servers.push(joined);
  await cluster.cliOk('server', 'add', '3', joined.addr, 'master');
  await cluster.cliOk('slot', 'migrate', '0', '511', '3');
  await runEverywhere(sha);
  await eventually(async () => (await cluster.cliOk('slot', 'info', '511')).includes('3'), { what: 'the slots to move' });
  await runEverywhere(sha);
  expect(await joined.client().script('EXISTS', sha)).toEqual([1]);
});

test('SCRIPT FLUSH through one proxy ends it at all of them', { timeout: 30_000 }, async () => {
  const sha = (await client(0).script('LOAD', SET)) as string;
  for (const proxy of [0, 1]) expect(await client(proxy).evalsha(sha, 1, 'key:0', 'x')).toBe('OK');
  await client(0).script('FLUSH');
  for (const proxy of [0, 1]) {
    await eventually(
      async () =>
        client(proxy)
          .evalsha(sha, 1, 'key:0', 'x')
          .then(
            () => false,
            (error: Error) => error.message.startsWith('NOSCRIPT'),
          ),
      {
        what: 'the script to be gone',
      },
    );
  }
});
