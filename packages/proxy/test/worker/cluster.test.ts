// Goal: what a cluster-aware client asks gets answers in Redis Cluster's own form, with the live proxies as its nodes.
// Method: one worker that is told which proxies live, two real servers behind it; Redis itself says what a key's slot is.

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, freePort } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { clusterNodes, nodeId } from '../../src/worker/local/cluster-nodes.ts';
import { clusterSlotOf } from '../../src/worker/local/cluster-slot.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

let servers: RedisServer[];
let oracle: RedisServer;
let worker: OneWorker;

beforeAll(async () => {
  servers = [await startRedis(), await startRedis()];
  const config = { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1', 'cluster-port': String(await freePort()) };
  oracle = await startRedis({ config });
  await oracle.client().cluster('ADDSLOTSRANGE', 0, 16383);
  await eventually(async () => String(await oracle.client().cluster('INFO')).includes('cluster_state:ok'), {
    what: 'the oracle to be ready',
  });
  worker = await startWorker({ proxy_id: 'p2' });
  worker.route(servers);
});

afterAll(async () => {
  worker.close();
  await Promise.all([...servers, oracle].map((server) => server.stop()));
});

function tell(...ids: string[]): void {
  worker.setProxies(ids.map((id) => ({ id, addr: id === 'p2' ? `127.0.0.1:${worker.port}` : `10.0.0.${id.slice(1)}:19000` })));
}

describe('the nodes', () => {
  test('are the live proxies, each a master with an equal run of all slots', async () => {
    tell('p1', 'p2', 'p3');
    const client = worker.client();
    expect(await client.cluster('SLOTS')).toEqual([
      [0, 5460, ['10.0.0.1', 19000, nodeId('demo', 'p1'), []]],
      [5461, 10921, ['127.0.0.1', worker.port, nodeId('demo', 'p2'), []]],
      [10922, 16383, ['10.0.0.3', 19000, nodeId('demo', 'p3'), []]],
    ]);
    const nodes = String(await client.cluster('NODES'))
      .trimEnd()
      .split('\n');
    expect(nodes.map((line) => line.replace(/ \d{13} /, ' now '))).toEqual([
      `${nodeId('demo', 'p1')} 10.0.0.1:19000@0 master - 0 now 1 connected 0-5460`,
      `${nodeId('demo', 'p2')} 127.0.0.1:${worker.port}@0 myself,master - 0 0 1 connected 5461-10921`,
      `${nodeId('demo', 'p3')} 10.0.0.3:19000@0 master - 0 now 1 connected 10922-16383`,
    ]);
    expect(await client.cluster('INFO')).toContain('cluster_state:ok\r\ncluster_slots_assigned:16384\r\n');
    expect(await client.cluster('INFO')).toContain('cluster_known_nodes:3\r\ncluster_size:3\r\n');
    expect(await client.cluster('MYID')).toBe(nodeId('demo', 'p2'));
    expect(await client.cluster('MYSHARDID')).toMatch(/^[0-9a-f]{40}$/);
    expect(await client.cluster('LINKS')).toEqual([]);
  });

  test('change when a proxy comes or goes', async () => {
    const client = worker.client();
    tell('p1', 'p2');
    expect(await client.cluster('SLOTS')).toHaveLength(2);
    tell('p2');
    expect(await client.cluster('SLOTS')).toEqual([[0, 16383, ['127.0.0.1', worker.port, nodeId('demo', 'p2'), []]]]);
  });

  test('leave out a proxy that loses its clients while others are there', async () => {
    tell('p1', 'p3');
    const client = worker.client();
    expect(await client.cluster('SLOTS')).toEqual([
      [0, 8191, ['10.0.0.1', 19000, nodeId('demo', 'p1'), []]],
      [8192, 16383, ['10.0.0.3', 19000, nodeId('demo', 'p3'), []]],
    ]);
    expect(await client.cluster('NODES')).toMatch(/myself,master - 0 0 1 connected\n$/);
  });

  test('are this proxy alone until it is told of others', () => {
    const self = { id: 'p1', addr: 'redis.example:19000' };
    expect(clusterNodes({ product: 'demo', proxies: [], self, reachedAt: '127.0.0.1:19000' })).toMatchObject([
      { host: 'redis.example', port: 19000, myself: true, slots: [0, 16383] },
    ]);
  });

  test('announce no 0.0.0.0: for itself what the client has reached, others not at all', () => {
    const self = { id: 'p1', addr: '0.0.0.0:19000' };
    const proxies = [self, { id: 'p2', addr: '[::]:19000' }, { id: 'p3', addr: '[fe80::3]:19000' }];
    expect(clusterNodes({ product: 'demo', proxies, self, reachedAt: '::ffff:10.1.1.1:19000' })).toMatchObject([
      { host: '10.1.1.1', port: 19000, slots: [0, 8191] },
      { host: 'fe80::3', port: 19000, slots: [8192, 16383] },
    ]);
    expect(clusterNodes({ product: 'demo', proxies, self, reachedAt: 'fe80::1:19000' })[0]).toMatchObject({ host: 'fe80::1' });
  });

  test.each(
    ['SLOTS', 'SHARDS', 'NODES', 'INFO', 'LINKS', 'MYID'].flatMap((subcommand) =>
      [2, 3].map((protocol) => [subcommand, protocol] as const),
    ),
  )('are told by CLUSTER %s in RESP%i byte for byte as by Redis Cluster, but for who and where they are', async (subcommand, protocol) => {
    tell('p2');
    const asked = (port: number) => inOneShape(port, `CLUSTER ${subcommand}`, protocol);
    expect(await asked(worker.port)).toBe(await asked(oracle.port));
  });
});

/** A reply without ids, ports and epochs, and the lengths that follow from them. */
async function inOneShape(port: number, command: string, protocol: number): Promise<string> {
  const raw = new RawClient(port);
  const [, reply] = await raw.ask(`HELLO ${protocol}\r\n${command}\r\n`, 2);
  raw.close();
  return (reply as string)
    .replace(/[0-9a-f]{40}/g, '<id>')
    .replace(new RegExp(`:${port}(@\\d+)?`, 'g'), ':<port>')
    .replace(/epoch:\d+|(?<=0 0 )\d+/g, '<epoch>')
    .replace(/^[$=]\d+/gm, '<length>');
}

describe('slots of keys', () => {
  test.each(['a', '', 'user:{7}:name', 'a{}b', '{', '}{', '{}', 'x{a}{b}', '{{a}}', 'é', '{a'])(
    'KEYSLOT %j is what Redis Cluster says',
    async (key) => {
      const slot = await oracle.client().cluster('KEYSLOT', key);
      expect(clusterSlotOf(Buffer.from(key))).toBe(slot);
      expect(await worker.client().cluster('KEYSLOT', key)).toBe(slot);
    },
  );

  test('COUNTKEYSINSLOT and GETKEYSINSLOT find every key over all groups, once, and the fence of no proxy', async () => {
    const client = worker.client();
    const keys = Array.from({ length: 3000 }, (_, at) => `key:${at % 10 === 0 ? '{hot}' : ''}${at}`);
    await client.mset(Object.fromEntries(keys.map((key) => [key, 'x'])));
    for (const server of servers) await server.client().set('__codis_fence__:demo', '1');
    const hot = clusterSlotOf(Buffer.from('hot'));
    const inSlot = (slot: number) => keys.filter((key) => clusterSlotOf(Buffer.from(key)) === slot);
    expect(await client.cluster('COUNTKEYSINSLOT', hot)).toBe(inSlot(hot).length);
    expect(((await client.cluster('GETKEYSINSLOT', hot, 5000)) as string[]).toSorted()).toEqual(inSlot(hot).toSorted());
    expect(await client.cluster('GETKEYSINSLOT', hot, 7)).toHaveLength(7);
    expect(await client.cluster('GETKEYSINSLOT', hot, 0)).toEqual([]);
    const fence = clusterSlotOf(Buffer.from('__codis_fence__:demo'));
    expect(await client.cluster('COUNTKEYSINSLOT', fence)).toBe(inSlot(fence).length);
  });

  test('a count comes after what the same client wrote before it', async () => {
    const raw = new RawClient(worker.port);
    const slot = clusterSlotOf(Buffer.from('{late}'));
    const replies = await raw.ask(`SELECT 3\r\nSET {late}1 x\r\nCLUSTER COUNTKEYSINSLOT ${slot}\r\nPING\r\n`, 4);
    raw.close();
    expect(replies).toEqual(['+OK\r\n', '+OK\r\n', ':1\r\n', '+PONG\r\n']);
  });

  test('keys in a move are found at both sides, each once, and leftovers at a third place not at all', async () => {
    const third = await startRedis();
    const other = await startWorker();
    const all = [...servers, third];
    for (const server of all) await server.client().flushall();
    const migrating = { kind: 'migrating', from: 1, to: 2, migration: 1, epoch: 1 } as never;
    other.route(all, () => migrating);
    for (const [at, keys] of [['{t}both', '{t}source'], ['{t}both', '{t}target'], ['{t}orphan']].entries()) {
      for (const key of keys) await all[at]!.client().set(key, 'x');
    }
    const slot = clusterSlotOf(Buffer.from('t'));
    expect(((await other.client().cluster('GETKEYSINSLOT', slot, 10)) as string[]).toSorted()).toEqual([
      '{t}both',
      '{t}source',
      '{t}target',
    ]);
    expect(await other.client().cluster('COUNTKEYSINSLOT', slot)).toBe(3);
    other.close();
    await third.stop();
  });

  test('what is sent after a count does not count', async () => {
    const raw = new RawClient(worker.port);
    const slot = clusterSlotOf(Buffer.from('{after}'));
    const replies = await raw.ask(`CLUSTER COUNTKEYSINSLOT ${slot}\r\nSET {after}1 x\r\nCLUSTER COUNTKEYSINSLOT ${slot}\r\n`, 3);
    raw.close();
    expect(replies).toEqual([':0\r\n', '+OK\r\n', ':1\r\n']);
  });

  test('a server that is down makes the count an error, not a smaller number', async () => {
    const third = await startRedis();
    const other = await startWorker();
    other.route([...servers, third]);
    const client = other.client();
    expect(await client.cluster('COUNTKEYSINSLOT', 1)).toBeTypeOf('number');
    await third.stop();
    await eventually(async () => (await client.cluster('COUNTKEYSINSLOT', 1).catch(String)).toString().includes("can't be reached"), {
      what: 'the error of the server that is gone',
    });
    other.close();
  });
});

describe('errors', () => {
  test.each([
    'CLUSTER COUNTKEYSINSLOT 16384',
    'CLUSTER COUNTKEYSINSLOT -1',
    'CLUSTER COUNTKEYSINSLOT abc',
    'CLUSTER GETKEYSINSLOT 5 -1',
    'CLUSTER GETKEYSINSLOT 5 x',
    'CLUSTER GETKEYSINSLOT x 1',
    'CLUSTER COUNT-FAILURE-REPORTS nobody',
    'CLUSTER REPLICAS nobody',
    'CLUSTER SLAVES nobody',
    'CLUSTER INFO more',
    'CLUSTER',
    'CLUSTER FOO',
    'ASKING',
    'ROLE',
    'LOLWUT',
  ])('%s answers as Redis Cluster does', async (command) => {
    expect(await answer(worker.port, command)).toBe(await answer(oracle.port, command));
  });

  test('of nodes that are there are none', async () => {
    tell('p2');
    const client = worker.client();
    expect(await client.cluster('COUNT-FAILURE-REPORTS', nodeId('demo', 'p2'))).toBe(0);
    expect(await client.cluster('REPLICAS', nodeId('demo', 'p2'))).toEqual([]);
  });

  test.each([
    ['ADDSLOTS 1', /codis-config slot/],
    ['SETSLOT 1 STABLE', /codis-config slot/],
    ['FLUSHSLOTS', /codis-config slot/],
    ['MEET 127.0.0.1 1', /codis-config proxy/],
    ['FORGET abc', /codis-config proxy/],
    ['RESET', /codis-config proxy/],
    ['BUMPEPOCH', /codis-config proxy/],
    ['SAVECONFIG', /codis-config proxy/],
    ['FAILOVER', /codis-config server/],
    ['REPLICATE abc', /codis-config server/],
  ])('name the right tool where a cluster would change: %s', async (subcommand, tool) => {
    expect(await answer(worker.port, `CLUSTER ${subcommand}`)).toMatch(tool);
  });
});

test('LASTSAVE is when all of the data had been saved: the earliest of the servers', async () => {
  const times = await Promise.all(servers.map((server) => server.client().lastsave()));
  expect(await worker.client().lastsave()).toBe(Math.min(...times));
});

test('ROLE has no replicas, which a client would read past the proxy', async () => {
  const client = new Redis({ port: worker.port, protocol: 2, retryStrategy: null });
  expect(await client.role()).toEqual(['master', 0, []]);
  client.disconnect();
});

async function answer(port: number, command: string): Promise<string | undefined> {
  const raw = new RawClient(port);
  const [reply] = await raw.ask(`${command}\r\n`);
  raw.close();
  return reply;
}
