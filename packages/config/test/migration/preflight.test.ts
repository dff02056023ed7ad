// Goal: what keeps a source from handing keys to a target is found before anything is locked, said with what to do, and the move goes on once it is mended.
// Method: a controller, two real servers, one fault at a time.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import type { Coordinator } from '../../src/coordinator/index.ts';
import { handOverObstacle, probeKey } from '../../src/migration/preflight.ts';
import { asServerAddr, asSlot } from '../../src/model/index.ts';
import { createMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { keyOf, makeProduct, PRODUCT, type Product, startMasters, TWO } from './product.ts';

let masters: { one: RedisServer; two: RedisServer };
let product: Product;
let observer: Coordinator;

beforeEach(async () => {
  masters = await startMasters();
  product = await makeProduct(masters);
  observer = await product.connect();
});
afterEach(async () => {
  await product.close();
  await masters.one.stop();
  await masters.two.stop();
});
afterAll(stopAll);

/** An address of a server where everybody gets through but another Redis, until it is opened: only that one sends RESTORE. */
async function startGate(port: number) {
  let open = false;
  const server = createServer((client) => {
    const upstream = connect({ host: '127.0.0.1', port });
    client.on('data', (bytes) => {
      if (!open && bytes.includes('RESTORE')) client.destroy();
      else upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => other.destroy());
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    addr: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: async () => {
      open = true;
    },
    close: () => server.close(),
  };
}

/** Asks for a move that can't be, checks that nothing was locked, mends, and sees it arrive. */
async function held(reason: RegExp, mend: () => Promise<unknown>, own = product): Promise<void> {
  await masters.one.client().set(keyOf(0), 'value');
  const { epoch } = await readTopology({ coordinator: observer });
  const caller = { coordinator: observer, product: PRODUCT, actor: 'test', password: '' };
  const { id } = await createMigration(caller, { moves: [{ first: asSlot(0), last: asSlot(0), to: TWO }], delayMs: 0 });
  await own.controller(await own.connect());
  const waiting = await eventually(async () => (await readMigration(observer, id)).waiting, { what: 'a reason', timeoutMs: 15_000 });
  expect(waiting).toMatch(reason);
  expect((await readTopology({ coordinator: observer })).epoch).toBe(epoch);
  await mend();
  await eventually(async () => (await readMigration(observer, id)).state === 'done', { what: 'the move', timeoutMs: 20_000 });
  expect(await masters.two.client().get(keyOf(0))).toBe('value');
  expect(await masters.two.client().exists(probeKey(PRODUCT))).toBe(0);
  expect(await masters.one.client().exists(probeKey(PRODUCT))).toBe(0);
}

describe('before anything is locked', () => {
  test('a target without memory is found', async () => {
    await masters.two.client().config('SET', 'maxmemory', '1');
    await held(/has no memory left; raise its maxmemory/, () => masters.two.client().config('SET', 'maxmemory', '0'));
  });

  test('a source without memory is no obstacle', async () => {
    const one = masters.one.client();
    await one.set(keyOf(0), 'value');
    await one.config('SET', 'maxmemory', '1');
    const caller = { coordinator: observer, product: PRODUCT, actor: 'test', password: '' };
    const { id } = await createMigration(caller, { moves: [{ first: asSlot(0), last: asSlot(0), to: TWO }], delayMs: 0 });
    await product.controller(await product.connect());
    await eventually(async () => (await readMigration(observer, id)).state === 'done', { what: 'the move', timeoutMs: 20_000 });
    expect(await masters.two.client().get(keyOf(0))).toBe('value');
  });

  test('a source whose user may not MIGRATE is found', async () => {
    const acl = (rule: string) => masters.one.client().call('ACL', 'SETUSER', 'default', rule);
    await acl('-migrate');
    await held(/may not EVAL, SET, DEL or MIGRATE at .*\+migrate/, () => acl('+migrate'));
  });

  test('a target whose user may not RESTORE is found', async () => {
    const acl = (rule: string) => masters.two.client().call('ACL', 'SETUSER', 'default', rule);
    await acl('-restore');
    await acl('-restore-asking');
    await held(/may not RESTORE at/, async () => {
      await acl('+restore');
      await acl('+restore-asking');
    });
  });

  test('a target that wants a password which product_auth is not is found', async () => {
    const { two } = masters;
    const client = two.client();
    await client.config('SET', 'requirepass', 'other');
    await held(/product_auth must be the password of every server/, () => client.config('SET', 'requirepass', ''));
  });

  test('a target that waits for replicas before it takes writes is found', async () => {
    await masters.two.client().config('SET', 'min-replicas-to-write', '1');
    await held(/takes no writes until it has replicas/, () => masters.two.client().config('SET', 'min-replicas-to-write', '0'));
  });

  test('a source that can’t reach the target, though the controller can, is found', async () => {
    const gate = await startGate(masters.two.port);
    const own = await makeProduct({ one: masters.one, two: { ...masters.two, addr: gate.addr } });
    observer = await own.connect();
    await held(/no way from the one server to the other/, () => gate.open(), own);
    await own.close();
    gate.close();
  });
});

test.each([
  ['ERR Target instance replied with error: ERR DUMP payload version or checksum are wrong', /is an older Redis/],
  ['ERR Target instance replied with error: ERR Bad data format', /upgrade 127.0.0.1:2/],
  ['ERR Target instance replied with error: NOAUTH Authentication required.', /same requirepass/],
  ['ERR Target instance replied with error: READONLY You can’t write against a read only replica.', /it is a replica/],
  ['IOERR error or timeout reading to target instance', /no way from the one server/],
  ['ERR something new', /mend what it says \(it answered: ERR something new\)/],
])('%s is explained', (reply, words) => {
  expect(handOverObstacle(reply, { source: asServerAddr('127.0.0.1:1'), target: asServerAddr('127.0.0.1:2') })).toMatch(words);
});
