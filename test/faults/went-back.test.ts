// Goal: what clients deleted at the target stays deleted when the source comes back with an older state of its data, in which those keys are still there: after
// a restart from a snapshot, and after a replica that lagged behind took its place. What never left the source is there as before.
// Method: the move is paused, so that keys leave when they are asked for and not otherwise. Clients of one proxy delete keys; the source goes back to before they
// left; clients of another proxy, which does not know that they had left, ask for them.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { PATIENT, SETTINGS, startMove, statesOfSlots, untilDone } from './moving.ts';

const COUNT = 200;
const names = (kind: string) => Array.from({ length: COUNT }, (_, number) => `${kind}:${number}`);
const DELETED = names('deleted');
const POPPED = names('popped');
const CHANGED = names('changed');
const STAYED = names('stayed');

interface Groups {
  readonly cluster: Cluster;
  readonly source: RedisServer;
  readonly target: RedisServer;
}

async function startGroups(): Promise<Groups> {
  const cluster = await startCluster({
    proxies: 2,
    groups: 1,
    settings: { ...SETTINGS, migration_batch_slots: 1024, slot_hold_timeout_ms: 20_000 },
  });
  const target = await startRedis();
  cluster.servers.push([target]);
  await cluster.cliOk('server', 'add', '2', target.addr, 'master');
  const source = cluster.servers[0]?.[0] as RedisServer;
  const client = source.client();
  await client.mset([...DELETED, ...CHANGED, ...STAYED].flatMap((key) => [key, 'old']));
  for (const key of POPPED) await client.rpush(key, 'old');
  return { cluster, source, target };
}

let groups: Groups;

beforeEach(async () => {
  groups = await startGroups();
});

afterEach(async () => {
  await groups.cluster.stop();
  await stopAll();
});

/** All slots are migrating, and the sweep has stopped after its first keys. */
async function startPaused(cluster: Cluster): Promise<number> {
  const id = await startMove({ cluster, last: 1023, to: 2, delayMs: 60_000 });
  await eventually(async () => (await statesOfSlots(cluster)).join() === 'migrating', { what: 'all slots to be migrating', everyMs: 2 });
  await cluster.cliOk('migration', 'pause', String(id));
  return id;
}

async function change({ cluster }: Groups): Promise<void> {
  const client = (cluster.proxies[0] as ProxyProcess).client();
  for (const key of DELETED) expect(await client.del(key)).toBe(1);
  for (const key of POPPED) expect(await client.lpop(key)).toBe('old');
  for (const key of CHANGED) await client.set(key, 'new');
}

/** What clients of the other proxy find, with the move still under way and when it is over. */
async function expectNothingBack({ cluster, target }: Groups, id: number): Promise<void> {
  const client = (cluster.proxies[1] as ProxyProcess).client();
  const found = async () => ({
    deleted: (await client.mget(DELETED)).filter((value) => value !== null),
    popped: await client.exists(...POPPED),
    changed: (await client.mget(CHANGED)).filter((value) => value !== 'new'),
    stayed: (await client.mget(STAYED.slice(0, COUNT / 2))).filter((value) => value !== 'old'),
  });
  expect(await found()).toEqual({ deleted: [], popped: 0, changed: [], stayed: [] });
  await cluster.cliOk('migration', 'resume', String(id));
  await cluster.cliOk('migration', 'throttle', String(id), '--delay=0');
  await untilDone(cluster, id);
  expect(await found()).toEqual({ deleted: [], popped: 0, changed: [], stayed: [] });
  expect(new Set(await target.client().keys('*'))).toEqual(new Set([...CHANGED, ...STAYED]));
}

describe('a source that restarts from a snapshot', PATIENT, () => {
  test('brings nothing back that was deleted since', async () => {
    const { cluster, source } = groups;
    const id = await startPaused(cluster);
    const admin = source.client();
    await admin.save();
    const [, dir = ''] = (await admin.config('GET', 'dir')) as string[];
    await change(groups);
    await source.child.stop('SIGKILL');
    const back = await startRedis({ port: source.port, config: { dir } });
    cluster.servers[0] = [back];
    await expectNothingBack(groups, id);
    expect(await back.client().dbsize()).toBe(0);
    expect(cluster.dashboard.output()).toMatch(/"staleCount":[1-9]\d*,"deletedCount":[1-9].*the source is another process/);
  });
});

describe('a replica that lagged behind', PATIENT, () => {
  let lag: TcpProxy;

  afterEach(() => lag.close());

  test('brings nothing back when it is promoted', async () => {
    const { cluster, source } = groups;
    let lagMs = 0;
    lag = await startTcpProxy(source.port, { lagMs: () => lagMs });
    const replica = await startRedis();
    const admin = replica.client();
    await admin.replicaof('127.0.0.1', source.port);
    await eventually(async () => /master_link_status:up/.test(await admin.info('replication')), { what: 'the replica to follow' });
    await cluster.cliOk('server', 'add', '1', replica.addr, 'replica');
    await admin.replicaof('127.0.0.1', lag.port);
    await eventually(async () => /master_link_status:up/.test(await admin.info('replication')), { what: 'the replica to follow' });
    lagMs = 30_000;

    const id = await startPaused(cluster);
    await change(groups);
    await source.child.stop('SIGKILL');
    // Once it is promoted they are soon deleted there.
    expect(await admin.exists(...DELETED)).toBe(DELETED.length);
    await cluster.cliOk('server', 'promote', '1', replica.addr);
    cluster.servers[0] = [replica];
    await expectNothingBack(groups, id);
    expect(await admin.dbsize()).toBe(0);
  });
});

describe('a source that restarts from a snapshot when the move is over, which one proxy has not heard of', PATIENT, () => {
  test('brings nothing back through that proxy, which goes on serving', async () => {
    const { cluster, source, target } = groups;
    const id = await startPaused(cluster);
    const cutOff = cluster.proxies[1] as ProxyProcess;
    const client = cutOff.client();
    expect(await client.get(STAYED[0] as string)).toBe('old');
    const admin = source.client();
    await admin.save();
    const [, dir = ''] = (await admin.config('GET', 'dir')) as string[];
    // Its primary has the session; its workers go on with the table that they have.
    const [primary] = (await cutOff.pids()) as [number];
    process.kill(primary, 'SIGSTOP');
    try {
      await cluster.cliOk('migration', 'resume', String(id));
      await cluster.cliOk('migration', 'throttle', String(id), '--delay=0');
      await untilDone(cluster, id);
      await change(groups);
      await source.child.stop('SIGKILL');
      const back = await startRedis({ port: source.port, config: { dir } });
      cluster.servers[0] = [back];
      expect(await back.client().exists(...DELETED)).toBe(DELETED.length);
      const found = await Promise.all([...DELETED, ...CHANGED, ...STAYED].map((key) => client.get(key)));
      expect(new Set(found.slice(0, COUNT))).toEqual(new Set([null]));
      expect(new Set(found.slice(COUNT, 2 * COUNT))).toEqual(new Set(['new']));
      expect(new Set(found.slice(2 * COUNT))).toEqual(new Set(['old']));
      expect(await target.client().exists(...DELETED, ...POPPED)).toBe(0);
    } finally {
      process.kill(primary, 'SIGCONT');
    }
    await eventually(async () => (await target.client().keys('{__codis_fence__*')).length === 0, { what: 'nothing to be kept' });
  });
});
