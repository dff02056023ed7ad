// Goal: INFO reads as Redis's does: sections, field names and amounts that monitoring tools know, about the proxy and all servers behind it, at once also
// while a server is down.
// Method: a worker with real servers behind it; a Redis of its own says what sections and fields there are.

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

let servers: RedisServer[];
let oracle: RedisServer;
let worker: OneWorker;
let asking: Redis;

beforeAll(async () => {
  servers = [await startRedis(), await startRedis({ config: { maxmemory: '100mb' } }), await startRedis({ config: { maxmemory: '50mb' } })];
  oracle = await startRedis();
  worker = await startWorker();
  worker.route(servers);
  asking = worker.client();
});

afterAll(async () => {
  worker.close();
  await Promise.all([...servers, oracle].map((server) => server.stop()));
});

const sectionsOf = (text: string): string[] => [...text.matchAll(/^# (\w+)\r$/gm)].map(([, name]) => name as string);
const fieldsOf = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/^([^#:\r\n]+):(.*)\r$/gm)].map(([, name, value]) => [name as string, value as string]));

async function info(...sections: string[]): Promise<Map<string, string>> {
  return fieldsOf(await asking.info(...(sections as [string])));
}

/** `address:field` as a number, over all servers. */
async function total(field: string): Promise<number> {
  const texts = await Promise.all(servers.map((server) => server.client().info()));
  return texts.reduce((sum, text) => sum + Number(fieldsOf(text).get(field)), 0);
}

describe('sections', () => {
  test.each([
    [],
    ['all'],
    ['everything'],
    ['default'],
    ['server'],
    ['KEYSPACE', 'server', 'Clients'],
    ['nosuch'],
    ['nosuch', 'cpu'],
    ['server', 'server'],
    ['default', 'commandstats'],
    ['commandstats', 'errorstats', 'latencystats', 'modules', 'cluster'],
  ])('of INFO %s are those of Redis, in its order', async (...names) => {
    const expected = sectionsOf(await oracle.client().info(...(names as [string])));
    const found = sectionsOf(await worker.client().info(...(names as [string])));
    expect(found.filter((name) => name !== 'Proxy')).toEqual(expected);
  });

  test('of a plain INFO end with the proxy’s own, which can be asked for', async () => {
    expect(sectionsOf(await worker.client().info()).at(-1)).toBe('Proxy');
    expect(sectionsOf(await worker.client().info('proxy'))).toEqual(['Proxy']);
  });

  test('are separated as Redis does it, and marked as text in RESP3', async () => {
    const raw = new RawClient(worker.port);
    const [two] = await raw.ask('INFO cluster modules\r\n');
    const [, three] = await raw.ask('HELLO 3\r\nINFO cluster\r\n', 2);
    raw.close();
    expect(two).toMatch(/^\$\d+\r\n# Modules\r\n\r\n# Cluster\r\ncluster_enabled:1\r\n\r\n$/);
    expect(three).toMatch(/^=\d+\r\ntxt:# Cluster\r\n/);
  });
});

describe('fields', () => {
  test('about data are all there that Redis 7 has, in its order', async () => {
    const redis = await oracle.client().info();
    for (const section of ['memory', 'persistence'] as const) {
      const expected = [...fieldsOf(await oracle.client().info(section)).keys()];
      expect([...(await info(section)).keys()], `of ${section}`).toEqual(expected);
    }
    const read = ['uptime_in_seconds', 'connected_clients', 'blocked_clients', 'maxclients', 'total_connections_received'];
    read.push('total_commands_processed', 'instantaneous_ops_per_sec', 'rejected_connections', 'expired_keys', 'evicted_keys');
    read.push('keyspace_hits', 'keyspace_misses', 'pubsub_channels', 'pubsub_patterns', 'role', 'connected_slaves', 'master_repl_offset');
    read.push('used_cpu_sys', 'used_cpu_user', 'total_net_input_bytes', 'total_net_output_bytes', 'run_id', 'tcp_port', 'redis_version');
    const found = await info();
    for (const field of read) {
      expect(fieldsOf(redis).has(field), field).toBe(true);
      expect(found.get(field), field).toBeDefined();
    }
  });

  test('add up what the servers have', async () => {
    const client = worker.client();
    await client.mset(Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`sum:${at}`, 'x'.repeat(1000)])));
    await client.mget('sum:1', 'sum:2', 'no such key');
    const found = await info();
    expect(Number(found.get('used_memory')) / (await total('used_memory'))).toBeCloseTo(1, 0);
    expect(Number(found.get('keyspace_hits'))).toBe(await total('keyspace_hits'));
    expect(Number(found.get('keyspace_misses'))).toBe(await total('keyspace_misses'));
    expect(found.get('used_memory_human')).toMatch(/^\d+\.\d\d[KM]$/);
    expect(Number(found.get('mem_fragmentation_ratio'))).toBeGreaterThan(0);
  });

  test('of a limit that one server has not: there is none', async () => {
    expect((await info('memory')).get('maxmemory')).toBe('0');
    const limited = await startWorker();
    limited.route(servers.slice(1));
    const found = fieldsOf(await limited.client().info('memory'));
    limited.close();
    expect(found.get('maxmemory')).toBe(String(150 * 1024 * 1024));
    expect(found.get('maxmemory_human')).toBe('150.00M');
  });

  test('of the keyspace count every database over all groups, and no marker of a fence', async () => {
    const client = worker.client();
    for (const server of servers) await server.client().flushall();
    await client.mset(Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`k:${at}`, 'x'])));
    await client.pexpire('k:1', 100_000);
    await client.pexpire('k:2', 200_000);
    await client.select(3);
    await client.set('other', 'x');
    for (const server of servers) await server.client().set('__codis_fence__:demo', '1');
    const found = await info('keyspace');
    for (const server of servers) await server.client().del('__codis_fence__:demo');
    expect(found.get('db0')).toMatch(/^keys=30,expires=2,avg_ttl=\d+$/);
    expect(found.get('db3')).toBe('keys=1,expires=0,avg_ttl=0');
  });

  test('of a database that holds nothing but markers are not there', async () => {
    for (const server of servers) {
      await server.client().flushall();
      await server.client().set('__codis_fence__:demo', '1');
    }
    expect(await worker.client().info('keyspace')).toBe('# Keyspace\r\n');
    for (const server of servers) await server.client().flushall();
  });

  test('about clients and commands are the proxy’s', async () => {
    const clients = [worker.client(), worker.client()];
    await Promise.all(clients.map((client) => client.ping()));
    const before = await info();
    await clients[0]?.get('x');
    const after = await info('everything');
    expect(Number(after.get('connected_clients'))).toBeGreaterThanOrEqual(3);
    expect(after.get('maxclients')).toBe('10000');
    expect(Number(after.get('total_commands_processed'))).toBeGreaterThan(Number(before.get('total_commands_processed')));
    expect(Number(after.get('total_net_output_bytes'))).toBeGreaterThan(Number(before.get('total_net_output_bytes')));
    expect(after.get('cmdstat_get')).toMatch(/^calls=\d+,usec=\d+,usec_per_call=[\d.]+,rejected_calls=\d+,failed_calls=\d+$/);
    expect(Number(after.get('used_cpu_user'))).toBeGreaterThan(0);
  });

  test('of commands tell calls apart that failed, and that were refused before they were sent', async () => {
    const client = worker.client();
    const stats = async (name: string) => (await info('commandstats')).get(`cmdstat_${name}`) ?? 'calls=0,failed_calls=0,rejected_calls=0';
    const number = (text: string, key: string) => Number(new RegExp(`(?:^|,)${key}=(\\d+)`).exec(text)?.[1]);
    await client.set('a string', 'x');
    const before = await stats('lpush');
    await client.lpush('a string', 'y').catch(() => undefined);
    await client.call('LPUSH', 'too few').catch(() => undefined);
    await client.lpush('a list', 'y');
    const after = await stats('lpush');
    expect(number(after, 'calls') - number(before, 'calls')).toBe(2);
    expect(number(after, 'failed_calls') - number(before, 'failed_calls')).toBe(1);
    expect(number(after, 'rejected_calls') - number(before, 'rejected_calls')).toBe(1);
    expect(number(after, 'usec')).toBeGreaterThan(0);
  });

  test('of errors count each code, whoever said it', async () => {
    const client = worker.client();
    const counts = async () => {
      const found = await info('errorstats');
      return ['WRONGTYPE', 'ERR', 'CROSSSLOT'].map((code) => Number(found.get(`errorstat_${code}`)?.replace('count=', '') ?? 0));
    };
    await client.set('a string', 'x');
    const before = await counts();
    const total = async () => Number((await info('stats')).get('total_error_replies'));
    const totalBefore = await total();
    const wrong = [
      client.lpush('a string', 'y'),
      client.call('NOSUCH'),
      client.call('CLUSTER', 'KEYSLOT'),
      client.call('SELECT', 'x'),
      client.sinter('a', 'b'),
    ];
    await Promise.allSettled(wrong);
    expect((await counts()).map((count, at) => count - (before[at] as number))).toEqual([1, 3, 1]);
    expect((await total()) - totalBefore).toBe(5);
  });

  test('of latency are percentiles of whole times', async () => {
    await worker.client().get('x');
    const text = (await info('latencystats')).get('latency_percentiles_usec_get');
    const [p50, p99, p999] =
      /^p50=(\d+\.\d{3}),p99=(\d+\.\d{3}),p99.9=(\d+\.\d{3})$/
        .exec(text ?? '')
        ?.slice(1)
        .map(Number) ?? [];
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50 as number);
    expect(p999).toBeGreaterThanOrEqual(p99 as number);
  });

  test('of replication count the replicas and say where they are in # Proxy alone', async () => {
    const [master] = servers as [RedisServer];
    const replica = await startRedis({ replicaOf: master });
    const found = await eventually(
      async () => {
        const fields = await info('replication', 'proxy');
        return fields.get('group1')?.includes('replicas=1') ? fields : null;
      },
      { what: 'the replica to be told of' },
    );
    expect(found.get('connected_slaves')).toBe('1');
    expect(found.has('slave0')).toBe(false);
    expect(found.has('master_repl_offset')).toBe(true);
    await replica.stop();
  });

  test('count bytes to clients that are gone, too', async () => {
    const sent = async () => Number((await info('stats')).get('total_net_output_bytes'));
    const client = new RawClient(worker.port);
    await client.ask('COMMAND\r\n');
    const before = await sent();
    client.close();
    await eventually(async () => (await sent()) > before, { what: 'the count to go on' });
  });

  test('of commands per second follow what is going on', async () => {
    const client = worker.client();
    await eventually(
      async () => {
        await Promise.all(Array.from({ length: 200 }, () => client.get('x')));
        return Number((await info('stats')).get('instantaneous_ops_per_sec')) > 100;
      },
      { what: 'a rate above 100' },
    );
  });

  test('tell of the slot table, the groups, and of one server each', async () => {
    const found = await info('proxy');
    expect(found.get('slots_online')).toBe('1024');
    expect(found.get('slots_migrating')).toBe('0');
    expect(found.get('groups')).toBe('3');
    expect(found.get('servers_unreachable')).toBe('0');
    expect(found.get('group2')).toBe(`master=${servers[1]?.addr},state=online,replicas=0,lag=0`);
  });

  test('of the server say what client libraries wait for', async () => {
    const found = await info();
    expect(found.get('loading')).toBe('0');
    expect(found.get('role')).toBe('master');
    expect(found.has('master_link_status')).toBe(false);
    expect(found.get('redis_mode')).toBe('standalone');
    expect(found.get('redis_version')).toBe(fieldsOf(await oracle.client().info()).get('redis_version'));
    const raw = new RawClient(worker.port);
    const [hello] = await raw.ask('HELLO\r\n');
    raw.close();
    expect(hello).toContain(`${found.get('redis_version')}`);
    expect(hello).toContain('standalone');
  });
});

describe('what was sent before', () => {
  test('counts, also in another database', async () => {
    const raw = new RawClient(worker.port);
    const replies = await raw.ask('SELECT 9\r\nSET mine x\r\nINFO keyspace\r\nPING\r\n', 4);
    raw.close();
    expect(replies[2]).toContain('db9:keys=1,');
    expect(replies[3]).toBe('+PONG\r\n');
  });

  test('a thousand at once cost a server a few', async () => {
    const server = (servers[0] as RedisServer).client();
    const calls = async () => Number(/cmdstat_info:calls=(\d+)/.exec(await server.info('commandstats'))?.[1]);
    const clients = Array.from({ length: 25 }, () => new RawClient(worker.port));
    const before = await calls();
    const all = await Promise.all(clients.map((client) => client.ask('INFO\r\n'.repeat(40), 40)));
    expect(all.flat()).toHaveLength(1000);
    expect((await calls()) - before).toBeLessThan(300);
    for (const client of clients) client.close();
  });
});

describe('servers that can’t be asked', () => {
  test('that are down are left out at once, and told of', async () => {
    const dead = await startRedis();
    const other = await startWorker();
    other.route([...servers, dead]);
    await other.client().info();
    await dead.stop();
    const client = other.client();
    const found = await eventually(
      async () => {
        const fields = fieldsOf(await client.info());
        return fields.get('servers_unreachable') === '1' ? fields : null;
      },
      { what: 'the server to be missed' },
    );
    expect(found.get('group4')).toBe(`master=${dead.addr},state=unreachable`);
    expect(Number(found.get('used_memory'))).toBeGreaterThan(0);
    other.close();
  });

  test('that are frozen hold up one INFO for half a second, and the next not at all', async () => {
    const frozen = await startRedis();
    const other = await startWorker();
    other.route([...servers, frozen]);
    const client = other.client();
    await client.info();
    frozen.child.signal('SIGSTOP');
    expect(fieldsOf(await client.info()).get('servers_unreachable')).toBe('1');
    expect(fieldsOf(await client.info()).get('group4')).toContain('state=unreachable');
    frozen.child.signal('SIGCONT');
    await eventually(async () => fieldsOf(await client.info('proxy')).get('servers_unreachable') === '0', { what: 'it to answer again' });
    other.close();
    await frozen.stop();
  });

  test('all of them: the proxy still answers for itself', async () => {
    const other = await startWorker();
    const found = fieldsOf(await other.client().info());
    other.close();
    expect(found.get('loading')).toBe('0');
    expect(found.get('connected_clients')).toBe('1');
    expect(found.get('servers')).toBe('0');
    expect(found.has('used_memory')).toBe(false);
  });

  test('a client that goes away while they are asked harms nobody', async () => {
    const frozen = await startRedis();
    const other = await startWorker();
    other.route([frozen]);
    await other.client().info();
    frozen.child.signal('SIGSTOP');
    const gone = new RawClient(other.port);
    gone.socket.write('INFO\r\n');
    await eventually(() => (other.report().calls['info'] ?? 0) >= 2, { what: 'the INFO to be read' });
    gone.close();
    expect(fieldsOf(await other.client().info()).get('servers_unreachable')).toBe('1');
    frozen.child.signal('SIGCONT');
    other.close();
    await frozen.stop();
  });
});
