// Goal: INFO is about the whole proxy, whichever of its workers is asked, also after one died.
// Method: a proxy of two workers; clients that land on both.

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually } from './harness/process.ts';

let cluster: Cluster;
let proxy: ProxyProcess;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 1, groups: 2, settings: { workers: 2 } });
  proxy = cluster.proxies[0] as ProxyProcess;
}, 60_000);

afterAll(() => cluster.stop());

/** New clients until every worker has at least two. */
async function clientsOnBoth(): Promise<Redis[]> {
  const clients: Redis[] = [];
  await eventually(
    async () => {
      clients.push(proxy.client());
      await Promise.all(clients.map((client) => client.ping()));
      const { workers } = await proxy.status();
      return workers.length === 2 && workers.every((worker) => worker.clients >= 2);
    },
    { what: 'clients on both workers' },
  );
  return clients;
}

const numberIn = (text: string, field: string): number => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(text)?.[1]);

test('clients and commands of all workers are counted, whichever is asked', async () => {
  const clients = await clientsOnBoth();
  await Promise.all(clients.map((client) => client.get('x')));
  const texts = await Promise.all(clients.map((client) => client.info('everything')));
  for (const text of texts) {
    expect(numberIn(text, 'connected_clients')).toBe(clients.length);
    expect(Number(/^cmdstat_get:calls=(\d+)/m.exec(text)?.[1])).toBe(clients.length);
    expect(numberIn(text, 'proxy_workers')).toBe(2);
    expect(numberIn(text, 'process_id')).toBe(proxy.child.pid);
  }
  expect(new Set(texts.map((text) => /^run_id:(.*)$/m.exec(text)?.[1])).size).toBe(1);
  for (const client of clients) client.disconnect();
});

test('a worker that dies and is replaced takes its counts along, and nothing else', async () => {
  const { workers } = await proxy.status();
  const runId = async () => /^run_id:(.*)$/m.exec(await proxy.client().info('server'))?.[1];
  const before = await runId();
  process.kill((workers[0] as (typeof workers)[number]).pid, 'SIGKILL');
  await eventually(async () => (await proxy.status()).workers.length === 2 && (await proxy.status()).workerRestarts === 1, {
    what: 'the worker to be replaced',
  });
  const clients = await clientsOnBoth();
  const texts = await Promise.all(clients.map((client) => client.info()));
  for (const text of texts) expect(numberIn(text, 'connected_clients')).toBeGreaterThanOrEqual(clients.length);
  expect(await runId()).toBe(before);
  const slots = await Promise.all(clients.map((client) => client.cluster('SLOTS')));
  for (const each of slots) expect(each).toMatchObject([[0, 16383, ['127.0.0.1', proxy.port, expect.any(String), []]]]);
});
