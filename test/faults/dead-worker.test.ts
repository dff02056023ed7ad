// Goal: what a worker sent before it died does not run at a source whose slots have begun to leave: a script would find one of its keys and not the other.
// Method: the source stands still with many scripts on their way, more than a server reads at once; the slot is locked; the worker is killed, and its
// successor acknowledges. Another proxy's client asks for one of the keys at once. To have the slot locked just then, the controller is kept from locking by a target that does not answer, and the
// test writes the lock in its name.

import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { encode, RawClient } from '../harness/raw-client.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { freeze, lock, migration, SETTINGS, startMove, stateOfSlot, untilDone } from './moving.ts';

const SCRIPTS = 5000;
const TRANSFER = `redis.call('DECR', KEYS[1]) redis.call('INCR', KEYS[2])`;
const [FROM, TO] = ['{t}from', '{t}to'] as const;

let cluster: Cluster;
let target: RedisServer;
let way: TcpProxy;

beforeAll(async () => {
  cluster = await startCluster({
    proxies: 2,
    groups: 1,
    settings: { ...SETTINGS, slot_lock_lease_ms: 60_000, slot_hold_timeout_ms: 30_000, session_max_pipeline: 2 * SCRIPTS },
  });
  target = await startRedis();
  way = await startTcpProxy(target.port);
  await cluster.cliOk('server', 'add', '2', way.addr, 'master');
});

afterAll(async () => {
  await cluster.stop();
  await way.close();
  await target.stop();
  await stopAll();
});

test('scripts that a dead worker sent are done whole or not at all', async () => {
  const [proxy, other] = cluster.proxies as [ProxyProcess, ProxyProcess];
  const source = cluster.servers[0]?.[0] as RedisServer;
  const client = await RawClient.open(proxy.port);
  const bystander = await RawClient.open(other.port);
  for (const each of [client, bystander]) await each.ask('EVAL', TRANSFER, 2, FROM, TO);
  const [worker] = (await proxy.status()).workers;

  const slot = slotOf(Buffer.from(FROM));
  way.stall();
  const id = await startMove({ cluster, first: slot, last: slot, to: 2 });
  await eventually(async () => (await migration(cluster, id)).waiting !== null, { what: 'the controller to wait for the target' });
  const frozen = freeze([source.child.pid]);
  client.send(Buffer.concat(Array.from({ length: SCRIPTS }, () => encode(['EVAL', TRANSFER, 2, FROM, TO]))));
  await eventually(async () => ((await proxy.status()).workers[0]?.requests ?? 0) > SCRIPTS, { what: 'the scripts to be sent' });
  await lock(cluster, { slot, id, to: 2 });
  way.restore();

  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await client.ended();
  const isNext = async () => {
    const { serving, workers } = await proxy.status();
    return serving && workers[0] !== undefined && workers[0].pid !== worker?.pid;
  };
  await eventually(isNext, { what: 'another worker to serve' });
  bystander.command('GET', FROM);
  await eventually(async () => (await stateOfSlot(cluster, slot)) !== 'locked', { what: 'the lock to end', timeoutMs: 30_000, everyMs: 5 });
  frozen.thaw();
  await bystander.reply();
  bystander.close();
  await untilDone(cluster, id);

  const [from, to] = await proxy.client().mget(FROM, TO);
  expect(Number(from) + Number(to)).toBe(0);
  expect(await source.client().dbsize()).toBe(0);
}, 60_000);
