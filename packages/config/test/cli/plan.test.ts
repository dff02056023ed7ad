// codis-config plan and slot rebalance, against a dashboard that runs migrations: a group is added, gets its share, and is drained and removed again.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { GroupsView, MigrationsView, MigrationView, PlanView } from '../../src/api/index.ts';
import { type CliUnderTest, onTerminal, startCli } from './support.ts';

const KEYS_COUNT = 2000;

let it: CliUnderTest;
let servers: RedisServer[];

beforeAll(async () => {
  it = await startCli();
  servers = await Promise.all([startRedis(), startRedis(), startRedis(), startRedis()]);
  await it.ok('slot', 'init');
  for (const [index, { addr }] of servers.slice(0, 3).entries()) await it.ok('server', 'add', String(index + 1), addr, 'master');
  await it.ok('slot', 'range-set', '0', '1023', '1', 'online');
  const client = servers[0]!.client();
  await Promise.all(Array.from({ length: KEYS_COUNT }, (_, number) => client.set(`key:${number}`, `value ${number}`)));
});
afterAll(stopAll);

const plan = async (...args: string[]) => (await it.json('plan', ...args)) as PlanView;
const slotCounts = async () => ((await it.json('server', 'list')) as GroupsView).groups.map(({ slotsCount }) => slotsCount);
const migrations = async () => ((await it.json('migration', 'list')) as MigrationsView).migrations;
const keyCounts = () => Promise.all(servers.map((server) => server.client().dbsize()));

describe('slot rebalance', () => {
  test('with --dry-run shows what would move, and moves nothing', async () => {
    const before = await it.epoch();
    const { code, stdout, stderr } = await it.cli('slot', 'rebalance', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^dry run: nothing was changed; the plan would be: rebalance by slots \(epoch \d+\)\n\nFROM {2}TO {2}COUNT {2}KEYS +BYTES {2}SLOTS\n {3}1 {3}2 {4}341 +\d+ +\d+ {2}342-682\n/,
    );
    expect(stderr).toMatch(/^note: 682 slots, about \d+ keys, [\d.]+ KiB, less than a second\n/);
    expect(stderr).toMatch(/note: group 2: 0 → 341 slots, memory [\d.]+ [KM]iB → [\d.]+ [KM]iB, no limit\n/);
    expect(stderr).toContain('note: warning: group 2 has no replica');
    expect([await it.epoch(), await migrations(), await it.ok('plan', 'list', '-o', 'name')]).toEqual([before, [], '']);
  });

  test('as Codis 2.0’s tutorial has it shows the plan and carries it out', async () => {
    const { code, stdout, stderr } = await it.cli('slot', 'rebalance', '--wait', '--timeout', '120');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^plan 1: rebalance by slots [\s\S]*\nmigration 1 is done: 682 of 682 slots are there\n$/);
    expect(await slotCounts()).toEqual([342, 341, 341]);
    expect((await keyCounts()).reduce((sum, count) => sum + count, 0)).toBe(KEYS_COUNT);
  });

  test('of what is even has nothing to move', async () => {
    const { code, stdout } = await it.cli('slot', 'rebalance');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to move') });
    expect(await migrations()).toHaveLength(1);
  });

  test('on a terminal asks first, and takes anything but yes for no', async () => {
    await it.ok('server', 'add', '4', servers[3]!.addr, 'master');
    const answered = (answer: string) => onTerminal(it, 'slot rebalance', answer);
    const no = await answered('\n');
    expect(no.output).toContain('move 256 slots? [y/N]');
    expect(no).toMatchObject({ code: 9, output: expect.stringContaining('nothing was moved') });
    expect(await migrations()).toHaveLength(1);
    const yes = await answered('y\n');
    expect(yes).toMatchObject({ code: 0, output: expect.stringContaining('migration 2 carries out plan') });
    expect((await it.cli('migration', 'watch', '2', '--timeout', '120')).code).toBe(0);
    expect(await slotCounts()).toEqual([256, 256, 256, 256]);
  });
});

describe('a plan', () => {
  test('to drain a group is shown, listed and applied; then the group can be removed', async () => {
    const refused = await it.cli('server', 'remove-group', '4');
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('drain it first with: codis-config plan drain 4') });
    const drained = await plan('drain', '4');
    expect(drained).toMatchObject({ state: 'pending', goal: 'drain group 4', slotsCount: 256 });
    expect(new Set(drained.moves.map(({ from }) => from))).toEqual(new Set([4]));
    expect(await plan('show', String(drained.id))).toEqual(drained);
    expect(await it.ok('plan', 'list')).toMatch(new RegExp(`\\n *${drained.id}  pending  drain group 4 +\\d+ +256 `));
    const applied = (await it.json('plan', 'apply', String(drained.id), '--wait', '--timeout', '120')) as MigrationView;
    expect(applied).toMatchObject({ state: 'done', moves: drained.moves.map(({ first, last, to }) => ({ first, last, to })) });
    expect(await slotCounts()).toEqual([342, 341, 341, 0]);
    expect((await keyCounts())[3]).toBe(0);
    await it.ok('server', 'remove', '4', servers[3]!.addr);
    expect(await it.ok('server', 'remove-group', '4')).toContain('group 4 is removed');
  });

  test('by keys, with weights, moves the keys that a group lacks', async () => {
    const { code, stdout } = await it.cli(
      'slot',
      'rebalance',
      '--by',
      'keys',
      '--weight',
      '1=2',
      '--weight',
      '3=0',
      '--yes',
      '--wait',
      '--timeout',
      '120',
    );
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('rebalance by keys, group 1 with weight 2, group 3 with weight 0'),
    });
    const [one = 0, two = 0, three] = await keyCounts();
    expect(three).toBe(0);
    expect(Math.abs(one - 2 * two)).toBeLessThan(20);
  });

  test('of slots that are chosen says so in bare words for scripts', async () => {
    const id = (await it.ok('plan', 'move', '0', '9', '2', '-o', 'name')).trim();
    expect(await it.ok('plan', 'move', '0', '9', '2', '-o', 'name')).toBe(`${id}\n`);
    const migration = (await it.ok('plan', 'apply', id, '--delay=0', '-o', 'name')).trim();
    expect((await it.cli('migration', 'watch', migration, '--timeout', '60')).code).toBe(0);
    expect((await it.cli('plan', 'show', id)).stderr).toContain(`migration ${migration} carries it out`);
  });

  test('that is stale is refused with what changed', async () => {
    const id = String((await plan('rebalance')).id);
    await it.ok('server', 'add-group', '7');
    const { code, stdout, stderr } = await it.cli('plan', 'apply', id);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^error: plan \d+ was made at epoch \d+, and the topology is at epoch \d+ now: group\.add group 7 by /);
    expect(stderr).toContain('codis-config plan diff <id>');
    expect((await it.cli('plan', 'show', id)).stderr).toContain('the topology has changed since');
    const same = await it.cli('plan', 'diff', id);
    expect(same.stdout).toMatch(
      /^plan \d+: rebalance by slots \(stale, made at epoch \d+, now \d+\)\n\na plan made now would move the same slots\n$/,
    );
    expect(same.stderr).toMatch(/^note: changed since: group\.add group 7 by .*\n$/);
  });

  test('is held against what a new one would do', async () => {
    const { id } = await plan('move', '0', '9', '3');
    await it.ok('slot', 'range-set', '4', '5', '1', 'offline');
    const refused = await it.cli('plan', 'diff', String(id));
    expect(refused).toMatchObject({ code: 0, stdout: expect.stringContaining('the same can’t be planned now') });
    expect(refused.stderr).toContain('note: a new plan is refused: slot 4 belongs to no group');
    await it.ok('slot', 'range-set', '4', '5', '3', 'online');
    const { stdout, stderr } = await it.cli('plan', 'diff', String(id));
    expect(stdout).toMatch(/\nSLOTS +COUNT +AT +PLANNED +NOW\n *4-5 +2 +3 +3 +stay\n$/);
    expect(stderr).toContain('changed since: 2 of its slots are no longer where they were');
    expect(await it.json('plan', 'diff', String(id))).toMatchObject({
      id,
      state: 'stale',
      obstacle: null,
      differences: [{ first: 4, last: 5 }],
    });
    expect(await it.ok('plan', 'diff', String(id), '-o', 'name')).toBe('4-5\n');
  });
});

describe('the exit code', () => {
  test.each([
    ['2 for something else to balance by', 2, ['plan', 'rebalance', '--by', 'colour'], '"colour" is nothing to balance by'],
    ['2 for a weight without a group', 2, ['slot', 'rebalance', '--weight', '3'], '"3" is not a weight'],
    ['2 for a weight that is a word', 2, ['slot', 'rebalance', '--weight', '3=much'], '"much" is not a value for --weight'],
    ['2 for two weights of a group', 2, ['plan', 'rebalance', '--weight', '1=2', '--weight', '1=3'], 'group 1 has two weights'],
    ['2 for slot 1024', 2, ['plan', 'move', '0', '1024', '2'], 'slot 1024 is out of range'],
    ['2 for plan 0', 2, ['plan', 'show', '0'], '0 is not a plan id'],
    ['3 for an unknown plan', 3, ['plan', 'apply', '999'], 'there is no plan 999'],
    ['3 for an unknown plan to compare', 3, ['plan', 'diff', '999'], 'there is no plan 999'],
    ['3 for a group to drain that is not there', 3, ['plan', 'drain', '77'], 'there is no group 77'],
    ['4 for a group to drain that has no master', 4, ['plan', 'drain', '7'], 'group 7 has no master'],
  ])('is %s', async (_, code, args, message) => {
    const result = await it.cli(...args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(/^error: /);
    expect(result.stderr).toContain(message);
  });
});
