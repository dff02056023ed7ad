// Goal: SCAN, KEYS and FLUSHALL are right while slots really move to and fro: nothing that is there throughout is missed, nothing survives a flush, and a
// scan ends though moves go on.
// Method: half of the slots go back and forth between two groups with the real controller; meanwhile scans run through two proxies, some call by call in turn.
// The oracle is the list of keys that nobody touches.

import type { MigrationView } from '@codis/config/api';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';

const STILL = Array.from({ length: 4000 }, (_, at) => `still:${at}`).sort();
const DB = 3;
const TRIPS = 4;
const SCANS_MIN = 6;
const CALLS_MAX = 5000;

let cluster: Cluster;
let clients: Redis[];

beforeAll(async () => {
  cluster = await startCluster({ proxies: 2, groups: 2 });
  clients = cluster.proxies.map((proxy) => proxy.client({ db: DB }));
  await fill();
});

afterAll(async () => {
  await cluster.stop();
  await stopAll();
});

test('every scan and every KEYS returns all keys that are there throughout, and ends', async () => {
  let stopped = false;
  const counts = { scans: 0, overlapping: 0 };
  const scanning = (async () => {
    while (!stopped) {
      const before = await moved();
      const asked = counts.scans % 2 === 0 ? clients : clients.slice(0, 1);
      const found = await scan(asked, counts.scans % 3 === 0 ? 10 : 100);
      expect([...found].filter((key) => key.startsWith('still:')).sort()).toEqual(STILL);
      const keys = (await clients[1]?.keys('still:*')) ?? [];
      expect(keys.sort()).toEqual(STILL);
      counts.scans++;
      if ((await moved()) > before) counts.overlapping++;
    }
  })();
  const churning = (async () => {
    for (let number = 0; !stopped; number++) {
      await clients[0]?.set(`passing:${number % 500}`, 'x');
      if (number % 3 === 0) await clients[1]?.del(`passing:${(number * 7) % 500}`);
    }
  })();
  for (let trip = 0; trip < TRIPS || counts.scans < SCANS_MIN; trip++) await migrate(trip % 2 === 0 ? '2' : '1');
  stopped = true;
  await Promise.all([scanning, churning]);
  expect(counts.overlapping).toBeGreaterThan(0);
}, 180_000);

test('nothing survives FLUSHALL while slots move, but the marker', async () => {
  for (const to of ['2', '1', '2']) {
    await fill();
    const moving = migrate(to);
    const before = await moved();
    await eventually(async () => (await moved()) !== before, { what: 'slots to move', timeoutMs: 30_000, everyMs: 5 });
    expect(await clients[1]?.flushall()).toBe('OK');
    expect(await clients[0]?.keys('*')).toEqual([]);
    await moving;
    for (const [master] of cluster.servers) expect(await master?.client({ db: DB }).dbsize()).toBe(0);
  }
}, 120_000);

async function fill(): Promise<void> {
  for (let at = 0; at < STILL.length; at += 500) {
    await clients[0]?.mset(Object.fromEntries(STILL.slice(at, at + 500).map((key) => [key, 'v'])));
  }
}

/** One scan from beginning to end; calls go to the clients in turn. */
async function scan(asked: readonly Redis[], count: number): Promise<Set<string>> {
  const found = new Set<string>();
  let cursor = '0';
  for (let calls = 0; calls < CALLS_MAX; calls++) {
    const client = asked[calls % asked.length] as Redis;
    const [next, keys] = (await client.call('SCAN', cursor, 'COUNT', count)) as [string, string[]];
    for (const key of keys) found.add(key);
    if (next === '0') return found;
    cursor = next;
  }
  throw new Error(`a scan of ${STILL.length} keys did not end within ${CALLS_MAX} calls`);
}

/** Slots moved so far, over all migrations. */
async function moved(): Promise<number> {
  return (await migrations()).reduce((sum, { slotsDone }) => sum + slotsDone, 0);
}

async function migrations(): Promise<MigrationView[]> {
  const response = await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1/migrations`);
  return ((await response.json()) as { migrations: MigrationView[] }).migrations;
}

async function migrate(to: string): Promise<void> {
  await cluster.cliOk('slot', 'migrate', '0', '511', to);
  await eventually(async () => (await migrations()).at(-1)?.state === 'done', { what: 'the migration', timeoutMs: 60_000, everyMs: 50 });
}
