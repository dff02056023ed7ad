// Goal: a proxy that is frozen neither holds up a move for longer than proxy_lost_timeout, nor harms it when it wakes: no command of its old table runs
// at the group that lost the slots (DESIGN §3, fencing).
// Method: proxy_2 is stopped with SIGSTOP, with writes waiting in its sockets; the slots move and are written through proxy_1; then proxy_2 goes on.

import type { MigrationsView, MigrationView } from '@codis/config/api';
import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';

const KEYS = Array.from({ length: 200 }, (_, number) => `key:${number}`);

describe('a frozen proxy', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster({
      proxies: 2,
      groups: 2,
      settings: { proxy_lost_timeout: 1, zk_session_timeout: 2000, worker_stall_timeout: 2 },
    });
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  /** Half of the keys move from `from`, and proxy_2 sleeps through it; or one of its workers alone, while another proxy takes its name and place. */
  async function moveWhileAsleep(from: number, to: number, isReplaced = false): Promise<void> {
    const [awake, frozen] = cluster.proxies as [ProxyProcess, ProxyProcess];
    const writer = awake.client();
    const sleeper = frozen.client();
    await sleeper.mset(KEYS.flatMap((key) => [key, `before ${to}`]));
    const pids = (await frozen.pids()).slice(isReplaced ? 1 : 0);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const late = KEYS.map((key) => sleeper.set(key, `late ${to}`).then(String, (error: Error) => error.message));
    if (isReplaced) await frozen.restart();
    await cluster.cliOk('slot', 'migrate', '0', '511', String(to));
    await eventually(async () => (await lastMigration(cluster)).state === 'done', { what: 'the move', timeoutMs: 30_000, everyMs: 100 });
    await writer.mset(KEYS.flatMap((key) => [key, `after ${to}`]));

    for (const pid of pids) process.kill(pid, 'SIGCONT');
    const replies = await Promise.all(late);
    for (const [index, reply] of replies.entries()) {
      const key = KEYS[index] as string;
      const possible = reply === 'OK' ? [`late ${to}`] : isReplaced ? [`late ${to}`, `after ${to}`] : [`after ${to}`];
      expect(possible, `${key}: ${reply}`).toContain(await writer.get(key));
    }
    expect(await strangers(from)).toEqual([]);
    expect((await frozen.status()).workerRestarts).toBe(0);
    await eventually(async () => (await sleeper.get(KEYS[0] as string)) !== null, { what: 'proxy_2 to serve again' });
    for (const key of KEYS) expect(await sleeper.get(key)).toBe(await writer.get(key));
  }

  /** Keys at a group that the other group's slots are. */
  async function strangers(group: number): Promise<string[]> {
    const keys = (await cluster.servers[group - 1]?.[0]?.client().keys('key:*')) ?? [];
    return keys.filter((key) => slotOf(Buffer.from(key)) <= 511);
  }

  test('is fenced off, and its late writes do not reach the group that lost the slots', () => moveWhileAsleep(1, 2), 60_000);

  test('the same when the slots come back', () => moveWhileAsleep(2, 1), 60_000);

  test('the same for a worker that outlives its proxy, which another one has replaced', () => moveWhileAsleep(1, 2, true), 60_000);
});

async function lastMigration(cluster: Cluster): Promise<MigrationView> {
  const { migrations } = await cluster.ask<MigrationsView>('GET', '/migrations');
  return migrations.toSorted((a, b) => a.id - b.id).at(-1) as MigrationView;
}
