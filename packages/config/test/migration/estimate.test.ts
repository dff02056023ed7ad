// Goal: what a migration says of its progress is right: after a fifth of the work, the time that it says is left is within 30 % of the time that it takes.
// Method: a uniform migration that is throttled, so that the throttle is the clock and not the machine; every change of its record is noted, and compared with the
// time that really passed until its end.

import { expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { asSlot, type MigrationId, type MigrationProgress, slotOf } from '../../src/model/index.ts';
import { createMigration, readMigration } from '../../src/operations/index.ts';
import { caller, eachInProduct, masters, observer, product } from './each-in-product.ts';
import { TWO } from './product.ts';

eachInProduct({ proxy: true });

const KEYS = Array.from({ length: 9000 }, (_, number) => `key:${number}`);
const LAST = 511;
/** Of the slots that move. */
const MOVING = KEYS.filter((key) => slotOf(Buffer.from(key)) <= LAST).length;
const KEYS_PER_SECOND = 550;

interface Sample {
  readonly atMs: number;
  readonly progress: MigrationProgress;
}

/** Every change of the record, until the migration is done. */
async function follow(id: MigrationId): Promise<{ samples: Sample[]; doneAtMs: number }> {
  const samples: Sample[] = [];
  const isDone = async () => {
    const { state, progress } = await readMigration(observer, id);
    if (progress.keysSwept !== samples.at(-1)?.progress.keysSwept) samples.push({ atMs: performance.now(), progress });
    return state === 'done';
  };
  await eventually(isDone, { what: 'the migration to be done', timeoutMs: 60_000 });
  return { samples, doneAtMs: performance.now() };
}

test.each([1024, 128])(
  'with batches of %i slots',
  async (batchSlots) => {
    await masters.one.client().mset(KEYS.flatMap((key) => [key, 'x'.repeat(100)]));
    await product.controller(await product.connect(), { migration_batch_slots: batchSlots, slot_lock_lease_ms: 5000 });
    const moves = [{ first: asSlot(0), last: asSlot(LAST), to: TWO }];
    const { id } = await createMigration(caller(), { moves, keysPerSecond: KEYS_PER_SECOND });

    const { samples, doneAtMs } = await follow(id);

    const share = ({ progress }: Sample) => progress.keysSwept / MOVING;
    const judged = samples.filter((sample) => share(sample) >= 0.2 && share(sample) <= 0.8);
    expect(judged.length).toBeGreaterThan(2);
    for (const { atMs, progress } of judged) {
      const { keysSwept, keysLeft, keysPerSecond, secondsLeft } = progress;
      const off = keysLeft! / keysPerSecond! / ((doneAtMs - atMs) / 1000) - 1;
      expect(Math.abs(off), `${JSON.stringify(progress)}, and it took ${Math.round(doneAtMs - atMs)} ms more`).toBeLessThan(0.3);
      expect(Math.abs(secondsLeft! - keysLeft! / keysPerSecond!)).toBeLessThan(1.1);
      expect(Math.abs(keysLeft! - (MOVING - keysSwept)) / (MOVING - keysSwept)).toBeLessThan(0.3);
    }
  },
  90_000,
);
