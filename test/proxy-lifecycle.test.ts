// Goal: what DESIGN §7 promises when parts of the system die, freeze or come back: errors for what is gone, nothing for the rest, and no restart needed.
// Method: real programs, killed, stopped and started again underneath clients.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, freePort, start, stopAll } from './harness/process.ts';
import { RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';
import { startZookeeper, type ZookeeperServer } from './harness/zookeeper.ts';

/** A key of the first half of the slots, which group 1 has, and one of the second. */
const IN_GROUP_1 = keyIn((slot) => slot < 512);
const IN_GROUP_2 = keyIn((slot) => slot >= 512);

function keyIn(half: (slot: number) => boolean): string {
  for (let number = 0; ; number++) if (half(slotOf(Buffer.from(`key:${number}`)))) return `key:${number}`;
}

const messageOf = (error: unknown): string => (error as Error).message;
const proxyOf = (cluster: Cluster, index: number) => cluster.proxies[index] as ProxyProcess;
const masterOf = (cluster: Cluster, group: number) => cluster.servers[group - 1]?.[0] as RedisServer;

describe('parts that die', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 2, groups: 2, settings: { workers: 2, backend_recv_timeout: 2, zk_session_timeout: 2000 } });
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  test('a worker that is killed is replaced, and its proxy goes on', async () => {
    const proxy = proxyOf(cluster, 0);
    const before = (await proxy.status()).workers.map(({ pid }) => pid);
    process.kill(before[0] as number, 'SIGKILL');
    await eventually(
      async () => {
        const { workers, serving } = await proxy.status();
        return serving && workers.length === 2 && !workers.some(({ pid }) => pid === before[0]);
      },
      { what: 'another worker' },
    );
    for (let client = 0; client < 4; client++) expect(await proxy.client().set(IN_GROUP_1, 'v')).toBe('OK');
  });

  test('a client whose worker dies before it has taken the connection is let go', async () => {
    const proxy = proxyOf(cluster, 0);
    const [frozen] = (await proxy.status()).workers;
    process.kill(frozen!.pid, 'SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.open(proxy.port)));
    for (const client of clients) client.command('PING');
    const unanswered = () => clients.filter((client) => client.receivedBytes === 0);
    await eventually(() => unanswered().length === 1, { what: 'the clients of the other worker to be answered' });
    const [untaken] = unanswered();
    process.kill(frozen!.pid, 'SIGKILL');
    await untaken!.ended();
    for (const client of clients) client.close();
  });

  test('a Redis that dies costs errors for its slots only, and is used again when it is back', async () => {
    const client = proxyOf(cluster, 1).client();
    await Promise.all([client.set(IN_GROUP_1, '1'), client.set(IN_GROUP_2, '2')]);
    const { port, addr } = masterOf(cluster, 2);
    await masterOf(cluster, 2).stop();

    const error = await client.get(IN_GROUP_2).then(String, messageOf);
    expect(error).toContain(addr);
    expect(error).toMatch(/^ERR server .* can't be reached/);
    expect(await client.get(IN_GROUP_1)).toBe('1');
    expect(await client.mget(IN_GROUP_1, IN_GROUP_2).then(String, messageOf)).toMatch(/^ERR server/);
    const status = await cluster.cli('status');
    expect(status.code).toBe(7);
    expect(status.stdout + status.stderr).toContain(addr);

    (cluster.servers[1] as RedisServer[])[0] = await startRedis({ port });
    await eventually(async () => (await client.set(IN_GROUP_2, 'again')) === 'OK', { what: 'the slots of group 2' });
    expect((await proxyOf(cluster, 1).status()).serving).toBe(true);
  });

  test('a Redis that hangs is given up after backend_recv_timeout, and the outcome is said to be unknown', async () => {
    const client = proxyOf(cluster, 0).client();
    await client.set(IN_GROUP_1, 'v');
    masterOf(cluster, 1).child.signal('SIGSTOP');
    const error = await client.append(IN_GROUP_1, 'x').then(String, messageOf);
    expect(error).toMatch(/whether the command was carried out is unknown/);
    expect(await client.set(IN_GROUP_2, 'v')).toBe('OK');
    masterOf(cluster, 1).child.signal('SIGCONT');
    await eventually(async () => (await client.set(IN_GROUP_1, 'v')) === 'OK', { what: 'the slots of group 1' });
  });

  test('SIGTERM lets a proxy finish: what is under way is answered, it deregisters and ends with 0', async () => {
    const proxy = proxyOf(cluster, 1);
    const client = proxy.client();
    await client.set(IN_GROUP_1, 'v');
    masterOf(cluster, 1).child.signal('SIGSTOP');
    const reply = client.append(IN_GROUP_1, 'w');
    await eventually(async () => (await proxy.status()).workers.some(({ calls }) => (calls['append'] ?? 0) > 0), {
      what: 'the request to arrive',
    });
    proxy.child.signal('SIGTERM');
    await eventually(() => proxy.child.output().includes('stopping'), { what: 'the proxy to stop serving' });
    masterOf(cluster, 1).child.signal('SIGCONT');
    expect(await reply).toBe(2);
    expect(await proxy.child.exited()).toBe(0);
    client.disconnect();
    expect(await cluster.cliOk('proxy', 'list')).not.toContain('proxy_2');
  });

  test('a proxy that was killed can be started again under its name, and is not started twice', async () => {
    const first = proxyOf(cluster, 0);
    const twin = start('node', ['packages/proxy/bin/codis-proxy.js', '-c', cluster.configFile, ...(await flags('proxy_1'))]);
    expect(await twin.exited()).toBe(4);
    expect(twin.output()).toMatch(/proxy named proxy_1 runs already \(process \d+\).*--proxy-id/);
    expect(await first.client().set(IN_GROUP_1, 'v')).toBe('OK');

    await first.child.stop('SIGKILL');
    const again = await cluster.startProxy('proxy_1');
    expect(await again.client().get(IN_GROUP_1)).toBe('v');
  }, 40_000);

  test('a proxy goes offline and online as it is told', async () => {
    const proxy = cluster.proxies.at(-1) as ProxyProcess;
    await cluster.cliOk('proxy', 'offline', 'proxy_1');
    expect((await fetch(`http://127.0.0.1:${proxy.adminPort}/readyz`)).status).toBe(503);
    expect(await proxy.client().get(IN_GROUP_1).then(String, messageOf)).toMatch(/closed|ECONNREFUSED|max retries/i);
    await cluster.cliOk('proxy', 'online', 'proxy_1');
    await eventually(async () => (await proxy.client().get(IN_GROUP_1)) === 'v', { what: 'the proxy to serve' });
  });

  test('the admin address says how the proxy is, and nothing else', async () => {
    const { adminPort } = cluster.proxies.at(-1) as ProxyProcess;
    const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${adminPort}${path}`, { method });
    expect([(await get('/healthz')).status, (await get('/readyz')).status]).toEqual([200, 200]);
    expect(await (await get('/metrics')).text()).toMatch(/^codis_proxy_serving 1$/m);
    expect((await get('/nothing')).status).toBe(404);
    expect((await get('/status', 'POST')).status).toBe(405);
  });

  test('a taken port is said in a sentence, with what to do', async () => {
    const { adminPort } = cluster.proxies.at(-1) as ProxyProcess;
    const args = [
      'packages/proxy/bin/codis-proxy.js',
      '-c',
      cluster.configFile,
      '--proxy-id',
      'other',
      '--proxy-addr',
      `127.0.0.1:${await freePort()}`,
    ];
    const second = start('node', [...args, '--admin-addr', `127.0.0.1:${adminPort}`]);
    expect(await second.exited()).toBe(1);
    expect(second.output()).toMatch(/can't listen on admin_addr 127\.0\.0\.1:\d+.*EADDRINUSE.*--admin-addr/);
    const taken = cluster.proxies.at(-1) as ProxyProcess;
    const third = start('node', [
      ...['packages/proxy/bin/codis-proxy.js', '-c', cluster.configFile, '--proxy-id', 'other', '--proxy-addr', `127.0.0.1:${taken.port}`],
      ...['--admin-addr', `127.0.0.1:${await freePort()}`],
    ]);
    expect(await third.exited()).toBe(1);
    expect(third.output()).toMatch(/can't listen on proxy_addr .*EADDRINUSE/);
    await eventually(async () => !(await cluster.cliOk('proxy', 'list')).includes('other'), { what: 'it to have deregistered' });
  });
});

describe('a coordinator that goes away', () => {
  let cluster: Cluster;
  let zookeeper: ZookeeperServer;

  beforeAll(async () => {
    zookeeper = await startZookeeper();
    cluster = await startCluster({ proxies: 1, groups: 2, zk: zookeeper.addr, settings: { zk_session_timeout: 2000 } });
  });

  afterAll(async () => {
    await cluster.stop();
    await zookeeper.stop();
    await stopAll();
  });

  test('leaves proxies serving by the last table; they say since when, and go on changing when it is back', async () => {
    const proxy = proxyOf(cluster, 0);
    const client = proxy.client();
    await zookeeper.kill();
    await eventually(async () => (await proxy.status()).coordinator.staleSince !== null, { what: 'the proxy to notice' });
    expect(await client.mset(IN_GROUP_1, '1', IN_GROUP_2, '2')).toBe('OK');
    expect((await fetch(`http://127.0.0.1:${proxy.adminPort}/readyz`)).status).toBe(200);

    await zookeeper.restart();
    await eventually(async () => (await proxy.status()).coordinator.staleSince === null, {
      what: 'the proxy to be back',
      timeoutMs: 20_000,
    });
    await eventually(async () => (await cluster.cli('slot', 'migrate', '0', '63', '2', '--wait', '--timeout', '20')).code === 0, {
      what: 'a slot move',
      timeoutMs: 30_000,
      everyMs: 500,
    });
    expect(await client.mget(IN_GROUP_1, IN_GROUP_2)).toEqual(['1', '2']);
  }, 60_000);
});

describe('passwords', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({
      proxies: 1,
      groups: 2,
      replicas: 1,
      settings: { product_auth: 'server-secret', session_auth: 'client-secret' },
      redisConfig: { requirepass: 'server-secret' },
    });
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  test('clients give session_auth, servers are given product_auth, also while slots move', async () => {
    const proxy = proxyOf(cluster, 0);
    const cli = async (...args: string[]) => (await promisify(execFile)('redis-cli', ['-p', String(proxy.port), ...args])).stdout;
    expect(await cli('get', 'k')).toMatch(/^NOAUTH /);
    expect(await cli('auth', 'wrong')).toMatch(/^WRONGPASS /);
    expect(await cli('auth', 'client-secret')).toBe('OK\n');
    expect(await cli('hello', '2', 'auth', 'default', 'client-secret')).toContain('redis');
    const client = proxy.client({ password: 'client-secret' });
    expect(await client.mset(IN_GROUP_1, '1', IN_GROUP_2, '2')).toBe('OK');
    await cluster.cliOk('slot', 'migrate', '0', '511', '2', '--wait', '--timeout', '30');
    expect(await client.mget(IN_GROUP_1, IN_GROUP_2)).toEqual(['1', '2']);
    expect(await cluster.cliOk('status', '-o', 'json')).not.toContain('secret');
  }, 60_000);
});

async function flags(id: string): Promise<string[]> {
  return ['--proxy-id', id, '--proxy-addr', `127.0.0.1:${await freePort()}`, '--admin-addr', `127.0.0.1:${await freePort()}`];
}
