// Goal: a move whose record was deleted is found by the doctor, and the command that it names brings it back: it goes on, or is cancelled, and no key is lost.
// Method: the program, a dashboard that runs migrations, two real servers; the record is deleted in the coordinator, by hand, in mid-move.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import type { DoctorView, MigrationView, PlanView, SlotView } from '../../src/api/index.ts';
import { migrationPath, openCoordinator } from '../../src/coordinator/index.ts';
import { asMigrationId } from '../../src/model/index.ts';
import { loadSettings } from '../../src/settings/index.ts';
import { keyOf } from '../migration/product.ts';
import { type CliUnderTest, startCli } from './support.ts';

let it: CliUnderTest;
let one: RedisServer;
let two: RedisServer;
let coordinator: ReturnType<typeof openCoordinator>;
/** Of the move that is under way. */
let id: number;
let keys: string[];

beforeAll(async () => {
  [it, one, two] = await Promise.all([startCli(), startRedis(), startRedis()]);
  const { settings } = loadSettings({ file: it.configFile });
  coordinator = openCoordinator(settings);
  await coordinator.ready(10_000);
  await it.ok('slot', 'init');
  await it.ok('server', 'add', '1', one.addr, 'master');
  await it.ok('server', 'add', '2', two.addr, 'master');
});

afterAll(async () => {
  await coordinator.close();
  await stopAll();
});

beforeEach(async () => {
  await it.ok('slot', 'range-set', '0', '1023', '1', 'online');
  keys = [3, 4, 5].flatMap((slot) => Array.from({ length: 100 }, (_, n) => keyOf(slot, n)));
  await one.client().mset(keys.flatMap((key) => [key, `value of ${key}`]));
  const created = (await it.json('slot', 'migrate', '3', '5', '2', '--keys-per-second', '20')) as MigrationView;
  id = created.id;
  await eventually(async () => (await two.client().exists(...keys)) > 0, { what: 'some keys at the target' });
  expect(await coordinator.commit([{ op: 'delete', path: migrationPath(asMigrationId(id)) }])).toMatchObject({ ok: true });
});

afterEach(async () => {
  for (const server of [one, two]) await server.client().flushall();
  await it.ok('slot', 'range-set', '0', '1023', '2', 'offline');
});

/** What the doctor says of slots that nobody moves any more. */
async function stuck() {
  const { stdout } = await it.cli('doctor', '--quick', '-o', 'json');
  return (JSON.parse(stdout) as DoctorView).findings.find(({ kind }) => kind === 'stuck-slots');
}

const follow = (line = '') => it.ok(...line.split(' ').slice(1));
const stateOf = async () => ((await it.json('slot', 'info', '4')) as SlotView).state;

async function checkArrived(): Promise<void> {
  expect(await two.client().mget(keys)).toEqual(keys.map((key) => `value of ${key}`));
  expect(await one.client().exists(...keys)).toBe(0);
  expect(await stuck()).toBeUndefined();
}

test('it goes on', async () => {
  const finding = await eventually(stuck, { what: 'the doctor to find it' });
  expect(finding).toMatchObject({
    severity: 'error',
    object: 'slots 3-5',
    what: `slots 3-5 are still in a move by migration ${id}, of which there is no record`,
    try: [`codis-config migration adopt ${id} --dry-run`, `codis-config migration adopt ${id}`],
  });
  expect(await follow(finding.try[0])).toBe(`migration ${id} would be on record as running: slots 3-5 to group 2\n`);
  expect(await it.cli('migration', 'show', String(id))).toMatchObject({ code: 3 });
  expect(await stateOf()).toBe('migrating');

  expect(await follow(finding.try[1])).toBe(`migration ${id} is on record as running: slots 3-5 to group 2\n`);

  expect(await it.cli('migration', 'watch', String(id), '--timeout', '60')).toMatchObject({ code: 0 });
  await checkArrived();
  expect(await it.ok('events')).toContain(`migration ${id}: slots 3-5 → group 2`);
  expect(await follow(finding.try[1])).toBe(`migration ${id} is on record as done: slots 3-5 to group 2\n`);
}, 90_000);

test('it can be cancelled: what is between two groups arrives', async () => {
  await follow(`codis-config migration adopt ${id} --keys-per-second 100`);
  await it.ok('migration', 'cancel', String(id));
  const view = await eventually(
    async () => {
      const now = (await it.json('migration', 'show', String(id))) as MigrationView;
      return now.endedAt === null ? undefined : now;
    },
    { what: 'its end', timeoutMs: 60_000 },
  );
  expect(view).toMatchObject({ state: 'cancelled', slotsDone: 3 });
  await checkArrived();
}, 90_000);

test('until then its number is not given to another move', async () => {
  const other = (await it.json('plan', 'move', '100', '101', '2')) as PlanView;
  const applied = await it.ok('plan', 'apply', String(other.id), '-o', 'name', '--wait', '--timeout', '60');
  expect(applied).toBe(`${id + 1}\n`);
  await follow(`codis-config migration adopt ${id}`);
  expect(await it.cli('migration', 'watch', String(id), '--timeout', '60')).toMatchObject({ code: 0 });
  await checkArrived();
}, 90_000);
