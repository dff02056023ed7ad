// Goal: CONFIG and MEMORY through the proxy are about the servers of all groups, and no client locks the proxies out with them or learns a server's password.
// Method: a worker in this process with two real servers that ask for a password; a plain connection to one of them is the oracle.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import { type OneWorker, RawClient, startWorker } from '../one-worker.ts';

const PASSWORD = 'server-secret';

let servers: RedisServer[];
let worker: OneWorker;
let raw: RawClient;

const direct = (at: number) => (servers[at] as RedisServer).client({ password: PASSWORD });
const inBoth = async (name: string) =>
  (await Promise.all([0, 1].map((at) => direct(at).config('GET', name)))).map((pair) => (pair as string[])[1]);

beforeAll(async () => {
  servers = await Promise.all([1, 2].map(() => startRedis({ config: { requirepass: PASSWORD, masterauth: PASSWORD } })));
});

beforeEach(async () => {
  worker = await startWorker({ product_auth: PASSWORD });
  raw = new RawClient(worker.port);
  worker.route(servers);
});

afterEach(() => {
  raw.close();
  worker.close();
});

afterAll(() => stopAll());

describe('CONFIG GET', () => {
  test.each([2, 3])('answers in RESP%i what the first group’s master answers', async (protocol) => {
    const oracle = new RawClient((servers[0] as RedisServer).port);
    await oracle.ask(`AUTH ${PASSWORD}\r\nHELLO ${protocol}\r\n`, 2);
    await raw.ask(`HELLO ${protocol}\r\n`);
    for (const line of ['CONFIG GET maxmemory*', 'CONFIG GET save hz', 'CONFIG GET none', 'CONFIG GET']) {
      expect(await raw.ask(`${line}\r\n`)).toEqual(await oracle.ask(`${line}\r\n`));
    }
    oracle.close();
  });

  test('does not tell the servers’ passwords', async () => {
    const [reply] = await raw.ask('CONFIG GET *\r\n');
    expect(reply).toContain('requirepass\r\n$0\r\n');
    expect(reply).toContain('masterauth\r\n$0\r\n');
    expect(reply).not.toContain(PASSWORD);
  });

  test('asks another group when the first one can’t be reached', async () => {
    worker.route([{ addr: '127.0.0.1:1' }, servers[1] as RedisServer]);
    expect(await worker.client().config('GET', 'hz')).toEqual(['hz', '10']);
  });
});

describe('CONFIG SET', () => {
  test('is done at all masters', async () => {
    expect(await raw.ask('CONFIG SET hz 50 slowlog-max-len 77\r\n')).toEqual(['+OK\r\n']);
    expect(await inBoth('hz')).toEqual(['50', '50']);
    expect(await inBoth('slowlog-max-len')).toEqual(['77', '77']);
  });

  test('answers with Redis’s own errors', async () => {
    const oracle = new RawClient((servers[0] as RedisServer).port);
    await oracle.ask(`AUTH ${PASSWORD}\r\n`);
    for (const line of [
      'CONFIG SET hz x',
      'CONFIG SET none 1',
      'CONFIG SET hz 1 hz 2',
      'CONFIG SET hz',
      'CONFIG SET hz 1 x',
      'CONFIG FOO',
      'CONFIG',
    ]) {
      expect(await raw.ask(`${line}\r\n`)).toEqual(await oracle.ask(`${line}\r\n`));
    }
    oracle.close();
  });

  test.each(['requirepass', 'MasterAuth', 'bind', 'port', 'maxclients', 'replicaof'])(
    'does not change %s, and says where it is changed',
    async (name) => {
      const [reply] = await raw.ask(`CONFIG SET hz 10 ${name} x\r\n`);
      expect(reply).toMatch(
        new RegExp(
          `^-ERR CONFIG SET failed \\(possibly related to argument '${name}'\\) - not through a proxy: .*(config.ini|codis-config|redis.conf)`,
        ),
      );
      expect(await inBoth('requirepass')).toEqual([PASSWORD, PASSWORD]);
    },
  );

  test('says who took it and who did not, where they disagree', async () => {
    worker.route([servers[0] as RedisServer, { addr: '127.0.0.1:1' }]);
    const [reply] = await raw.ask('CONFIG SET hz 20\r\n');
    expect(reply).toMatch(
      new RegExp(`^-ERR CONFIG SET was carried out at ${servers[0]?.addr}, but not at 127.0.0.1:1: server 127.0.0.1:1 can't be reached`),
    );
    expect((await inBoth('hz'))[0]).toBe('20');
  });
});

test('CONFIG RESETSTAT and REWRITE go to all masters', async () => {
  await worker.client().get('x');
  expect(await raw.ask('CONFIG RESETSTAT\r\n')).toEqual(['+OK\r\n']);
  for (const at of [0, 1]) expect(await direct(at).info('commandstats')).not.toContain('cmdstat_config|set');
  expect(await raw.ask('CONFIG REWRITE\r\n')).toEqual(['-ERR The server is running without a config file\r\n']);
});

test('CONFIG HELP is the servers’ own', async () => {
  expect(await raw.ask('CONFIG HELP\r\n')).toEqual([expect.stringMatching(/^\*\d+\r\n\+CONFIG <subcommand>/)]);
});

describe('MEMORY', () => {
  test('PURGE is done everywhere', async () => {
    expect(await raw.ask('MEMORY PURGE\r\n')).toEqual(['+OK\r\n']);
    for (const at of [0, 1]) expect(await direct(at).info('commandstats')).toContain('cmdstat_memory|purge');
  });

  test.each(['DOCTOR', 'MALLOC-STATS'])('%s is about each server', async (what) => {
    const [two] = await raw.ask(`MEMORY ${what}\r\n`);
    const [three] = (await raw.ask(`HELLO 3\r\nMEMORY ${what}\r\n`, 2)).slice(1);
    for (const server of servers) {
      expect(two).toContain(`# ${server.addr}\n`);
      expect(three).toContain(`# ${server.addr}\n`);
    }
    expect(two?.slice(0, 1)).toBe('$');
    expect(three).toMatch(/^=\d+\r\ntxt:#/);
  });

  test('STATS adds up what can be added', async () => {
    await worker.client().mset(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`key:${at}`, 'v'])));
    const stats = (await worker.client().call('MEMORY', 'STATS')) as (string | number | unknown[])[];
    const entry = (name: string) => stats[stats.indexOf(name) + 1];
    expect(entry('keys.count')).toBe(50);
    const each = await Promise.all([0, 1].map(async (at) => (await direct(at).call('MEMORY', 'STATS')) as (string | number)[]));
    const startup = each.map((all) => Number(all[all.indexOf('startup.allocated') + 1]));
    expect(entry('startup.allocated')).toBe((startup[0] as number) + (startup[1] as number));
    expect(entry('db.0')).toContain('overhead.hashtable.main');
    expect(Number(entry('fragmentation'))).toBeGreaterThan(0);
    const [three] = (await raw.ask('HELLO 3\r\nMEMORY STATS\r\n', 2)).slice(1);
    expect(three).toMatch(/^%\d+\r\n\$14\r\npeak\.allocated\r\n:\d+/);
    expect(three).toMatch(/peak\.percentage\r\n,\d+/);
  });
});
