// What tests of moves begin with: two servers for the whole file, and for each test a worker between them that was told all slots are at the first. What is exported
// here is set anew for each test, and whoever imports it sees that.

import { asEpoch, asGroupId, asMigrationId, type SlotState } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { nameSource, type OneWorker, RawClient, startWorker } from './one-worker.ts';

export const [A, B] = [asGroupId(1), asGroupId(2)];
export const online = (owner: typeof A) => (): SlotState => ({ kind: 'online', owner });
export const migrating = (): SlotState => ({ kind: 'migrating', from: A, to: B, migration: asMigrationId(1) });
export const locked = (): SlotState => ({
  kind: 'locked',
  from: A,
  to: B,
  migration: asMigrationId(1),
  epoch: asEpoch(1),
  leaseMs: 60_000,
});

export let source: RedisServer;
export let target: RedisServer;
/** No part of the product: what it answers is what should be answered. */
export let plain: RedisServer;
export let worker: OneWorker;
export let raw: RawClient;

/** Requests for a slot in a move are not refused for being held, however busy this machine is. */
const PATIENT = { slot_hold_timeout_ms: 15_000 };

/** For the file that calls it. */
export function betweenTwoServers(): void {
  beforeAll(async () => {
    [source, target, plain] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  });
  beforeEach(async () => {
    await nameSource(source, target);
    await start({});
  });
  afterEach(async () => {
    close();
    for (const server of [source, target]) server.child.signal('SIGCONT');
    await Promise.all([source, target, plain].map((server) => server.client().flushall()));
  });
  afterAll(() => stopAll());
}

async function start(settings: Readonly<Record<string, number>>): Promise<void> {
  worker = await startWorker({ ...PATIENT, ...settings });
  raw = new RawClient(worker.port);
  route(online(A));
}

/** Another worker takes its place. */
export async function restart(settings: Readonly<Record<string, number>>): Promise<void> {
  close();
  await start(settings);
}

function close(): void {
  raw.close();
  worker.close();
}

/** All slots, by the next epoch, which it returns. */
export const route = (slots: (slot: number) => SlotState): number => worker.route([source, target], slots);

/** Inline commands, to be sent in one piece. */
export const lines = (...commands: string[]): string => commands.map((command) => `${command}\r\n`).join('');

export const ask = (...commands: string[]): Promise<string[]> => raw.ask(lines(...commands), commands.length);

/** As `ask`, over a connection of its own. */
export const say = (...commands: string[]): Promise<string[]> => askAt(worker.port, commands);

export const askPlain = (...commands: string[]): Promise<string[]> => askAt(plain.port, commands);

async function askAt(port: number, commands: readonly string[]): Promise<string[]> {
  const client = new RawClient(port);
  try {
    return await client.ask(lines(...commands), commands.length);
  } finally {
    client.close();
  }
}
