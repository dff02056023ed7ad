// Goal: what is looked at before slots are locked holds up nothing else: neither a server that hangs, nor one that takes long to be looked through.
// Method: a real controller, three real servers, of which the third hangs or is slow; batches of one slot, so that the others need many turns.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { startTcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { type Coordinator, PATHS } from '../../src/coordinator/index.ts';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  decodeTopology,
  encodeTopology,
  type GroupId,
  type Migration,
  type Move,
  slotOf,
  slotState,
} from '../../src/model/index.ts';
import { createMigration, pauseMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { committed, keyOf, makeProduct, ONE, PRODUCT, type Product, startMasters, TWO } from './product.ts';

let masters: { one: RedisServer; two: RedisServer };
let third: RedisServer;
let product: Product;
let observer: Coordinator;

beforeEach(async () => {
  [masters, third] = await Promise.all([startMasters(), startRedis()]);
  product = await makeProduct(masters);
  observer = await product.connect();
  await product.proxy('p1');
});

afterEach(async () => {
  third.child.signal('SIGCONT');
  await product.close();
  for (const server of [masters.one, masters.two, third]) await server.stop();
});

const THREE = asGroupId(3);
const caller = () => ({ coordinator: observer, product: PRODUCT, actor: 'test', password: '' });
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

function becomes({ id }: Migration, wanted: (record: Migration) => boolean, what: string, timeoutMs = 20_000): Promise<Migration> {
  const probe = async () => {
    const record = await readMigration(observer, id);
    return wanted(record) ? record : undefined;
  };
  return eventually(probe, { what, timeoutMs });
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
      expect(await masters.two.client().dbsize()).toBe(30);
      const reason = new RegExp(`the ${end} can't be used: ${third.addr} `);
      await becomes(migration, ({ waiting }) => reason.test(waiting ?? ''), 'a reason');

      third.child.signal('SIGCONT');
      await becomes(migration, ({ state }) => state === 'done', 'the rest to have moved', 40_000);
    },
    150_000,
  );
});

describe('a target that takes long to be looked through', () => {
  let gate: Awaited<ReturnType<typeof startTcpProxy>>;

  /** A hundred pages, each of which takes a while. */
  beforeEach(async () => {
    const pipeline = third.client().pipeline();
    for (let n = 0, count = 0; count < 100_000; n++) {
      if (slotOf(Buffer.from(`key:${n}`)) < 2) continue;
      pipeline.set(`key:${n}`, 'value');
      count++;
    }
    await pipeline.exec();
    gate = await startTcpProxy(third.port, { lagMs: () => 400 });
    await addThird(gate.addr, { slots: range(600, 609), owner: TWO });
  });

  afterEach(() => gate.close());

  test('lets others move meanwhile', async () => {
    const slow = await ask(move(0, 1, THREE));
    await startController();
    await eventually(() => gate.connectionsCount > 0, { what: 'the look to have begun', timeoutMs: 10_000 });
    await masters.two.client().set(keyOf(600), 'value');
    const other = await ask(move(600, 609, ONE));

    const done = await becomes(other, ({ state }) => state === 'done', 'the other migration to be done', 30_000);
    expect(done.progress).toMatchObject({ slotsDone: 10 });
    expect(await readMigration(observer, slow.id)).toMatchObject({ state: 'running', progress: { slotsDone: 0 } });
  }, 90_000);

  test('is let go when its migration is paused', async () => {
    const slow = await ask(move(0, 1, THREE));
    await startController();
    await eventually(() => gate.connectionsCount > 0, { what: 'the look to have begun', timeoutMs: 10_000 });
    const from = performance.now();

    await pauseMigration(caller(), slow);

    await becomes(slow, ({ waiting }) => waiting === 'paused', 'a reason');
    await eventually(() => gate.connectionsCount === 0, { what: 'the look to have ended', timeoutMs: 20_000 });
    expect(performance.now() - from).toBeLessThan(20_000);
    expect(await allAt([0, 1], ONE)).toBe(true);
  }, 60_000);
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
  await becomes(later, ({ state }) => state === 'done', 'both to be done', 40_000);
  expect(seen.length).toBeGreaterThan(20);
  expect(seen).not.toContain(false);
}, 60_000);
