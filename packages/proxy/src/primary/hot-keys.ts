// What all workers have seen of hot keys, as one list of estimated rates. Pure.

import { type HotKeysSeen, type HotMinuteSeen, KEY_BYTES_MAX, SAMPLE_EVERY } from '../worker/hot-keys.ts';

export interface HotKey {
  /** A character for each byte. */
  readonly key: string;
  readonly db: number;
  readonly requestsPerSecond: number;
  /** By so much at most that may be too high, for want of counters; chance comes on top. */
  readonly overPerSecond: number;
}

export interface HotKeysAnswer {
  /** One of so many requests is looked at. */
  readonly sampleEvery: number;
  /** The longest that a worker has counted, and how many keys all have looked at. */
  readonly seconds: number;
  readonly sampled: number;
  /** Longer names are not looked at. */
  readonly keyBytesMax: number;
  readonly keys: readonly HotKey[];
}

/** Of the newest minute that is over. */
export interface HotMinuteAnswer extends HotKeysAnswer {
  /** By the clock of this machine; null: no worker has counted to the end of one yet. */
  readonly endedSecondsAgo: number | null;
  readonly missing: number;
}

/** Fewer samples than this say nothing: any key is met now and then. */
const SAMPLES_MIN = 4;

/** The `count` hottest, first. */
export function mergeHotKeys(all: readonly HotKeysSeen[], count: number): HotKeysAnswer {
  const merged = new Map<string, HotKey & { readonly sure: number }>();
  for (const { seconds, keys } of all) {
    for (const { key, db, count: counted, over } of keys) {
      const name = `${db} ${key}`;
      const known = merged.get(name) ?? { requestsPerSecond: 0, overPerSecond: 0, sure: 0 };
      merged.set(name, {
        key,
        db,
        requestsPerSecond: known.requestsPerSecond + (counted * SAMPLE_EVERY) / seconds,
        overPerSecond: known.overPerSecond + (over * SAMPLE_EVERY) / seconds,
        sure: known.sure + counted - over,
      });
    }
  }
  const keys = [...merged.values()]
    .filter(({ sure }) => sure >= SAMPLES_MIN)
    .sort((a, b) => b.requestsPerSecond - a.requestsPerSecond)
    .slice(0, count)
    .map(({ key, db, requestsPerSecond, overPerSecond }) => ({
      key,
      db,
      requestsPerSecond: Math.round(requestsPerSecond * 10) / 10,
      overPerSecond: Math.round(overPerSecond * 10) / 10,
    }));
  return {
    sampleEvery: SAMPLE_EVERY,
    seconds: Math.round(Math.max(0, ...all.map(({ seconds }) => seconds)) * 10) / 10,
    sampled: all.reduce((sum, { sampled }) => sum + sampled, 0),
    keyBytesMax: KEY_BYTES_MAX,
    keys,
  };
}

/** `workers` should have answered; those that have not, or are at another minute, are missing. `time`: of day. */
export function mergeHotMinutes(
  all: readonly (HotMinuteSeen | null)[],
  { count, workers, time }: { count: number; workers: number; time: number },
): HotMinuteAnswer {
  const minute = Math.max(...all.map((seen) => seen?.minute ?? 0));
  const seen = all.filter((one) => one !== null).filter((one) => one.minute === minute);
  const endedSecondsAgo = seen.length === 0 ? null : Math.round(time / 1000 - (minute + 1) * 60);
  return { ...mergeHotKeys(seen, count), endedSecondsAgo, missing: workers - seen.length };
}
