// Before slots are locked: which of them make up the batch, and which keys are listed with them. The source is looked through once for all slots of a migration,
// and again when that is long ago.

import { type ServerAddr, type Slot, targets } from '../../model/index.ts';
import { LOOK_TIMEOUT_MS, withControlled } from '../controlled.ts';
import type { Office } from '../turn.ts';
import type { Job } from '../world.ts';
import { type Batch, chooseBatch, type FoundKey } from './choose.ts';
import { findBigKeys } from './find.ts';

const FOUND_FOR_MS = 10 * 60_000;
/** A server that can't be asked how large its keys are: MEMORY is of Redis 4, and an ACL may forbid it. */
const CANNOT_TELL = /unknown command|NOPERM|not allowed/i;

/** Whether `lookForBigKeys` has been there, not too long ago. */
export function hasLookedForBigKeys({ memory }: Office, job: Job, source: ServerAddr): boolean {
  return memory.bigKeys.found.has(nameOf(job, source));
}

/** `lookForBigKeys` has been there. */
export function batchOf(office: Office, job: Job, { slots, source }: { slots: readonly Slot[]; source: ServerAddr }): Batch {
  const batch = chooseBatch(slots, office.memory.bigKeys.found.get(nameOf(job, source))?.keys ?? []);
  const { id } = job.migration;
  const keysCount = batch.unlisted.length;
  if (keysCount > 0) office.log.warn({ migration: id, keysCount }, 'more big keys than can be listed: the rest moves in one step each');
  return batch;
}

const nameOf = ({ migration }: Job, source: ServerAddr) => `${migration.id} ${source}`;

/** Looks a source through, unless that was done. Returns whether it was done now, which may have taken a while. Throws what keeps it from being done. */
export async function lookForBigKeys(office: Office, job: Job, source: ServerAddr): Promise<boolean> {
  const { memory, settings, log } = office;
  const { migration } = job;
  const { found } = memory.bigKeys;
  for (const [name, { atMs }] of found) if (performance.now() - atMs > FOUND_FOR_MS) found.delete(name);
  if (found.has(nameOf(job, source))) return false;
  const slots = new Set([...targets(migration)].map(([slot]) => slot));
  const request = { addr: source, product: settings.product_name, slots, thresholds: settings };
  const keys = await withControlled(office, source, (redis) => findBigKeys(redis, request), LOOK_TIMEOUT_MS).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ReplyError' || !CANNOT_TELL.test(error.message)) throw error;
    log.warn({ migration: migration.id, source, err: error }, 'the source can’t tell how large its keys are: all move in one step each');
    return [] as FoundKey[];
  });
  found.set(nameOf(job, source), { atMs: performance.now(), keys });
  if (keys.length > 0) log.info({ migration: migration.id, source, keysCount: keys.length }, 'big keys found');
  return true;
}
