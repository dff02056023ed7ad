// What all workers have seen of hot keys, as one list of estimated rates. Pure.

import { type HotKeysSeen, KEY_BYTES_MAX, SAMPLE_EVERY } from '../worker/hot-keys.ts';

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
