// A controller moving slots between two real servers, in every mood of its surroundings.

import { describe, expect, test } from 'vitest';
import { eventually, scratchDir } from '../../../../test/harness/process.ts';
import { startRedis } from '../../../../test/harness/redis.ts';
import { migrationPath, PATHS } from '../../src/coordinator/index.ts';
import { readFence } from '../../src/migration/index.ts';
import {
  asEpoch,
  asProxyId,
  asSlot,
  encodeTopology,
  fenceKey,
  lockSlots,
  type MigrationId,
  proxyClientName,
  requireGroup,
} from '../../src/model/index.ts';
import { cancelMigration, createMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { becomes, caller, eachInProduct, fill, masters, observe, observer, product, stateOf } from './each-in-product.ts';
import { committed, keyOf, makeProduct, ONE, PRODUCT, TWO } from './product.ts';

eachInProduct();

const migrate = (first: number, last: number, delayMs = 0) =>
  createMigration(caller(), { moves: [{ first: asSlot(first), last: asSlot(last), to: TWO }], delayMs });
const recordOf = (id: MigrationId) => readMigration(observer, id);
const reached = (id: MigrationId, state: string) => becomes({ id }, (record) => record.state === state, `migration ${id} ${state}`);
const waitsFor = (id: MigrationId, reason: RegExp) =>
  becomes({ id }, ({ waiting }) => waiting !== null && reason.test(waiting), `waiting ${reason}`);

describe('moving slots', () => {
  test('every key of the slots arrives, none stays, and the others are left alone', async () => {
    const keys = await fill([0, 1, 2, 3, 4, 5, 6], 10);
    const others = await fill([7, 500], 10);
    const inDb3 = masters.one.client({ db: 3 });
    await inDb3.hset(keyOf(2, 77), 'field', 'value');
    await inDb3.pexpire(keyOf(2, 77), 3_600_000);
    await Promise.all([product.proxy('p1'), product.proxy('p2')]);
    const { id } = await migrate(0, 6);
    await product.controller(await product.connect());

    const record = await reached(id, 'done');

    expect(record).toMatchObject({ waiting: null, progress: { slotsTotal: 7, slotsDone: 7, keysSwept: 71 } });
    expect(record.endedAt).not.toBeNull();
    expect(await masters.two.client().mget(keys)).toEqual(keys.map((key) => `value of ${key}`));
    expect(await masters.one.client().exists(...keys)).toBe(0);
    expect(await masters.one.client().exists(...others)).toBe(others.length);
    expect(await masters.two.client({ db: 3 }).hgetall(keyOf(2, 77))).toEqual({ field: 'value' });
    expect(await masters.two.client({ db: 3 }).pttl(keyOf(2, 77))).toBeGreaterThan(3_000_000);
    expect(await stateOf(6)).toEqual({ kind: 'online', owner: TWO });
    expect(await stateOf(7)).toEqual({ kind: 'online', owner: ONE });
  });

  test('migrations run in the order they were asked for', async () => {
    await product.proxy('p1');
    const first = await migrate(0, 9);
    const second = await migrate(10, 19);
    const controller = await product.controller(await product.connect());

    const [a, b] = [await reached(first.id, 'done'), await reached(second.id, 'done')];

    expect(Date.parse(a.endedAt!)).toBeLessThanOrEqual(Date.parse(b.endedAt!));
    await eventually(() => controller.status().running === null, { what: 'an idle controller' });
    expect(controller.status().elected).toBe(true);
  });

  test('keys of every slot, many hand-overs with a pause after each, all arrive', async () => {
    await product.proxy('p1');
    const pipeline = masters.one.client().pipeline();
    for (let n = 0; n < 3000; n++) pipeline.set(`key:${n}`, String(n));
    await pipeline.exec();
    const { id } = await migrate(0, 1023, 1);
    await product.controller(await product.connect(), { migration_batch_slots: 1024 });

    expect(await reached(id, 'done')).toMatchObject({ progress: { slotsDone: 1024, keysSwept: 3000 } });

    expect(await masters.one.client().dbsize()).toBe(0);
    expect(await masters.two.client().dbsize()).toBe(3000);
  });
});

describe('proxies', () => {
  test('a proxy that does not take up the lock costs a released lock and a reason, and the move goes on once it does', async () => {
    const slow = await product.proxy('slow');
    await eventually(async () => (await observer.read('proxies/slow/live')) !== null, { what: 'a session' });
    slow.setAcking(false);
    const { id } = await migrate(0, 2);
    await product.controller(await product.connect());

    const waiting = await waitsFor(id, /proxy slow did not take up the lock within 400 ms/);
    expect(waiting.state).toBe('running');
    await eventually(async () => (await stateOf(0)).kind === 'online', { what: 'a released slot' });

    slow.setAcking(true);
    expect(await reached(id, 'done')).toMatchObject({ waiting: null });
  });

  test('nothing is locked while a server may yet carry out what a proxy gave up there, and the migration says so', async () => {
    const proxy = await product.proxy('p1');
    proxy.setUnconfirmed([masters.one.addr]);
    await eventually(async () => (await observer.read('proxies/p1/live'))?.data.includes('unconfirmed'), { what: 'it to be told' });
    const { id } = await migrate(0, 2);
    await product.controller(await product.connect());
    await waitsFor(id, /proxy p1 gave up a connection to \S+ with commands under way, which might run there yet/);
    expect(await stateOf(0)).toEqual({ kind: 'online', owner: ONE });
    proxy.setUnconfirmed([]);
    expect(await reached(id, 'done')).toMatchObject({ waiting: null });
  });

  test('a lost proxy is fenced off the source after its time, and the move goes on without it', async () => {
    const lost = await product.proxy('lost');
    await product.proxy('alive');
    await eventually(async () => (await observer.read('proxies/lost/live')) !== null, { what: 'a session' });
    await lost.lose();
    const [stale, healthy] = [masters.one.client(), masters.one.client()];
    await stale.client('SETNAME', proxyClientName(asProxyId('lost'), { pid: 1, workerPid: 2 }));
    await healthy.client('SETNAME', proxyClientName(asProxyId('alive'), { pid: process.pid, workerPid: 2 }));
    const [staleId, healthyId] = [await stale.client('ID'), await healthy.client('ID')];
    const { id } = await migrate(0, 2);
    await product.controller(await product.connect());

    await waitsFor(id, /proxy lost has no session/);
    expect((await stateOf(0)).kind).toBe('online');
    await reached(id, 'done');

    const { epoch, topology } = await readTopology({ coordinator: observer });
    const marker = await readFence({ product: PRODUCT, password: '', group: requireGroup(topology, ONE) });
    expect(marker).toBe(epoch - 2);
    expect(await stale.client('ID')).not.toBe(staleId);
    expect(await healthy.client('ID')).toBe(healthyId);
  });

  test('a proxy that is lost while slots are locked is no ack: the lock is given up', async () => {
    const p = await product.proxy('p1');
    await eventually(async () => (await observer.read('proxies/p1/live')) !== null, { what: 'a session' });
    p.setAcking(false);
    const { id } = await migrate(0, 2);
    await product.controller(await product.connect(), { slot_lock_lease_ms: 30_000, proxy_lost_timeout: 3600 });
    await eventually(async () => (await stateOf(0)).kind === 'locked', { what: 'a lock' });

    await p.lose();

    await waitsFor(id, /proxy p1 lost its session while slots were locked|proxy p1 has no session/);
    await eventually(async () => (await stateOf(0)).kind === 'online', { what: 'a released slot' });
    expect(await stateOf(0)).toEqual({ kind: 'online', owner: ONE });
  });

  test('a marker that was lost is put back while the proxy stays away', async () => {
    const lost = await product.proxy('lost');
    await lost.lose();
    const { id } = await migrate(0, 2);
    await product.controller(await product.connect());
    await reached(id, 'done');
    const client = masters.one.client();
    expect(await client.get(fenceKey(PRODUCT))).not.toBeNull();

    await client.del(fenceKey(PRODUCT));

    await eventually(async () => (await client.get(fenceKey(PRODUCT))) !== null, { what: 'the marker', timeoutMs: 12_000 });
  });

  test('a marker above the epoch, left by a controller that died before its lock, is caught up with', async () => {
    const { epoch } = await readTopology({ coordinator: observer });
    await masters.one.client().set(fenceKey(PRODUCT), epoch + 1);

    await product.controller(await product.connect());

    await eventually(async () => (await readTopology({ coordinator: observer })).epoch === epoch + 1, { what: 'the next epoch' });
  });

  test('a marker of another coordinator’s life is set back to the epoch', async () => {
    const { epoch } = await readTopology({ coordinator: observer });
    await masters.one.client().set(fenceKey(PRODUCT), 5000);

    await product.controller(await product.connect());

    const client = masters.one.client();
    await eventually(async () => (await client.get(fenceKey(PRODUCT))) === String(epoch), { what: 'a lower marker' });
    expect((await readTopology({ coordinator: observer })).epoch).toBe(epoch);
  });
});

describe('servers', () => {
  test('keys of these slots at the target block the move until they are gone; it is said where they are, and not what they are called', async () => {
    await product.proxy('p1');
    const orphan = keyOf(1, 9);
    await masters.two.client({ db: 2 }).set(orphan, 'orphan');
    await fill([0, 1], 5);
    const { id } = await migrate(0, 2);
    await product.controller(await product.connect());

    const record = await waitsFor(id, /holds keys of slots it does not own/);
    expect(record.waiting).toContain('like slot 1 in database 2; look at them with: codis-config key mend');
    expect(record.waiting).not.toContain(orphan);
    expect(await stateOf(1)).toEqual({ kind: 'online', owner: ONE });

    await masters.two.client({ db: 2 }).del(orphan);
    await reached(id, 'done');
  });

  test('a target that goes down in mid-move is waited for, and no key is lost', async () => {
    const config = { appendonly: 'yes', appendfsync: 'always', dir: scratchDir('target') };
    const target = await startRedis({ config });
    const own = await makeProduct({ one: masters.one, two: target });
    await observe(own);
    await own.proxy('p1');
    const keys = await fill([0, 1, 2], 40);
    const { id } = await migrate(0, 2, 20);
    await own.controller(await own.connect());
    await eventually(async () => (await target.client().dbsize()) > 10, { what: 'some keys at the target' });

    await target.child.stop();
    await waitsFor(id, /keys of group 1 don't get to group 2: .*(stopped answering|can't be reached|IOERR)/);
    expect((await stateOf(0)).kind).toBe('migrating');
    expect(await masters.one.client().exists(...keys)).toBeGreaterThan(0);
    const again = await startRedis({ port: target.port, config });
    await reached(id, 'done');

    expect(await masters.one.client().exists(...keys)).toBe(0);
    expect(await again.client().exists(...keys)).toBe(keys.length);
    await own.close();
    await again.stop();
  });

  test('a target that is a replica in truth is refused before anything is locked', async () => {
    await product.proxy('p1');
    const replica = await startRedis({ replicaOf: masters.one });
    const own = await makeProduct({ one: masters.one, two: replica });
    await observe(own);
    const { id } = await migrate(0, 2);
    await own.controller(await own.connect());

    await waitsFor(id, /is a replica, though the topology has it as a master/);

    expect((await stateOf(0)).kind).toBe('online');
    await own.close();
    await replica.stop();
  });
});

describe('ends', () => {
  test('a migration cancelled while its slots are migrating takes no more, and those in the move arrive', async () => {
    await product.proxy('p1');
    const keys = await fill([0, 1, 2], 40);
    const { id } = await migrate(0, 8, 20);
    await product.controller(await product.connect());
    await eventually(async () => (await stateOf(0)).kind === 'migrating', { what: 'a move' });

    const entry = (await observer.read(migrationPath(id)))!;
    const record = { ...(await recordOf(id)), state: 'cancelled' };
    await committed(observer, { op: 'set', path: migrationPath(id), data: Buffer.from(JSON.stringify(record)), version: entry.version });

    await eventually(async () => (await recordOf(id)).endedAt !== null, { what: 'an end' });
    expect(await recordOf(id)).toMatchObject({ state: 'cancelled', progress: { slotsDone: 3 } });
    expect(await stateOf(2)).toEqual({ kind: 'online', owner: TWO });
    expect(await stateOf(3)).toEqual({ kind: 'online', owner: ONE });
    expect(await masters.two.client().exists(...keys)).toBe(keys.length);
  });

  test('a migration cancelled between batches is left alone', async () => {
    const p = await product.proxy('p1');
    await p.lose();
    const { id } = await migrate(0, 8);
    const controller = await product.controller(await product.connect(), { proxy_lost_timeout: 3600 });
    await waitsFor(id, /has no session/);

    await cancelMigration(caller(), { id });

    await eventually(() => controller.status().running === null, { what: 'an idle controller' });
    expect((await stateOf(0)).kind).toBe('online');
  });

  test('a lock whose migration is no more is rolled back when its lease has passed', async () => {
    const { epoch, topology } = await readTopology({ coordinator: observer });
    const locked = lockSlots(topology, {
      slots: [asSlot(9)],
      to: TWO,
      migration: 77 as MigrationId,
      epoch: asEpoch(epoch + 1),
      leaseMs: 200,
    });
    await committed(observer, { op: 'set', path: PATHS.topology, data: encodeTopology(locked), version: epoch });

    await product.controller(await product.connect());

    await eventually(async () => (await stateOf(9)).kind === 'online', { what: 'a released slot' });
    expect(await stateOf(9)).toEqual({ kind: 'online', owner: ONE });
  });
});
