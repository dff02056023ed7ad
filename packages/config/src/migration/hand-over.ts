// One batch of keys, from the source of a lane to its target.
//
// Invariant: nothing is handed over to a target that did not answer just now, so one that hangs costs the source one time-out and not one for each batch. In a
// durable migration no key is deleted at the source before all replicas of the target have it.

import type { Redis } from 'ioredis';
import { parseAddr, type ServerAddr, SWEEP_SCRIPT, type Throttle } from '../model/index.ts';
import { batchLimits, FIRST_PACE, paceAfter, paceAfterFailure } from './pace.ts';
import type { Target } from './target.ts';
import { type Lane, laneKey, type Office } from './turn.ts';

/** Between whom, and how. */
export interface Handing {
  readonly office: Office;
  readonly lane: Lane;
  /** To the source, in the database of the keys. */
  readonly redis: Redis;
  readonly source: ServerAddr;
  readonly target: Target;
  readonly durable: boolean;
}

export interface Handed {
  readonly keysCount: number;
  readonly bytesCount: number;
}

/** Hands over the first of `keys`, as many as pace and throttle allow. */
export async function handOver(
  handing: Handing,
  { db, keys, throttle }: { db: number; keys: readonly Buffer[]; throttle: Throttle },
): Promise<Handed> {
  const { office, lane, redis, target, durable } = handing;
  const { paces } = office.memory;
  const pace = paces.get(laneKey(lane)) ?? FIRST_PACE;
  const { keysCount, bytesCount } = batchLimits(pace, throttle);
  const batch = keys.slice(0, keysCount);
  await target.check();
  const { host, port } = parseAddr(target.addr);
  const startedMs = performance.now();
  let handed: Handed;
  try {
    const args = [host, port, db, pace.timeoutMs, office.settings.product_auth, durable ? 'COPY' : '', bytesCount];
    const [count, bytes] = (await redis.eval(SWEEP_SCRIPT, batch.length, ...batch, ...args)) as [number, number];
    handed = { keysCount: count, bytesCount: bytes };
  } catch (error) {
    paces.set(laneKey(lane), paceAfterFailure(pace));
    throw error;
  }
  const tookMs = performance.now() - startedMs;
  paces.set(laneKey(lane), paceAfter(pace, { keysCount: handed.keysCount, tookMs, blockMsMax: throttle.addedP99Ms }));
  if (durable) {
    await target.replicated();
    await redis.unlink(...batch.slice(0, handed.keysCount));
  }
  return handed;
}
