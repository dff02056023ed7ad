// Goal: a source that dies in the middle of a move and comes back with an older snapshot overwrites nothing that its target has by now, and brings nothing back that
// was deleted there.
// Method: clients with an oracle (checker/). All slots are migrating when the snapshot is taken, so nothing is written at the source any more; what has left it
// since and was changed or deleted at the target is back at the source after the restart.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checker } from '../checker/checker.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { expectAllRight, PATIENT, SETTINGS, startMove, statesOfSlots, untilDone } from './moving.ts';

const KEYS_TO_LEAVE = 100;

describe('a source that restarts from an older snapshot', PATIENT, () => {
  let cluster: Cluster;
  let checker: Checker;

  beforeAll(async () => {
    cluster = await startCluster({ proxies: 2, groups: 1, settings: { ...SETTINGS, migration_batch_slots: 1024 } });
    const target = await startRedis();
    cluster.servers.push([target]);
    await cluster.cliOk('server', 'add', '2', target.addr, 'master');
    checker = new Checker({ ports: cluster.proxies.map(({ port }) => port) });
    await checker.fill();
    checker.start();
  });

  afterAll(async () => {
    checker.close();
    await cluster.stop();
    await stopAll();
  });

  test('overwrites no newer data at the target, and brings back nothing', async () => {
    const [[source], [target]] = cluster.servers as [[RedisServer], [RedisServer]];
    const admin = source.client();
    const id = await startMove({ cluster, last: 1023, to: 2, delayMs: 100 });
    await eventually(async () => (await statesOfSlots(cluster)).join() === 'migrating', { what: 'all slots to be migrating', everyMs: 2 });
    await admin.save();
    const saved = await admin.dbsize();
    const left = await eventually(
      async () => {
        const count = await admin.dbsize();
        return count <= saved - KEYS_TO_LEAVE ? count : undefined;
      },
      { what: 'keys to leave after the snapshot', everyMs: 5 },
    );
    const [, dir = ''] = (await admin.config('GET', 'dir')) as string[];
    await source.child.stop('SIGKILL');
    const back = await startRedis({ port: source.port, config: { dir } });
    cluster.servers[0] = [back];
    const found = Number(/db0:keys=(\d+)/.exec(back.child.output())?.[1] ?? /keys loaded: (\d+)/.exec(back.child.output())?.[1]);
    expect(found).toBeGreaterThan(left);

    await untilDone(cluster, id);
    await expectAllRight(cluster, checker, { masters: [back, target] });
  });
});
