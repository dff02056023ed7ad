// One batch of keys, from the source of a lane to its target. Small keys are carried (carry.ts), others go by one MIGRATE. Only when the target has some of these already does it take the
// script, which knows what to do then.
//
// Invariant: nothing is handed over to a target that did not answer just now, so one that hangs costs the source one time-out and not one for each batch. In a
// durable migration no key is deleted at the source before all replicas of the target have it.

import type { Redis } from 'ioredis';
import { HAND_OVER_SCRIPT, parseAddr, type Throttle } from '../model/index.ts';
import { type EncodedArgs, encodeArgs, sendPrepared } from '../redis/prepared.ts';
import { type Carried, type Carrier, isOfSmallKeys } from './carry.ts';
import { FIRST_PACE, type Pace, paceAfter, paceAfterFailure } from './pace.ts';
import type { KeyBatch } from './portion.ts';
import type { Target } from './target.ts';
import { type Lane, laneKey, type Office } from './turn.ts';

/** Between whom, and how. */
export interface Handing {
  readonly office: Office;
  readonly lane: Lane;
  /** To the source, in the database of the keys. */
  readonly redis: Redis;
  readonly target: Target;
  readonly carrier: Carrier;
  readonly durable: boolean;
}

const SCRIPT = encodeArgs([HAND_OVER_SCRIPT]);

/** Hands over `batch`, and gives the time that it took. */
export async function handOver(handing: Handing, batch: KeyBatch, throttle: Throttle): Promise<number> {
  const { office, lane, redis, target, carrier, durable } = handing;
  const { paces } = office.memory;
  const pace = paceOf(office, lane);
  await target.check();
  const startedMs = performance.now();
  let carried: Carried | null;
  try {
    carried = isOfSmallKeys(batch) ? await carrier.carry(batch) : null;
    const others = carried?.others ?? batch.names;
    if (others.count > 0) await migrate(handing, { ...batch, names: others }, pace);
  } catch (error) {
    paces.set(laneKey(lane), paceAfterFailure(pace));
    throw error;
  }
  target.answered();
  const tookMs = performance.now() - startedMs;
  paces.set(laneKey(lane), paceAfter(pace, { keysCount: batch.names.count, tookMs, blockMsMax: throttle.addedP99Ms }));
  if (durable) await target.replicated();
  const left = durable ? batch.names : carried?.names;
  if (left !== undefined && left.count > 0) await sendPrepared(redis, 'unlink', [left]);
  return performance.now() - startedMs;
}

export function paceOf({ memory }: Office, lane: Lane): Pace {
  return memory.paces.get(laneKey(lane)) ?? FIRST_PACE;
}

/** By one MIGRATE, which is what the script does, or by the script. */
async function migrate({ office, redis, target, durable }: Handing, { db, names }: KeyBatch, { timeoutMs }: Pace): Promise<void> {
  const { host, port } = parseAddr(target.addr);
  const { product_auth: password } = office.settings;
  const flags = [...(durable ? ['COPY'] : []), ...(password === '' ? [] : ['AUTH', password])];
  try {
    await sendPrepared(redis, 'migrate', [encodeArgs([host, port, '', db, timeoutMs, ...flags, 'KEYS']), names]);
  } catch (error) {
    if (!(error instanceof Error) || !/BUSYKEY/.test(error.message)) throw error;
    const args = encodeArgs([host, port, db, timeoutMs, password, durable ? 'COPY' : '']);
    await sendPrepared(redis, 'eval', [SCRIPT, countOf(names), names, args]);
  }
}

const countOf = ({ count }: EncodedArgs) => encodeArgs([count]);
