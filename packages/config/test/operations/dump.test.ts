// The topology as a file: what was taken can be put back, at an epoch that everybody takes, and never in the middle of something.

import { afterAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { startZookeeper } from '../../../../test/harness/zookeeper.ts';
import { migrationPath, openCoordinator, PATHS, proxyLivePath, proxyPath } from '../../src/coordinator/index.ts';
import {
  addServer,
  asEpoch,
  asMigrationId,
  asProxyId,
  asServerAddr,
  asSlot,
  encodeMigration,
  encodeProxyLive,
  encodeProxyRegistration,
  encodeTopology,
  lockSlots,
  requireGroup,
  slotRuns,
  startMigrating,
  type VersionedTopology,
} from '../../src/model/index.ts';
import {
  assignRange,
  type Caller,
  decodeDump,
  encodeDump,
  ensureParents,
  listEvents,
  offlineRange,
  readTopology,
  restoreDump,
  setServer,
  type TopologyDump,
  takeDump,
} from '../../src/operations/index.ts';
import { newMigration } from '../../src/operations/migrations.ts';
import { G1, G2, newCaller, newProduct, refusal } from './support.ts';

afterAll(stopAll);

const ALL = { first: asSlot(0), last: asSlot(1023) };

async function twoGroups(): Promise<Caller> {
  const caller = await newProduct();
  await put(caller, ({ topology }) => {
    const one = addServer(topology, { group: G1, addr: asServerAddr('127.0.0.1:1'), role: 'master' });
    return addServer(one, { group: G2, addr: asServerAddr('127.0.0.1:2'), role: 'master' });
  });
  await assignRange(caller, { ...ALL, owner: G1 });
  return caller;
}

const dumpOf = async (caller: Caller): Promise<TopologyDump> => decodeDump(JSON.stringify(encodeDump(await takeDump(caller))));

/** Writes what `change` makes of the topology. */
async function put(caller: Caller, change: (current: VersionedTopology) => VersionedTopology['topology']): Promise<void> {
  const current = await readTopology(caller);
  const data = encodeTopology(change(current));
  expect(await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data, version: current.epoch }])).toMatchObject({ ok: true });
}

const SLOTS = [asSlot(3), asSlot(4)];
const MIGRATION = asMigrationId(7);

function moving({ epoch, topology }: VersionedTopology): VersionedTopology['topology'] {
  const locked = lockSlots(topology, { slots: SLOTS, to: G2, migration: MIGRATION, epoch: asEpoch(epoch + 1), leaseMs: 1000 });
  return startMigrating(locked, { slots: SLOTS, migration: MIGRATION });
}

test.each(['filesystem', 'zookeeper'])(
  'a lost topology is put back as it was, above every epoch that anybody has seen, with one event: %s',
  async (kind) => {
    const dump = await dumpOf(await twoGroups());
    const caller = kind === 'filesystem' ? await newCaller() : await zookeeperCaller();
    await ensureParents(caller);
    const id = asProxyId('proxy_1');
    const registration = { id, addr: '127.0.0.1:1', adminAddr: '127.0.0.1:2', wanted: 'online' } as const;
    const live = encodeProxyLive({ epoch: asEpoch(20_000), pid: 1, startedAt: '' });
    await caller.coordinator.commit([
      { op: 'create', path: proxyPath(id), data: encodeProxyRegistration(registration) },
      { op: 'create', path: proxyLivePath(id), data: live },
    ]);
    const restored = await restoreDump(caller, { dump, force: false });
    expect(restored).toMatchObject({ before: null, epoch: 20_001, adoptable: [], reassignedCount: 0 });
    expect(await readTopology(caller)).toEqual({ epoch: 20_001, topology: dump.topology });
    const [event] = await listEvents(caller.coordinator);
    expect(event).toMatchObject({ action: 'config.restore', object: `topology of epoch ${dump.epoch}` });
  },
  60_000,
);

async function zookeeperCaller(): Promise<Caller> {
  const { addr } = await startZookeeper();
  const settings = { product_name: 'test', coordinator: 'zookeeper', coordinator_dir: '', zk: [addr], zk_session_timeout: 4000 } as const;
  const coordinator = openCoordinator(settings);
  afterAll(() => coordinator.close());
  await coordinator.ready(30_000);
  return { coordinator, product: 'test', actor: 'alice', password: '' };
}

test('a topology that is there stays, unless forced: then slots are where the dump says', async () => {
  const caller = await twoGroups();
  const dump = await dumpOf(caller);
  await offlineRange(caller, { first: asSlot(512), last: asSlot(1023) });
  await assignRange(caller, { first: asSlot(512), last: asSlot(1023), owner: G2 });
  expect(await refusal(caller, () => restoreDump(caller, { dump, force: false }))).toBe('CODIS_E_SLOTS_EXIST');
  const { epoch } = await readTopology(caller);
  expect(await restoreDump(caller, { dump, force: true })).toMatchObject({ before: epoch, epoch: epoch + 1, reassignedCount: 512 });
  expect(slotRuns((await readTopology(caller)).topology)).toEqual([{ ...ALL, state: { kind: 'online', owner: G1 } }]);
});

test('what was said of a server is in the dump, and put back', async () => {
  const caller = await twoGroups();
  const server = { group: G1, addr: asServerAddr('127.0.0.1:1') };
  await setServer(caller, { ...server, settings: { zone: 'az1', replicaReads: false } });
  const dump = await dumpOf(caller);
  await setServer(caller, { ...server, settings: { zone: null, replicaReads: true } });
  expect((await listEvents(caller.coordinator))[0]).toMatchObject({
    action: 'server.set',
    before: 'zone az1, replica reads off',
    after: 'zone none, replica reads on',
  });
  await restoreDump(caller, { dump, force: true });
  const { servers } = requireGroup((await readTopology(caller)).topology, G1);
  expect(servers).toEqual([{ addr: '127.0.0.1:1', role: 'master', zone: 'az1', replicaReads: false }]);
});

test('a dry run checks all and changes nothing', async () => {
  const caller = await twoGroups();
  const dump = await dumpOf(caller);
  const before = [await readTopology(caller), await listEvents(caller.coordinator)];
  const { epoch } = await readTopology(caller);
  expect(await restoreDump(caller, { dump, force: true, dryRun: true })).toMatchObject({ epoch: epoch + 1 });
  expect(await refusal(caller, () => restoreDump(caller, { dump, force: false, dryRun: true }))).toBe('CODIS_E_SLOTS_EXIST');
  expect([await readTopology(caller), await listEvents(caller.coordinator)]).toEqual(before);
});

test('a topology that can’t be read is replaced when forced', async () => {
  const caller = await twoGroups();
  const dump = await dumpOf(caller);
  await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: Buffer.from('{') }]);
  await expect(restoreDump(caller, { dump, force: false })).rejects.toMatchObject({ code: 'CODIS_E_SLOTS_EXIST' });
  await restoreDump(caller, { dump, force: true });
  expect((await readTopology(caller)).topology).toEqual(dump.topology);
});

test('nothing is put over slots that move, and no moving slots over anything', async () => {
  const caller = await twoGroups();
  const still = await dumpOf(caller);
  await put(caller, moving);
  const inMove = await dumpOf(caller);
  expect(await refusal(caller, () => restoreDump(caller, { dump: still, force: true }))).toBe('CODIS_E_SLOT_IN_MOVE');
  const other = await twoGroups();
  expect(await refusal(other, () => restoreDump(other, { dump: inMove, force: true }))).toBe('CODIS_E_SLOT_IN_MOVE');
});

test('a lost topology with slots in a move is put back in the move, for adopting; not when that is over', async () => {
  const caller = await twoGroups();
  await put(caller, moving);
  const dump = await dumpOf(caller);
  await caller.coordinator.commit([{ op: 'delete', path: PATHS.topology }]);
  expect(await restoreDump(caller, { dump, force: false, dryRun: true })).toMatchObject({ adoptable: [MIGRATION] });
  const moves = [{ first: asSlot(3), last: asSlot(4), to: G2 }];
  const record = { ...newMigration(dump.topology, { id: MIGRATION, moves, actor: 'x' }), state: 'done', endedAt: 'then' } as const;
  await caller.coordinator.commit([{ op: 'create', path: migrationPath(MIGRATION), data: encodeMigration(record) }]);
  await expect(restoreDump(caller, { dump, force: false })).rejects.toMatchObject({ code: 'CODIS_E_SLOT_IN_MOVE' });
  await caller.coordinator.commit([{ op: 'delete', path: migrationPath(MIGRATION) }]);
  await restoreDump(caller, { dump, force: false });
  expect((await readTopology(caller)).topology).toEqual(dump.topology);
});

test('a locked slot is put back where its keys are', async () => {
  const caller = await twoGroups();
  await put(caller, ({ epoch, topology }) =>
    lockSlots(topology, { slots: SLOTS, to: G2, migration: MIGRATION, epoch: asEpoch(epoch + 1), leaseMs: 1000 }),
  );
  const dump = await dumpOf(caller);
  await caller.coordinator.commit([{ op: 'delete', path: PATHS.topology }]);
  await restoreDump(caller, { dump, force: false });
  expect(slotRuns((await readTopology(caller)).topology)).toEqual([{ ...ALL, state: { kind: 'online', owner: G1 } }]);
});

test('a dump of another product is taken for what it is only when forced', async () => {
  const dump = { ...(await dumpOf(await twoGroups())), product: 'another' };
  const caller = await newCaller();
  await expect(restoreDump(caller, { dump, force: false })).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
  await restoreDump(caller, { dump, force: true });
  expect((await readTopology(caller)).topology).toEqual(dump.topology);
});

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['null', 'null'],
  ['another format', '{"format":"codis-topology-9"}'],
  ['no product', '{"format":"codis-topology-1","epoch":1,"takenAt":"","slots":[],"groups":[]}'],
  [
    'too few slots',
    '{"format":"codis-topology-1","product":"p","epoch":1,"takenAt":"","slots":[{"first":0,"last":9,"state":"offline"}],"groups":[]}',
  ],
  [
    'an epoch below zero',
    '{"format":"codis-topology-1","product":"p","epoch":-1,"takenAt":"","slots":[{"first":0,"last":1023,"state":"offline"}],"groups":[]}',
  ],
  [
    'a group that is not there',
    '{"format":"codis-topology-1","product":"p","epoch":1,"takenAt":"","slots":[{"first":0,"last":1023,"state":"online","owner":9}],"groups":[]}',
  ],
])('a file with %s is no dump', (_, text) => {
  expect(() => decodeDump(text)).toThrow(expect.objectContaining({ code: 'CODIS_E_BAD_DUMP' }));
});
