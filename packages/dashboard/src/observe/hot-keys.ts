// Hot keys of all proxies in one list: of the last seconds, or of a minute that is over. What proxies answer is checked before it is believed.

import type { HotKeysView, HotKeyView } from '@codis/config/api';
import { asSlot, type ProxyView, slotOf, slotState, type Topology } from '@codis/config/model';
import { servingGroup } from '@codis/config/status';
import { bytesText } from '../slowlog/entries.ts';
import { askEach } from './proxies.ts';

/** As many as a proxy tells at once, so that a key that is warm at each is not missed. */
const ASKED = 1000;
/** So many bytes of a name are shown. */
export const NAME_BYTES_MAX = 200;
const SECOND_MS = 1000;
const HALF_A_MINUTE = 30;

/** As a proxy tells it at its admin address: texts are a character for each byte. */
export interface HotKeysReading extends HotKeysBasis {
  readonly keys: readonly {
    readonly key: string;
    readonly db: number;
    readonly requestsPerSecond: number;
    readonly overPerSecond: number;
  }[];
}

/** How a proxy came by it. */
export interface HotKeysBasis {
  readonly sampleEvery: number;
  readonly seconds: number;
  readonly sampled: number;
  readonly keyBytesMax: number;
  readonly missing: number;
}

/** By proxy: what it told, or why it could not be asked. */
export type HotKeysTold = ReadonlyMap<string, HotKeysReading | string>;

/** Of the last seconds. Never rejects. */
export function readHotKeys(proxies: readonly ProxyView[]): Promise<HotKeysTold> {
  return askEach(proxies, `/hotkeys?top=${ASKED}`, readingIn);
}

/** Of the minute that ended `afterMs` ago by the clock of this dashboard. Never rejects. */
export function readHotMinute(proxies: readonly ProxyView[], afterMs: number): Promise<HotKeysTold> {
  return askEach(proxies, `/hotkeys?top=${ASKED}&minute=last`, (text, addr) => minuteIn(text, { addr, afterMs }));
}

interface Around {
  readonly at: string;
  readonly topology: Topology;
  readonly limit: number;
  readonly slot?: number | undefined;
}

/** Pure. Names are shown as they are; `limit` of them. */
export function hotKeysView(told: HotKeysTold, { at, topology, limit, slot }: Around): HotKeysView {
  const keys = hottest(told).filter((found) => slot === undefined || found.slot === slot);
  return {
    at,
    minute: null,
    ...samplesOf(told),
    keys: keys
      .slice(0, limit)
      .map((found) => hotKeyView({ ...found, bytesCount: found.name.length, group: groupOf(topology, found.slot) })),
    basis: told.size === 0 ? ['no proxy is registered'] : [...told].map(basisOf),
  };
}

export interface HotSum {
  readonly name: Buffer;
  readonly slot: number;
  readonly db: number;
  readonly ops: number;
  readonly over: number;
}

/** What all proxies met together, most first. */
export function hottest(told: HotKeysTold): HotSum[] {
  const sums = new Map<string, HotSum>();
  for (const reading of told.values()) {
    if (typeof reading === 'string') continue;
    for (const { key, db, requestsPerSecond, overPerSecond } of reading.keys) {
      const known = sums.get(`${db} ${key}`);
      const name = known?.name ?? Buffer.from(key, 'latin1');
      const slot = known?.slot ?? slotOf(name);
      sums.set(`${db} ${key}`, { name, slot, db, ops: (known?.ops ?? 0) + requestsPerSecond, over: (known?.over ?? 0) + overPerSecond });
    }
  }
  return [...sums.values()].toSorted((a, b) => b.ops - a.ops || Buffer.compare(a.name, b.name));
}

export const groupOf = (topology: Topology, slot: number): number | null => servingGroup(slotState(topology, asSlot(slot)));

/** `name`: as much of it as is kept of `bytesCount`. */
export function hotKeyView(found: HotSum & { readonly bytesCount: number; readonly group: number | null }): HotKeyView {
  const { name, bytesCount, slot, group, db, ops, over } = found;
  return { key: shortText(name, bytesCount), slot, group, db, opsPerSecond: rounded(ops), overPerSecond: rounded(over) };
}

export function samplesOf(
  told: ReadonlyMap<string, HotKeysBasis | string>,
): Pick<HotKeysView, 'sampleEvery' | 'windowSeconds' | 'sampledCount'> {
  const readings = [...told.values()].filter((reading) => typeof reading !== 'string');
  return {
    sampleEvery: readings[0]?.sampleEvery ?? null,
    windowSeconds: readings.length === 0 ? null : Math.max(...readings.map(({ seconds }) => seconds)),
    sampledCount: readings.reduce((sum, { sampled }) => sum + sampled, 0),
  };
}

export function basisOf([id, reading]: readonly [string, HotKeysBasis | string]): string {
  if (typeof reading === 'string') return `proxy ${id} could not be asked for hot keys: ${reading}`;
  const { sampleEvery, seconds, sampled, keyBytesMax, missing } = reading;
  const looked = `one of ${sampleEvery} requests was looked at, over ${seconds} s; ${sampled} keys were met`;
  const left = missing === 0 ? '' : `; ${missing} of its workers did not answer`;
  return `proxy ${id}: ${looked}; names of more than ${keyBytesMax} bytes are left out${left}`;
}

/** Enough to know it by. */
function shortText(name: Buffer, bytesCount: number): string {
  const text = bytesText(name.subarray(0, NAME_BYTES_MAX));
  return bytesCount <= NAME_BYTES_MAX ? text : `${text.slice(0, -1)}…" (${bytesCount} bytes)`;
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

function readingIn(text: string, addr: string): HotKeysReading {
  const value = (parsed(text) ?? {}) as Partial<Record<keyof HotKeysReading, unknown>>;
  const numbers = [value.sampleEvery, value.seconds, value.sampled, value.keyBytesMax, value.missing];
  if (!numbers.every((one) => typeof one === 'number') || !Array.isArray(value.keys) || !value.keys.every(isKey)) {
    throw new Error(`what answers at ${addr} does not tell of hot keys`);
  }
  return value as HotKeysReading;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told by who asks, as anything else that is not what it should be.
    return null;
  }
}

/** What a proxy calls its last minute is that of this dashboard when the middle of the one is in the other: so their clocks need not be the same. */
function minuteIn(text: string, { addr, afterMs }: { addr: string; afterMs: number }): HotKeysReading {
  const reading = readingIn(text, addr);
  const { endedSecondsAgo: ago } = reading as { endedSecondsAgo?: unknown };
  if (ago === null) throw new Error('none of its workers has counted to the end of a minute yet');
  if (typeof ago !== 'number') throw new Error(`what answers at ${addr} does not tell of hot keys minute by minute`);
  const off = Math.round(afterMs / SECOND_MS - ago);
  if (Math.abs(off) >= HALF_A_MINUTE)
    throw new Error(`its last minute ended ${ago} s ago, ${Math.abs(off)} s ${off > 0 ? 'after' : 'before'} that of this dashboard`);
  return reading;
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { key, db, requestsPerSecond, overPerSecond } = value as Record<string, unknown>;
  return typeof key === 'string' && [db, requestsPerSecond, overPerSecond].every((one) => typeof one === 'number');
}
