// Plans over the real coordinator and real servers: made, found again, applied once, refused when the topology has changed.

import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../../test/harness/redis.ts';
import { planPath } from '../../src/coordinator/index.ts';
import {
  asEpoch,
  asGroupId,
  asPlanId,
  asServerAddr,
  asSlot,
  differingMoves,
  encodePlan,
  type GroupId,
  type Measure,
  type Move,
  type PlanGoal,
  slotOf,
  targets,
} from '../../src/model/index.ts';
import {
  addGroup,
  addServer,
  applyPlan,
  type Caller,
  cancelMigration,
  createMigration,
  createPlan,
  diffPlan,
  listEvents,
  listMigrations,
  listPlans,
  PLANS_MAX,
  readMigration,
  readPlan,
  readTopology,
} from '../../src/operations/index.ts';
import { ACTOR, G1, G2, newCluster, refusal } from './support.ts';

const G3 = asGroupId(3);
const move = (first: number, last: number, to: GroupId = G2): Move => ({ first: asSlot(first), last: asSlot(last), to });
const moving = (...moves: Move[]): PlanGoal => ({ kind: 'move', moves });
const rebalancing = (by: Measure = 'slots', weights: [GroupId, number][] = []): PlanGoal => ({
  kind: 'rebalance',
  by,
  weights: weights.map(([group, weight]) => ({ group, weight })),
});
const plan = (caller: Caller, goal: PlanGoal) => createPlan(caller, { goal });
const slotsIn = (moves: readonly Move[]) => [...targets({ moves })].map(([slot]) => slot);

/** As newCluster, with an empty third group. */
async function withThird(config: Record<string, string> = {}) {
  const [cluster, c] = await Promise.all([newCluster(), startRedis({ config })]);
  await addServer(cluster.caller, { group: G3, addr: asServerAddr(c.addr), role: 'master', force: false });
  return { ...cluster, c };
}

describe('a plan', () => {
  test('says what would move, at which epoch, for whom, and changes nothing but the log', async () => {
    const { caller } = await withThird();
    const { epoch } = await readTopology(caller);
    const made = await plan(caller, rebalancing());
    expect(made).toMatchObject({ id: 1, state: 'pending', epoch, migration: null, actor: ACTOR, goal: rebalancing() });
    expect(slotsIn(made.moves)).toHaveLength(341);
    expect(made.estimate).toMatchObject({ slotsCount: 341, keysCount: 0, bytes: 0, durationMs: 0, biggestKeys: [] });
    expect(made.estimate.groups.map(({ group, slotsBefore, slotsAfter }) => [group, slotsBefore, slotsAfter])).toEqual([
      [1, 512, 342],
      [2, 512, 341],
      [3, 0, 341],
    ]);
    expect(await readPlan(caller.coordinator, made.id)).toEqual(made);
    expect((await readTopology(caller)).epoch).toBe(epoch);
    expect(await listMigrations(caller.coordinator)).toEqual([]);
    expect((await listEvents(caller.coordinator))[0]).toMatchObject({
      action: 'plan.create',
      object: 'plan 1: rebalance by slots, 341 slots',
    });
  });

  test('for the same goal at the same epoch is the same plan, also when two ask at once', async () => {
    const { caller } = await withThird();
    const [first, second] = await Promise.all([
      plan(caller, rebalancing()),
      plan({ ...caller, actor: 'bob' }, rebalancing('slots', [[G1, 1]])),
    ]);
    expect(second).toEqual(first);
    expect(await plan(caller, rebalancing())).toEqual(first);
    expect((await plan(caller, rebalancing('slots', [[G3, 2]]))).id).toBe(2);
    await addGroup(caller, { group: asGroupId(4) });
    expect((await plan(caller, rebalancing())).id).toBe(3);
    expect((await listPlans(caller.coordinator)).map(({ state }) => state)).toEqual(['stale', 'stale', 'pending']);
  });

  test('is compared with what would be planned now, by what servers hold too', async () => {
    const { caller, a } = await withThird();
    await a.client().mset(Array.from({ length: 3000 }, (_, n) => [`key:${n}`, 'value']).flat());
    const made = await plan(caller, rebalancing('keys'));
    const before = (await listPlans(caller.coordinator)).length;
    expect(await diffPlan(caller, { id: made.id })).toMatchObject({
      currentEpoch: made.epoch,
      changes: [],
      differences: [],
      obstacle: null,
    });
    await a.client().flushall();
    await a.client().mset(Array.from({ length: 3000 }, (_, n) => [`other:${n}`, 'value']).flat());
    await addGroup(caller, { group: asGroupId(4) });
    const { differences, currentEpoch, changes } = await diffPlan(caller, { id: made.id });
    expect({ currentEpoch, changes }).toEqual({ currentEpoch: made.epoch + 1, changes: [`group.add group 4 by ${ACTOR}`] });
    expect(await listPlans(caller.coordinator)).toHaveLength(before);
    const { topology } = await readTopology(caller);
    const anew = await plan(caller, rebalancing('keys'));
    expect(anew.moves).not.toEqual(made.moves);
    expect(differences).toEqual(differingMoves(topology, { planned: made.moves, now: anew.moves }));
  });

  test('whose slots were taken by a migration meanwhile is not given again', async () => {
    const { caller } = await withThird();
    const first = await plan(caller, rebalancing());
    await createMigration(caller, { moves: [move(500, 511, G3)], delayMs: 0 });
    const second = await plan(caller, rebalancing());
    expect(second.id).not.toBe(first.id);
    expect(slotsIn(second.moves).filter((slot) => slot >= 500 && slot <= 511)).toEqual([]);
    expect(second.estimate.warnings).toContainEqual(expect.stringContaining('migration 1 is running'));
    expect(await refusal(caller, () => applyPlan(caller, { id: first.id, delayMs: 0 }))).toBe('CODIS_E_SLOT_IN_MOVE');
  });

  test('that is old is not given again, but can still be applied', async () => {
    const { caller } = await withThird();
    const old = await plan(caller, rebalancing('keys'));
    const createdAt = new Date(Date.now() - 601_000).toISOString();
    const { state: _, ...record } = old;
    await caller.coordinator.commit([{ op: 'set', path: planPath(old.id), data: encodePlan({ ...record, createdAt }) }]);
    expect((await plan(caller, rebalancing('keys'))).id).toBe(2);
    expect(await applyPlan(caller, { id: old.id, delayMs: 0 })).toMatchObject({ state: 'applied' });
  });

  test('of moves that can’t be made is refused', async () => {
    const { caller } = await newCluster();
    await addGroup(caller, { group: G3 });
    expect(await refusal(caller, () => plan(caller, moving(move(5, 4))))).toBe('CODIS_E_BAD_SLOT');
    expect(await refusal(caller, () => plan(caller, moving(move(0, 4, G3))))).toBe('CODIS_E_NO_MASTER');
    expect(
      await refusal(caller, () =>
        plan(
          caller,
          rebalancing('slots', [
            [asGroupId(9), 1],
            [asGroupId(8), 2],
          ]),
        ),
      ),
    ).toBe('CODIS_E_UNKNOWN_GROUP');
    expect(await refusal(caller, () => plan(caller, { kind: 'drain', group: G3, by: 'slots' }))).toBe('CODIS_E_NO_MASTER');
    expect(await refusal(caller, () => createPlan(caller, { goal: rebalancing(), expectedEpoch: asEpoch(0) }))).toBe('CODIS_E_STALE');
  });

  test('is one of at most as many as are kept; the oldest go', async () => {
    const { caller } = await newCluster();
    const first = await plan(caller, rebalancing());
    for (let id = 2; id <= PLANS_MAX; id++) {
      const data = encodePlan({ ...first, id: asPlanId(id), epoch: asEpoch(0) });
      await caller.coordinator.commit([{ op: 'create', path: planPath(asPlanId(id)), data }]);
    }
    await addGroup(caller, { group: G3 });
    expect((await plan(caller, rebalancing())).id).toBe(PLANS_MAX + 1);
    const kept = (await listPlans(caller.coordinator)).map(({ id }) => id);
    expect([kept[0], kept.at(-1), kept.length]).toEqual([2, PLANS_MAX + 1, PLANS_MAX]);
    await expect(readPlan(caller.coordinator, first.id)).rejects.toMatchObject({ code: 'CODIS_E_UNKNOWN_PLAN' });
  });
});

describe('a plan to drain a group', () => {
  test('takes its slots only, and says which are left to a running migration', async () => {
    const { caller } = await withThird();
    const drained = await plan(caller, { kind: 'drain', group: G2, by: 'slots' });
    expect(drained.moves).toEqual([{ ...move(512, 1023, G3), from: G2, keysCount: 0, bytes: 0 }]);
    expect(drained.estimate.warnings).not.toContainEqual(expect.stringContaining('not in this plan'));
    await createMigration(caller, { moves: [move(0, 9, G2), move(600, 604, G1)], delayMs: 0 });
    const again = await plan(caller, { kind: 'drain', group: G2, by: 'slots' });
    expect(slotsIn(again.moves)).toHaveLength(507);
    expect(again.estimate.warnings).toContainEqual(
      '15 slots in moves from or to group 2 are not in this plan; drain it again when those are over',
    );
  });

  test('by keys evens out what the others hold', async () => {
    const { caller, a, b } = await withThird();
    const keys = Array.from({ length: 3000 }, (_, number) => `key:${number}`);
    const inFirst = keys.filter((key) => slotOf(Buffer.from(key)) < 512);
    await a.client().mset(...inFirst.slice(0, 500).flatMap((key) => [key, 'v']));
    await b.client().mset(...keys.filter((key) => !inFirst.includes(key)).flatMap((key) => [key, 'v']));
    const { moves } = await plan(caller, { kind: 'drain', group: G2, by: 'keys' });
    const taken = (id: GroupId) => moves.filter(({ to }) => to === id).reduce((sum, { keysCount }) => sum + keysCount!, 0);
    expect(slotsIn(moves)).toHaveLength(512);
    expect(taken(G1) + taken(G3)).toBe(await b.client().dbsize());
    expect(Math.abs((await a.client().dbsize()) + taken(G1) - taken(G3))).toBeLessThan(20);
  });
});

describe('applying a plan', () => {
  test('makes a migration of exactly its moves, once', async () => {
    const { caller } = await withThird();
    const made = await plan(caller, rebalancing());
    const applied = await applyPlan(caller, { id: made.id, delayMs: 20 });
    expect(applied).toMatchObject({ state: 'applied', migration: 1, moves: made.moves });
    const migration = await readMigration(caller.coordinator, applied.migration!);
    expect(migration).toMatchObject({ state: 'running', throttle: { delayMs: 20 } });
    expect(migration.moves).toEqual(made.moves.map(({ first, last, to }) => ({ first, last, to })));
    expect((await listEvents(caller.coordinator))[0]).toMatchObject({
      action: 'plan.apply',
      object: 'plan 1: rebalance by slots, 341 slots → migration 1',
    });
    expect(await refusal(caller, () => applyPlan(caller, { id: made.id, delayMs: 0 }))).toBe('CODIS_E_CONFLICT');
    await cancelMigration(caller, { id: migration.id });
    expect(await readPlan(caller.coordinator, made.id)).toMatchObject({ state: 'applied' });
  });

  test('by two at once makes one migration', async () => {
    const { caller } = await withThird();
    const { id } = await plan(caller, rebalancing());
    const results = await Promise.allSettled([applyPlan(caller, { id, delayMs: 0 }), applyPlan(caller, { id, delayMs: 0 })]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await listMigrations(caller.coordinator)).toHaveLength(1);
  });

  test('after the topology has changed is refused, and says what changed', async () => {
    const { caller } = await withThird();
    const { id, epoch } = await plan(caller, rebalancing());
    await addGroup({ ...caller, actor: 'bob' }, { group: asGroupId(4) });
    const refused = applyPlan(caller, { id, delayMs: 0 });
    await expect(refused).rejects.toMatchObject({
      code: 'CODIS_E_PLAN_STALE',
      message: `plan ${id} was made at epoch ${epoch}, and the topology is at epoch ${epoch + 1} now: group.add group 4 by bob; make a new plan`,
    });
    expect(await refusal(caller, () => applyPlan(caller, { id, delayMs: 0 }))).toBe('CODIS_E_PLAN_STALE');
    expect(await listMigrations(caller.coordinator)).toEqual([]);
  });

  test('of nothing, or of a plan that is not there, is refused', async () => {
    const { caller } = await newCluster();
    const { id, moves } = await plan(caller, rebalancing());
    expect(moves).toEqual([]);
    expect(await refusal(caller, () => applyPlan(caller, { id, delayMs: 0 }))).toBe('CODIS_E_CONFLICT');
    expect(await refusal(caller, () => applyPlan(caller, { id: asPlanId(9), delayMs: 0 }))).toBe('CODIS_E_UNKNOWN_PLAN');
  });
});

describe('an estimate', () => {
  test('counts the keys and bytes of the slots that move, in every database, and names the largest', async () => {
    const { caller, a } = await newCluster();
    const keys = Array.from({ length: 3000 }, (_, number) => `key:${number}`).filter((key) => slotOf(Buffer.from(key)) < 512);
    const [zero, one] = [a.client(), a.client({ db: 1 })];
    await Promise.all(keys.map((key, index) => (index % 3 === 0 ? one : zero).set(key, 'x'.repeat(100))));
    const big = keys.find((key) => slotOf(Buffer.from(key)) < 100)!;
    await (keys.indexOf(big) % 3 === 0 ? one : zero).set(big, 'x'.repeat(50_000));
    const inSlots = keys.filter((key) => slotOf(Buffer.from(key)) < 100);
    const { estimate, moves } = await plan(caller, moving(move(0, 99)));
    expect(estimate.keysCount).toBe(inSlots.length);
    expect(estimate.bytes).toBeGreaterThan(inSlots.length * 100 + 50_000);
    expect(estimate.bytes).toBeLessThan(inSlots.length * 300 + 100_000);
    expect(estimate.biggestKeys[0]).toMatchObject({ key: JSON.stringify(big), slot: slotOf(Buffer.from(big)), bytes: expect.any(Number) });
    expect(moves).toEqual([{ ...move(0, 99), from: G1, keysCount: estimate.keysCount, bytes: estimate.bytes }]);
    const target = estimate.groups.find(({ group }) => group === G2)!;
    expect(target.memoryAfterBytes! - target.memoryBytes!).toBe(estimate.bytes);
    expect(estimate.basis).toContainEqual(
      expect.stringMatching(/^keys of group 1: all \d+ were counted; bytes: MEMORY USAGE of \d+ of them/),
    );
    expect(estimate.basis).toContainEqual(expect.stringContaining('duration: at 50000 keys/s'));
  });

  test('warns of a target without replica, without room, and with leftovers', async () => {
    const { caller, a, b, c } = await withThird({ maxmemory: '3mb' });
    await (slotOf(Buffer.from('b')) < 512 ? a : b).client().set('{b}big', 'x'.repeat(2_500_000));
    const slot = slotOf(Buffer.from('b'));
    await c.client().set('{b}old', 'leftover');
    const { warnings } = (await plan(caller, moving(move(slot, slot, G3)))).estimate;
    expect(warnings).toEqual([
      expect.stringContaining('group 3 has no replica'),
      expect.stringMatching(/group 3 would need [\d.]+ MiB, more than its maxmemory of 3\.0 MiB: it does not fit/),
      expect.stringContaining(`${c.addr} holds 1 keys of slots it does not own`),
    ]);
  });

  test('that does not fit into the memory of a target is applied only when that is asked for', async () => {
    const { caller, a, b, c } = await withThird({ maxmemory: '3mb' });
    const slot = slotOf(Buffer.from('b'));
    await (slot < 512 ? a : b).client().set('{b}big', 'x'.repeat(2_500_000));
    const { id } = await plan(caller, moving(move(slot, slot, G3)));
    await expect(applyPlan(caller, { id })).rejects.toThrow(/^group 3 would need [\d.]+ MiB, more than its maxmemory of 3\.0 MiB/);
    expect(await refusal(caller, () => applyPlan(caller, { id }))).toBe('CODIS_E_NO_ROOM');
    expect(await listMigrations(caller.coordinator)).toEqual([]);

    const applied = await applyPlan(caller, { id, force: true });

    expect(await readMigration(caller.coordinator, applied.migration!)).toMatchObject({ state: 'running', durable: false });
    await c.client().config('SET', 'maxmemory', '0');
    const other = (slot + 1) % 512;
    expect(await applyPlan(caller, { id: (await plan(caller, moving(move(other, other, G3)))).id })).toMatchObject({ state: 'applied' });
  });

  test('of a server that is down is not known, and no rebalance by what it holds is made', async () => {
    const { caller, a } = await withThird();
    await a.stop();
    const { estimate, moves } = await plan(caller, rebalancing());
    expect(estimate).toMatchObject({ slotsCount: 341, keysCount: null, bytes: null, durationMs: null });
    expect(moves.map(({ from, keysCount }) => [from, keysCount])).toEqual([
      [1, null],
      [2, 0],
    ]);
    expect(estimate.warnings).toContainEqual(expect.stringMatching(/^the master of group 1 can't be asked: .*can't be reached/));
    expect(await refusal(caller, () => plan(caller, rebalancing('keys')))).toBe('CODIS_E_SERVER_UNREACHABLE');
  });
});

describe('a rebalance by keys or memory', () => {
  test('moves what weighs: slots with many keys, or with large ones', async () => {
    const { caller, a } = await newCluster();
    const tagIn = (first: number, last: number) => {
      const tags = Array.from({ length: 9999 }, (_, number) => `{t${number}}`);
      return tags.find((tag) => slotOf(Buffer.from(tag)) >= first && slotOf(Buffer.from(tag)) <= last)!;
    };
    const [full, alsoFull, heavy] = [tagIn(0, 99), tagIn(100, 199), tagIn(200, 299)];
    const client = a.client();
    for (let number = 0; number < 300; number++) await Promise.all([full, alsoFull].map((tag) => client.set(`${tag}${number}`, 'v')));
    await client.set(`${heavy}:1`, 'x'.repeat(1_000_000));
    const slots = [full, alsoFull].map((tag) => slotOf(Buffer.from(tag)));
    const byKeys = slotsIn((await plan(caller, rebalancing('keys'))).moves);
    expect(byKeys).toHaveLength(1);
    expect(slots).toContain(byKeys[0]);
    expect(slotsIn((await plan(caller, rebalancing('memory'))).moves)).toEqual(slots);
  });

  test('with weights gives each group its part of the keys', async () => {
    const { caller, a, b } = await withThird();
    const clients = { a: a.client(), b: b.client() };
    await Promise.all(
      Array.from({ length: 4000 }, (_, number) => {
        const key = `key:${number}`;
        return (slotOf(Buffer.from(key)) < 512 ? clients.a : clients.b).set(key, 'v');
      }),
    );
    const { estimate, moves } = await plan(caller, rebalancing('keys', [[G3, 2]]));
    const taken = moves.filter(({ to }) => to === G3).reduce((sum, { keysCount }) => sum + keysCount!, 0);
    expect(Math.abs(taken - 2000)).toBeLessThan(10);
    expect(estimate.groups.at(-1)).toMatchObject({ group: 3 });
  });
});
