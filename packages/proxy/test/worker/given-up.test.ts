// Goal: what a worker gave up at a server that stood still is in flight until it can't run there any more, and no longer.
// Method: a worker in this process with real servers, which are stopped where they stand until backend_recv_timeout is over.

import { asEpoch, asGroupId, asMigrationId, type SlotState } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

/** More than a server reads at once. */
const INCREMENTS = 5000;
const A = asGroupId(1);
const B = asGroupId(2);
const online = (owner: typeof A) => (): SlotState => ({ kind: 'online', owner });
const migrating = (): SlotState => ({ kind: 'migrating', from: A, to: B, migration: asMigrationId(1) });
const locked = (): SlotState => ({ kind: 'locked', from: B, to: A, migration: asMigrationId(2), epoch: asEpoch(1), leaseMs: 60_000 });

let source: RedisServer;
let target: RedisServer;
let worker: OneWorker;
let raw: RawClient;

const lock = (servers: Parameters<OneWorker['route']>[0] = [source, target]) => worker.route(servers, locked);
const isApplied = (epoch: number) => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch);
const untilApplied = (epoch: number) => eventually(() => isApplied(epoch), { what: 'the ack', timeoutMs: 20_000 });

beforeAll(async () => {
  target = await startRedis();
});

beforeEach(async () => {
  source = await startRedis();
  worker = await startWorker({ slot_hold_timeout_ms: 15_000, backend_recv_timeout: 1, session_max_pipeline: INCREMENTS });
  raw = new RawClient(worker.port);
  worker.route([source, target], online(A));
  await raw.ask(encodeRequest(['SET', 'k', '0']));
});

afterEach(async () => {
  raw.close();
  worker.close();
  source.child.signal('SIGCONT');
  await source.stop();
});

afterAll(() => stopAll());

/** Commands that are sent to the source while it stands still. */
async function giveUpIncrements(): Promise<void> {
  source.child.signal('SIGSTOP');
  const commands = Buffer.concat(Array.from({ length: INCREMENTS }, () => encodeRequest(['INCR', 'k'])));
  const replies = await raw.ask(commands, INCREMENTS);
  expect(replies.every((reply) => /whether the command was carried out is unknown/.test(reply))).toBe(true);
}

test('is acknowledged when the server has said that nothing of it runs any more, which is so then', async () => {
  await giveUpIncrements();
  const epoch = lock();
  expect(isApplied(epoch)).toBe(false);
  expect(worker.report().draining.length).toBe(1);
  expect(worker.messages).toContainEqual({ type: 'unconfirmed', servers: [source.addr] });
  source.child.signal('SIGCONT');
  await untilApplied(epoch);
  const admin = source.client();
  const seen = await admin.get('k');
  expect(await admin.client('LIST')).not.toMatch(/name=codis-proxy\S* .*cmd=incr/);
  expect(await admin.get('k')).toBe(seen);
  expect(worker.messages.findLast(({ type }) => type === 'unconfirmed')).toEqual({ type: 'unconfirmed', servers: [] });
});

test('so is a hand-over, which would take a key away from a slot that has come back', async () => {
  source.child.signal('SIGSTOP');
  worker.route([source, target], migrating);
  raw.socket.write(encodeRequest(['GET', 'k']));
  await eventually(() => worker.report().handOverErrors > 0, { what: 'the hand-over to be given up' });
  worker.route([source, target], online(B));
  const epoch = lock();
  expect(isApplied(epoch)).toBe(false);
  source.child.signal('SIGCONT');
  await untilApplied(epoch);
});

test('is acknowledged when another process answers there', async () => {
  await giveUpIncrements();
  const epoch = lock();
  await source.child.stop('SIGKILL');
  source = await startRedis({ port: source.port });
  const bystander = source.client();
  await bystander.ping();
  await untilApplied(epoch);
  // It may have the number that the old connection had.
  expect(await bystander.ping()).toBe('PONG');
});

test('is acknowledged when the server is no master any more', async () => {
  await giveUpIncrements();
  const heir = await startRedis();
  await untilApplied(lock([heir, target]));
  await heir.stop();
});

test('holds up no other slots', async () => {
  await giveUpIncrements();
  const other = worker.route([source, target], (slot) => (slot < 2 ? locked() : online(A)()));
  expect(isApplied(other)).toBe(true);
});
