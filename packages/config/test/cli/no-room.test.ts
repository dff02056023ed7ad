// A plan that does not fit into the memory of a target: refused where nobody can be asked, a question on a terminal, carried out with --force.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { MigrationsView, MigrationView } from '../../src/api/index.ts';
import { type CliUnderTest, onTerminal, startCli } from './support.ts';

let it: CliUnderTest;
let full: RedisServer;
let small: RedisServer;

/** Six megabytes, of which half would go to a server that may have two. */
beforeAll(async () => {
  [it, full, small] = await Promise.all([startCli(), startRedis(), startRedis({ config: { maxmemory: '2mb' } })]);
  await it.ok('slot', 'init');
  await it.ok('server', 'add', '1', full.addr, 'master');
  await it.ok('server', 'add', '2', small.addr, 'master');
  await it.ok('slot', 'range-set', '0', '1023', '1', 'online');
  await full.client().mset(Array.from({ length: 60 }, (_, n) => [`key:${n}`, 'x'.repeat(100_000)]).flat());
});
afterAll(stopAll);

const migrations = async () => ((await it.json('migration', 'list')) as MigrationsView).migrations;

test('is refused off a terminal, with what, why and what to try', async () => {
  const refused = await it.cli('slot', 'rebalance');
  expect(refused).toMatchObject({ code: 4, stdout: expect.stringMatching(/^plan 1: rebalance by slots/) });
  expect(refused.stderr).toMatch(/^error: group 2 would need [\d.]+ MiB, more than its maxmemory of 2\.0 MiB: it does not fit$/m);
  expect(refused.stderr).toMatch(/^why: {3}What would move does not fit into the memory of a target$/m);
  expect(refused.stderr).toMatch(/^try: {3}raise its maxmemory, .* with --force$/m);
  expect(await it.cli('plan', 'apply', '1')).toMatchObject({ code: 4, stderr: expect.stringContaining('it does not fit') });
  expect(await it.cli('slot', 'rebalance', '--yes')).toMatchObject({ code: 4, stderr: expect.stringContaining('it does not fit') });
  expect(await migrations()).toEqual([]);
});

test('is a question on a terminal, unless --yes says that nobody is to be asked', async () => {
  const no = await onTerminal(it, 'plan apply 1', 'n\n');
  expect(no.output).toMatch(/it does not fit\. Move all the same\? \[y\/N\]/);
  expect(no).toMatchObject({ code: 9, output: expect.stringContaining('nothing was moved') });
  expect(await onTerminal(it, 'slot rebalance --yes', 'y\n')).toMatchObject({ code: 4 });
  expect(await migrations()).toEqual([]);
  const yes = await onTerminal(it, 'plan apply 1', 'y\n');
  expect(yes).toMatchObject({ code: 0, output: expect.stringContaining('migration 1 carries out plan 1') });
  await it.ok('migration', 'cancel', '1');
});

test('is carried out with --force', async () => {
  await small.client().config('SET', 'maxmemory', '0');
  await it.cli('migration', 'watch', '1', '--timeout', '60');
  await small.client().config('SET', 'maxmemory', '1');
  expect(await it.cli('slot', 'rebalance', '--weight', '1=0')).toMatchObject({ code: 4 });
  expect(await it.ok('slot', 'rebalance', '--weight', '1=0', '--force', '-o', 'name')).toBe('2\n');
  await small.client().config('SET', 'maxmemory', '0');
  expect((await it.json('migration', 'watch', '2', '--timeout', '60')) as MigrationView).toMatchObject({ state: 'done' });
  expect(await small.client().dbsize()).toBe(60);
}, 90_000);
