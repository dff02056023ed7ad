// Goal: today's client libraries work through a proxy: connect, every data type, pipeline, script, reconnect.
// Method: the libraries themselves, with the settings a user would have; what needs RESP3 falls back or is told to speak RESP2.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';

/** What redis-benchmark runs by default, but for what the proxy can't route yet (none of it blocks). */
const BENCHMARKS = [
  'ping',
  'set',
  'get',
  'incr',
  'lpush',
  'rpush',
  'lpop',
  'rpop',
  'sadd',
  'hset',
  'spop',
  'zadd',
  'zpopmin',
  'lrange',
  'mset',
];

describe('client libraries', () => {
  let cluster: Cluster;
  let port: number;

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 1, groups: 2 });
    port = cluster.proxies[0]?.port ?? 0;
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  for (const [name, options] of [
    ['with its default settings, which ask for RESP3 first', {}],
    ['in RESP2', { protocol: 2 as const }],
  ] as const) {
    test(`ioredis ${name}`, async () => {
      const client = new Redis({ port, host: '127.0.0.1', ...options });
      client.on('error', () => undefined);
      expect(await client.set('io:s', 'v')).toBe('OK');
      expect(await client.hset('io:h', { a: '1', b: '2' })).toBe(2);
      expect(await client.hgetall('io:h')).toEqual({ a: '1', b: '2' });
      expect(await client.rpush('io:l', 'a', 'b')).toBe(2);
      expect(await client.sadd('io:set', 'm')).toBe(1);
      expect(await client.zadd('io:z', 1.5, 'm')).toBe(1);
      expect(await client.zscore('io:z', 'm')).toBe('1.5');
      expect(await client.xadd('io:x', '*', 'f', 'v')).toMatch(/^\d+-\d+$/);
      expect(await client.pipeline().get('io:s').llen('io:l').mget('io:s', 'io:none').exec()).toEqual([
        [null, 'v'],
        [null, 2],
        [null, ['v', null]],
      ]);
      expect(await client.eval("return redis.call('GET', KEYS[1])", 1, 'io:s')).toBe('v');
      expect(await client.getBuffer('io:s')).toEqual(Buffer.from('v'));
      client.disconnect(true);
      await eventually(async () => (await client.get('io:s')) === 'v', { what: 'the client to reconnect' });
      expect(await client.del('io:s', 'io:h', 'io:l', 'io:set', 'io:z', 'io:x')).toBe(6);
      client.disconnect();
    });
  }

  test('node-redis, told to speak RESP2', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2, name: 'tester' });
    client.on('error', () => undefined);
    await client.connect();
    expect(await client.set('nr:s', 'v', { EX: 60 })).toBe('OK');
    expect(await client.hSet('nr:h', { a: '1' })).toBe(1);
    expect(await client.hGetAll('nr:h')).toEqual({ a: '1' });
    expect(await Promise.all([client.get('nr:s'), client.ttl('nr:s'), client.mGet(['nr:s', 'nr:none'])])).toEqual(['v', 60, ['v', null]]);
    expect(await client.eval("return redis.call('SET', KEYS[1], ARGV[1])", { keys: ['nr:s'], arguments: ['w'] })).toBe('OK');
    expect(await client.clientGetName()).toBe('tester');
    expect(await client.unlink(['nr:s', 'nr:h'])).toBe(2);
    await client.close();
  });

  test('redis-cli, a command at a time and from a pipe', async () => {
    const { stdout } = await promisify(execFile)('redis-cli', ['-p', String(port), 'set', 'cli', 'v']);
    expect(stdout).toBe('OK\n');
    const piped = await promisify(execFile)('sh', ['-c', `printf 'get cli\\nincr cli:n\\ndel cli cli:n\\n' | redis-cli -p ${port}`]);
    expect(piped.stdout).toBe('v\n1\n2\n');
  });

  test('redis-benchmark, with and without pipelines', async () => {
    for (const pipeline of ['1', '16']) {
      const args = ['-p', String(port), '-q', '-n', '2000', '-P', pipeline, '-r', '1000', '-t', BENCHMARKS.join(',')];
      const { stdout, stderr } = await promisify(execFile)('redis-benchmark', args);
      expect(stdout).not.toMatch(/ERR/);
      expect(stderr).not.toMatch(/Error from server/);
      expect(stdout.match(/requests per second/g)?.length).toBeGreaterThanOrEqual(BENCHMARKS.length);
    }
  });
});
