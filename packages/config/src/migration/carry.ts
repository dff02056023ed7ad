// Carrying a batch of small keys (model/carry.ts): the first two of its three steps. The third is the caller's, who knows when the target's replicas have them.

import type { Redis } from 'ioredis';
import { departureKeys, READ_CALLS, READ_SCRIPT } from '../model/index.ts';
import { type EncodedArgs, encodeArgs, sendPrepared, splitArgs } from '../redis/prepared.ts';
import type { KeyBatch } from './portion.ts';
import { isForbidden } from './server-trouble.ts';
import type { Target } from './target.ts';
import { countOwnCalls, type Office, type Way } from './turn.ts';

export interface Carriage {
  readonly office: Office;
  readonly lane: Way;
  /** To the source, in the database of the keys. */
  readonly redis: Redis;
  /** The process at its other end, by its run_id. */
  readonly run: string;
  readonly target: Target;
}

/** A batch when it has been carried. */
export interface Carried {
  /** At the target, as they are at the source or newer; or at neither. They are to be deleted at the source. */
  readonly names: EncodedArgs;
  /** Not touched. */
  readonly others: EncodedArgs;
}

/** Of memory: for larger ones, on average, it is the bytes that count, and MIGRATE sends them once. */
const SMALL_BYTES = 1024;

const READ = encodeArgs([READ_SCRIPT]);
const NONE = encodeArgs([]);

/** Not when nobody knows how large its keys are. */
export function isOfSmallKeys({ names, bytesCount }: KeyBatch): boolean {
  return bytesCount > 0 && bytesCount <= SMALL_BYTES * names.count;
}

/** Null when nothing can be carried from this source: it does not count what leaves it, or DUMP is forbidden there. Throws what a server does wrong; then any of the keys may be at both. */
export async function carry({ office, lane, redis, run, target }: Carriage, { db, names }: KeyBatch): Promise<Carried | null> {
  const { handed, source, left } = departureKeys(office.settings.product_name, lane);
  const read = await readAt(redis, [READ, encodeArgs([names.count + 1]), names, encodeArgs([handed, db])]);
  countOwnCalls(office, redis, READ_CALLS);
  if (read === null) return null;
  const [number, timed, dumps] = read;
  const rest = encodeArgs([source, left, db, run, number, ...dumps]);
  await target.put([encodeArgs([names.count + 2]), names, rest]);
  if (timed.length === 0) return { names, others: NONE };
  const { picked, others } = splitArgs(names, new Set(timed.map((place) => place - 1)));
  return { names: others, others: picked };
}

type Read = readonly [number: Buffer, timed: readonly number[], dumps: readonly Buffer[]];

async function readAt(redis: Redis, parts: readonly EncodedArgs[]): Promise<Read | null> {
  try {
    const reply = (await sendPrepared(redis, 'eval', parts, null)) as Read | [];
    return reply.length === 0 ? null : reply;
  } catch (error) {
    if (isForbidden(error)) return null;
    throw error;
  }
}
