// Goal: how a big key gets to the target: when it is switched over, what holds that up, and what another controller makes of whatever it finds half-way.
// Method: a real coordinator and two real servers, stand-ins for proxies, a small limit for what is big.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../../test/harness/redis.ts';
import type { Coordinator } from '../../../src/coordinator/index.ts';
import { PATHS } from '../../../src/coordinator/index.ts';
import { copyBigKey } from '../../../src/migration/big-keys/copy.ts';
import {
  addServer,
  arrivalKey,
  asEpoch,
  asMigrationId,
  asServerAddr,
  asSlot,
  encodeTopology,
  fenceKey,
  type ListedKey,
  type MigrationId,
  type SlotState,
} from '../../../src/model/index.ts';
import { createMigration, pauseMigration, readMigration, readTopology } from '../../../src/operations/index.ts';
import { committed, keyOf, makeProduct, ONE, PRODUCT, type Product, startMasters, TWO } from '../product.ts';

const BIG = keyOf(5);
const ARRIVAL = arrivalKey(PRODUCT, ONE);
const ELEMENTS = Array.from({ length: 3000 }, (_, n) => `element ${n}`);
const SMALL = { big_key_bytes: 20_000 };
const listed = { db: 0, key: BIG };

let masters: { one: RedisServer; two: RedisServer };
let product: Product;
let coordinator: Coordinator;

beforeAll(async () => {
  masters = await startMasters();
});

beforeEach(async () => {
  for (const server of [masters.one, masters.two]) await server.client().flushall();
  product = await makeProduct(masters);
  coordinator = await product.connect();
});

afterEach(() => product.close());

afterAll(async () => {
  await masters.one.stop();
  await masters.two.stop();
});

const start = async (settings: object = {}) => product.controller(await product.connect(), { ...SMALL, ...settings });

async function migrate(durable = false): Promise<MigrationId> {
  const caller = { coordinator, product: PRODUCT, actor: 'test', password: '' };
  return (await createMigration(caller, { moves: [{ first: asSlot(5), last: asSlot(6), to: TWO }], delayMs: 0, durable })).id;
}

const migration = () => readMigration(coordinator, asMigrationId(1));
const stateOf = async (slot = 5): Promise<SlotState> => (await readTopology({ coordinator })).topology.slots[slot] as SlotState;
const bigKeys = async (): Promise<readonly ListedKey[]> => {
  const state = await stateOf();
  return state.kind === 'migrating' ? (state.bigKeys ?? []) : [];
};
const isDone = () => eventually(async () => (await migration()).state === 'done', { what: 'the migration', timeoutMs: 20_000 });

/** What a controller that died has left: slot 5 migrates, and lists the key. */
async function found(bigKey: ListedKey, durable = false): Promise<void> {
  const id = await migrate(durable);
  const { epoch, topology } = await readTopology({ coordinator });
  const move = { kind: 'migrating', from: ONE, to: TWO, migration: id, ...(durable ? { durable } : {}) } as const;
  const slots = topology.slots.with(5, { ...move, bigKeys: [bigKey] }).with(6, move);
  await committed(coordinator, { op: 'set', path: PATHS.topology, data: encodeTopology({ ...topology, slots }), version: epoch });
}

async function checkArrived(): Promise<void> {
  const [one, two] = [masters.one.client(), masters.two.client()];
  expect(await two.lrange(BIG, 0, -1)).toEqual(ELEMENTS);
  expect([await one.exists(BIG), await two.exists(ARRIVAL, `${ARRIVAL}:of`)]).toEqual([0, 0]);
  expect(await stateOf()).toEqual({ kind: 'online', owner: TWO });
}

describe('a big key', () => {
  test('is listed with the lock and copied before the rest; all proxies agree before it is at the target', async () => {
    const proxy = await product.proxy('p1');
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await masters.one.client({ db: 7 }).hset(keyOf(6), Object.fromEntries(ELEMENTS.map((name) => [name, 'v'])));
    await masters.one.client().set(keyOf(5, 1), 'small');
    const seen: ListedKey[][] = [];
    coordinator.watch(PATHS.topology, async () => {
      const keys = await bigKeys();
      seen.push([...keys]);
      // From the moment that it may be read at the source until all have agreed, it is not at the target.
      if (keys[0]?.phase === 'copying') expect(await masters.two.client().exists(BIG)).toBe(0);
    });
    await migrate();
    await start();
    await isDone();
    await checkArrived();
    const phases = seen.flat().map(({ phase }) => phase);
    expect(phases).toContain('switching');
    expect(await masters.two.client({ db: 7 }).hlen(keyOf(6))).toBe(ELEMENTS.length);
    expect(await masters.two.client().get(keyOf(5, 1))).toBe('small');
    expect((await migration()).progress).toMatchObject({ slotsDone: 2, keysSwept: 3 });
    await proxy.close();
  });

  test('is read at the source again when a proxy does not take up the switch in time, and moves when it does', async () => {
    const proxy = await product.proxy('p1');
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await found({ ...listed, phase: 'copying' });
    proxy.setAcking(false);
    await start({ slot_lock_lease_ms: 200 });
    await eventually(async () => (await migration()).waiting?.includes('p1 did not take up in time'), {
      what: 'the reason',
      timeoutMs: 20_000,
    });
    expect(await bigKeys()).toEqual([{ ...listed, phase: 'copying' }]);
    expect([await masters.one.client().llen(BIG), await masters.two.client().exists(BIG)]).toEqual([ELEMENTS.length, 0]);
    proxy.setAcking(true);
    await isDone();
    await checkArrived();
  });

  test('waits for a proxy that has no session, and goes on when that is fenced off', async () => {
    await product.proxy('p1');
    const lost = await product.proxy('lost');
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await found({ ...listed, phase: 'copying' });
    await lost.lose();
    await start({ proxy_lost_timeout: 1 });
    await eventually(async () => (await migration()).waiting?.includes('proxy lost has no session'), {
      what: 'the reason',
      timeoutMs: 20_000,
    });
    await isDone();
    await checkArrived();
    expect(await masters.one.client().exists(fenceKey(PRODUCT))).toBe(1);
  });

  test('that can’t be taken apart is handed over in one step', async () => {
    const client = masters.one.client();
    for (let n = 1; n <= 1000; n++) await client.xadd(BIG, `${n}-0`, 'f', 'x'.repeat(100));
    await client.xgroup('CREATE', BIG, 'g', '0');
    await client.xreadgroup('GROUP', 'g', 'c', 'COUNT', 2, 'STREAMS', BIG, '>');
    await client.xdel(BIG, '1-0');
    await migrate();
    await start();
    await isDone();
    expect(await masters.two.client().xlen(BIG)).toBe(999);
    expect(await masters.two.client().xpending(BIG, 'g')).toEqual([2, '1-0', '2-0', [['c', '2']]]);
    expect([await client.exists(BIG), await masters.two.client().exists(ARRIVAL)]).toEqual([0, 0]);
  });

  test('stays at the source until the target’s replicas have it in a durable migration, also when it can’t be taken apart', async () => {
    const replica = await startRedis({ replicaOf: masters.two });
    const { epoch, topology } = await readTopology({ coordinator });
    const grown = addServer(topology, { group: TWO, addr: asServerAddr(replica.addr), role: 'replica' });
    await committed(coordinator, { op: 'set', path: PATHS.topology, data: encodeTopology(grown), version: epoch });
    const client = masters.one.client();
    await client.xadd(BIG, '1-0', 'f', 'v');
    await client.xdel(BIG, '1-0');
    await found({ ...listed, phase: 'copying' }, true);
    replica.child.signal('SIGSTOP');
    await start();
    await eventually(async () => /1 of 1 replicas of group 2 did not confirm/.test((await migration()).waiting ?? ''), {
      what: 'the replicas to be waited for',
      timeoutMs: 20_000,
    });
    expect([await client.exists(BIG), await masters.two.client().exists(BIG)]).toEqual([1, 1]);
    replica.child.signal('SIGCONT');
    await isDone();
    expect([await client.exists(BIG), await replica.client().exists(BIG)]).toEqual([0, 1]);
    await replica.stop();
  });

  test('is finished also when its migration is paused, for who writes it waits; the rest of its slot stays', async () => {
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await masters.one.client().set(keyOf(5, 1), 'small');
    await found({ ...listed, phase: 'copying' });
    await pauseMigration({ coordinator, product: PRODUCT, actor: 'test', password: '' }, { id: asMigrationId(1) });
    await start();
    await eventually(async () => (await bigKeys()).length === 0, { what: 'the key to be listed no more', timeoutMs: 20_000 });
    expect(await masters.two.client().lrange(BIG, 0, -1)).toEqual(ELEMENTS);
    expect([await masters.one.client().get(keyOf(5, 1)), (await stateOf()).kind]).toEqual(['small', 'migrating']);
  });

  test('that is gone before it was copied is listed no more, and nothing stays behind', async () => {
    await masters.two.client().rpush(ARRIVAL, 'left over');
    await found({ ...listed, phase: 'copying' });
    await start();
    await isDone();
    expect([await masters.two.client().exists(BIG, ARRIVAL), await masters.one.client().exists(BIG)]).toEqual([0, 0]);
  });
});

describe('a controller that finds a key switching', () => {
  const switching: ListedKey = { ...listed, phase: 'switching', epoch: asEpoch(1) };

  test('renames a copy that is complete, with its time to live', async () => {
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await masters.one.client().expire(BIG, 5000);
    await masters.two.client().rpush(ARRIVAL, ...ELEMENTS);
    await masters.two.client().set(`${ARRIVAL}:of`, `1 ${BIG}`);
    await found(switching);
    await start();
    await isDone();
    await checkArrived();
    expect(await masters.two.client().ttl(BIG)).toBeGreaterThan(4000);
  });

  test('makes a copy anew that is not complete', async () => {
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await masters.two.client().rpush(ARRIVAL, ...ELEMENTS.slice(1));
    await masters.two.client().set(`${ARRIVAL}:of`, `1 ${BIG}`);
    await found(switching);
    await start();
    await isDone();
    await checkArrived();
  });

  test('makes a copy anew where that is of another move, and as long, as at a replica that has heard of nothing since and is the master now', async () => {
    const [from, to] = [masters.one, masters.two].map((server) => ({ redis: server.client(), addr: asServerAddr(server.addr) }));
    await masters.one.client().rpush(BIG, ...ELEMENTS.toReversed());
    const ends = { from: { ...from!, key: Buffer.from(BIG) }, to: { ...to!, key: Buffer.from(ARRIVAL) } };
    await copyBigKey({ ...ends, product: PRODUCT, migration: asMigrationId(9) }, async () => undefined);
    await masters.one.client().del(BIG);
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await found(switching);
    await start();
    await isDone();
    await checkArrived();
  });

  test('deletes it at the source when it is at the target, though a proxy that had agreed is lost by now', async () => {
    const lost = await product.proxy('lost');
    await masters.one.client().rpush(BIG, ...ELEMENTS.slice(3));
    await masters.two.client().rpush(BIG, ...ELEMENTS);
    await found(switching);
    await lost.lose();
    await start({ proxy_lost_timeout: 60 });
    await isDone();
    await checkArrived();
  });

  test('takes it off the list when it is at the target alone', async () => {
    await masters.two.client().rpush(BIG, ...ELEMENTS);
    await found(switching);
    await start();
    await isDone();
    await checkArrived();
  });

  test('takes it off the list when it has expired on both sides', async () => {
    await masters.two.client().rpush(ARRIVAL, ...ELEMENTS);
    await found(switching);
    await start();
    await isDone();
    expect(await masters.two.client().exists(BIG, ARRIVAL)).toBe(0);
  });

  test('leaves it at the source, to be read there, when a proxy was lost before it agreed', async () => {
    const lost = await product.proxy('lost');
    await masters.one.client().rpush(BIG, ...ELEMENTS);
    await masters.two.client().rpush(ARRIVAL, ...ELEMENTS);
    await found({ ...switching, epoch: asEpoch(1000) });
    await lost.lose();
    await start({ proxy_lost_timeout: 60 });
    await eventually(async () => (await bigKeys())[0]?.phase === 'copying', { what: 'the switch to be given up', timeoutMs: 20_000 });
    expect([await masters.one.client().llen(BIG), await masters.two.client().exists(BIG)]).toEqual([ELEMENTS.length, 0]);
  });
});
