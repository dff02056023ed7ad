// codis-config's words, formats, errors and exit codes.

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../../test/harness/cluster.ts';
import { eventually, freePort, start, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { CLI, type CliUnderTest, onTerminal, startCli } from './support.ts';

let it: CliUnderTest;
let one: RedisServer;
let two: RedisServer;

beforeAll(async () => {
  [it, one, two] = await Promise.all([startCli(), startRedis(), startRedis()]);
  expect(await it.ok('slot', 'init', '--dry-run')).toContain('slot.init');
  expect(await it.epoch()).toBeNull();
  await it.ok('slot', 'init');
  await it.ok('server', 'add', '1', one.addr, 'master');
  await it.ok('server', 'add', '2', two.addr, 'master');
  await it.ok('slot', 'range-set', '0', '511', '1', 'online');
  await it.ok('slot', 'range-set', '512', '1023', '2', 'online');
});
afterAll(stopAll);

describe('answers', () => {
  test('are aligned tables for people', async () => {
    expect(await it.ok('slot', 'list')).toBe(
      [
        'SLOTS     COUNT  STATE   GROUP  TO  MIGRATION',
        '0-511       512  online      1  -   -',
        '512-1023    512  online      2  -   -',
        '',
      ].join('\n'),
    );
    expect(await it.ok('server', 'list')).toContain(`    1    512  ${one.addr}  master\n`);
  });

  test.each([
    [['slot', 'list'], { slots: expect.any(Array) }],
    [['slot', 'info', '600'], { slot: 600, group: 2 }],
    [['server', 'list'], { groups: [{ id: 1 }, { id: 2 }] }],
    [['proxy', 'list'], { proxies: [] }],
    [['migration', 'list'], { migrations: expect.any(Array) }],
    [['events'], { events: expect.any(Array) }],
    [['key', 'slot', 'user:{42}:cart'], { key: 'user:{42}:cart', slot: 136 }],
  ])('of %j are JSON for programs', async (args, expected) => {
    expect(await it.json(...args)).toMatchObject(expected);
  });

  test('are bare names for scripts', async () => {
    expect(await it.ok('server', 'list', '-o', 'name')).toBe(`${one.addr}\n${two.addr}\n`);
    expect(await it.ok('-o', 'name', 'key', 'slot', 'user:{42}:cart')).toBe('136\n');
  });

  test('of events say who it was', async () => {
    const { events } = (await it.json('events', '--limit', '1')) as { events: { action: string; actor: string }[] };
    expect(events).toMatchObject([{ action: 'slot.assign', actor: expect.stringMatching(/^.+@127\.0\.0\.1$/) }]);
  });
});

describe('changes', () => {
  test('say what they did and at which epoch', async () => {
    expect(await it.ok('server', 'add-group', '7')).toMatch(/^group 7 is added \(epoch \d+\)\n$/);
    expect(await it.ok('server', 'remove-group', '7')).toMatch(/^group 7 is removed/);
    expect(await it.ok('slot', 'set', '1023', '1', 'offline')).toMatch(/^slot 1023: offline/);
    expect(await it.ok('slot', 'set', '1023', '2', 'online')).toMatch(/^slot 1023: online in group 2/);
  });

  test('take slave for replica, promote it, and remove what is no longer needed', async () => {
    const replica = await startRedis();
    const added = await it.cli('server', 'add', '1', replica.addr, 'slave', '--wait', '--timeout', '60');
    expect(added.stderr).toMatch(new RegExp(`note: ${replica.addr} has a full copy of .* and follows it\\n$`));
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining(`${replica.addr} is a replica of group 1`) });
    expect(added.stderr).toMatch(/^note: /);
    const set = await it.ok('server', 'set', replica.addr, '--zone', 'az1', '--replica-reads', 'off');
    expect(set).toContain(`${replica.addr}: zone az1, replica reads off (epoch `);
    expect(await it.ok('server', 'list', '-o', 'wide')).toMatch(new RegExp(`${replica.addr} +replica +az1 +off\\n`));
    expect(await it.ok('server', 'set', replica.addr, '--zone', 'none')).toContain('zone none');
    expect(await it.ok('server', 'list', '-o', 'wide')).toMatch(new RegExp(`${replica.addr} +replica +- +off\\n`));
    expect(await it.cli('server', 'set', replica.addr)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--zone or --replica-reads'),
    });
    expect(await it.cli('server', 'set', replica.addr, '--zone', 'a b')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not a zone'),
    });
    expect(await it.cli('server', 'set', '127.0.0.1:1', '--zone', 'a')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('is in no group'),
    });
    expect(await it.ok('server', 'promote', '1', replica.addr, '--force')).toContain('is the master of group 1');
    expect(await it.ok('server', 'promote', '1', one.addr, '--force')).toContain(`${one.addr} is the master of group 1`);
    expect(await it.ok('server', 'remove', '1', replica.addr)).toContain('is no longer in group 1');
  });

  test('to a migration can be waited for', async () => {
    const { code, stdout, stderr } = await it.cli('slot', 'migrate', '0', '9', '2', '--delay=0', '--wait', '--timeout', '60');
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('10/10 slots') });
    expect(stdout).toMatch(/^migration \d+ is done: 10 of 10 slots are there\n$/);
    expect(await it.json('slot', 'info', '9')).toMatchObject({ group: 2 });
    const { code: watched, output } = await onTerminal(it, 'migration watch 1', '');
    expect({ watched, output }).toMatchObject({ watched: 0, output: expect.stringContaining('[##########] 10/10 slots') });
  });
});

describe('the exit code', () => {
  test.each([
    ['2 for slot 1024', 2, ['slot', 'info', '1024'], 'slot 1024 is out of range: slots go from 0 to 1023'],
    ['2 for slot 1024 at the end of a range', 2, ['slot', 'range-set', '0', '1024', '1', 'online'], 'slot 1024 is out of range'],
    ['2 for a word instead of a slot', 2, ['slot', 'info', 'seven'], '"seven" is not a slot'],
    ['2 for half a slot', 2, ['slot', 'set', '1.5', '1', 'online'], '"1.5" is not a slot'],
    ['2 for a range that runs backwards', 2, ['slot', 'range-set', '9', '0', '1', 'online'], 'the range 9..0 runs backwards'],
    ['2 for group 0', 2, ['server', 'add-group', '0'], 'group id 0 is out of range'],
    ['2 for a status that is none', 2, ['slot', 'set', '0', '1', 'onlin'], '"onlin" is not a status'],
    ['2 for a role that is none', 2, ['server', 'add', '1', 'localhost:6379', 'king'], '"king" is not a role'],
    ['2 for an address without port', 2, ['server', 'add', '1', 'localhost', 'master'], '"localhost" is not an address'],
    ['2 for a proxy id with a blank', 2, ['proxy', 'online', 'a b'], 'is not a proxy id'],
    ['2 for a delay below zero', 2, ['slot', 'migrate', '0', '1', '2', '--delay=-1'], '--delay is -1'],
    ['2 for a missing argument', 2, ['slot', 'migrate', '0', '1'], "missing required argument 'group'"],
    ['2 for an argument too many', 2, ['slot', 'init', 'now'], 'too many arguments'],
    ['2 for a command with a slip of the pen', 2, ['slto', 'list'], 'Did you mean slot?'],
    ['2 for an option that is none', 2, ['slot', 'list', '--colour'], "unknown option '--colour'"],
    ['2 for a format that is none', 2, ['slot', 'list', '-o', 'xml'], 'Allowed choices are table, wide, json, yaml, name, csv'],
    ['3 for an unknown group', 3, ['slot', 'set', '0', '77', 'online'], 'there is no group 77'],
    ['3 for an unknown server', 3, ['server', 'remove', '1', 'localhost:1'], 'server localhost:1 is not in group 1'],
    ['3 for an unknown proxy', 3, ['proxy', 'online', 'proxy_9'], 'there is no proxy proxy_9'],
    ['3 for an unknown migration', 3, ['migration', 'show', '99'], 'there is no migration 99'],
    ['4 for a second slot init', 4, ['slot', 'init'], 'this product has a slot table already'],
    ['4 for a group that exists', 4, ['server', 'add-group', '1'], 'group 1 exists already'],
    ['4 for a group in use', 4, ['server', 'remove-group', '1'], 'group 1 still has slots'],
    ['4 for a migration that has ended', 4, ['migration', 'cancel', '1'], 'migration 1 is done already'],
    ['5 for a server that is not there', 5, ['server', 'add', '3', '127.0.0.1:1', 'master'], "127.0.0.1:1 can't be reached"],
  ])('is %s', async (_, code, args, message) => {
    const before = await it.epoch();
    const result = await it.cli(...args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(/^error: /);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain('    at ');
    expect(await it.epoch()).toBe(before);
  });

  test('is 7 for a status that is not healthy, which is printed all the same', async () => {
    const { code, stdout, stderr } = await it.cli('status');
    expect({ code, stderr }).toMatchObject({ code: 7, stderr: expect.stringContaining('note: no proxy is online') });
    expect(stdout).toMatch(/^Degraded: no proxy is online;/);
    expect(stdout).toContain(one.addr);
  });

  test('is 8 for a wait that took too long and 9 for a migration that is cancelled', async () => {
    for (let number = 0; number < 200; number++) await one.client().set(`key:${number}`, 'value');
    await two.client().replicaof('127.0.0.1', one.port);
    const slow = await it.cli('slot', 'migrate', '100', '300', '2', '--wait', '--timeout', '1');
    expect(slow).toMatchObject({ code: 8, stderr: expect.stringContaining('it goes on by itself') });
    const id = String(((await it.json('migration', 'list')) as { migrations: { id: number }[] }).migrations.at(-1)!.id);
    const interrupted = start('node', [CLI, '-c', it.configFile, 'migration', 'watch', id], { name: 'watch' });
    await eventually(() => interrupted.output().includes(`migration ${id} [`), { what: 'the watch to begin' });
    expect(await interrupted.stop('SIGINT')).toBe(0);
    expect(interrupted.output()).toContain(`watch it again with: codis-config migration watch ${id}`);
    const watching = it.cli('migration', 'watch', id, '--timeout', '60');
    await it.ok('migration', 'cancel', id);
    expect((await watching).code).toBe(9);
    await two.client().replicaof('NO', 'ONE');
  });
});

describe('the dashboard', () => {
  const at = (port: number, ...args: string[]) => run([CLI, '-c', it.configFile, '--dashboard-addr', `127.0.0.1:${port}`, ...args]);

  test('that does not run is exit 5, and says how to start it', async () => {
    const { code, stderr } = await at(await freePort(), 'slot', 'list');
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('nothing listens there') });
    expect(stderr).toContain('codis-config dashboard');
  });

  test('that is a Redis is told apart', async () => {
    const { code, stderr } = await at(one.port, 'slot', 'list');
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('is a RESP port') });
  });

  test('that is another web server is told apart', async () => {
    const server = createHttpServer((_, response) => response.end('<html>hello</html>'));
    const port = await freePort();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const { code, stderr } = await at(port, 'slot', 'list');
    server.close();
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('is not a Codis dashboard') });
  });

  test('that hangs up is unreachable', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await freePort();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const { code, stderr } = await at(port, 'slot', 'list');
    server.close();
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('or hung up') });
  });
});

describe('a config file', () => {
  test('that can’t be read is named', async () => {
    const { code, stderr } = await run([CLI, '-c', '/nonexistent/config.ini', 'slot', 'list']);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('/nonexistent/config.ini') });
  });
});
