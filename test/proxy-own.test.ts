// Goal: what a client asks about a proxy is about all its worker processes, and stays so when one of them dies.
// Method: a proxy of three workers as its users run it; enough connections that every worker has some, and one worker killed with -9.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';

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

test('the busiest clients of all workers, and what each worker does, are told at the admin address', async () => {
  const at = (path: string) => fetch(`http://127.0.0.1:${proxy.adminPort}${path}`);
  const all = await oneOfEach();
  const [busy] = all;
  await busy!.client.askText('CLIENT', 'SETNAME', 'busy');
  for (let count = 0; count < 50; count++) await busy!.client.askText('GET', 'key');
  const { count, missing, clients } = (await (await at('/clients?top=2')).json()) as {
    count: number;
    missing: number;
    clients: { id: number; name: string; requests: number; requestsPerSecond: number; command: string; addr: string }[];
  };
  expect(missing).toBe(0);
  expect(count).toBeGreaterThanOrEqual(WORKERS);
  expect(clients.length).toBe(2);
  expect(clients[0]).toMatchObject({ id: busy!.id, name: 'busy', command: 'get', addr: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  expect(clients[0]!.requests).toBeGreaterThanOrEqual(51);
  expect(clients[0]!.requestsPerSecond).toBeGreaterThan(clients[1]!.requestsPerSecond);
  expect((await at('/clients?top=0')).status).toBe(400);
  expect((await at('/clients?top=x')).status).toBe(400);
  const { workers } = await proxy.status();
  expect(workers.map(({ worker }) => worker).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  const metrics = await (await at('/metrics')).text();
  for (const name of ['worker_cpu_seconds_total', 'event_loop_lag_p50_seconds', 'event_loop_lag_p99_seconds', 'event_loop_lag_max_seconds'])
    for (const worker of [1, 2, 3]) expect(metrics).toMatch(new RegExp(`^codis_proxy_${name}\\{worker="${worker}"\\} [0-9.e-]+$`, 'm'));
});

test('the keys that clients ask for most are told at the admin address, whichever worker saw them', async () => {
  const at = async (path: string) => (await fetch(`http://127.0.0.1:${proxy.adminPort}${path}`)).json();
  const hot = { key: 'hot:\u00ff\r\n<b>', db: 0 };
  for (const { client } of await oneOfEach()) {
    const gets = Array.from({ length: 6000 }, (_, number) => ['GET', number % 3 === 0 ? Buffer.from(hot.key, 'latin1') : `cold:${number}`]);
    const messages = Array.from({ length: 3000 }, () => ['SPUBLISH', 'channel', 'message']);
    client.send(Buffer.concat([...gets, ...messages].map(encode)));
  }
  const answer = await eventually(
    async () => {
      const told = (await at('/hotkeys?top=3')) as {
        sampleEvery: number;
        seconds: number;
        sampled: number;
        missing: number;
        keys: (typeof hot)[];
      };
      return told.sampled >= 30 ? told : undefined;
    },
    { what: 'requests to be sampled' },
  );
  expect(answer).toMatchObject({
    sampleEvery: 256,
    missing: 0,
    keys: [{ ...hot, requestsPerSecond: expect.any(Number), overPerSecond: 0 }],
  });
  // Of a whole minute it tells when that is over, which is not waited for here.
  const minute = (await at('/hotkeys?top=3&minute=last')) as { endedSecondsAgo: number | null };
  expect(minute).toMatchObject({ sampleEvery: 256, keyBytesMax: 1024, seconds: expect.any(Number), missing: expect.any(Number) });
  expect(minute.endedSecondsAgo ?? 0).toBeLessThan(120);
});

test('how long servers take is told at the admin address, by what all workers have measured', async () => {
  const client = await RawClient.open(proxy.port);
  clients.push(client);
  const read = async () =>
    (await (await fetch(`http://127.0.0.1:${proxy.adminPort}/latency`)).json()) as {
      missing: number;
      servers: { addr: string; requests: number; p50Micros: number | null; p99Micros: number | null }[];
    };
  const total = ({ servers }: Awaited<ReturnType<typeof read>>) => servers.reduce((sum, { requests }) => sum + requests, 0);
  const before = total(await read());
  for (let count = 0; count < 100; count++) await client.askText('GET', `key:${count}`);
  const after = await read();
  expect(total(after) - before).toBeGreaterThan(0);
  expect(after.missing).toBe(0);
  expect(after.servers.map(({ addr }) => addr).toSorted()).toEqual(cluster.servers.map(([master]) => master!.addr).toSorted());
  for (const { p50Micros, p99Micros } of after.servers) {
    expect(p50Micros).toBeGreaterThan(0);
    expect(p99Micros).toBeGreaterThanOrEqual(p50Micros!);
  }
});

test('a reply that is here before its turn counts for its server as any other', async () => {
  const client = await RawClient.open(proxy.port);
  clients.push(client);
  const counted = async () => {
    const { servers } = (await (await fetch(`http://127.0.0.1:${proxy.adminPort}/latency`)).json()) as { servers: { requests: number }[] };
    return servers.reduce((sum, { requests }) => sum + requests, 0);
  };
  // What is told is of the last seconds: when those end just now, the next time is right.
  const allCount = async () => {
    await cluster.servers[0]![0]!.client().client('PAUSE', 100);
    const before = await counted();
    client.send(Buffer.concat(Array.from({ length: 40 }, (_, number) => encode(['GET', `${number * 7919}`]))));
    await client.replies(40);
    return (await counted()) - before === 40;
  };
  await eventually(allCount, { what: 'all requests to be counted', timeoutMs: 10_000 });
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
  expect((await proxy.status()).workers.map(({ worker }) => worker).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  const again = await oneOfEach();
  for (const { id } of again) expect(before.has(id)).toBe(false);
  const whole = await again[0]!.client.askText('CLIENT', 'LIST');
  for (const { id } of again) expect(whole).toContain(`id=${id} `);
});
