// Before slots are locked: which of them make up the batch, and which keys are listed with them. The source is looked through once for all slots of a migration,
// and again when that is long ago.

import { type ServerAddr, type Slot, targets } from '../../model/index.ts';
import { LOOK_TIMEOUT_MS, withControlled } from '../controlled.ts';
import { lookThrough } from '../look-through.ts';
import type { Moment } from '../own-writes.ts';
import type { KeyRoll } from '../roll.ts';
import { budgetOf, guestAt, type Office, ownWritesAt } from '../turn.ts';
import type { Job } from '../world.ts';
import { type Batch, chooseBatch } from './choose.ts';

const SEEN_FOR_MS = 10 * 60_000;
/** How long before the lock sizes may have been seen; after it nothing changes them. */
const SIZES_HOLD_MS = 30_000;

/** Whether `lookForBigKeys` has been there, not too long ago. */
export function hasLookedForBigKeys({ memory }: Office, job: Job, source: ServerAddr): boolean {
  return memory.bigKeys.seen.has(nameOf(job, source));
}

/** Keys that are to be handed over, as they were seen before the lock. */
export interface SeenBefore {
  readonly roll: KeyRoll;
  readonly sizesHold: boolean;
  /** Just before they were looked for; null when the roll would not be all there is even if nothing was written since. */
  readonly since: Moment | null;
}

/** `lookForBigKeys` has been there. */
export function batchOf(office: Office, job: Job, { slots, source }: { slots: readonly Slot[]; source: ServerAddr }): Batch {
  const batch = chooseBatch(slots, office.memory.bigKeys.seen.get(nameOf(job, source))?.bigKeys ?? []);
  const { id } = job.migration;
  const keysCount = batch.unlisted.length;
  if (keysCount > 0) office.log.warn({ migration: id, keysCount }, 'more big keys than can be listed: the rest moves in one step each');
  return batch;
}

/** What is known of the keys that a sweep which begins now is to hand over, unless this controller has not looked. */
export function rollOf({ memory }: Office, job: Job, source: ServerAddr): SeenBefore | undefined {
  const seen = memory.bigKeys.seen.get(nameOf(job, source));
  return (
    seen && {
      roll: seen.roll,
      sizesHold: performance.now() - seen.atMs < SIZES_HOLD_MS,
      since: seen.bigKeys.length === 0 ? seen.moment : null,
    }
  );
}

const nameOf = ({ migration }: Job, source: ServerAddr) => `${migration.id} ${source}`;

/** Looks a source through, unless that was done. Returns whether it was done now, which may have taken a while. Throws what keeps it from being done. */
export async function lookForBigKeys(office: Office, job: Job, source: ServerAddr): Promise<boolean> {
  const { memory, settings, log } = office;
  const { migration } = job;
  const { seen } = memory.bigKeys;
  for (const [name, { atMs }] of seen) if (performance.now() - atMs > SEEN_FOR_MS) seen.delete(name);
  if (seen.has(nameOf(job, source))) return false;
  const slots = new Set([...targets(migration)].map(([slot]) => slot));
  const looked = await withControlled(
    office,
    source,
    (redis) => {
      const guest = guestAt(office, { addr: source, servers: [redis], budget: budgetOf(office, migration) });
      return lookThrough(redis, {
        addr: source,
        product: settings.product_name,
        password: settings.product_auth,
        slots,
        thresholds: settings,
        guest,
        own: ownWritesAt(office, source),
      });
    },
    LOOK_TIMEOUT_MS,
  );
  seen.set(nameOf(job, source), { atMs: performance.now(), ...looked });
  const keysCount = looked.bigKeys.length;
  if (!looked.sizesKnown)
    log.warn({ migration: migration.id, source }, 'the source can’t tell how large its keys are: all move in one step each');
  if (keysCount > 0) log.info({ migration: migration.id, source, keysCount }, 'big keys found');
  return true;
}
