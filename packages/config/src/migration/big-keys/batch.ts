// Before slots are locked: which of them make up the batch, and which keys are listed with them. The source is looked through once for all slots of a migration,
// and again when that is long ago.

import { type ServerAddr, type Slot, targets } from '../../model/index.ts';
import { withControlled } from '../controlled.ts';
import type { Office } from '../turn.ts';
import type { Job } from '../world.ts';
import { type Batch, chooseBatch, type FoundKey } from './choose.ts';
import { findBigKeys } from './find.ts';

const FOUND_FOR_MS = 10 * 60_000;
/** A server that can't be asked how large its keys are: MEMORY is of Redis 4, and an ACL may forbid it. */
const CANNOT_TELL = /unknown command|NOPERM|not allowed/i;

/** Throws what keeps the source from being looked through. */
export async function batchOf(office: Office, job: Job, { slots, source }: { slots: readonly Slot[]; source: ServerAddr }): Promise<Batch> {
  const batch = chooseBatch(slots, await found(office, job, source));
  const { id } = job.migration;
  const keysCount = batch.unlisted.length;
  if (keysCount > 0) office.log.warn({ migration: id, keysCount }, 'more big keys than can be listed: the rest moves in one step each');
  return batch;
}

async function found(office: Office, { migration }: Job, source: ServerAddr): Promise<readonly FoundKey[]> {
  const { memory, settings, log } = office;
  const name = `${migration.id} ${source}`;
  const known = memory.bigKeys.found.get(name);
  if (known && performance.now() - known.atMs < FOUND_FOR_MS) return known.keys;
  const slots = new Set([...targets(migration)].map(([slot]) => slot));
  const request = { addr: source, product: settings.product_name, slots, migration: migration.id, thresholds: settings };
  const keys = await withControlled(office, source, (redis) => findBigKeys(redis, request)).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ReplyError' || !CANNOT_TELL.test(error.message)) throw error;
    log.warn({ migration: migration.id, source, err: error }, 'the source can’t tell how large its keys are: all move in one step each');
    return [];
  });
  memory.bigKeys.found.set(name, { atMs: performance.now(), keys });
  if (keys.length > 0) log.info({ migration: migration.id, source, keysCount: keys.length }, 'big keys found');
  return keys;
}
