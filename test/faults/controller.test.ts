// Goal: the controller may die or freeze at any moment of a move: another one goes on, nothing is to be cleared away by hand, and a frozen one that wakes up
// does no harm.
// Method: clients with an oracle (checker/) while slots go to and fro and the dashboards, one of which is elected, are killed, frozen and started again.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { expectAllRight, freeze, moveUnderFault, PATIENT, SETTINGS } from './moving.ts';

describe('while slots move', PATIENT, () => {
  let cluster: Cluster;
  let checker: Checker;

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 2, groups: 2, settings: SETTINGS });
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port) });
    await checker.fill();
    checker.start();
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await stopAll();
  });

  test('the only dashboard is killed again and again, and each next one goes on at once', async () => {
    const strike = async () => {
      await cluster.dashboard.stop('SIGKILL');
      await cluster.startDashboard();
    };
    await moveUnderFault({ cluster, checker, to: 2, delayMs: 20, strike, strikesMax: 4 });
    expect(checker.violations).toEqual([]);
  });

  test('the elected dashboard freezes, another takes over and ends the move, and the frozen one wakes up', async () => {
    const other = await cluster.startAnotherDashboard();
    const strike = async () => {
      const frozen = freeze([cluster.dashboard.pid]);
      await eventually(() => /"msg":"slots moved"/.test(other.output()), {
        what: 'another controller to go on',
        timeoutMs: 30_000,
        everyMs: 5,
      });
      frozen.thaw();
    };
    await moveUnderFault({ cluster, checker, to: 1, delayMs: 20, strike, strikesMax: 1 });
    await other.stop('SIGKILL');
    expect(checker.violations).toEqual([]);
  });

  test('in the end no command had an outcome that nobody knows, and every key is in the group that owns it', async () => {
    await expectAllRight(cluster, checker, { masters: cluster.servers.flat() });
    expect(checker.outcomes.unknown, JSON.stringify([...checker.reasons])).toBe(0);
  });
});
