// Goal: whatever happens to a proxy or one of its workers while slots move, and whoever joins or leaves meanwhile, no client of any proxy sees anything that
// can't be.
// Method: clients with an oracle (checker/) over three proxies; slots go to and fro while processes are killed, frozen, started and stopped.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, type ProxyProcess, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { expectAllRight, freeze, moveUnderFault, PATIENT, SETTINGS, untilDone } from './moving.ts';

describe('while slots move', PATIENT, () => {
  let cluster: Cluster;
  let checker: Checker;
  let victim: ProxyProcess;
  const DATABASES = [0, 7];

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 3, groups: 2, settings: { ...SETTINGS, workers: 2 } });
    victim = cluster.proxies[1] as ProxyProcess;
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port), databases: DATABASES, actors: 32, patienceMs: 1500 });
    await checker.fill();
    checker.start();
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await stopAll();
  });

  test('a proxy is killed and started again', async () => {
    await moveUnderFault({ cluster, checker, to: 2, strike: () => victim.restart(), strikesMax: 3 });
    expect(checker.violations).toEqual([]);
  });

  test('workers of all proxies are killed', async () => {
    const strike = async (number: number) => {
      const { workers } = await (cluster.proxies[number % 3] as ProxyProcess).status();
      const worker = workers[number % workers.length];
      if (worker) process.kill(worker.pid, 'SIGKILL');
    };
    await moveUnderFault({ cluster, checker, to: 1, strike, strikesMax: 9 });
    expect(checker.violations).toEqual([]);
  });

  test('a proxy is frozen until the move is over without it, and wakes up', async () => {
    const strike = async (_: number, id: number) => {
      const frozen = freeze(await victim.pids());
      await untilDone(cluster, id);
      frozen.thaw();
      await eventually(async () => (await victim.status()).serving, { what: 'it to serve again' });
    };
    await moveUnderFault({ cluster, checker, to: 2, strike, strikesMax: 1 });
    expect(checker.violations).toEqual([]);
  });

  test('a proxy is killed while one of its workers is frozen, another takes its place, and the worker wakes up', async () => {
    const strike = async (_: number, id: number) => {
      const [, ...workers] = await victim.pids();
      const frozen = freeze(workers);
      await victim.restart();
      await untilDone(cluster, id);
      frozen.thaw();
    };
    await moveUnderFault({ cluster, checker, to: 1, strike, strikesMax: 1 });
    expect(checker.violations).toEqual([]);
  });

  test('a proxy, or one of its workers, is frozen for a moment', async () => {
    const strike = async (number: number) => {
      const pids = await victim.pids();
      const frozen = freeze(number % 2 === 0 ? pids : pids.slice(1, 2));
      await pause(50 + Math.random() * 250);
      frozen.thaw();
    };
    await moveUnderFault({ cluster, checker, to: 2, strike, strikesMax: 10 });
    expect(checker.violations).toEqual([]);
  });

  test('a proxy joins, and another one leaves', async () => {
    const strike = async () => {
      const joined = await cluster.startProxy('proxy_4');
      checker.addProxy(joined.port);
      await pause(100);
      await victim.child.stop('SIGTERM');
    };
    await moveUnderFault({ cluster, checker, to: 1, delayMs: 20, strike, strikesMax: 1 });
    await victim.restart();
    expect(checker.violations).toEqual([]);
  });

  test('in the end everything is as the clients were told, and every key in the group that owns it', async () => {
    await expectAllRight(cluster, checker, { masters: cluster.servers.flat(), databases: DATABASES });
  });
});
