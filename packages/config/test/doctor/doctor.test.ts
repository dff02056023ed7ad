// Goal: each thing that can be wrong is found, explained, and mended by the command that the doctor prints.
// Method: the built program against a real dashboard and real servers; a fault is made, `doctor` is asked, and what it says to try is typed as it stands.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { DoctorView, FindingView, MendView } from '../../src/api/index.ts';
import { openCoordinator } from '../../src/coordinator/index.ts';
import {
  asEpoch,
  asMigrationId,
  asProxyId,
  asSlot,
  decodeTopology,
  encodeProxyLive,
  encodeProxyRegistration,
  encodeTopology,
  fenceKey,
} from '../../src/model/index.ts';
import { loadSettings } from '../../src/settings/index.ts';
import { type CliUnderTest, startCli } from '../cli/support.ts';
import { keyOf } from '../migration/product.ts';

let it: CliUnderTest;
let one: RedisServer;
let two: RedisServer;
let coordinator: ReturnType<typeof openCoordinator>;

beforeAll(async () => {
  [it, one, two] = await Promise.all([startCli(), startRedis(), startRedis()]);
  const { settings } = loadSettings({ file: it.configFile });
  coordinator = openCoordinator(settings);
  await coordinator.ready(10_000);
});
afterAll(async () => {
  await coordinator.close();
  await stopAll();
});

async function doctor(...args: string[]): Promise<DoctorView & { code: number | null }> {
  const { code, stdout, stderr } = await it.cli('doctor', '-o', 'json', ...args);
  if (stdout === '') throw new Error(stderr);
  return { ...(JSON.parse(stdout) as DoctorView), code };
}

async function found(kind: string, about = ''): Promise<FindingView> {
  const find = async () => (await doctor()).findings.find((finding) => finding.kind === kind && finding.object.includes(about));
  return eventually(find, { what: `a finding ${kind}`, timeoutMs: 15_000 });
}

async function gone(kind: string): Promise<void> {
  await eventually(async () => (await doctor()).findings.every((finding) => finding.kind !== kind), {
    what: `no finding ${kind} any more`,
    timeoutMs: 15_000,
  });
}

/** Types what the doctor says. */
async function follow(line: string | undefined): Promise<string> {
  const [program, ...words] = (line ?? '').split(' ');
  expect(program).toBe('codis-config');
  return it.ok(...words);
}

async function changeTopology(change: (topology: ReturnType<typeof decodeTopology>) => ReturnType<typeof decodeTopology>): Promise<void> {
  const entry = (await coordinator.read('topology'))!;
  const data = encodeTopology(change(decodeTopology(entry.data)));
  expect(await coordinator.commit([{ op: 'set', path: 'topology', data, version: entry.version }])).toMatchObject({ ok: true });
}

describe('a product that is not set up', () => {
  test('has no slot table, and slot init makes one', async () => {
    const { code, findings } = await doctor();
    expect({ code, findings }).toMatchObject({ code: 7, findings: [{ kind: 'no-slot-table', severity: 'error' }] });
    await follow(findings[0]?.try[0]);
    await gone('no-slot-table');
  });

  test('has slots of no group, which range-set gives to the group that is there', async () => {
    await it.ok('server', 'add', '1', one.addr, 'master');
    await it.ok('server', 'add', '2', two.addr, 'master');
    await it.ok('slot', 'range-set', '0', '511', '1', 'online');
    const finding = await found('slots-offline');
    expect(finding).toMatchObject({ severity: 'error', object: 'slots 512-1023', try: ['codis-config slot range-set 512 1023 2 online'] });
    await follow(finding.try[0]);
    await gone('slots-offline');
  });

  test('has no proxy, and groups without replica are a warning', async () => {
    expect(await found('no-proxy')).toMatchObject({ severity: 'error' });
    expect(await found('no-replica', 'group 1')).toMatchObject({ severity: 'warning' });
  });
});

describe('proxies', () => {
  const id = asProxyId('proxy_1');
  const register = (wanted: 'online' | 'offline') =>
    encodeProxyRegistration({ id, addr: '127.0.0.1:1', adminAddr: '127.0.0.1:11080', wanted });
  const live = (epoch: number) => encodeProxyLive({ epoch: asEpoch(epoch), pid: 1, startedAt: '2026-01-01T00:00:00.000Z' });

  test('one behind the epoch, wanted offline, or lost is found, and a lost one is removed as it says', async () => {
    await coordinator.commit([
      { op: 'create', path: 'proxies/proxy_1', data: register('online') },
      { op: 'create', path: 'proxies/proxy_1/live', data: live(1), ephemeral: true },
    ]);
    const behind = await found('proxy-behind', 'proxy_1');
    expect(behind.what).toContain('routes by epoch 1, but the topology is at');
    await coordinator.commit([{ op: 'set', path: 'proxies/proxy_1', data: register('offline') }]);
    expect((await found('proxy-offline')).try).toEqual(['codis-config proxy online proxy_1']);
    await coordinator.commit([
      { op: 'set', path: 'proxies/proxy_1', data: register('online') },
      { op: 'delete', path: 'proxies/proxy_1/live' },
    ]);
    const lost = await found('proxy-lost');
    expect(lost.severity).toBe('error');
    await follow(lost.try[0]);
    await gone('proxy-lost');
    await coordinator.commit([
      { op: 'create', path: 'proxies/proxy_1', data: register('online') },
      { op: 'create', path: 'proxies/proxy_1/live', data: live(1_000_000), ephemeral: true },
    ]);
    const { code, findings } = await doctor();
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(code).toBe(0);
  });
});

describe('servers', () => {
  test('a master that became a replica is made one again by promoting it', async () => {
    const other = await startRedis();
    await one.client().replicaof('127.0.0.1', other.port);
    const finding = await found('wrong-role', one.addr);
    expect(finding).toMatchObject({ severity: 'error', try: [`codis-config server promote 1 ${one.addr}`] });
    await eventually(async () => (await one.client().info('replication')).includes('master_sync_in_progress:0'), { what: 'a full copy' });
    await follow(finding.try[0]);
    await gone('wrong-role');
    await other.stop();
  });

  test('a replica that became a master, or follows another server, is added again', async () => {
    const replica = await startRedis();
    await it.ok('server', 'add', '1', replica.addr, 'replica');
    await replica.client().replicaof('NO', 'ONE');
    const finding = await found('wrong-role', replica.addr);
    expect(finding.severity).toBe('warning');
    for (const line of finding.try) await follow(line);
    await gone('wrong-role');
    const stranger = await startRedis();
    await replica.client().replicaof('127.0.0.1', stranger.port);
    expect((await found('wrong-master', replica.addr)).what).toContain(stranger.addr);
    await stranger.stop();
    expect((await found('replica-link-down', replica.addr)).what).toContain('is down');
    await replica.stop();
    const down = await found('replica-down', replica.addr);
    await follow(down.try[1]);
    await gone('replica-down');
  });

  test('one Redis under two names is told, and its keys are not called misplaced', async () => {
    await one.client().set(keyOf(3), 'value');
    const twin = `localhost:${one.port}`;
    await changeTopology((topology) => ({
      ...topology,
      groups: [...topology.groups, { id: 3 as never, servers: [{ addr: twin as never, role: 'master' }] }],
    }));
    const finding = await found('same-server', twin);
    expect(finding).toMatchObject({ severity: 'error', try: [`codis-config server remove 3 ${twin}`] });
    expect((await doctor()).findings.filter(({ kind }) => kind === 'misplaced-keys')).toEqual([]);
    const refused = await it.cli('key', 'mend', '--group', '3', '--delete');
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('are the same Redis') });
    expect(await one.client().get(keyOf(3))).toBe('value');
    await follow(finding.try[0]);
    await gone('same-server');
    await one.client().flushall();
  });

  test('a group without a master, and a master that is down, are told with what to do', async () => {
    await it.ok('server', 'add-group', '4');
    const spare = await startRedis();
    const backup = await startRedis();
    await it.ok('server', 'add', '4', spare.addr, 'master');
    await it.ok('server', 'add', '4', backup.addr, 'replica');
    await it.ok('slot', 'set', '1023', '2', 'offline');
    await it.ok('slot', 'set', '1023', '4', 'online');
    await spare.client().set(keyOf(1023), 'kept');
    await eventually(async () => (await backup.client().dbsize()) === 1, { what: 'a copy at the replica' });
    await spare.stop();
    const down = await found('master-down', spare.addr);
    expect(down).toMatchObject({ severity: 'error' });
    await follow(down.try[0]);
    await gone('master-down');
    expect(await backup.client().get(keyOf(1023))).toBe('kept');
    await changeTopology((topology) => ({
      ...topology,
      groups: topology.groups.map((group) =>
        group.id === 4 ? { ...group, servers: group.servers.map((server) => ({ ...server, role: 'replica' as const })) } : group,
      ),
    }));
    const masterless = await found('no-master', 'group 4');
    expect(masterless.try).toEqual([`codis-config server promote 4 ${backup.addr}`]);
    await follow(masterless.try[0]);
    await gone('no-master');
    await it.ok('slot', 'set', '1023', '4', 'offline');
    await it.ok('slot', 'set', '1023', '2', 'online');
    await backup.client().flushall();
  });
});

describe('moves', () => {
  test('a slot in a move that nobody knows, and a fence marker above the epoch, are told', async () => {
    await changeTopology((topology) => ({
      ...topology,
      slots: topology.slots.map((state, slot) =>
        slot === 5 ? { kind: 'migrating', from: 1 as never, to: 2 as never, migration: asMigrationId(77) } : state,
      ),
    }));
    const stuck = await found('stuck-slots', 'slot 5');
    expect(stuck).toMatchObject({ severity: 'error', what: expect.stringContaining('no record') });
    expect(await follow(stuck.try[0])).toBe('migration 77 would be on record as running: slot 5 to group 2\n');
    await one.client().set(keyOf(5), 'in the move');
    await two.client().set(keyOf(5), 'in the move');
    expect((await doctor()).findings.filter(({ kind }) => kind === 'misplaced-keys')).toEqual([]);
    expect(await it.cli('key', 'mend', '--group', '4', '--slots', '0-9')).toMatchObject({ code: 4 });
    await changeTopology((topology) => ({
      ...topology,
      slots: topology.slots.map((state, slot) => (slot === 5 ? topology.slots[asSlot(4)]! : state)),
    }));
    await one.client().flushall();
    await two.client().flushall();
    await one.client().set(fenceKey('test'), '1000000');
    expect(await found('fence-marker', 'group 1')).toMatchObject({ severity: 'error', what: expect.stringContaining('1000000') });
    await one.client().del(fenceKey('test'));
    await gone('fence-marker');
  });
});

describe('misplaced keys', () => {
  const [both, lone, other] = [keyOf(1, 1), keyOf(1, 2), keyOf(2, 1)];

  async function seed(): Promise<void> {
    await one.client().flushall();
    await two.client().flushall();
    await one.client().set(both, 'new');
    await two.client().mset(both, 'old', lone, 'lone', keyOf(900), 'at home');
    await two.client({ db: 3 }).set(other, 'in database 3');
  }

  test('are counted by slot, shown, and mended as it says: first a look that changes nothing, then by the choice made', async () => {
    await seed();
    await it.ok('slot', 'list');
    const finding = await found('misplaced-keys', 'group 2');
    expect(finding).toMatchObject({ severity: 'error', what: expect.stringContaining('group 2 holds 3 keys of slots 1-2') });
    expect(finding.what).toContain('group 1 has it too');
    expect(finding.why).toContain('back from the dead');
    expect((await doctor('--quick')).findings.map(({ kind }) => kind)).not.toContain('misplaced-keys');
    const before = { epoch: await it.epoch(), events: await it.json('events') };

    expect(await follow(finding.try[0])).toContain('3 misplaced keys');
    const preview = (await it.json('key', 'mend', '--group', '2')) as MendView;
    expect(preview).toMatchObject({
      action: 'preview',
      slots: [
        { slot: 1, owner: 1, keysCount: 2, atOwnerCount: 1 },
        { slot: 2, owner: 1, keysCount: 1, atOwnerCount: 0 },
      ],
    });
    expect({ epoch: await it.epoch(), events: await it.json('events') }).toEqual(before);
    expect(await two.client().mget(both, lone)).toEqual(['old', 'lone']);

    await follow(finding.try[1]);
    expect(await one.client().mget(both, lone)).toEqual(['new', 'lone']);
    expect(await one.client({ db: 3 }).get(other)).toBe('in database 3');
    expect(await two.client().mget(both, lone, keyOf(900))).toEqual([null, null, 'at home']);
    expect(await two.client({ db: 3 }).exists(other)).toBe(0);
    await gone('misplaced-keys');
    const { events } = (await it.json('events', '--limit', '1')) as { events: { action: string; object: string }[] };
    expect(events[0]).toMatchObject({ action: 'key.move', object: 'misplaced keys in group 2 → their owners' });
  });

  test('are deleted where they are when that is the choice, in the slots that are named', async () => {
    await seed();
    const report = await it.json('key', 'mend', '--group', '2', '--slots', '1', '--delete');
    expect(report).toMatchObject({ movedCount: 0, deletedCount: 2, slots: [{ slot: 1, keysCount: 2 }] });
    expect(await one.client().mget(both, lone)).toEqual(['new', null]);
    expect(await two.client().mget(both, lone, keyOf(900))).toEqual([null, null, 'at home']);
    expect(await two.client({ db: 3 }).get(other)).toBe('in database 3');
    await it.ok('key', 'mend', '--group', '2', '--delete');
    expect(await two.client().dbsize()).toBe(1);
  });

  test('of slots that no group owns say who has them', async () => {
    await one.client().flushall();
    await it.ok('slot', 'range-set', '1', '2', '1', 'offline');
    await two.client().set(lone, 'value');
    const finding = await found('unowned-keys', 'group 2');
    expect(finding.try).toEqual(['codis-config slot range-set 1 1 2 online']);
    expect((await found('slots-offline')).try).toEqual(['codis-config slot range-set 1 2 2 online']);
    await follow(finding.try[0]);
    await gone('unowned-keys');
    expect(await it.json('slot', 'info', '1')).toMatchObject({ group: 2 });
    await it.ok('slot', 'set', '1', '2', 'offline');
    await it.ok('slot', 'range-set', '1', '2', '1', 'online');
    await two.client().flushall();
  });

  test('that their owner does not take stay where they are, with the reason', async () => {
    await seed();
    await one.client().config('SET', 'maxmemory', '1');
    const { code, stderr } = await it.cli('key', 'mend', '--group', '2', '--move');
    await one.client().config('SET', 'maxmemory', '0');
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('OOM') });
    expect(await two.client().exists(lone)).toBe(1);
    await it.ok('key', 'mend', '--group', '2', '--move');
    expect(await one.client().get(lone)).toBe('lone');
  });

  test('being mended by somebody else hold up moves and assignments, and nothing else', async () => {
    await coordinator.commit([
      { op: 'create', path: 'mending/somebody', data: Buffer.from('alice is mending keys of group 2'), ephemeral: true },
    ]);
    const refused = await it.cli('slot', 'set', '1023', '2', 'offline');
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('alice is mending keys of group 2') });
    await it.ok('slot', 'migrate', '10', '10', '2');
    const waiting = await found('migration-waiting');
    expect(waiting.what).toContain('alice is mending keys of group 2; the move goes on when that is done');
    expect(waiting.try[0]).toMatch(/^codis-config migration show \d+$/);
    expect(await it.json('slot', 'info', '10')).toMatchObject({ group: 1, state: 'online' });
    await coordinator.commit([{ op: 'delete', path: 'mending/somebody' }]);
    await coordinator.commit([
      { op: 'delete', path: 'proxies/proxy_1/live' },
      { op: 'delete', path: 'proxies/proxy_1' },
    ]);
    await eventually(async () => ((await it.json('slot', 'info', '10')) as { group: number }).group === 2, {
      what: 'the move to go on',
      timeoutMs: 15_000,
    });
  });
});

describe('command line', () => {
  test('is refused for what makes no sense', async () => {
    expect((await it.cli('key', 'mend', '--group', '2', '--move', '--delete')).code).toBe(2);
    expect((await it.cli('key', 'mend', '--group', '2', '--slots', '9-1')).code).toBe(2);
    expect((await it.cli('key', 'mend', '--group', '77')).code).toBe(3);
  });

  test('explains itself to people: what, why and what to try', async () => {
    const { stdout, code } = await it.cli('doctor', '--quick');
    expect(code).toBe(7);
    expect(stdout).toMatch(
      /^\d+ errors?, \d+ warnings? \(epoch \d+, keys were not looked at\)\n\nerror: proxies: no proxy is online\nwhy: {3}/,
    );
  });

  test('works without a dashboard, and says that nobody controls', async () => {
    await it.dashboard.stop();
    const { code, stdout, stderr } = await it.cli('doctor', '-o', 'json');
    expect(code).toBe(7);
    expect(stderr).toContain('looking at the coordinator and the servers from here instead');
    expect((JSON.parse(stdout) as DoctorView).epoch).toBeGreaterThan(5);
    await found('no-controller');
  });
});
