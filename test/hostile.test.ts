// Goal: whatever bytes come in and however a client leaves, it gets what one Redis would give it, and nobody else notices.
// Method: a table of hostile inputs, sent as raw bytes to a plain Redis and to a proxy: replies and the end of the connection must be equal. After each
// a healthy client goes on, and the proxy's only worker is still the same process.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { stopAll } from './harness/process.ts';
import { RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

describe('a hostile client', () => {
  let cluster: Cluster;
  let plain: RedisServer;
  let proxy: ProxyProcess;
  let workerPid: number;
  let healthy: RawClient;

  beforeAll(async () => {
    [cluster, plain] = await Promise.all([startCluster({ proxies: 1, groups: 2 }), startRedis()]);
    proxy = cluster.proxies[0]!;
    workerPid = (await proxy.status()).workers[0]!.pid;
    healthy = await RawClient.open(proxy.port);
  });

  let direct: RawClient;
  let proxied: RawClient;

  beforeEach(async () => {
    [direct, proxied] = await Promise.all([RawClient.open(plain.port), RawClient.open(proxy.port)]);
  });

  afterEach(async () => {
    direct.close();
    proxied.close();
    expect(await healthy.askText('PING')).toBe('+PONG\r\n');
    const { workers, workerRestarts } = await proxy.status();
    expect([workers[0]!.pid, workerRestarts]).toEqual([workerPid, 0]);
  });

  afterAll(async () => {
    await cluster.stop();
    await plain.stop();
    await stopAll();
  });

  test('that asks in the middle of a pipeline to quit gets answers up to there', async () => {
    for (const client of [direct, proxied]) client.send('PING\r\nSET quit:1 a\r\nQUIT\r\nSET quit:1 b\r\n');
    const answers = await Promise.all([direct.rest(), proxied.rest()]);
    expect(answers.map(String)).toEqual(['+PONG\r\n+OK\r\n+OK\r\n', '+PONG\r\n+OK\r\n+OK\r\n']);
    expect(await healthy.askText('GET', 'quit:1')).toBe('$1\r\na\r\n');
  });
});
