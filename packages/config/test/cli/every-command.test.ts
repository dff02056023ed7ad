// Goal: what holds for every command holds for each: what looks prints every format right, what changes something can be tried without doing it, and mistakes are explained.
// Method: the catalogue of commands, and the command lines below, one or more for each; a whole cluster in which a migration is paused in the middle.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type Cluster, startCluster } from '../../../../test/harness/cluster.ts';
import { eventually, freePort, scratchDir, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { DryRunView, SlotView } from '../../src/api/index.ts';
import { allCommands, CATALOGUE } from '../../src/cli/catalogue.ts';
import { actor } from '../../src/cli/client.ts';
import { FORMATS } from '../../src/cli/output.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { type Coordinator, openCoordinator, proxyPath } from '../../src/coordinator/index.ts';
import { asProxyId, encodeProxyRegistration } from '../../src/model/index.ts';
import { loadSettings } from '../../src/settings/index.ts';
import { runHere } from './here.ts';
import { type Addresses, mistakes } from './mistakes.ts';
import { type Names, OTHERS, pairs } from './parity.ts';

/** In slot 306, which group 1 owns. */
const MISPLACED = 'm:{41}';
const ALERT = 'proxy-lost:proxy_gone';
const PASSWORD = 'correct horse battery';

let cluster: Cluster;
let spare: RedisServer;
let coordinator: Coordinator;
let dumpFile: string;
let passwordFile: string;

beforeAll(async () => {
  [cluster, spare] = await Promise.all([startCluster({ proxies: 1, groups: 2, replicas: 1 }), startRedis()]);
  const dir = scratchDir('every-command');
  dumpFile = join(dir, 'dump.json');
  passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  coordinator = openCoordinator(loadSettings({ file: cluster.configFile }).settings);
  await coordinator.ready(10_000);
  const client = cluster.proxies[0]!.client();
  await Promise.all(Array.from({ length: 500 }, (_, number) => client.set(`key:${number}`, 'x'.repeat(100))));
  await ok('server', 'add-group', '7');
  await ok('server', 'set', cluster.servers[0]![1]!.addr, '--zone', 'az0');
  await ok('plan', 'move', '1000', '1001', '1');
  writeFileSync(dumpFile, await ok('config', 'dump'));
  await ok('slot', 'migrate', '0', '99', '2', '--keys-per-second', '1');
  await eventually(async () => (JSON.parse(await ok('slot', 'info', '5', '-o', 'json')) as SlotView).state === 'migrating', {
    what: 'the migration to begin',
  });
  await ok('migration', 'pause', '1');
  await cluster.servers[1]![0]!.client().set(MISPLACED, 'of group 1');
  await ok('plan', 'move', '1000', '1001', '1');
  await ok('auth', 'add-user', 'boris', 'viewer', '--password-file', passwordFile);
  await ok('auth', 'add-token', 'cron', 'viewer');
  await registerDeadProxy();
});

afterAll(async () => {
  await coordinator.close();
  await cluster.stop();
  await stopAll();
});

async function registerDeadProxy(): Promise<void> {
  const id = asProxyId('proxy_gone');
  const addr = `127.0.0.1:${await freePort()}`;
  const data = encodeProxyRegistration({ id, addr, adminAddr: addr, wanted: 'online' });
  expect(await coordinator.commit([{ op: 'create', path: proxyPath(id), data }])).toMatchObject({ ok: true });
  await eventually(async () => (await ok('alerts', '-o', 'name')).includes(ALERT), { what: 'an alert', everyMs: 200 });
}

const cli = (...args: string[]) => runHere('-c', cluster.configFile, ...args);

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  if (code !== 0) throw new Error(`codis-config ${args.join(' ')} exited ${code}:\n${stderr}${stdout}`);
  return stdout;
}

const ofKind = (kind: string) => Object.entries(CATALOGUE).flatMap(([path, facts]) => (facts.kind === kind ? [path] : []));

test('the catalogue has every command, and no other', () => {
  const paths = allCommands(buildProgram()).map(({ path }) => path);
  expect(Object.keys(CATALOGUE).sort()).toEqual(paths.sort());
});

test.each(Object.keys(CATALOGUE))('the help of “codis-config %s” begins with examples', async (path) => {
  const { code, stdout } = await cli(...path.split(' ').filter(Boolean), '--help');
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Examples:\n {2}codis-config /) });
});

describe('an example', () => {
  const examples = Object.entries(CATALOGUE).flatMap(([path, { kind, examples: lines }]) =>
    (kind === 'read' && path !== 'migration watch') || kind === 'change' ? lines.map((line) => [line, kind] as const) : [],
  );

  /** What is given where a person would be asked. */
  const ASKS: Readonly<Record<string, readonly string[]>> = {
    'auth password': ['--password-file', '--new-password-file'],
    'auth add-user': ['--password-file'],
    'auth change-user anna --new': ['--new-password-file'],
  };

  test.each(examples)('“codis-config %s” can be typed as it stands', async (line, kind) => {
    const words = line.replace(/ > .*/, '').split(' ');
    const args = words.map((word) =>
      word
        .replace('cluster.json', dumpFile)
        .replace('other.ini', cluster.configFile)
        .replace(/^\w+\.txt$/, passwordFile),
    );
    const asks = Object.entries(ASKS).find(([start]) => line.startsWith(start) && !line.includes('-file'));
    const files = asks ? asks[1].flatMap((option) => [option, passwordFile]) : [];
    const dry = kind === 'change' && !args.includes('--dry-run') ? ['--dry-run'] : [];
    const { code, stderr } = await cli(...args, ...files, ...dry);
    expect({ code, stderr }).not.toMatchObject({ code: 2 });
    expect(stderr).not.toContain('A bug in this program');
  });
});

describe('what looks', () => {
  /** Behind the command. */
  const ARGS: Readonly<Record<string, readonly string[]>> = {
    'slot info': ['5'],
    'slot explain': ['5'],
    'server explain': ['1'],
    'server candidates': ['1'],
    'proxy info': ['proxy_1'],
    'proxy clients': ['proxy_1'],
    'proxy explain': ['proxy_1'],
    'plan show': ['1'],
    'plan diff': ['1'],
    'migration show': ['1'],
    'migration slots': ['1'],
    'migration explain': ['1'],
    'key slot': ['user:{42}:name'],
    'key locate': ['user:{42}:name'],
  };
  /** Others that make another answer of it. */
  const MORE: readonly (readonly [path: string, args: readonly string[]])[] = [
    ['key hot', ['--slot', '5']],
    // Long past, and of now.
    ['key hot', ['--at', '2026-01-31T14:05Z']],
    ['key hot', ['--slot', '5', '--at', new Date().toISOString(), '--limit', '3']],
  ];
  /** Of “not well”, and of a wait that was given up. */
  const CODES: Readonly<Record<string, readonly number[]>> = { status: [0, 7], doctor: [0, 7] };
  let schemas: Record<string, Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>>;
  const ajv = new Ajv2020({ strict: false });

  beforeAll(async () => {
    const response = await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/openapi.json`);
    schemas = ((await response.json()) as { paths: typeof schemas }).paths;
  });

  function check(path: string, value: unknown): void {
    const facts = CATALOGUE[path];
    if (facts?.kind !== 'read' || facts.shows === null) return;
    const schema = schemas[`/api/v1${facts.shows}`]?.['get']?.responses['200']?.content['application/json']?.schema;
    expect(schema, `${facts.shows} is described`).toBeDefined();
    const validate = ajv.compile(schema as object);
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  }

  const LOOKS = ofKind('read').filter((path) => path !== 'migration watch');

  const LINES = [...LOOKS.map((path) => [path, ARGS[path] ?? []] as const), ...MORE];

  test.each(LINES)('“%s” %s prints every format', async (path, args) => {
    for (const format of FORMATS) {
      const { code, stdout, stderr } = await cli(...path.split(' '), ...args, '-o', format);
      expect(CODES[path] ?? [0], `${format}: ${stderr}`).toContain(code);
      expect(stdout.replaceAll('\n', ''), format).not.toMatch(/\p{Cc}/u);
      if (format === 'json') check(path, JSON.parse(stdout));
      else if (format === 'yaml') check(path, parseYaml(stdout));
      else if (format === 'csv') checkCsv(stdout);
      else if (format !== 'name') expect(stdout).not.toMatch(/[ \t]\n/);
    }
  });

  test('“key hot” says which minute it is of, and why nothing is known of it', async () => {
    const old = await cli('key', 'hot', '--slot', '5', '--at', '2026-01-31T14:05:07Z');
    expect(old.stderr).toBe(
      'note: of the minute from 2026-01-31T14:05:00.000Z on\nnote: that minute is older than what is kept, which is 6 hours\n',
    );
    const pending = await cli('key', 'hot', '--at', new Date().toISOString());
    expect(pending.stderr).toContain('note: that minute is not over, or only just: proxies are asked 10 s after it');
    const here = await cli('key', 'hot', '--at', new Date().toISOString(), '--store', 'config');
    expect(here.stderr).toContain('note: minutes are kept by a dashboard that runs, which this is not');
    expect(await cli('key', 'hot', '--at', '25:00')).toMatchObject({ code: 2, stderr: expect.stringContaining('"25:00" is not a time') });
    expect(await cli('key', 'hot', '--slot', '1024')).toMatchObject({ code: 2 });
  });

  function checkCsv(text: string): void {
    const records = text.match(/(?:(?:"(?:[^"]|"")*"|[^",\n]*)(?:,|\n))+?(?<=\n)/g) ?? [];
    expect(records.join('')).toBe(text);
    const fields = records.map((record) => record.replaceAll(/"(?:[^"]|"")*"/g, '').split(',').length);
    expect(new Set(fields).size).toBe(1);
  }

  test.each(['slot list', 'events'])('“%s” reads the store itself, and says so', async (path) => {
    const { code, stdout, stderr } = await cli(...path.split(' '), '--store', 'config', '-o', 'json');
    expect(CODES[path] ?? [0], stderr).toContain(code);
    expect(stderr).toContain(`note: read from ${cluster.coordinatorDir} itself, without a dashboard`);
    check(path, JSON.parse(stdout));
  });

  test('the store is read for looking only', async () => {
    const refused = await cli('slot', 'set', '0', '1', 'online', '--store', cluster.coordinatorDir);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('changes go through a dashboard') });
  });
});

describe('what changes something, with --dry-run', () => {
  /** Behind the command, and the exit code when it is not 0. */
  const LINES: Readonly<Record<string, () => readonly string[]>> = {
    'slot init': () => ['--force'],
    'slot set': () => ['1023', '2', 'offline'],
    'slot range-set': () => ['1000', '1023', '2', 'offline'],
    'slot rebalance': () => [],
    'slot migrate': () => ['600', '700', '1'],
    'server add': () => ['7', spare.addr, 'master'],
    'server remove': () => ['1', cluster.servers[0]![1]!.addr],
    'server promote': () => ['1', cluster.servers[0]![1]!.addr],
    'server replicate': () => ['1', cluster.servers[0]![1]!.addr],
    'server set': () => [cluster.servers[0]![1]!.addr, '--zone', 'az1', '--replica-reads', 'off'],
    'server add-group': () => ['8'],
    'server remove-group': () => ['7'],
    'proxy online': () => ['proxy_1'],
    'proxy offline': () => ['proxy_1'],
    'proxy drain': () => ['proxy_1'],
    'proxy try': () => ['proxy_1'],
    'proxy remove': () => ['proxy_gone'],
    'plan move': () => ['600', '700', '1'],
    'plan rebalance': () => [],
    'plan drain': () => ['2'],
    'plan apply': () => ['2'],
    'migration pause': () => ['1'],
    'migration resume': () => ['1'],
    'migration throttle': () => ['1', '--keys-per-second', '10'],
    'migration cancel': () => ['1'],
    'migration adopt': () => ['1'],
    'key mend': () => ['--group', '2', '--delete'],
    'alerts acknowledge': () => [ALERT],
    'alerts silence': () => [ALERT],
    'config restore': () => [dumpFile, '--force'],
    'auth password': () => ['--password-file', passwordFile, '--new-password-file', passwordFile],
    'auth add-user': () => ['anna', 'viewer', '--password-file', passwordFile],
    'auth change-user': () => ['boris', '--role', 'admin'],
    'auth remove-user': () => ['boris'],
    'auth add-token': () => ['backup', 'viewer'],
    'auth remove-token': () => ['cron'],
  };
  /** Refused in this cluster, dry or not: slots move, and nobody is logged in. */
  const REFUSED = new Set(['slot init', 'config restore', 'auth password']);

  test('is tried here for every command', () => {
    expect(Object.keys(LINES).sort()).toEqual(ofKind('change').sort());
  });

  test.each(ofKind('change'))('“%s” changes nothing', async (path) => {
    const before = await state();
    const { code, stdout, stderr } = await cli(...path.split(' '), ...(LINES[path]?.() ?? []), '--dry-run');
    expect(await state()).toEqual(before);
    if (REFUSED.has(path)) expect(code, stdout).not.toBe(0);
    else expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(`${stdout}${stderr}`).toMatch(REFUSED.has(path) ? /^error: .*\nwhy: .*\ntry: /m : /nothing was changed/);
  });

  /** Everything in the coordinator, and how often servers were asked to write or to be another. */
  async function state(): Promise<{ tree: string; epoch: number | undefined; writes: unknown[] }> {
    const hash = createHash('sha1');
    const walk = async (path: string): Promise<void> => {
      for (const name of await coordinator.list(path)) {
        const child = path === '' ? name : `${path}/${name}`;
        const entry = await coordinator.read(child);
        hash.update(`${child}\0${entry?.version}\0${entry?.data.toString('base64')}\n`);
        await walk(child);
      }
    };
    await walk('');
    const servers = [...cluster.servers.flat(), spare];
    return {
      tree: hash.digest('hex'),
      epoch: (await coordinator.read('topology'))?.version,
      writes: await Promise.all(servers.map(writesOf)),
    };
  }

  async function writesOf(server: RedisServer): Promise<unknown> {
    const stats = await server.client().info('commandstats');
    const lines = stats.split('\r\n').filter((line) => WRITES.test(line));
    return {
      lines: lines.map((line) => line.replace(/,usec.*/, '')),
      role: (await server.client().role())[0],
      keys: await server.client().dbsize(),
    };
  }
  const WRITES =
    /^cmdstat_(?:set|mset|del|unlink|restore|migrate|replicaof|slaveof|config\|set|config\|rewrite|flushall|flushdb|eval|evalsha|client\|kill):/;
});

describe('the API and the command line', () => {
  let names: Names;
  let known: string[];

  beforeAll(async () => {
    names = { spare: spare.addr, replica: cluster.servers[0]![1]!.addr, passwordFile, password: PASSWORD, alert: ALERT };
    const { paths } = (await (await fetch(`${api()}/openapi.json`)).json()) as { paths: Record<string, object> };
    known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).flatMap((method) => (method === 'get' ? [] : [`${method.toUpperCase()} ${path.replace('/api/v1', '')}`])),
    );
  });

  const api = () => `http://127.0.0.1:${cluster.dashboardPort}/api`;

  test('can do the same', () => {
    const covered = [...pairs(names).map(({ route }) => route), ...Object.keys(OTHERS)];
    expect([...new Set(covered)].sort()).toEqual(known.sort());
  });

  test('make the same audit events', async () => {
    for (const { route, path, body, line } of pairs(names)) {
      const response = await fetch(`${api()}/v1${path}?dryRun=true`, {
        method: route.split(' ')[0] ?? '',
        // What an event says may name who did it.
        headers: { 'x-codis-actor': actor(), ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const byApi = (await response.json()) as DryRunView;
      const byCli = JSON.parse(await ok(...line, '--dry-run', '-o', 'json')) as DryRunView;
      expect(byApi.would?.length, `${route} ${JSON.stringify(byApi)}`).toBeGreaterThan(0);
      expect(byCli.would, line.join(' ')).toEqual(byApi.would);
    }
  });
});

test('a proxy that does not become what is wanted is waited for as long as is said, or not at all', async () => {
  const online = (...options: string[]) => cli('proxy', 'online', 'proxy_gone', ...options);
  expect(await online('--timeout', '1')).toMatchObject({ code: 8, stdout: 'proxy proxy_gone shall be online, but is not yet\n' });
  expect(await online('--no-wait')).toMatchObject({ code: 0, stdout: 'proxy proxy_gone shall be online, but is not yet\n' });
  expect(await cli('proxy', 'online', 'proxy_1', '--timeout', '30')).toMatchObject({ code: 0, stdout: 'proxy proxy_1 is online\n' });
});

test('a proxy is drained: its clients go on for as long as is said, which is told, and are disconnected then', async () => {
  const client = cluster.proxies[0]!.client();
  await client.ping();
  const from = performance.now();
  const { code, stdout, stderr } = await cli('proxy', 'drain', 'proxy_1', '--timeout', '7');
  expect(performance.now() - from).toBeGreaterThan(1500);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^note: proxy proxy_1 still has \d+ clients?\n/) });
  expect(stdout).toBe('proxy proxy_1 is offline\n');
  expect((await cluster.proxies[0]!.status()).workers[0]?.clients).toBe(0);
  expect(await cli('proxy', 'online', 'proxy_1')).toMatchObject({ code: 0 });
}, 40_000);

describe('a mistake', () => {
  let addrs: Addresses;

  beforeAll(async () => {
    const [proxy] = cluster.proxies;
    addrs = {
      client: `127.0.0.1:${proxy!.port}`,
      admin: `127.0.0.1:${proxy!.adminPort}`,
      dashboard: `127.0.0.1:${cluster.dashboardPort}`,
      redis: cluster.servers[0]![0]!.addr,
      spare: spare.addr,
      nobody: `127.0.0.1:${await freePort()}`,
      configFile: cluster.configFile,
    };
  });

  test.each(mistakes(() => addrs))('%s is explained', async (_, args, code, says) => {
    const result = await cli(...args());
    expect(result).toMatchObject({ code, stdout: '' });
    const lines = result.stderr.slice(result.stderr.indexOf('error: ')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^error: ./);
    expect(lines[1]).toMatch(/^why: {3}./);
    for (const line of lines.slice(2)) expect(line).toMatch(/^try: {3}./);
    expect(lines.length).toBeGreaterThan(2);
    expect(result.stderr).not.toContain('openapi.json');
    for (const text of says()) expect(result.stderr).toContain(text);
  });

  test('shows no stack unless it is asked for', async () => {
    expect((await cli('migration', 'watch', '99')).stderr).not.toContain('    at ');
    expect((await cli('migration', 'watch', '99', '--debug')).stderr).toContain('    at ');
  });
});
