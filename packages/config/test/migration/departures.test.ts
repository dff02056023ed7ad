// Goal: a source that is another process than it was hands over again when nothing stale is at it, and not before; how that is known is kept within bounds.
// Method: a controller and real servers; the test does at the servers what proxies do (the scripts of model/departures.ts).

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, scratchDir } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type Coordinator, PATHS } from '../../src/coordinator/index.ts';
import {
  asGroupId,
  asSlot,
  departureKeys,
  isGoing,
  type MigrationId,
  NOTE_SCRIPT,
  ON_DEMAND_SCRIPT,
  slotState,
} from '../../src/model/index.ts';
import {
  cancelMigration,
  createMigration,
  pauseMigration,
  readMigration,
  readTopology,
  resumeMigration,
  throttleMigration,
} from '../../src/operations/index.ts';
import { FaultyCoordinator } from './faulty-coordinator.ts';
import { keyOf, makeProduct, ONE, PRODUCT, type Product, TWO } from './product.ts';

const { handed: HANDED, source: SOURCE, left: LEFT } = departureKeys(PRODUCT, { from: ONE, to: TWO });
const MANY = 1000;
const [DELETED, STAYED] = [keyOf(0, MANY + 1), keyOf(0, MANY + 2)];

let source: RedisServer;
let target: RedisServer;
let dir: string;
let product: Product;
let observer: Coordinator;

beforeAll(async () => {
  target = await startRedis();
});
beforeEach(async () => {
  dir = scratchDir('source');
  source = await startRedis({ config: { dir } });
  product = await makeProduct({ one: source, two: target });
  observer = await product.connect();
});
afterEach(async () => {
  await product.close();
  await source.stop();
  await target.client().flushall();
});
afterAll(() => target.stop());

const caller = () => ({ coordinator: observer, product: PRODUCT, actor: 'test', password: '' });
const record = (id: MigrationId) => readMigration(observer, id);
const isDone = (id: MigrationId) => eventually(async () => (await record(id)).state === 'done', { what: 'the end', timeoutMs: 30_000 });
const named = () => target.client().hget(SOURCE, 'run');

/** Before each time that the topology is read through it, `act` is done. */
class DoubtingCoordinator extends FaultyCoordinator {
  readonly #act: () => Promise<void>;
  #reads = 0;

  constructor(inner: Coordinator, act: () => Promise<void>) {
    super(inner, { commit: Number.POSITIVE_INFINITY, when: 'before' });
    this.#act = act;
  }

  override async read(path: string) {
    if (path === PATHS.topology) {
      this.#reads++;
      await this.#act();
    }
    return super.read(path);
  }

  /** So many more. */
  async topologyReads(count: number): Promise<void> {
    const until = this.#reads + count;
    await eventually(() => this.#reads >= until, { what: 'the topology to be read', timeoutMs: 30_000 });
  }
}

/** Slot 0 is migrating, with a long pause after the first keys that are swept. */
async function begin(controller?: Coordinator): Promise<MigrationId> {
  await source.client().mset(Array.from({ length: MANY }, (_, n) => [keyOf(0, n), 'x']).flat());
  await source.client().mset(DELETED, 'old', STAYED, 'old');
  const { id } = await createMigration(caller(), { moves: [{ first: asSlot(0), last: asSlot(0), to: TWO }], delayMs: 3_600_000 });
  await product.controller(controller ?? (await product.connect()));
  const state = async () => slotState((await readTopology({ coordinator: observer })).topology, asSlot(0)).kind;
  await eventually(async () => (await state()) === 'migrating', { what: 'the slot to be migrating', everyMs: 5 });
  return id;
}

/** As a proxy does for a client; returns the number of the hand-over. */
async function askFor(key: string, leftMax = 100): Promise<string> {
  const run = (await named()) ?? '';
  const to = ['127.0.0.1', target.port, 0, 1000, '', ''];
  const number = String(await source.client().eval(ON_DEMAND_SCRIPT, 2, key, HANDED, ...to));
  expect(await target.client().eval(NOTE_SCRIPT, 2, SOURCE, LEFT, run, leftMax, number, `0:${key}`)).toBe('OK');
  return number;
}

async function restart(): Promise<void> {
  await source.child.stop('SIGKILL');
  source = await startRedis({ port: source.port, config: { dir } });
}

const runIdOf = async (server: RedisServer) => /run_id:(\S+)/.exec(await server.client().info('server'))?.[1];

test('the process that slots leave is named at the target before they do, and nothing is kept when they have arrived', async () => {
  const id = await begin();
  expect(await named()).toBe(await runIdOf(source));
  await askFor(STAYED);
  await pauseMigration(caller(), { id });
  await eventually(async () => (await record(id)).waiting?.startsWith('paused'), { what: 'the sweep to have ended' });
  await throttleMigration(caller(), { id, delayMs: 0 });
  await resumeMigration(caller(), { id });
  await isDone(id);
  await eventually(async () => (await target.client().exists(SOURCE, LEFT)) === 0, { what: 'nothing to be kept' });
  await eventually(async () => (await source.client().dbsize()) === 0, { what: 'nothing to be kept at the source' });
  expect(await target.client().get(STAYED)).toBe('old');
});

test('what a source has again that had left is deleted before it is named, also while the migration is paused', async () => {
  const id = await begin();
  await pauseMigration(caller(), { id });
  await source.client().save();
  const number = await askFor(DELETED);
  await target.client().del(DELETED);
  await restart();
  await eventually(async () => (await named()) === (await runIdOf(source)), { what: 'the new process to be named', timeoutMs: 30_000 });
  expect(await source.client().mget(DELETED, STAYED)).toEqual([null, 'old']);
  expect(Number(await source.client().get(HANDED))).toBeGreaterThan(Number(number));
});

test('a source that has lost nothing is named as it is', async () => {
  await begin();
  await askFor(DELETED);
  await target.client().del(DELETED);
  await source.client().save();
  await restart();
  await eventually(async () => (await named()) === (await runIdOf(source)), { what: 'the new process to be named', timeoutMs: 30_000 });
  expect(await source.client().get(STAYED)).toBe('old');
});

test('one that has gone back further than is known is not used, and the migration says what to do', async () => {
  const id = await begin();
  await source.client().save();
  await askFor(DELETED, 1);
  await target.client().del(DELETED);
  await askFor(keyOf(0, MANY - 1), 1);
  await restart();
  const waiting = await eventually(
    async () => /gone back further .* redis-cli -u \S+ DEL '(\S+)' '(\S+)'/.exec((await record(id)).waiting ?? ''),
    {
      what: 'the reason',
      timeoutMs: 30_000,
    },
  );
  expect(await named()).not.toBe(await runIdOf(source));
  expect(await source.client().get(DELETED)).toBe('old');
  await target.client().del(waiting[1] as string, waiting[2] as string);
  await eventually(async () => (await named()) === (await runIdOf(source)), { what: 'the new process to be named', timeoutMs: 30_000 });
  expect(await source.client().get(DELETED)).toBe('old');
});

test('whoever names a process says which slots go, as of an epoch that nothing was completed after', async () => {
  await begin();
  const lockedAt = Number(await target.client().hget(SOURCE, 'epoch'));
  // A process that has no key of the slot may be swept, and done with, at once.
  await source.client().save();
  await restart();
  await eventually(async () => (await named()) === (await runIdOf(source)), { what: 'the new process to be named', timeoutMs: 30_000 });
  const { epoch, slots = '' } = await target.client().hgetall(SOURCE);
  expect(Number(epoch)).toBeGreaterThan(lockedAt);
  expect((await readTopology({ coordinator: observer })).epoch).toBeGreaterThan(Number(epoch));
  expect([0, 1, 1023].map((slot) => isGoing(slots, slot))).toEqual([true, false, false]);
});

test('as long as a proxy has no session it stays at the target that all has arrived, and nothing else; then that is taken away too', async () => {
  const id = await begin();
  await askFor(STAYED);
  const lost = await product.proxy('lost');
  await lost.lose();
  await throttleMigration(caller(), { id, delayMs: 0 });
  await isDone(id);
  const { epoch } = await readTopology({ coordinator: observer });
  await eventually(async () => (await target.client().hlen(SOURCE)) === 2, { what: 'nobody to be named any more' });
  expect(await target.client().hgetall(SOURCE)).toEqual({ epoch: String(epoch), slots: '' });
  await eventually(async () => (await source.client().dbsize()) === 0, { what: 'nothing to be kept at the source' });
  expect(await target.client().exists(LEFT)).toBe(0);
  // Another controller finds it, and leaves it for the same reason.
  await product.controller(await product.connect());
  lost.setAcking(true);
  await eventually(async () => (await target.client().exists(SOURCE)) === 0, { what: 'nothing to be kept' });
});

test('what was kept for a lock that came to nothing is taken away', async () => {
  const slow = await product.proxy('slow');
  slow.setAcking(false);
  const { id } = await createMigration(caller(), { moves: [{ first: asSlot(0), last: asSlot(0), to: TWO }], delayMs: 0 });
  await product.controller(await product.connect());
  await eventually(async () => (await named()) !== null, { what: 'the source to be named', everyMs: 5 });
  await cancelMigration(caller(), { id });
  await eventually(async () => (await record(id)).endedAt !== null, { what: 'the end' });
  slow.setAcking(true);
  await eventually(async () => (await target.client().exists(SOURCE)) + (await source.client().exists(HANDED)) === 0, {
    what: 'nothing to be kept',
  });
});

test('a slot does not arrive as long as the target knows another process as its source than the one that was swept', async () => {
  let isDoubted = false;
  const doubting = new DoubtingCoordinator(await product.connect(), async () => {
    if (isDoubted && (await source.client().dbsize()) === 1) await target.client().hset(SOURCE, { run: '?' });
  });
  const id = await begin(doubting);
  await pauseMigration(caller(), { id });
  await eventually(async () => (await record(id)).waiting?.startsWith('paused'), { what: 'the sweep to have ended' });
  await throttleMigration(caller(), { id, delayMs: 0 });
  isDoubted = true;
  await resumeMigration(caller(), { id });
  await eventually(async () => (await source.client().dbsize()) === 1, { what: 'all keys to have left', timeoutMs: 30_000 });
  await doubting.topologyReads(5);
  expect((await record(id)).state).toBe('running');
  isDoubted = false;
  await isDone(id);
}, 60_000);

test('what is noted in an earlier move is not taken for what has left in this one, should the target have it again', async () => {
  await begin();
  await target.client().zadd(LEFT, Date.now() * 1000 - 1_000_000, `0:${STAYED}`);
  await target.client().hset(SOURCE, { run: 'of then' });
  await eventually(async () => (await named()) === (await runIdOf(source)), { what: 'the process to be named again', timeoutMs: 30_000 });
  expect(await source.client().get(STAYED)).toBe('old');
});

test('what a controller that died did not come to take away is taken away by the next one', async () => {
  await source.client().set(HANDED, '5');
  await target.client().hset(SOURCE, { run: 'old' });
  await target.client().zadd(LEFT, 5, '0:k');
  await product.controller(await product.connect());
  await eventually(async () => (await source.client().dbsize()) + (await target.client().dbsize()) === 0, { what: 'nothing to be kept' });
});

test('each target has a number of its own: looking at the source for one must not hide from another what it has come back to', () => {
  expect(departureKeys(PRODUCT, { from: ONE, to: asGroupId(3) }).handed).not.toBe(HANDED);
});

test('nothing is noted for a process that is not the source any more, or while none is', async () => {
  const client = target.client();
  await expect(client.eval(NOTE_SCRIPT, 2, SOURCE, LEFT, 'old', 10, 1, '0:k')).rejects.toThrow(/^SOURCE/);
  await client.hset(SOURCE, { run: 'new' });
  await expect(client.eval(NOTE_SCRIPT, 2, SOURCE, LEFT, 'old', 10, 1, '0:k')).rejects.toThrow(/^SOURCE/);
  expect(await client.exists(LEFT)).toBe(0);
});

test('the oldest are forgotten first, and it is known up to which', async () => {
  const client = target.client();
  await client.hset(SOURCE, { run: 'p' });
  const note = (...notes: (string | number)[]) => client.eval(NOTE_SCRIPT, 2, SOURCE, LEFT, 'p', 3, ...notes);
  await note(5, '0:a', 5, '0:b');
  await note(6, '0:c');
  await note(7, '0:d', 7, '0:e');
  expect(await client.zrange(LEFT, '0', '-1')).toEqual(['0:c', '0:d', '0:e']);
  expect(await client.hget(SOURCE, 'forgotten')).toBe('5');
});

test('a target without memory still notes what it is asked for, so that its keys can be read', async () => {
  const client = target.client();
  await client.hset(SOURCE, { run: 'p' });
  await client.config('SET', 'maxmemory', '1');
  try {
    expect(await client.eval(NOTE_SCRIPT, 2, SOURCE, LEFT, 'p', 3, 5, '0:a')).toBe('OK');
  } finally {
    await client.config('SET', 'maxmemory', '0');
  }
});
