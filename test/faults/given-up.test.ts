// Goal: what a worker gave up, because its server stood still for backend_recv_timeout, does not run there once the slots have begun to leave: a script would
// find one of its keys and not the other. And the migration says why it waits for that server.
// Method: as in dead-worker.test.ts, but for the worker, which lives on: the source stands still with many scripts on their way, more than a server reads at
// once, until the worker gives them up; the slot is locked; the source wakes up, and another proxy's client asks for one of the keys at once.

import { slotOf } from '@codis/config/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { encode, RawClient } from '../harness/raw-client.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { freeze, lock, migration, SETTINGS, startMove, stateOfSlot, untilDone } from './moving.ts';

const SCRIPTS = 5000;
/** Slow, so that they are not all done before anything else. */
const TRANSFER = `for i = 1, 100000 do end redis.call('DECR', KEYS[1]) redis.call('INCR', KEYS[2])`;
const [FROM, TO] = ['{t}from', '{t}to'] as const;
const SLOT = slotOf(Buffer.from(FROM));

let cluster: Cluster;
let target: RedisServer;
let way: TcpProxy;

beforeAll(async () => {
  cluster = await startCluster({
    proxies: 2,
    groups: 1,
    settings: {
      ...SETTINGS,
      slot_lock_lease_ms: 60_000,
      slot_hold_timeout_ms: 30_000,
      backend_recv_timeout: 1,
      session_max_pipeline: 2 * SCRIPTS,
    },
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

/** Scripts that are sent to a source which stands still, and given up. */
async function giveUpScripts(proxy: ProxyProcess): Promise<void> {
  const client = await RawClient.open(proxy.port);
  client.send(Buffer.concat(Array.from({ length: SCRIPTS }, () => encode(['EVAL', TRANSFER, 2, FROM, TO]))));
  expect((await client.reply()).toString()).toMatch(/whether the command was carried out is unknown/);
  client.close();
}

test('scripts that a worker gave up are done whole or not at all', async () => {
  const [proxy, other] = cluster.proxies as [ProxyProcess, ProxyProcess];
  const source = cluster.servers[0]?.[0] as RedisServer;
  const bystander = await RawClient.open(other.port);
  for (const each of [await RawClient.open(proxy.port), bystander]) await each.ask('EVAL', TRANSFER, 2, FROM, TO);

  // What dead processes left is cut off by then, so a lock needs nothing of the source.
  await untilDone(cluster, await startMove({ cluster, first: SLOT + 1, last: SLOT + 1, to: 2 }));
  way.stall();
  const id = await startMove({ cluster, first: SLOT, last: SLOT, to: 2 });
  await eventually(async () => (await migration(cluster, id)).waiting !== null, { what: 'the controller to wait for the target' });
  const frozen = freeze([source.child.pid]);
  await giveUpScripts(proxy);
  await lock(cluster, { slot: SLOT, id, to: 2 });
  way.restore();
  bystander.command('GET', FROM);
  // Longer than the acknowledgements and a controller that looks at the source would take. They must not come before the source wakes up.
  const early = await eventually(async () => (await stateOfSlot(cluster, SLOT)) !== 'locked', {
    what: '',
    timeoutMs: 8000,
    everyMs: 5,
  }).then(
    () => true,
    () => false,
  );
  frozen.thaw();
  await bystander.reply();
  bystander.close();
  await untilDone(cluster, id);

  const [from, to] = await other.client().mget(FROM, TO);
  expect(Number(from) + Number(to)).toBe(0);
  expect(await source.client().dbsize()).toBe(0);
  expect(early).toBe(false);
}, 60_000);
