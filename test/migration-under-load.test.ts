// Goal: half of the slots move while clients write through two proxies, and the dashboard is killed half-way; nobody notices, and every acknowledged
// write is there afterwards.
// Method: actors that own their keys (checker/), over every type, with TTLs, in three databases; the oracle is what each actor was told.
// Then both servers are looked at directly: each key is at the owner of its slot and nowhere else.

import type { MigrationsView, MigrationView } from '@codis/config/api';
import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from './checker/checker.ts';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { startZookeeper, type ZookeeperServer } from './harness/zookeeper.ts';

const DATABASES = [0, 3, 9];
const STILL_KEYS = 3000;

for (const coordinator of ['filesystem', 'zookeeper'] as const) {
  describe(`half of the slots move under load, with the ${coordinator} coordinator`, () => {
    let cluster: Cluster;
    let zookeeper: ZookeeperServer | null = null;
    let checker: Checker;

    beforeAll(async () => {
      zookeeper = coordinator === 'zookeeper' ? await startZookeeper() : null;
      cluster = await startCluster({ proxies: 2, groups: 2, ...(zookeeper ? { zk: zookeeper.addr } : {}) });
      checker = new Checker({ ports: cluster.proxies.map(({ port }) => port), databases: DATABASES, keysPerActor: 8, patienceMs: 15_000 });
      await Promise.all([fillStillKeys(cluster), checker.fill()]);
    });

    afterAll(async () => {
      await cluster.stop();
      await zookeeper?.stop();
      await stopAll();
    });

    test('every acknowledged write survives the move and a dashboard killed in the middle of it', async () => {
      checker.start();
      await cluster.cliOk('slot', 'migrate', '0', '511', '2', '--delay=2');
      await eventually(async () => (await migration(cluster)).slotsDone > 100, {
        what: 'a part of the slots to have moved',
        timeoutMs: 30_000,
      });
      await cluster.dashboard.stop('SIGKILL');
      const before = checker.outcomes.done;
      await cluster.startDashboard();
      const done = await eventually(
        async () => {
          const now = await migration(cluster);
          return now.state === 'done' ? now : undefined;
        },
        { what: 'the migration to be done', timeoutMs: 60_000, everyMs: 100 },
      );
      await checker.stop();

      await checker.verify();
      expect(checker.violations).toEqual([]);
      expect(checker.outcomes.unknown).toBe(0);
      expect(done.slotsDone).toBe(512);
      expect(checker.outcomes.done).toBeGreaterThan(before);
      const workers = (await Promise.all(cluster.proxies.map((proxy) => proxy.status()))).flatMap((status) => status.workers);
      expect(workers.every((worker) => worker.handOvers > 0)).toBe(true);
    }, 120_000);

    test('afterwards every key is in the group that owns its slot, and nowhere else', async () => {
      for (const db of DATABASES) {
        const left = await keysOf(cluster, 0, db);
        expect(left.filter((key) => slotOf(key) <= 511)).toEqual([]);
        expect(left.filter((key) => slotOf(key) > 511)).toEqual([]);
      }
      expect((await cluster.servers[0]?.[0]?.client().dbsize()) ?? -1).toBe(0);
    });

    test('keys that nobody touched have come along with values and times to live', async () => {
      for (const [index, db] of DATABASES.entries()) {
        const client = cluster.proxies[index % 2]?.client({ db });
        for (let number = 0; number < STILL_KEYS; number += 100) {
          const keys = Array.from({ length: 100 }, (_, at) => `still:${number + at}`);
          expect(await client?.mget(keys)).toEqual(keys.map((key) => `value of ${key}`));
        }
        const ttl = (await client?.ttl('still:7')) ?? 0;
        expect(ttl).toBeGreaterThan(7000);
        expect(ttl).toBeLessThanOrEqual(7200);
      }
    });
  });
}

async function fillStillKeys(cluster: Cluster): Promise<void> {
  for (const db of DATABASES) {
    const client = cluster.proxies[0]?.client({ db });
    const pipeline = client?.pipeline();
    for (let number = 0; number < STILL_KEYS; number++) {
      const key = `still:${number}`;
      if (number % 7 === 0) pipeline?.set(key, `value of ${key}`, 'EX', 7200);
      else pipeline?.set(key, `value of ${key}`);
    }
    const results = await pipeline?.exec();
    expect(results?.filter(([error]) => error)).toEqual([]);
  }
}

async function migration(cluster: Cluster): Promise<MigrationView> {
  const { migrations } = await cluster.ask<MigrationsView>('GET', '/migrations');
  return migrations.at(-1) as MigrationView;
}

async function keysOf(cluster: Cluster, group: number, db: number): Promise<Buffer[]> {
  const redis = cluster.servers[group]?.[0]?.client({ db });
  return (await redis?.keysBuffer('*')) ?? [];
}
