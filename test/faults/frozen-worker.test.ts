// Goal: a worker that is frozen, of a proxy that lives, holds up a move no longer than worker_stall_timeout, and costs nobody anything but its own clients.
// Method: one of two workers is stopped where it stands, in mid-move, under clients with an oracle (checker/); a client of the other one goes on through it all.

import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, type ProxyProcess, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { RawClient } from '../harness/raw-client.ts';
import type { RedisServer } from '../harness/redis.ts';
import { expectAllRight, freeze, PATIENT, SETTINGS, startMove, statesOfSlots, untilDone } from './moving.ts';

/** Of a slot that stays where it is. */
const STAYS = Array.from({ length: 100 }, (_, number) => `stays:${number}`).find((key) => slotOf(Buffer.from(key)) > 511) as string;

describe('a frozen worker', PATIENT, () => {
  let cluster: Cluster;
  let checker: Checker;

  beforeAll(async () => {
    // A session that outlives the test: the proxy never looks lost.
    const settings = { ...SETTINGS, workers: 2, worker_stall_timeout: 2, zk_session_timeout: 60_000, slot_lock_lease_ms: 1000 };
    cluster = await startCluster({ proxies: 2, groups: 2, settings });
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await stopAll();
  });

  const workersOf = async (proxy: ProxyProcess) => (await proxy.status()).workers;

  /** A client, and the process id of the worker that serves it. */
  async function clientOf(proxy: ProxyProcess): Promise<{ client: RawClient; worker: number }> {
    const before = await workersOf(proxy);
    const client = await RawClient.open(proxy.port);
    await client.ask('PING');
    const after = await workersOf(proxy);
    const worker = after.find(({ pid, clients }) => clients > (before.find((known) => known.pid === pid)?.clients ?? 0));
    return { client, worker: worker?.pid ?? 0 };
  }

  test('is replaced, and the move goes on; the clients of the other worker notice nothing', async () => {
    const proxy = cluster.proxies[0] as ProxyProcess;
    const bystander = await clientOf(proxy);
    const victim = await eventually(
      async () => {
        const other = await clientOf(proxy);
        return other.worker === bystander.worker ? null : other;
      },
      { what: 'a client of the other worker' },
    );
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port) });
    await checker.fill();
    checker.start();
    const id = await startMove({ cluster, to: 2, delayMs: 20 });
    await eventually(async () => (await statesOfSlots(cluster)).length > 1, { what: 'slots to be in the move', everyMs: 2 });

    freeze([victim.worker]);
    let isOver = false;
    const moved = untilDone(cluster, id).finally(() => {
      isOver = true;
    });
    const goOn = async () => {
      while (!isOver) expect((await bystander.client.ask('SET', STAYS, 'x')).toString()).toBe('+OK\r\n');
    };
    await Promise.all([moved, goOn()]);

    await victim.client.ended();
    await eventually(async () => (await workersOf(proxy)).length === 2, { what: 'another worker' });
    expect((await workersOf(proxy)).map(({ pid }) => pid)).not.toContain(victim.worker);
    expect((await proxy.status()).workerRestarts).toBe(1);
    expect(proxy.child.output()).toMatch(new RegExp(`"worker":${victim.worker},.*a worker stands still, longer than worker_stall_timeout`));
    await expectAllRight(cluster, checker, { masters: cluster.servers.map(([master]) => master as RedisServer) });
  });
});
