// Goal: ZooKeeper may freeze, die and come back while slots move: nobody's commands fail for it, nothing changes meanwhile, and then the move goes on.
// Method: clients with an oracle (checker/) while slots move and the one ZooKeeper server is frozen, killed and started again.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { stopAll } from '../harness/process.ts';
import { startZookeeper, type ZookeeperServer } from '../harness/zookeeper.ts';
import { expectAllRight, moveUnderFault, PATIENT, SETTINGS } from './moving.ts';

describe('while slots move', PATIENT, () => {
  let zookeeper: ZookeeperServer;
  let cluster: Cluster;
  let checker: Checker;

  beforeAll(async () => {
    zookeeper = await startZookeeper();
    cluster = await startCluster({ proxies: 2, groups: 2, zk: zookeeper.addr, settings: SETTINGS });
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port) });
    await checker.fill();
    checker.start();
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await zookeeper.stop();
    await stopAll();
  });

  test('ZooKeeper freezes for a moment, and once for longer than sessions live', async () => {
    const strike = async (number: number) => {
      await zookeeper.freeze();
      await pause(number === 1 ? SETTINGS.zk_session_timeout * 1.5 : Math.random() * 300);
      zookeeper.thaw();
    };
    await moveUnderFault({ cluster, checker, to: 2, delayMs: 20, strike, strikesMax: 5 });
    expect(checker.violations).toEqual([]);
  });

  test('ZooKeeper is killed and started again', async () => {
    await moveUnderFault({ cluster, checker, to: 1, delayMs: 20, strike: () => zookeeper.restart(), strikesMax: 3 });
    expect(checker.violations).toEqual([]);
  });

  test('in the end everything is as the clients were told, and every key in the group that owns it', async () => {
    await expectAllRight(cluster, checker, { masters: cluster.servers.flat() });
  });
});
