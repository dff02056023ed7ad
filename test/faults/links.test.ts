// Goal: the way between the two groups may break in the middle of MIGRATE, before or after the target has the key; it may hang; the target may be full. A key
// is at one side or the other, and moves on when it can.
// Method: clients with an oracle (checker/); group 2 is known by the address of a TCP proxy, which cuts its connections after a number of bytes. Some of them
// are slower than others, so that a command sent early may arrive after one sent late over another connection.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { expectAllRight, hurry, isDone, moveUnderFault, PATIENT, SETTINGS, startMove, statesOfSlots, untilDone } from './moving.ts';

/** Long enough for a key to leave meanwhile over another connection. */
const SLOW_MS = 20;
const SLOW_SHARE = 0.4;
/** In percent of the source's time: what a move takes while slots are migrating anyway. Between batches, when nothing is under way, it waits no longer. */
const SHARE_IN_A_MOVE = 50;

describe('while slots move', PATIENT, () => {
  let cluster: Cluster;
  let checker: Checker;
  let target: RedisServer;
  let way: TcpProxy;

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 2, groups: 1, settings: { ...SETTINGS, migration_batch_slots: 128 } });
    target = await startRedis();
    way = await startTcpProxy(target.port, { delayMs: () => (Math.random() < SLOW_SHARE ? SLOW_MS : 0) });
    await cluster.cliOk('server', 'add', '2', way.addr, 'master');
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port) });
    await checker.fill();
    checker.start();
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await way.close();
    await target.stop();
    await stopAll();
  });

  test('the way to the target is cut in the middle of requests, and of replies', async () => {
    const strike = async (number: number, id: number) => {
      const cuts = way.acceptedCount;
      way.cutAfter(number % 2 === 0 ? 'toServer' : 'toClient', 1 + Math.floor(Math.random() * 3000));
      await eventually(async () => way.acceptedCount > cuts || (await isDone(cluster, id)), {
        what: 'new connections after the cut, or the end of the move, after which nobody may use them',
        timeoutMs: 30_000,
      });
    };
    const strikes = await moveUnderFault({ cluster, checker, to: 2, delayMs: 10, strike, strikesMax: 6 });
    expect(strikes).toBeGreaterThan(2);
    expect(checker.violations).toEqual([]);
  });

  test('the way from the source is cut in the middle of requests, and of replies', async () => {
    const strike = async (number: number, id: number) => {
      const cuts = way.acceptedCount;
      way.cutAfter(number % 2 === 0 ? 'toServer' : 'toClient', 1 + Math.floor(Math.random() * 3000));
      await eventually(async () => way.acceptedCount > cuts || (await isDone(cluster, id)), {
        what: 'new connections after the cut, or the end of the move, after which nobody may use them',
        timeoutMs: 30_000,
      });
    };
    await moveUnderFault({ cluster, checker, to: 1, delayMs: 10, strike, strikesMax: 6 });
    expect(checker.violations).toEqual([]);
  });

  test('nothing but some connections’ slowness happens, to and fro', async () => {
    for (const to of [2, 1]) {
      await untilDone(cluster, await startMove({ cluster, to, delayMs: 0, share: SHARE_IN_A_MOVE }));
      way.cut();
    }
    expect(checker.violations).toEqual([]);
  });

  test('the target hangs for a moment, its connections open', async () => {
    const strike = async () => {
      way.stall();
      await pause(Math.random() * 300);
      way.restore();
    };
    await moveUnderFault({ cluster, checker, to: 2, delayMs: 10, strike, strikesMax: 3 });
    expect(checker.violations).toEqual([]);
  });

  test('the target is full, until it gets more memory', async () => {
    const source = cluster.servers[0]?.[0] as RedisServer;
    const admin = source.client();
    const id = await startMove({ cluster, to: 1, delayMs: 10, share: SHARE_IN_A_MOVE });
    const before = checker.reasons.size;
    const isMet = () => [...checker.reasons.keys()].slice(before).some((reason) => /TRYAGAIN .*OOM/.test(reason));
    // Between two batches it would be found before anything is locked, and no hand-over would meet it: then once more.
    const fillUp = async () => {
      await admin.config('SET', 'maxmemory', '0');
      await eventually(async () => (await statesOfSlots(cluster)).includes('migrating'), { what: 'slots to be migrating', everyMs: 5 });
      await admin.config('SET', 'maxmemory', '1');
      for (let tries = 0; tries < 40 && !isMet(); tries++) await pause(50);
      return isMet();
    };
    await eventually(fillUp, { what: 'a hand-over to meet the full target', timeoutMs: 60_000 });
    await eventually(async () => /OOM/.test(await cluster.cliOk('migration', 'show', String(id))), {
      what: 'the migration to say why it waits',
    });
    await admin.config('SET', 'maxmemory', '0');
    await hurry(cluster, id);
    await untilDone(cluster, id);
    expect(checker.violations).toEqual([]);
  });

  test('in the end everything is as the clients were told, and every key in the group that owns it', async () => {
    await expectAllRight(cluster, checker, { masters: [cluster.servers[0]?.[0] as RedisServer, target] });
  });
});
