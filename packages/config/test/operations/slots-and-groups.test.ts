import { describe, expect, test } from 'vitest';
import { PATHS } from '../../src/coordinator/index.ts';
import { asGroupId, asServerAddr, asSlot, encodeTopology, lockSlots, slotRuns } from '../../src/model/index.ts';
import {
  addGroup,
  addServer,
  assignRange,
  createMigration,
  initSlots,
  offlineRange,
  readTopology,
  removeGroup,
  removeServer,
} from '../../src/operations/index.ts';
import { G1, G2, newCaller, newCluster, newProduct, refusal, snapshot } from './support.ts';

const all = { first: asSlot(0), last: asSlot(1023) };

describe('slot init', () => {
  test('makes a table with every slot offline', async () => {
    const caller = await newCaller();
    const { epoch, topology } = await initSlots(caller, { force: false });
    expect(epoch).toBe(0);
    expect(slotRuns(topology)).toEqual([{ ...all, state: { kind: 'offline' } }]);
    expect(await snapshot(caller)).toMatchObject({ topology: { epoch: 0 }, events: 1 });
  });

  test('twice is refused', async () => {
    const caller = await newProduct();
    expect(await refusal(caller, () => initSlots(caller, { force: false }))).toBe('CODIS_E_SLOTS_EXIST');
  });

  test('of two at once makes one table', async () => {
    const caller = await newCaller();
    const results = await Promise.allSettled([initSlots(caller, { force: false }), initSlots(caller, { force: false })]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({ code: 'CODIS_E_SLOTS_EXIST' });
  });

  test('with force takes all slots offline and keeps the groups, but not while a slot is in a move', async () => {
    const { caller } = await newCluster();
    const locked = await lockOneSlot(caller);
    expect(await refusal(caller, () => initSlots(caller, { force: true }))).toBe('CODIS_E_SLOT_IN_MOVE');
    await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology(locked.before) }]);
    const { topology } = await initSlots(caller, { force: true });
    expect(slotRuns(topology)).toHaveLength(1);
    expect(topology.groups.map(({ id }) => id)).toEqual([1, 2]);
  });
});

describe('slots', () => {
  test('go to a group and offline again, at the ends of the table too', async () => {
    const { caller } = await newCluster();
    const { topology } = await offlineRange(caller, all);
    expect(slotRuns(topology)).toEqual([{ ...all, state: { kind: 'offline' } }]);
    const given = await assignRange(caller, { first: asSlot(1023), last: asSlot(1023), owner: G1 });
    expect(slotRuns(given.topology).at(-1)).toMatchObject({ first: 1023, last: 1023, state: { owner: 1 } });
    await assignRange(caller, { first: asSlot(1023), last: asSlot(1023), owner: G1 });
  });

  test.each([
    ['a range that runs backwards', { first: asSlot(5), last: asSlot(4), owner: G1 }, 'CODIS_E_BAD_SLOT'],
    ['a group that does not exist', { ...all, owner: asGroupId(9) }, 'CODIS_E_UNKNOWN_GROUP'],
    ['a group without a master', { ...all, owner: asGroupId(3) }, 'CODIS_E_NO_MASTER'],
  ])('are refused to %s', async (_, request, code) => {
    const { caller } = await newCluster();
    await addGroup(caller, { group: asGroupId(3) });
    expect(await refusal(caller, () => assignRange(caller, request))).toBe(code);
  });

  test('that another group serves are not just given away: their keys would stay behind', async () => {
    const { caller } = await newCluster();
    expect(await refusal(caller, () => assignRange(caller, { ...all, owner: G2 }))).toBe('CODIS_E_SLOT_ONLINE');
  });

  test('in a move can’t be assigned or taken offline by hand', async () => {
    const { caller } = await newCluster();
    await lockOneSlot(caller);
    expect(await refusal(caller, () => assignRange(caller, { ...all, owner: G1 }))).toBe('CODIS_E_SLOT_IN_MOVE');
    expect(await refusal(caller, () => offlineRange(caller, all))).toBe('CODIS_E_SLOT_IN_MOVE');
  });
});

describe('groups', () => {
  test('are added once and removed when empty', async () => {
    const caller = await newProduct();
    await addGroup(caller, { group: G1 });
    expect(await refusal(caller, () => addGroup(caller, { group: G1 }))).toBe('CODIS_E_GROUP_EXISTS');
    await removeGroup(caller, { group: G1 });
    expect(await refusal(caller, () => removeGroup(caller, { group: G1 }))).toBe('CODIS_E_UNKNOWN_GROUP');
    expect((await readTopology(caller)).topology.groups).toEqual([]);
  });

  test('with slots or servers, or that a migration fills, stay', async () => {
    const { caller, a, b } = await newCluster();
    expect(await refusal(caller, () => removeGroup(caller, { group: G1 }))).toBe('CODIS_E_GROUP_IN_USE');
    expect(await refusal(caller, () => removeServer(caller, { group: G1, addr: asServerAddr(a.addr) }))).toBe('CODIS_E_SERVER_IN_USE');
    await offlineRange(caller, all);
    await assignRange(caller, { ...all, owner: G1 });
    await createMigration(caller, { moves: [{ first: asSlot(0), last: asSlot(9), to: G2 }], delayMs: 0 });
    await removeServer(caller, { group: G2, addr: asServerAddr(b.addr) });
    expect(await refusal(caller, () => removeGroup(caller, { group: G2 }))).toBe('CODIS_E_GROUP_IN_USE');
  });

  test('come by themselves with their first server', async () => {
    const { caller, a } = await newCluster();
    expect(
      await refusal(caller, () => addServer(caller, { group: asGroupId(7), addr: asServerAddr(a.addr), role: 'replica', force: false })),
    ).toBe('CODIS_E_SERVER_EXISTS');
  });
});

async function lockOneSlot(caller: Awaited<ReturnType<typeof newCaller>>) {
  const { epoch, topology } = await readTopology(caller);
  const locked = lockSlots(topology, {
    slots: [asSlot(3)],
    to: G2,
    migration: 1 as never,
    epoch: (epoch + 1) as never,
    leaseMs: 1000,
  });
  await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology(locked), version: epoch }]);
  return { before: topology };
}
