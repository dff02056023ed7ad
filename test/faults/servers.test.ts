// Goal: a master on either side of a move may freeze, or die and be replaced by its replica: what clients were told is there, is there.
// Method: clients with an oracle (checker/). Redis replicates after it has answered, so what a client was told counts once a replica has it (WAIT).

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { expectAllRight, freeze, moveUnderFault, PATIENT, SETTINGS } from './moving.ts';

describe('while slots move', PATIENT, () => {
  let cluster: Cluster;
  let checker: Checker;
  /** By group, as it is now. */
  let masters: RedisServer[];
  let replicas: RedisServer[];

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 2, groups: 2, replicas: 1, settings: SETTINGS });
    masters = cluster.servers.map(([master]) => master as RedisServer);
    replicas = cluster.servers.map(([, replica]) => replica as RedisServer);
    await Promise.all(masters.map((master) => untilReplicated(master)));
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port), actors: 24, replicas: 1 });
    await checker.fill();
    checker.start();
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await stopAll();
  });

  const untilReplicated = (master: RedisServer) => {
    const client = master.client();
    return eventually(async () => /state=online/.test(await client.info('replication')), {
      what: `a replica of ${master.addr}`,
      timeoutMs: 30_000,
    });
  };

  /** As an operator does it. What was the master comes back as a replica of the other. */
  async function replaceMaster(group: number): Promise<void> {
    const [dead, heir] = [masters[group - 1], replicas[group - 1]] as [RedisServer, RedisServer];
    await dead.child.stop('SIGKILL');
    await cluster.cliOk('server', 'promote', String(group), heir.addr);
    const back = await startRedis({ port: dead.port, replicaOf: heir });
    masters[group - 1] = heir;
    replicas[group - 1] = back;
    cluster.servers.push([back]);
    await untilReplicated(heir);
  }

  test('the masters freeze, by turns', async () => {
    const strike = async (number: number) => {
      const frozen = freeze([masters[number % 2]?.child.pid ?? 0]);
      await pause(Math.random() * 400);
      frozen.thaw();
    };
    await moveUnderFault({ cluster, checker, to: 2, delayMs: 20, strike, strikesMax: 6 });
    expect(checker.violations).toEqual([]);
  });

  test('the master that loses the slots dies, and its replica is promoted', async () => {
    await moveUnderFault({ cluster, checker, to: 1, delayMs: 20, strike: () => replaceMaster(2), strikesMax: 1 });
    expect(checker.violations).toEqual([]);
  });

  test('the master that gains the slots dies, and its replica is promoted', async () => {
    await moveUnderFault({ cluster, checker, to: 2, delayMs: 20, strike: () => replaceMaster(2), strikesMax: 1 });
    expect(checker.violations).toEqual([]);
  });

  test('in the end everything is as the clients were told, and every key in the group that owns it', async () => {
    await expectAllRight(cluster, checker, { masters });
  });
});
