// Goal: a proxy that is told to stop ends within a bound, whatever state its workers are in; a reply that is cut off never looks like a whole one.
// Method: SIGTERM at awkward moments; a server killed in the middle of a reply.

import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { RawClient } from './harness/raw-client.ts';

const MB = 1024 * 1024;
const KEY = Array.from({ length: 100 }, (_, number) => `{${number}}`).find((key) => slotOf(Buffer.from(key)) <= 511) ?? '';

describe('a proxy that is told to stop', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 1, settings: { zk_session_timeout: 1000 } });
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  async function terminate(proxy: ProxyProcess): Promise<number | null> {
    cluster.proxies.splice(cluster.proxies.indexOf(proxy), 1);
    proxy.child.signal('SIGTERM');
    await eventually(() => proxy.child.process.exitCode !== null, { what: `${proxy.id} to end`, timeoutMs: 15_000 });
    expect(await cluster.cliOk('proxy', 'list', '-o', 'name')).toBe('proxy_1\n');
    return proxy.child.process.exitCode;
  }

  test('does not wait for a worker that is frozen', async () => {
    const proxy = await cluster.startProxy('proxy_frozen');
    const { pid } = (await proxy.status()).workers[0]!;
    process.kill(pid, 'SIGSTOP');
    expect(await terminate(proxy)).toBe(0);
  });

  test('stops also while its workers are starting', async () => {
    const known = cluster.proxies.length;
    void cluster.startProxy('proxy_hasty').catch(() => undefined);
    const proxy = await eventually(() => cluster.proxies[known], { what: 'the process' });
    await eventually(() => proxy.child.output().includes('"topology"'), { what: 'its first look at the topology', everyMs: 1 });
    expect(await terminate(proxy)).toBe(0);
  });

  test('a reply that a killed server leaves unfinished ends the connection, and is never taken for whole', async () => {
    const proxy = cluster.proxies[0]!;
    const client = await RawClient.open(proxy.port);
    await client.ask('SET', KEY, Buffer.alloc(40 * MB, 'x'));
    client.command('GET', KEY);
    await eventually(() => client.receivedBytes > 10, { what: 'the reply to begin', everyMs: 1 });
    client.pause();
    await cluster.servers[0]![0]!.child.stop('SIGKILL');
    client.resume();
    expect(await client.ended()).toBe('end');
    expect(client.receivedBytes).toBeLessThan(40 * MB);
    client.close();
    const { workerRestarts } = await proxy.status();
    expect(workerRestarts).toBe(0);
  });
});
