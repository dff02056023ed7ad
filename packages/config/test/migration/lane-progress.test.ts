// Goal: what a lane has handed over is counted once in the record of its migration, also what is handed over while that is being written.
// Method: a record at a coordinator that takes its time for each commit.

import { expect, test } from 'vitest';
import type { CommitResult, Op } from '../../src/coordinator/index.ts';
import { campaign } from '../../src/migration/election.ts';
import { LaneProgress } from '../../src/migration/lane-progress.ts';
import { newMemory, type Office } from '../../src/migration/turn.ts';
import { asServerAddr, asSlot } from '../../src/model/index.ts';
import { createMigration, readMigration } from '../../src/operations/index.ts';
import { caller, eachInProduct, masters, observer, product } from './each-in-product.ts';
import { FaultyCoordinator } from './faulty-coordinator.ts';
import { ONE, TWO } from './product.ts';

eachInProduct();

/** Each commit waits until it is let through. */
class SlowCoordinator extends FaultyCoordinator {
  let: () => void = () => undefined;

  override async commit(ops: readonly Op[]): Promise<CommitResult> {
    await new Promise<void>((resolve) => {
      this.let = resolve;
    });
    return super.commit(ops);
  }
}

test('keys that are handed over while the record is being written are in the next', async () => {
  const connection = await product.connect();
  const { id } = await createMigration(caller(), { moves: [{ first: asSlot(0), last: asSlot(0), to: TWO }] });
  const term = await campaign(connection, { host: 'test', pid: process.pid } as never);
  const coordinator = new SlowCoordinator(connection, { commit: Number.POSITIVE_INFINITY, when: 'before' });
  const office = { coordinator, term, memory: newMemory(), settings: {} } as unknown as Office;
  const addr = asServerAddr(`127.0.0.1:${masters.one.port}`);
  const start = { addr, keysCount: 100, slotsOwned: 1, slotsNow: 1, slotsLater: 0 };
  const progress = new LaneProgress(office, { migration: id, from: ONE, to: TWO }, start);
  const swept = async () => {
    const { keysSwept, bytesSwept } = (await readMigration(observer, id)).progress;
    return { keysSwept, bytesSwept };
  };
  const letThrough = async (writing: Promise<void>) => {
    const passing = setInterval(() => coordinator.let(), 1);
    await writing;
    clearInterval(passing);
  };

  await progress.handedOver({ keysCount: 10, bytesCount: 100 });
  const writing = progress.flush();
  while (office.memory.estimates.get(id)?.get(ONE) === undefined) await new Promise((resolve) => setImmediate(resolve));
  await progress.handedOver({ keysCount: 5, bytesCount: 50 });
  await letThrough(writing);
  expect(await swept()).toEqual({ keysSwept: 10, bytesSwept: 100 });
  await letThrough(progress.flush());
  expect(await swept()).toEqual({ keysSwept: 15, bytesSwept: 150 });
});
