// Goal: what an operator asks of a migration that runs holds: paused, resumed, throttled, durable; several pairs of groups at a time; a target that hangs.
// Method: a real controller between two real servers, as in controller.test.ts.

import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { startRedis } from '../../../../test/harness/redis.ts';
import { PATHS } from '../../src/coordinator/index.ts';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  encodeTopology,
  type Migration,
  type Move,
  type SlotState,
  type Topology,
} from '../../src/model/index.ts';
import {
  createMigration,
  type MigrationRequest,
  pauseMigration,
  readTopology,
  resumeMigration,
  throttleMigration,
} from '../../src/operations/index.ts';
import { becomes, caller, eachInProduct, fill, masters, observer, product, stateOf } from './each-in-product.ts';
import { committed, keyOf, ONE, TWO } from './product.ts';

eachInProduct({ proxy: true });

const THREE = asGroupId(3);
const SLOTS = Array.from({ length: 20 }, (_, slot) => slot);
const move = (first: number, last: number, to = TWO): Move => ({ first: asSlot(first), last: asSlot(last), to });
const startController = async () => product.controller(await product.connect(), { migration_batch_slots: 1024, slot_lock_lease_ms: 5000 });
const ask = (options: Omit<MigrationRequest, 'moves'> = {}, moves = [move(0, 19)]) => createMigration(caller(), { moves, ...options });

const isDone = (migration: Migration) => becomes(migration, ({ state }) => state === 'done', 'the migration to be done');

async function change(edit: (topology: Topology) => Topology): Promise<void> {
  const { epoch, topology } = await readTopology(caller());
  await committed(observer, { op: 'set', path: PATHS.topology, data: encodeTopology(edit(topology)), version: epoch });
}

test('beside clients that ask for much only some of the slots are between two groups at a time', async () => {
  await fill(
    Array.from({ length: 1000 }, (_, slot) => slot),
    10,
  );
  const clients = masters.one.client();
  const askFor = async () => {
    const pipeline = clients.pipeline();
    for (let n = 0; n < 500; n++) pipeline.get('any');
    await pipeline.exec();
  };
  await askFor();
  const asking = setInterval(() => void askFor(), 20);
  let most = 0;
  const stop = observer.watch(PATHS.topology, () => {
    void readTopology(caller()).then(({ topology }) => {
      most = Math.max(most, topology.slots.filter(({ kind }) => kind === 'locked' || kind === 'migrating').length);
    });
  });
  try {
    const migration = await ask({}, [move(0, 999)]);
    await startController();
    await isDone(migration);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(500);
  } finally {
    stop();
    clearInterval(asking);
  }
});

describe('a migration that is paused', () => {
  test('hands nothing over until it is resumed, and says so', async () => {
    const keys = await fill(SLOTS, 20);
    const migration = await ask({ keysPerSecond: 40 });
    await startController();
    await becomes(migration, ({ progress }) => progress.keysSwept > 0, 'some keys to be swept');

    await pauseMigration(caller(), migration);

    const paused = await becomes(migration, ({ waiting }) => waiting !== null, 'a reason');
    expect(paused).toMatchObject({
      state: 'paused',
      waiting: expect.stringMatching(/^paused with 20 slots between two groups, about \d+ keys are left$/),
    });
    await eventually(async () => !String(await masters.one.client().client('LIST')).includes('codis-controller'), {
      what: 'the sweep to have ended',
    });
    const left = await masters.one.client().dbsize();
    expect(left).toBeGreaterThan(0);
    await throttleMigration(caller(), { id: migration.id, keysPerSecond: null });
    expect(await masters.one.client().dbsize()).toBe(left);
    expect(await stateOf(3)).toMatchObject({ kind: 'migrating' });

    await resumeMigration(caller(), migration);
    await isDone(migration);
    expect(await masters.two.client().exists(...keys)).toBe(keys.length);
    await expect(pauseMigration(caller(), migration)).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
  });

  test('before it began takes no slot', async () => {
    const migration = await ask();
    await pauseMigration(caller(), migration);
    await startController();
    await becomes(migration, ({ waiting }) => waiting === 'paused', 'a reason');
    expect(await stateOf(3)).toMatchObject({ kind: 'online' });
  });
});

describe('a migration that is throttled', () => {
  test('keeps to its budget, and a new one holds while it runs', async () => {
    await fill(SLOTS, 50);
    const migration = await ask({ keysPerSecond: 50 });
    await startController();
    const slow = await becomes(migration, ({ progress }) => progress.keysSwept >= 50, 'some keys to be swept');
    const { keysLeft, keysPerSecond } = slow.progress;
    expect(keysLeft! + slow.progress.keysSwept).toBeGreaterThan(800);
    expect(keysPerSecond).toBeLessThan(100);

    const from = performance.now();
    await throttleMigration(caller(), { id: migration.id, keysPerSecond: null });
    const done = await isDone(migration);

    expect(performance.now() - from).toBeLessThan(15_000);
    expect(done).toMatchObject({ waiting: null, progress: { keysSwept: 1000, keysLeft: 0, slotsDone: 20 } });
    expect(done.progress.bytesSwept).toBeGreaterThan(50_000);
  });

  test('by bytes', async () => {
    await masters.one.client().mset(SLOTS.flatMap((slot) => [keyOf(slot), 'x'.repeat(100_000)]));
    const migration = await ask({ bytesPerSecond: 400_000 });
    await startController();
    const from = performance.now();
    await isDone(migration);
    expect(performance.now() - from).toBeGreaterThan(3500);
  });
});

test('pairs of groups move side by side, each source one at a time', async () => {
  const online: SlotState = { kind: 'online', owner: TWO };
  await change((topology) => ({ ...topology, slots: topology.slots.map((state, slot) => (slot < 512 ? state : online)) }));
  await Promise.all([fill([0, 1], 30), fill([600, 601], 30, masters.two)]);
  const migration = await ask({ delayMs: 100, keysPerSecond: 20 }, [move(0, 1), move(600, 601, ONE)]);
  await startController();

  await eventually(async () => (await stateOf(0)).kind === 'migrating' && (await stateOf(600)).kind === 'migrating', {
    what: 'both to move',
  });
  await throttleMigration(caller(), { id: migration.id, delayMs: 0, keysPerSecond: null });

  expect((await isDone(migration)).progress).toMatchObject({ slotsDone: 4, keysSwept: 120 });
  expect([await masters.one.client().dbsize(), await masters.two.client().dbsize()]).toEqual([60, 60]);
});

describe('a durable migration', () => {
  test('waits for a replica to be there', async () => {
    const migration = await ask({ durable: true });
    await startController();
    await becomes(migration, ({ waiting }) => /group 2 has no replica, and a durable migration/.test(waiting ?? ''), 'a reason');
    expect(await stateOf(0)).toMatchObject({ kind: 'online' });
  });

  test('gives up no key at the source before the replicas have it', async () => {
    const replica = await startRedis({ replicaOf: masters.two });
    await change((topology) => addServer(topology, { group: TWO, addr: asServerAddr(replica.addr), role: 'replica' }));
    const keys = await fill(SLOTS, 10);
    replica.child.signal('SIGSTOP');
    await masters.two.client().set(keyOf(900), 'what it has not heard of');
    const migration = await ask({ durable: true, keysPerSecond: 100 });
    await startController();
    const waits = ({ waiting }: Migration) => /1 of 1 replicas of group 2 did not confirm/.test(waiting ?? '');

    // As a master it would have what has left the group before.
    await becomes(migration, waits, 'a reason not to begin');
    expect(await stateOf(0)).toMatchObject({ kind: 'online' });
    replica.child.signal('SIGCONT');

    await becomes(migration, ({ progress }) => progress.keysSwept > 0, 'some keys to be swept');
    replica.child.signal('SIGSTOP');
    await becomes(migration, waits, 'a reason');
    const [left, arrived] = await Promise.all([masters.one.client().exists(...keys), masters.two.client().exists(...keys)]);
    expect(left + arrived).toBeGreaterThan(keys.length);

    replica.child.signal('SIGCONT');
    await throttleMigration(caller(), { id: migration.id, keysPerSecond: null });
    await isDone(migration);
    expect(await replica.client().exists(...keys)).toBe(keys.length);
    expect(await masters.one.client().dbsize()).toBe(0);
    await replica.stop();
  });
});

test('a target that hangs costs the source at most one time-out, and the move goes on when it is back', async () => {
  const keys = await fill(SLOTS, 50);
  const source = masters.one.client();
  await source.config('SET', 'slowlog-log-slower-than', '100000');
  await source.slowlog('RESET');
  const migration = await ask({ keysPerSecond: 100 });
  await startController();
  await becomes(migration, ({ progress }) => progress.keysSwept > 0, 'some keys to be swept');

  masters.two.child.signal('SIGSTOP');
  await becomes(migration, ({ waiting }) => /keys of group 1 don't get to group 2/.test(waiting ?? ''), 'a reason');
  await becomes(migration, ({ waiting }) => /does not answer|stopped answering|can't be reached/.test(waiting ?? ''), 'another try');
  const slow = (await source.slowlog('GET', '100')) as unknown[][];
  expect(slow.filter((entry) => /^(eval|migrate)$/i.test(String((entry[3] as string[])[0])))).toHaveLength(Math.min(1, slow.length));
  masters.two.child.signal('SIGCONT');

  await throttleMigration(caller(), { id: migration.id, keysPerSecond: null });
  const done = await isDone(migration);
  expect(done.progress.retries).toBeGreaterThan(0);
  expect(await masters.two.client().exists(...keys)).toBe(keys.length);
});

test('a migration that is done tells which slots came from where, when, and what proved it', async () => {
  const keys = await fill([...SLOTS, 900], 5);
  const migration = await ask({}, [move(0, 19)]);
  const before = Date.now();
  await startController();
  const { arrivals, progress } = await isDone(migration);
  expect(progress.retries).toBe(0);
  expect(arrivals).toEqual([
    {
      first: 0,
      last: 19,
      from: ONE,
      to: TWO,
      at: expect.any(String),
      looked: expect.toSatisfy((looked) => looked === null || looked >= 5),
    },
  ]);
  expect(arrivals[0]!.looked ?? 0).toBeLessThanOrEqual(keys.length + 10);
  expect(Date.parse(arrivals[0]!.at)).toBeGreaterThanOrEqual(before);
});

test('a target that hangs before anything is locked holds up no other pair of groups', async () => {
  const online: SlotState = { kind: 'online', owner: TWO };
  const third = await startRedis();
  await change((topology) => {
    const grown = addServer(topology, { group: THREE, addr: asServerAddr(third.addr), role: 'master' });
    return { ...grown, slots: grown.slots.map((state, slot) => (slot < 512 ? state : online)) };
  });
  await Promise.all([fill([0, 1], 30), fill([600, 601], 30, masters.two)]);
  third.child.signal('SIGSTOP');
  const migration = await ask({}, [move(0, 1, THREE), move(600, 601, ONE)]);
  await startController();

  await eventually(async () => (await stateOf(600)).kind === 'online' && (await masters.one.client().dbsize()) === 120, {
    what: 'the other pair to have moved',
    timeoutMs: 30_000,
  });
  await becomes(migration, ({ waiting }) => /the target can't be used/.test(waiting ?? ''), 'a reason');
  expect(await stateOf(0)).toMatchObject({ kind: 'online', owner: ONE });
  third.child.signal('SIGCONT');
  await isDone(migration);
  await third.stop();
});
