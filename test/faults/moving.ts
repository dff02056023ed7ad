// What the tests of faults share: a move under load that something strikes again and again, and a look at the servers when all is over.

import { setTimeout as pause } from 'node:timers/promises';
import type { MigrationView, SlotsView, SlotView } from '@codis/config/api';
import { openCoordinator, PATHS } from '@codis/config/coordinator';
import { asEpoch, asGroupId, asMigrationId, encodeTopology, lockSlots, reservedNames, type Slot, slotOf } from '@codis/config/model';
import { readTopology } from '@codis/config/operations';
import { expect } from 'vitest';
import type { Checker } from '../checker/checker.ts';
import type { Cluster } from '../harness/cluster.ts';
import { eventually } from '../harness/process.ts';
import type { RedisServer } from '../harness/redis.ts';

/** Many batches, so that a fault meets slots in every state; sessions that end soon. */
export const SETTINGS = { migration_batch_slots: 32, proxy_lost_timeout: 1, zk_session_timeout: 2000, log_level: 'info' } as const;

/** What a busy machine may need for a test that takes a few seconds. */
export const PATIENT = { timeout: 120_000 } as const;

/** Strikes come at any time within this after the last one was mended. */
const STRIKE_WITHIN_MS = 200;
const MOVE_TIMEOUT_MS = 60_000;

export interface MoveUnderFault {
  readonly cluster: Cluster;
  readonly checker: Checker;
  readonly first?: number;
  readonly last?: number;
  readonly to: number;
  /** Pause after each hand-over of the sweep. */
  readonly delayMs?: number;
  /** Of the source's time, in percent; 100: all slots at once, whatever clients ask for. */
  readonly share?: number;
  /** Does harm and mends it; `strikeNumber` begins at 0. */
  readonly strike: (strikeNumber: number, migration: number) => Promise<void>;
  /** Strikes at most so often; at least once. */
  readonly strikesMax?: number;
}

/** Moves slots under load through strikes, until they have arrived and every client gets on. Returns how often it was struck. */
export async function moveUnderFault(options: MoveUnderFault): Promise<number> {
  const { cluster, checker, strike, strikesMax = Number.POSITIVE_INFINITY } = options;
  const id = await startMove(options);
  await eventually(async () => (await statesOfSlots(cluster)).length > 1, {
    what: 'slots to be in the move',
    timeoutMs: 30_000,
    everyMs: 2,
  });
  let strikes = 0;
  do {
    await pause(Math.random() * STRIKE_WITHIN_MS);
    await strike(strikes++, id);
  } while (strikes < strikesMax && !(await isDone(cluster, id)));
  await hurry(cluster, id);
  await untilDone(cluster, id);
  await untilProgress(checker);
  return strikes;
}

export async function startMove({
  cluster,
  first = 0,
  last = 511,
  to,
  delayMs = 5,
  share,
}: Omit<MoveUnderFault, 'strike' | 'checker'>): Promise<number> {
  const pace = [`--delay=${delayMs}`, ...(share === undefined ? [] : [`--share=${share}`])];
  const move = await cluster.cliOk('slot', 'migrate', String(first), String(last), String(to), ...pace, '-o', 'name');
  return Number(move.trim());
}

export async function migration(cluster: Cluster, id: number): Promise<MigrationView> {
  return cluster.ask<MigrationView>('GET', `/migrations/${id}`);
}

/** Locks a slot for migration `id`, as the controller does when nothing stands in the way. */
export async function lock(cluster: Cluster, { slot, id, to }: { slot: Slot; id: number; to: number }): Promise<void> {
  const coordinator = openCoordinator({
    coordinator: 'filesystem',
    coordinator_dir: cluster.coordinatorDir,
    product_name: 'test',
    zk: [],
    zk_session_timeout: 5000,
  });
  await coordinator.ready(10_000);
  const { epoch, topology } = await readTopology({ coordinator });
  const what = { slots: [slot], to: asGroupId(to), migration: asMigrationId(id), epoch: asEpoch(epoch + 1), leaseMs: 60_000 };
  const data = encodeTopology(lockSlots(topology, what));
  const result = await coordinator.commit([{ op: 'set', path: PATHS.topology, data, version: epoch }]);
  expect(result).toMatchObject({ ok: true });
  await coordinator.close();
}

/** Also when just now nobody can say. */
export async function isDone(cluster: Cluster, id: number): Promise<boolean> {
  return (await migration(cluster, id).catch(() => null))?.state === 'done';
}

export async function untilDone(cluster: Cluster, id: number): Promise<void> {
  try {
    await eventually(() => isDone(cluster, id), { what: `migration ${id} to be done`, timeoutMs: MOVE_TIMEOUT_MS, everyMs: 50 });
  } catch (cause) {
    throw new Error(`${JSON.stringify(await migration(cluster, id))}\n${cluster.dashboard.output().slice(-3000)}`, { cause });
  }
}

/** When nothing strikes any more, what is left of a move need not wait for its clients; they go on. */
export async function hurry(cluster: Cluster, id: number): Promise<void> {
  const ask = () => cluster.cli('migration', 'throttle', String(id), '--delay=0', '--share=100');
  await eventually(async () => (await ask()).code === 0 || (await isDone(cluster, id)), {
    what: `migration ${id} to be hurried, or done`,
    timeoutMs: MOVE_TIMEOUT_MS,
  });
}

/** Every client has something done from now on. */
async function untilProgress(checker: Checker): Promise<void> {
  const progress = checker.progress();
  await eventually(() => progress.isMade() || checker.violations.length > 0, { what: 'every client to get on', timeoutMs: 30_000 });
}

/** In which states slots are now; each once. */
export async function statesOfSlots(cluster: Cluster): Promise<string[]> {
  const { slots } = await cluster.ask<SlotsView>('GET', '/slots');
  return [...new Set(slots.map(({ state }) => state))];
}

export async function stateOfSlot(cluster: Cluster, slot: number): Promise<string> {
  return (await cluster.ask<SlotView>('GET', `/slots/${slot}`)).state;
}

/** The end of a test: nothing was violated, something was done, and every key is where it belongs. */
export async function expectAllRight(
  cluster: Cluster,
  checker: Checker,
  options: { masters: readonly RedisServer[]; databases?: readonly number[] },
): Promise<void> {
  await checker.stop();
  await checker.verify();
  expect(checker.violations, JSON.stringify([...checker.reasons])).toEqual([]);
  expect(checker.outcomes.done).toBeGreaterThan(0);
  expect(await strangers(cluster, options)).toEqual([]);
}

/** Keys at a group (`masters[0]` is group 1's master) that does not own their slot; reserved ones are nobody's, and may stay for a while after a move. */
async function strangers(
  cluster: Cluster,
  { masters, databases = [0] }: { masters: readonly RedisServer[]; databases?: readonly number[] },
): Promise<string[]> {
  const { slots } = await cluster.ask<SlotsView>('GET', '/slots');
  const ownerOf = (slot: number) => slots.find(({ first, last }) => slot >= first && slot <= last)?.group;
  const isReserved = reservedNames('test');
  const found: string[] = [];
  for (const [index, master] of masters.entries()) {
    for (const db of databases) {
      const client = master.client({ db });
      for (const key of await client.keysBuffer('*')) {
        if (!isReserved(key) && ownerOf(slotOf(key)) !== index + 1)
          found.push(`${key.toString()} (slot ${slotOf(key)}) in group ${index + 1}, database ${db}`);
      }
      client.disconnect();
    }
  }
  return found;
}

/** Stops processes where they stand, until `thaw`. */
export function freeze(pids: readonly number[]): { thaw(): void } {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return {
    thaw: () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    },
  };
}
