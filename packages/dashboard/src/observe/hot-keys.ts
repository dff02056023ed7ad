// Hot keys of all proxies in one list. What proxies answer is checked before it is believed.

import type { HotKeysView, HotKeyView } from '@codis/config/api';
import { type ProxyView, slotOf, slotState, type Topology } from '@codis/config/model';
import { servingGroup } from '@codis/config/status';
import { bytesText } from '../slowlog/entries.ts';
import { askEach } from './proxies.ts';

/** As many as a proxy tells at once, so that a key that is warm at each is not missed. */
const ASKED = 1000;
const KEY_TEXT_MAX = 200;

/** As a proxy tells it at its admin address: texts are a character for each byte. */
export interface HotKeysReading {
  readonly sampleEvery: number;
  readonly seconds: number;
  readonly sampled: number;
  readonly keyBytesMax: number;
  readonly missing: number;
  readonly keys: readonly {
    readonly key: string;
    readonly db: number;
    readonly requestsPerSecond: number;
    readonly overPerSecond: number;
  }[];
}

/** By proxy: what it told, or why it could not be asked. Never rejects. */
export function readHotKeys(proxies: readonly ProxyView[]): Promise<ReadonlyMap<string, HotKeysReading | string>> {
  return askEach(proxies, `/hotkeys?top=${ASKED}`, readingIn);
}

interface Around {
  readonly at: string;
  readonly topology: Topology;
  readonly limit: number;
}

/** Pure. Names are shown as they are; `limit` of them. */
export function hotKeysView(told: ReadonlyMap<string, HotKeysReading | string>, { at, topology, limit }: Around): HotKeysView {
  const readings = [...told.values()].filter((reading) => typeof reading !== 'string');
  const sums = new Map<string, { key: Buffer; db: number; ops: number; over: number }>();
  for (const { key, db, requestsPerSecond, overPerSecond } of readings.flatMap(({ keys }) => keys)) {
    const name = `${db} ${key}`;
    const known = sums.get(name) ?? { key: Buffer.from(key, 'latin1'), db, ops: 0, over: 0 };
    sums.set(name, { ...known, ops: known.ops + requestsPerSecond, over: known.over + overPerSecond });
  }
  const keys = [...sums.values()].toSorted((a, b) => b.ops - a.ops || Buffer.compare(a.key, b.key)).slice(0, limit);
  return {
    at,
    sampleEvery: readings[0]?.sampleEvery ?? null,
    windowSeconds: readings.length === 0 ? null : Math.max(...readings.map(({ seconds }) => seconds)),
    sampledCount: readings.reduce((sum, { sampled }) => sum + sampled, 0),
    keys: keys.map(({ key, db, ops, over }): HotKeyView => {
      const slot = slotOf(key);
      const group = servingGroup(slotState(topology, slot));
      return { key: shortText(key), slot, group, db, opsPerSecond: rounded(ops), overPerSecond: rounded(over) };
    }),
    basis: told.size === 0 ? ['no proxy is registered'] : [...told].map(basisOf),
  };
}

function basisOf([id, reading]: readonly [string, HotKeysReading | string]): string {
  if (typeof reading === 'string') return `proxy ${id} could not be asked for hot keys: ${reading}`;
  const { sampleEvery, seconds, sampled, keyBytesMax, missing } = reading;
  const looked = `one of ${sampleEvery} requests was looked at, over ${seconds} s; ${sampled} keys were met`;
  const left = missing === 0 ? '' : `; ${missing} of its workers did not answer`;
  return `proxy ${id}: ${looked}; names of more than ${keyBytesMax} bytes are left out${left}`;
}

/** Enough to know it by. */
function shortText(key: Buffer): string {
  const text = bytesText(key.subarray(0, KEY_TEXT_MAX));
  return key.length <= KEY_TEXT_MAX ? text : `${text.slice(0, -1)}…" (${key.length} bytes)`;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

function readingIn(text: string, addr: string): HotKeysReading {
  const value = JSON.parse(text) as Partial<Record<keyof HotKeysReading, unknown>>;
  const numbers = [value.sampleEvery, value.seconds, value.sampled, value.keyBytesMax, value.missing];
  if (!numbers.every((one) => typeof one === 'number') || !Array.isArray(value.keys) || !value.keys.every(isKey)) {
    throw new Error(`what answers at ${addr} does not tell of hot keys`);
  }
  return value as HotKeysReading;
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { key, db, requestsPerSecond, overPerSecond } = value as Record<string, unknown>;
  return typeof key === 'string' && [db, requestsPerSecond, overPerSecond].every((one) => typeof one === 'number');
}
