// Goal: two moments of a server are like one another only when nobody but the controller wrote there in between; and a sweep looks for what it was not told of before the
// lock unless they are.
// Method: real servers; every way that a key can come to be, between two moments, and between the look of a real controller and its lock.

import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { Coordinator } from '../../src/coordinator/index.ts';
import { isLike, type Moment, OwnWrites } from '../../src/migration/own-writes.ts';
import { tryHandOver } from '../../src/migration/preflight.ts';
import { asServerAddr, asSlot, COUNT_FROM_SCRIPT, slotState } from '../../src/model/index.ts';
import { createMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { FaultyCoordinator } from './faulty-coordinator.ts';
import { keyOf, makeProduct, PRODUCT, type Product, TWO } from './product.ts';

let one: RedisServer;
let two: RedisServer;

beforeAll(async () => {
  [one, two] = await Promise.all([startRedis(), startRedis()]);
});
beforeEach(async () => {
  for (const { client } of [one, two]) {
    await client().flushall();
    await client().config('RESETSTAT');
  }
});
afterAll(stopAll);

/** A server that was started, or has saved, in this second has no sharp one. */
const sharp = (own: OwnWrites, redis: Redis): Promise<Moment> =>
  eventually(async () => (await own.moment(redis)) ?? undefined, { what: 'a sharp moment' });

async function isNoticed(act: (redis: Redis) => Promise<unknown>): Promise<boolean> {
  const own = new OwnWrites();
  const redis = one.client();
  const before = await sharp(own, redis);
  await act(redis);
  const after = await eventually(async () => (await own.moment(one.client())) ?? undefined, { what: 'a sharp moment after' });
  return !isLike(before, after);
}

describe('two moments', () => {
  test('are alike when nothing was written, whatever was read, tried, or went by itself', async () => {
    const redis = one.client();
    await redis.mset('a', '1', 'b', '2');
    await redis.set('soon', 'x', 'PX', 50);
    expect(
      await isNoticed(async () => {
        await redis.mget('a', 'b', 'none');
        await redis.set('a', 'other', 'NX');
        await redis.del('none');
        await redis.eval("redis.call('GET', 'a') return redis.call('SETNX', 'b', 'x')", 0);
        await expect(redis.lpush('a', 'x')).rejects.toThrow('WRONGTYPE');
        await eventually(async () => (await redis.exists('soon')) === 0, { what: 'a key to expire' });
        await redis.config('RESETSTAT');
      }),
    ).toBe(false);
  });

  const payload = (redis: Redis) => redis.dumpBuffer('a');
  test.each<[string, (redis: Redis) => Promise<unknown>]>([
    ['SET', (redis) => redis.set('new', 'x')],
    ['SET of what is there, to the same', (redis) => redis.set('a', '1')],
    ['APPEND of nothing', (redis) => redis.append('new', '')],
    ['SETBIT', (redis) => redis.setbit('new', 0, 0)],
    ['BITFIELD', (redis) => redis.call('BITFIELD', 'new', 'SET', 'u8', 0, 0)],
    [
      'BITFIELD that fails, of a key that is not there',
      async (redis) => {
        await redis.call('BITFIELD', 'new', 'OVERFLOW', 'FAIL', 'INCRBY', 'u2', 0, 9);
        expect(await redis.exists('new')).toBe(1);
      },
    ],
    ['PFADD of nothing', (redis) => redis.call('PFADD', 'new')],
    ['GETSET', (redis) => redis.getset('new', 'x')],
    ['RENAME', (redis) => redis.rename('a', 'new')],
    ['COPY', (redis) => redis.call('COPY', 'a', 'new')],
    ['RESTORE', async (redis) => redis.restore('new', 0, (await payload(redis)) as unknown as string)],
    ['RPUSH', (redis) => redis.rpush('new', 'x')],
    [
      'a blocking move that is served',
      async (redis) => Promise.all([one.client().blmove('from', 'to', 'LEFT', 'RIGHT', 5), redis.rpush('from', 'x')]),
    ],
    ['SORT … STORE', (redis) => redis.sort('list', 'STORE', 'new')],
    ['SUNIONSTORE', (redis) => redis.sunionstore('new', 'set')],
    ['GEOADD', (redis) => redis.geoadd('new', 1, 1, 'x')],
    ['XADD', (redis) => redis.xadd('new', '*', 'f', 'v')],
    ['XGROUP CREATE … MKSTREAM', (redis) => redis.xgroup('CREATE', 'new', 'g', '$', 'MKSTREAM')],
    ['a script', (redis) => redis.eval("redis.call('SET', 'new', 'x')", 0)],
    ['a transaction', (redis) => redis.multi().set('new', 'x').exec()],
    ['another database', async () => one.client({ db: 7 }).set('new', 'x')],
    ['MOVE', (redis) => redis.move('a', 3)],
    ['SWAPDB', (redis) => redis.call('SWAPDB', 0, 3)],
    ['FLUSHALL, and the same again', async (redis) => redis.multi().flushall().set('a', '1').exec()],
    [
      'MIGRATE from elsewhere',
      async (redis) => {
        await two.client().set('new', 'x');
        await two.client().migrate('127.0.0.1', one.port, 'new', 0, 1000);
        expect(await redis.exists('new')).toBe(1);
      },
    ],
  ])('differ after %s', async (_, act) => {
    await one.client().set('a', '1');
    await one.client().rpush('list', '1');
    await one.client().sadd('set', 'x');
    expect(await isNoticed(act)).toBe(true);
  });

  test.each<[string, (redis: Redis) => Promise<unknown>]>([
    ['SAVE', (redis) => redis.save()],
    [
      'BGSAVE',
      async (redis) => {
        const last = Number(await redis.lastsave());
        await redis.bgsave();
        await eventually(async () => Number(await redis.lastsave()) > last, { what: 'the save' });
      },
    ],
  ])('differ when as much was written as a %s had made up for', async (_, save) => {
    await one.client().set('a', '1');
    const writes = async (redis: Redis) => {
      await save(redis);
      await redis.set('new', 'x');
    };
    expect(await isNoticed(writes)).toBe(true);
  });

  test('differ when another server was copied in between, or the process is another one', async () => {
    await two.client().set('theirs', 'x');
    const follow = async (redis: Redis) => {
      await redis.replicaof('127.0.0.1', two.port);
      await eventually(async () => (await redis.exists('theirs')) === 1, { what: 'the copy' });
      await redis.replicaof('NO', 'ONE');
    };
    expect(await isNoticed(follow)).toBe(true);
    const restart = async () => {
      await one.stop();
      one = await startRedis({ port: one.port });
    };
    expect(await isNoticed(restart)).toBe(true);
  });

  test('are alike when only the controller wrote, and not when others did at the same time', async () => {
    const own = new OwnWrites();
    const [redis, target] = [one.client(), two.client()];
    const write = async () => {
      const [source, targetAddr] = [asServerAddr(one.addr), asServerAddr(two.addr)];
      expect(
        await tryHandOver({ from: redis, to: target }, { source, target: targetAddr, product: PRODUCT, password: '', own }),
      ).toBeNull();
      await own.count(async () => Number(await redis.eval(COUNT_FROM_SCRIPT, 1, 'handed', 0)));
    };
    await write();
    const before = await sharp(own, redis);
    await write();
    await write();
    expect(isLike(before, await own.moment(redis))).toBe(true);
    await redis.set('new', 'x');
    await write();
    expect(isLike(before, await own.moment(redis))).toBe(false);
  });

  test('are not to be compared while the controller writes, and what failed counts as somebody else’s', async () => {
    const own = new OwnWrites();
    const redis = one.client();
    const before = await sharp(own, redis);
    let answer: (changes: number) => void = () => undefined;
    const writing = own.count(() => new Promise((resolve) => (answer = resolve)));
    expect(await own.moment(redis)).toBeNull();
    answer(0);
    await writing;
    expect(isLike(before, await own.moment(redis))).toBe(true);
    const failing = own.count(async () => {
      await redis.set('new', 'x');
      throw new Error('its answer was lost');
    });
    await expect(failing).rejects.toThrow('its answer was lost');
    expect(isLike(before, await own.moment(redis))).toBe(false);
    expect(isLike(null, null)).toBe(false);
  });
});

interface Meddling {
  readonly isTime: () => Promise<boolean>;
  readonly meddle: () => Promise<unknown>;
}

/** Does something once, before the controller reads on. */
class MeddlingCoordinator extends FaultyCoordinator {
  readonly #isTime: Meddling['isTime'];
  readonly #meddle: Meddling['meddle'];
  #isDone = false;

  constructor(inner: Coordinator, { isTime, meddle }: Meddling) {
    super(inner, { commit: Number.POSITIVE_INFINITY, when: 'before' });
    this.#isTime = isTime;
    this.#meddle = meddle;
  }

  override async read(path: string) {
    if (!this.#isDone && (await this.#isTime())) {
      this.#isDone = true;
      await this.#meddle();
    }
    return super.read(path);
  }
}

async function scansOf(server: RedisServer): Promise<number> {
  return Number(/cmdstat_scan:calls=(\d+)/.exec(await server.client().info('commandstats'))?.[1] ?? 0);
}

describe('a sweep', () => {
  let product: Product;
  let observer: Coordinator;

  beforeEach(async () => {
    product = await makeProduct({ one, two });
    observer = await product.connect();
    await one.client().mset(...Array.from({ length: 100 }, (_, n) => [keyOf(0, n), 'x']).flat());
    await sharp(new OwnWrites(), one.client());
  });
  afterEach(() => product.close());

  /** `meddle` when the source has been looked through, and no slot is locked yet. */
  const move = (meddle: Meddling['meddle']) => moveWhile({ isTime: async () => (await scansOf(one)) > 0, meddle });

  async function moveWhile(meddling: Meddling, mend: (waiting: string) => Promise<void> = async () => undefined): Promise<void> {
    const caller = { coordinator: observer, product: PRODUCT, actor: 'test', password: '' };
    const { id } = await createMigration(caller, { moves: [{ first: asSlot(0), last: asSlot(0), to: TWO }], delayMs: 0 });
    await product.controller(new MeddlingCoordinator(await product.connect(), meddling));
    const isDone = async () => {
      const { state, waiting } = await readMigration(observer, id);
      if (waiting !== null) await mend(waiting);
      return state === 'done';
    };
    await eventually(isDone, { what: 'the move', timeoutMs: 30_000 });
    expect(slotState((await readTopology({ coordinator: observer })).topology, asSlot(0))).toEqual({ kind: 'online', owner: TWO });
    expect(await one.client().dbsize()).toBe(0);
  }

  test('looks no second time at a source that nobody has written to', async () => {
    await move(async () => undefined);
    expect(await two.client().dbsize()).toBe(100);
    expect(await scansOf(one)).toBe(1);
  });

  test('finds what was written between the look and the lock', async () => {
    await move(() => one.client({ db: 9 }).set(keyOf(0, 1000), 'new'));
    expect(await two.client().dbsize()).toBe(100);
    expect(await two.client({ db: 9 }).get(keyOf(0, 1000))).toBe('new');
    expect(await one.client({ db: 9 }).dbsize()).toBe(0);
    expect(await scansOf(one)).toBeGreaterThan(1);
  });

  test('that failed looks again, for some of what was seen may have been lost on the way', async () => {
    const memory = (bytes: number) => two.client().config('SET', 'maxmemory', bytes);
    const isTime = async () => slotState((await readTopology({ coordinator: observer })).topology, asSlot(0)).kind === 'migrating';
    let failed = '';
    await moveWhile({ isTime, meddle: () => memory(1) }, async (waiting) => {
      failed ||= waiting;
      await memory(0);
    });
    expect(failed).toContain('OOM');
    expect(await two.client().dbsize()).toBe(100);
    expect(await scansOf(one)).toBeGreaterThan(1);
  });

  test('finds it after a save as well, which sets the server’s count back', async () => {
    await move(async () => {
      await one.client().set(keyOf(0, 1000), 'new');
      await one.client().save();
      await one.client().mset(...Array.from({ length: 100 }, (_, n) => [keyOf(0, n), 'y']).flat());
    });
    expect(await two.client().dbsize()).toBe(101);
  });
});
