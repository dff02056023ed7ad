// Goal: whatever is sent in one go, however it is cut, is answered in the order it was sent, with the bytes that one Redis gives.
// Method: the same bytes go to a plain Redis and through a proxy over two groups, and all that comes back is compared; slots move to and fro, and a
// group dies, underneath.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

describe('a pipeline', () => {
  let cluster: Cluster;
  let plain: RedisServer;
  let proxy: ProxyProcess;
  let direct: RawClient;
  let proxied: RawClient;

  beforeAll(async () => {
    [cluster, plain] = await Promise.all([startCluster({ proxies: 1, groups: 2 }), startRedis()]);
    proxy = cluster.proxies[0]!;
  });

  beforeEach(async () => {
    [direct, proxied] = await Promise.all([RawClient.open(plain.port), RawClient.open(proxy.port)]);
  });

  afterEach(() => {
    direct.close();
    proxied.close();
  });

  afterAll(async () => {
    await cluster.stop();
    await plain.stop();
    await stopAll();
  });

  test('of two groups is answered in order', async () => {
    const bytes = Buffer.concat(Array.from({ length: 100 }, (_, number) => encode(['INCRBY', `n:${number % 7}`, number])));
    for (const client of [direct, proxied]) client.send(bytes);
    expect(await proxied.replies(100)).toEqual(await direct.replies(100));
  });
});
