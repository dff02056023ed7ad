// Whether a source was written to since it was looked through, but for what the controller wrote there itself. If not, what was seen then is all there is.
//
// A server counts the changes that it runs (`rdb_changes_since_last_save`): whatever adds or changes a key is counted, or replicas would not hear of it. Keys that expire or are
// evicted are not, and none comes to be by that. (But a BITFIELD that fails by OVERFLOW FAIL leaves an empty key uncounted where there was none: seen on Redis 7.0.15. So the calls of BITFIELD are
// compared too.) The count begins anew with each save, which shows in when that was; another process, and one that has copied another server since,
// show in INFO as well.
//
// Invariant: moments are like one another only when nobody else wrote in between. Our own writes are counted as the server itself counted them, in the script that made them; while one is under way,
// nobody knows whether it is in a server's count already, and no moment is sharp.

import type { Redis } from 'ioredis';
import { parseInfo } from '../redis/probe.ts';

/** What a server has run. */
export interface Moment {
  /** Process, history, last save, and calls of BITFIELD. */
  readonly of: string;
  /** Changes by others. */
  readonly changesCount: number;
}

/** Nobody but this controller has written in between. */
export function isLike(one: Moment | null, other: Moment | null): boolean {
  return one !== null && other !== null && one.of === other.of && one.changesCount === other.changesCount;
}

/** What this controller writes at one server. */
export class OwnWrites {
  #changesCount = 0;
  #underWay = 0;
  #begunCount = 0;

  /** `write` gives the changes that it made, as the server counts them. What it throws passes; what it may have written then counts as somebody else's. */
  async count(write: () => Promise<number>): Promise<void> {
    this.#begunCount++;
    this.#underWay++;
    try {
      this.#changesCount += await write();
    } finally {
      this.#underWay--;
    }
  }

  /** Null when it is not sharp. Throws what the connection throws. */
  async moment(redis: Redis): Promise<Moment | null> {
    const begunCount = this.#begunCount;
    if (this.#underWay > 0) return null;
    const [seconds = 0] = await redis.time();
    const stats = await redis.info('commandstats');
    const info = parseInfo(await redis.info());
    const savedAt = info.get('rdb_last_save_time');
    const changesCount = Number(info.get('rdb_changes_since_last_save') ?? Number.NaN);
    // Times of saves are in seconds: another one in this second would look the same.
    const isSharp = this.#begunCount === begunCount && Number(savedAt) < seconds && Number.isSafeInteger(changesCount);
    if (!isSharp) return null;
    const of = ['run_id', 'master_replid', 'rdb_last_save_time', 'rdb_saves'].map((name) => info.get(name) ?? '').join(' ');
    const [, bitfields = '0'] = /^cmdstat_bitfield:calls=(\d+)/m.exec(stats) ?? [];
    return { of: `${of} ${bitfields}`, changesCount: changesCount - this.#changesCount };
  }
}
