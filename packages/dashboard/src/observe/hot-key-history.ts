// Which keys were hot in each of the last six hours' minutes, as the proxies told it when the minute was over. No clock of its own.
//
//   minute    28512340   28512341   28512342       (minutes since 1970)
//             kept       –          kept           –: nobody asked, or no proxy told; that is no minute without hot keys
//
// Invariant: no more than MINUTES × KEYS_PER_MINUTE keys are kept, of each NAME_BYTES_MAX bytes at most: 46,080 keys, some 16 MB when all names are as long as that.

import type { HotKeysView, HotMinuteStateName } from '@codis/config/api';
import type { Topology } from '@codis/config/model';
import { basisOf, groupOf, type HotKeysBasis, type HotKeysTold, hotKeyView, hottest, NAME_BYTES_MAX, samplesOf } from './hot-keys.ts';

export const MINUTES = 360;
/** As many as one worker of a proxy counts. */
export const KEYS_PER_MINUTE = 128;
const MINUTE_MS = 60_000;
/** The proxies are asked so long after a minute, when their clocks are past it too. */
export const ASKED_AFTER_MS = 10_000;
/** And have answered, at the latest, so long after that. */
const ANSWERED_MS = 5000;

interface KeptKey {
  /** A character for each byte: a string takes less room than a Buffer. */
  readonly name: string;
  readonly bytesCount: number;
  readonly slot: number;
  readonly group: number | null;
  readonly db: number;
  readonly ops: number;
  readonly over: number;
}

interface KeptMinute {
  readonly askedAt: string;
  readonly told: ReadonlyMap<string, HotKeysBasis | string>;
  readonly keys: readonly KeptKey[];
  /** So many more stood out. */
  readonly leftCount: number;
  /** Why nobody was asked. */
  readonly trouble: string | null;
}

interface Asked {
  /** Milliseconds since 1970, as is `now`. */
  readonly atMs: number;
  readonly nowMs: number;
  readonly limit: number;
  readonly slot?: number | undefined;
}

export class HotKeyHistory {
  readonly #minutes = new Map<number, KeptMinute>();
  #begunMs: number | null = null;

  /** From now on minutes are asked for; what was before is not known. */
  begin(nowMs: number): void {
    this.#begunMs = nowMs;
  }

  /** What was told of a minute; `topology` is of now. */
  add(minute: number, { told, topology, nowMs }: { told: HotKeysTold; topology: Topology; nowMs: number }): void {
    const all = hottest(told);
    const keys = all.slice(0, KEYS_PER_MINUTE).map(({ name, slot, db, ops, over }): KeptKey => {
      const kept = name.toString('latin1', 0, NAME_BYTES_MAX);
      return { name: kept, bytesCount: name.length, slot, group: groupOf(topology, slot), db, ops, over };
    });
    const bases = new Map([...told].map(([id, reading]) => [id, typeof reading === 'string' ? reading : withoutKeys(reading)]));
    this.#keep(minute, { askedAt: isoOf(nowMs), told: bases, keys, leftCount: all.length - keys.length, trouble: null });
  }

  /** Nobody could be asked. */
  failed(minute: number, { trouble, nowMs }: { trouble: string; nowMs: number }): void {
    this.#keep(minute, { askedAt: isoOf(nowMs), told: new Map(), keys: [], leftCount: 0, trouble });
  }

  view({ atMs, nowMs, slot, limit }: Asked): HotKeysView {
    const minute = Math.floor(atMs / MINUTE_MS);
    const kept = this.#minutes.get(minute);
    const state = this.#stateOf(minute, { kept, nowMs });
    const found = (kept?.keys ?? []).filter((key) => slot === undefined || key.slot === slot);
    const keys = found.slice(0, limit).map((key) => hotKeyView({ ...key, name: Buffer.from(key.name, 'latin1') }));
    return {
      at: kept?.askedAt ?? isoOf(nowMs),
      minute: { from: isoOf(minute * MINUTE_MS), state },
      ...samplesOf(kept?.told ?? new Map()),
      keys,
      basis: [...this.#why(state, { slot, isEmpty: found.length === 0 }), ...(kept === undefined ? [] : basisOfMinute(kept))],
    };
  }

  /** Past what is kept, and what a clock that was set back leaves in the future, is forgotten. */
  #keep(minute: number, kept: KeptMinute): void {
    for (const known of this.#minutes.keys()) if (known <= minute - MINUTES || known > minute) this.#minutes.delete(known);
    this.#minutes.set(minute, kept);
  }

  #stateOf(minute: number, { kept, nowMs }: { kept: KeptMinute | undefined; nowMs: number }): HotMinuteStateName {
    if (kept !== undefined) return [...kept.told.values()].some((reading) => typeof reading !== 'string') ? 'kept' : 'unanswered';
    const endMs = (minute + 1) * MINUTE_MS;
    if (nowMs < endMs + ASKED_AFTER_MS + ANSWERED_MS) return this.#begunMs === null ? 'before' : 'pending';
    if (nowMs >= endMs + MINUTES * MINUTE_MS) return 'older';
    return this.#begunMs === null || endMs <= this.#begunMs ? 'before' : 'unanswered';
  }

  #why(state: HotMinuteStateName, { slot, isEmpty }: { slot: number | undefined; isEmpty: boolean }): string[] {
    switch (state) {
      case 'kept':
        if (!isEmpty) return [];
        return [slot === undefined ? 'no key stood out in that minute' : `no key of slot ${slot} stood out in that minute`];
      case 'pending':
        return [`that minute is not over, or only just: proxies are asked ${ASKED_AFTER_MS / 1000} s after it`];
      case 'older':
        return [`that minute is older than what is kept, which is ${MINUTES / 60} hours`];
      case 'before':
        return [
          this.#begunMs === null
            ? 'minutes are kept by a dashboard that runs, which this is not'
            : `this dashboard did not run then: it began at ${isoOf(this.#begunMs)}`,
        ];
      case 'unanswered':
        return ['no proxy has told of that minute'];
      default:
        return state satisfies never;
    }
  }
}

function basisOfMinute({ told, trouble, leftCount }: KeptMinute): string[] {
  const left = leftCount === 0 ? [] : [`the ${KEYS_PER_MINUTE} hottest keys of a minute are kept; ${leftCount} more stood out in that one`];
  if (trouble !== null) return [`the proxies could not be asked: ${trouble}`];
  return [...(told.size === 0 ? ['no proxy was registered'] : [...told].map(basisOf)), ...left];
}

function withoutKeys({ sampleEvery, seconds, sampled, keyBytesMax, missing }: HotKeysBasis): HotKeysBasis {
  return { sampleEvery, seconds, sampled, keyBytesMax, missing };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
