// Goal: what a client asks about a proxy is about all its worker processes, and stays so when one of them dies.
// Method: a proxy of three workers as its users run it; enough connections that every worker has some, and one worker killed with -9.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { RawClient } from './harness/raw-client.ts';

const WORKERS = 3;
let cluster: Cluster;
let proxy: ProxyProcess;
const clients: RawClient[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    proxies: 1,
    groups: 2,
    settings: { workers: WORKERS, slowlog_log_slower_than: 0, slowlog_max_len: 1000 },
  });
  proxy = cluster.proxies[0]!;
});

afterAll(async () => {
  for (const client of clients) client.close();
  await cluster.stop();
  await stopAll();
});

/** Connections until each worker has one; with their ids. */
async function oneOfEach(): Promise<{ client: RawClient; id: number }[]> {
  const byWorker = new Map<number, { client: RawClient; id: number }>();
  await eventually(
    async () => {
      const client = await RawClient.open(proxy.port);
      clients.push(client);
      const id = Number((await client.askText('CLIENT', 'ID')).slice(1));
      if (byWorker.has(id % WORKERS)) client.close();
      else byWorker.set(id % WORKERS, { client, id });
      return byWorker.size === WORKERS;
    },
    { what: 'a client of each worker' },
  );
  return [...byWorker.values()];
}

const lines = (list: string): string[] => list.split('\n').filter((line) => line.startsWith('id='));

test('CLIENT LIST, KILL and PAUSE reach the clients of every worker', async () => {
  const [a, b, c] = await oneOfEach();
  const list = await a!.client.askText('CLIENT', 'LIST', 'ID', String(a!.id), String(b!.id), String(c!.id));
  expect(lines(list).length).toBe(3);
  expect(await a!.client.askText('CLIENT', 'KILL', 'ID', String(b!.id))).toBe(':1\r\n');
  await b!.client.ended();
  expect(await a!.client.askText('CLIENT', 'PAUSE', '60000')).toBe('+OK\r\n');
  const held = c!.client.askText('PING');
  await eventually(async () => (await a!.client.askText('CLIENT', 'LIST', 'ID', String(c!.id))).includes('flags=b '), {
    what: 'PING to be held',
  });
  expect(await a!.client.askText('CLIENT', 'UNPAUSE')).toBe('+OK\r\n');
  expect(await held).toBe('+PONG\r\n');
});

test('SLOWLOG and LATENCY have what every worker saw', async () => {
  const all = await oneOfEach();
  await all[0]!.client.askText('SLOWLOG', 'RESET');
  for (const [at, { client }] of all.entries()) await client.askText('ECHO', `hello from ${at}`);
  const log = await all[1]!.client.askText('SLOWLOG', 'GET', '-1');
  for (const at of all.keys()) expect(log.split(`hello from ${at}\r\n`).length).toBe(2);
  expect(Number((await all[2]!.client.askText('SLOWLOG', 'LEN')).slice(1))).toBeGreaterThanOrEqual(3);
  const histogram = await all[2]!.client.askText('LATENCY', 'HISTOGRAM', 'echo');
  expect(Number(/calls\r\n:(\d+)/.exec(histogram)?.[1])).toBeGreaterThanOrEqual(3);
});

test('a worker that dies takes its clients along, and nothing else; ids are not given out again', async () => {
  const three = await oneOfEach();
  const before = new Set(three.map(({ id }) => id));
  const { pid } = (await proxy.status()).workers[0]!;
  process.kill(pid, 'SIGKILL');
  await eventually(() => three.some(({ client }) => client.ending !== null), { what: 'the clients of that worker to be cut off' });
  const left = three.filter(({ client }) => client.ending === null);
  expect(left.length).toBe(2);
  const list = lines(await left[0]!.client.askText('CLIENT', 'LIST'));
  for (const { id } of left) expect(list.some((line) => line.startsWith(`id=${id} `))).toBe(true);
  const isWhole = async () => {
    const { workers } = await proxy.status();
    return workers.length === WORKERS && workers.every((worker) => worker.pid !== pid);
  };
  await eventually(isWhole, { what: 'the worker to be replaced', timeoutMs: 20_000 });
  const again = await oneOfEach();
  for (const { id } of again) expect(before.has(id)).toBe(false);
  const whole = await again[0]!.client.askText('CLIENT', 'LIST');
  for (const { id } of again) expect(whole).toContain(`id=${id} `);
});
