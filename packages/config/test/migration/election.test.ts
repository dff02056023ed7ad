// Who may act. A controller is elected for a term; whoever was deposed writes nothing, whatever it believes.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import { type Coordinator, PATHS } from '../../src/coordinator/index.ts';
import { CONTROLLER_CLIENT_NAME } from '../../src/migration/controlled.ts';
import { campaign, commitInTerm, resign } from '../../src/migration/election.ts';
import { asSlot } from '../../src/model/index.ts';
import { createMigration, readMigration } from '../../src/operations/index.ts';
import { committed, makeProduct, PRODUCT, type Product, startMasters, TWO } from './product.ts';

const me = { id: 'me', pid: 1 };
let masters: { one: RedisServer; two: RedisServer };
let product: Product;
let a: Coordinator;
let b: Coordinator;

beforeAll(async () => {
  masters = await startMasters();
});

beforeEach(async () => {
  product = await makeProduct(masters);
  [a, b] = await Promise.all([product.connect(), product.connect()]);
});

afterEach(() => product.close());
afterAll(async () => {
  await masters.one.stop();
  await masters.two.stop();
});

const anOp = { op: 'create', path: 'events/1', data: Buffer.from('x') } as const;

test('one of two is elected, and a write of its term is made', async () => {
  const term = await campaign(a, me);
  expect(await campaign(b, { id: 'other', pid: 2 })).toBeNull();
  expect(await commitInTerm(a, term!, [anOp])).toMatchObject({ ok: true });
  expect(JSON.parse(String((await b.read(PATHS.controller))?.data))).toEqual(me);
});

test('a session that is elected already gets a new term, and its old one is over', async () => {
  const first = await campaign(a, me);
  const second = await campaign(a, me);
  expect(second!.number).toBe(first!.number + 1);
  await expect(commitInTerm(a, first!, [anOp])).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
  expect(await commitInTerm(a, second!, [anOp])).toMatchObject({ ok: true });
});

test('a deposed controller that does not know it can’t write', async () => {
  const stale = await campaign(a, me);
  await committed(b, { op: 'delete', path: PATHS.controller });
  await campaign(b, { id: 'other', pid: 2 });

  await expect(commitInTerm(a, stale!, [anOp])).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
  await expect(resign(a, stale!)).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });

  expect(await b.read('events/1')).toBeNull();
  expect(await b.read(PATHS.controller)).not.toBeNull();
});

test('an election that was won leaves others’ refusals apart from being deposed', async () => {
  const term = await campaign(a, me);
  await committed(b, anOp);
  expect(await commitInTerm(a, term!, [anOp])).toEqual({ ok: false, refusal: { index: 1, path: 'events/1', reason: 'exists' } });
});

test('a controller that is closed resigns, and the next one is elected', async () => {
  const first = await product.controller(a);
  await eventually(() => first.status().elected, { what: 'the first elected' });
  const second = await product.controller(b);
  expect(second.status()).toEqual({ elected: false, since: null, running: null });

  await first.close();

  await eventually(() => second.status().elected, { what: 'the second elected' });
  expect(first.status().elected).toBe(false);
});

test('a controller whose session ends stops, and another one takes over', async () => {
  const first = await product.controller(a);
  await eventually(() => first.status().elected, { what: 'the first elected' });
  const second = await product.controller(b);

  await a.close();

  await eventually(() => second.status().elected, { what: 'the second elected' });
  await eventually(() => !first.status().elected, { what: 'the first stopped' });
});

test('a controller that finds another’s name in its place stops', async () => {
  const first = await product.controller(a);
  await eventually(() => first.status().elected, { what: 'the first elected' });
  await committed(
    b,
    { op: 'delete', path: PATHS.controller },
    { op: 'create', path: PATHS.controller, data: Buffer.from('{}'), ephemeral: true },
  );
  await eventually(() => !first.status().elected, { what: 'the first stopped' });
});

test('what a former controller still has under way at a server is cut off before slots are locked', async () => {
  await product.proxy('p1');
  const former = [masters.one.client(), masters.two.client()];
  const before = await Promise.all(
    former.map(async (client) => (await client.client('SETNAME', CONTROLLER_CLIENT_NAME)) && client.client('ID')),
  );
  const moves = [{ first: asSlot(0), last: asSlot(0), to: TWO }];
  const { id } = await createMigration({ coordinator: b, product: PRODUCT, actor: 'test', password: '' }, { moves, delayMs: 0 });

  await product.controller(a);
  await eventually(async () => (await readMigration(b, id)).state === 'done', { what: 'the migration' });

  const after = await Promise.all(former.map((client) => client.client('ID')));
  for (const [n, clientId] of after.entries()) expect(clientId).not.toBe(before[n]);
});
