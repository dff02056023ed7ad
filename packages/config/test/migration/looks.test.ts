// Goal: what is looked at before slots are locked holds up nothing else: neither a server that hangs, nor one that takes long to be looked through.
// Method: a real controller, three real servers, of which the third hangs or is slow; batches of one slot, so that the others need many turns.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { startTcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { PATHS } from '../../src/coordinator/index.ts';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  decodeTopology,
  encodeTopology,
  type GroupId,
  type Move,
  slotState,
} from '../../src/model/index.ts';
import { cancelMigration, createMigration, pauseMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { becomes, caller, eachInProduct, masters, observer, product } from './each-in-product.ts';
import { committed, keyOf, ONE, TWO } from './product.ts';

let third: RedisServer;

eachInProduct({ proxy: true });

beforeEach(async () => {
  third = await startRedis();
});

afterEach(async () => {
  third.child.signal('SIGCONT');
  await third.stop();
});

const THREE = asGroupId(3);
const move = (first: number, last: number, to: GroupId): Move => ({ first: asSlot(first), last: asSlot(last), to });
const ask = (...moves: Move[]) => createMigration(caller(), { moves });
const startController = async () => product.controller(await product.connect(), { migration_batch_slots: 1, slot_lock_lease_ms: 5000 });
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

/** Group 3 at this address, and these slots of group 1's with another group. */
async function addThird(addr: string, { slots = [], owner = THREE }: { slots?: readonly number[]; owner?: GroupId } = {}): Promise<void> {
  const { epoch, topology } = await readTopology(caller());
  const grown = addServer(topology, { group: THREE, addr: asServerAddr(addr), role: 'master' });
  const states = grown.slots.map((state, slot) => (slots.includes(slot) ? ({ kind: 'online', owner } as const) : state));
  await committed(observer, { op: 'set', path: PATHS.topology, data: encodeTopology({ ...grown, slots: states }), version: epoch });
}

async function allAt(slots: readonly number[], owner: GroupId): Promise<boolean> {
  const { topology } = await readTopology(caller());
  return slots.every((slot) => {
    const state = slotState(topology, asSlot(slot));
    return state.kind === 'online' && state.owner === owner;
  });
}

describe('a server that hangs before anything is locked', () => {
  test.each([
    ['target', move(500, 501, THREE), []],
    ['source', move(700, 701, TWO), range(700, 701)],
  ] as const)(
    'as a %s costs another pair of groups nothing, however many batches that needs',
    async (end, hanging, slots) => {
      const moving = range(0, 29);
      await masters.one.client().mset(moving.flatMap((slot) => [keyOf(slot), 'value']));
      await addThird(third.addr, { slots });
      third.child.signal('SIGSTOP');
      const migration = await ask(hanging, move(0, 29, TWO));

      await startController();

      // Each of its more than sixty turns would wait three seconds for the one that hangs.
      await eventually(() => allAt(moving, TWO), { what: 'the other pair to have moved', timeoutMs: 60_000 });
      await eventually(async () => (await masters.two.client().dbsize()) === 30, { what: 'nothing but their keys at the target' });
      const reason = new RegExp(`the ${end} can't be used: ${third.addr} `);
      await becomes(migration, ({ waiting }) => reason.test(waiting ?? ''), 'a reason');

      third.child.signal('SIGCONT');
      await becomes(migration, ({ state }) => state === 'done', 'the rest to have moved');
    },
    150_000,
  );
});

describe('a target that takes long to be looked through', () => {
  let gate: Awaited<ReturnType<typeof startTcpProxy>>;

  /** Three hundred pages, each of which takes a tenth of a second: half of what a hand-over may take. */
  beforeEach(async () => {
    await third.client().eval("for n = 1, 300000 do redis.call('SET', KEYS[1] .. n, 'value') end", 1, keyOf(700));
    gate = await startTcpProxy(third.port, { lagMs: () => 100 });
    await addThird(gate.addr, { slots: range(600, 609), owner: TWO });
  });

  afterEach(() => gate.close());

  const isLooking = async () => String(await third.client().client('LIST')).includes(' cmd=scan ');
  const looking = () => eventually(isLooking, { what: 'the look to be under way', timeoutMs: 20_000 });

  test('lets others move meanwhile', async () => {
    const slow = await ask(move(0, 1, THREE));
    await startController();
    await looking();
    await masters.two.client().set(keyOf(600), 'value');
    const other = await ask(move(600, 609, ONE));

    const done = await becomes(other, ({ state }) => state === 'done', 'the other migration to be done');
    expect(done.progress).toMatchObject({ slotsDone: 10 });
    expect(await readMigration(observer, slow.id)).toMatchObject({ state: 'running', progress: { slotsDone: 0 } });
    expect(await isLooking()).toBe(true);
  }, 90_000);

  test.each(['is paused', 'is cancelled', 'has no controller any more'])(
    'is let go when its migration %s',
    async (change) => {
      const slow = await ask(move(0, 1, THREE));
      const controller = await startController();
      await looking();

      if (change === 'is paused') await pauseMigration(caller(), slow);
      else if (change === 'is cancelled') await cancelMigration(caller(), slow);
      else await controller.close();

      // It would take thirty seconds.
      await eventually(async () => !(await isLooking()), { what: 'the look to have ended', timeoutMs: 15_000 });
      expect(await allAt([0, 1], ONE)).toBe(true);
      if (change === 'is paused') await becomes(slow, ({ waiting }) => waiting === 'paused', 'a reason');
    },
    60_000,
  );
});

test('of two migrations with one source the earlier goes first, between its batches too', async () => {
  await addThird(third.addr);
  const seen: boolean[] = [];
  observer.watch(PATHS.topology, (entry) => {
    const { slots } = decodeTopology(entry!.data);
    const at = (slot: number, owner: GroupId) => slots[slot]?.kind === 'online' && slots[slot].owner === owner;
    seen.push(range(10, 14).every((slot) => at(slot, ONE)) || range(0, 9).every((slot) => at(slot, TWO)));
  });
  await ask(move(0, 9, TWO));
  const later = await ask(move(10, 14, THREE));
  await startController();
  await becomes(later, ({ state }) => state === 'done', 'both to be done');
  expect(seen.length).toBeGreaterThan(20);
  expect(seen).not.toContain(false);
}, 60_000);
