// What is known of single slots and keys.

import type { LastMoveView, SlotStateView } from './views.ts';

/** `GET /slots/stats`: by slot, 1024 entries each; null where it is not known. `?refresh=true` has the masters, or better their replicas, looked through now: that takes seconds and some of their time. */
export interface SlotStatsView {
  readonly epoch: number;
  /** When servers were last looked through; null: not since this dashboard started. */
  readonly at: string | null;
  readonly keysCount: readonly (number | null)[];
  /** An estimate from a sample. */
  readonly bytes: readonly (number | null)[];
  /** Requests a second that clients send for it, as all proxies count them; null where that is not known. A request that waits for a move counts once. */
  readonly opsPerSecond: readonly (number | null)[];
  /** How the numbers were come by, each in a sentence. */
  readonly basis: readonly string[];
}

/** `GET /slots/moves`: the last move of each slot, as runs in order; slots that no migration on record has moved are in none. */
export interface SlotMovesView {
  readonly moves: readonly (LastMoveView & { readonly first: number; readonly last: number })[];
}

/** `GET /keys/locate?key=` (text) or `?keyHex=` (any bytes). */
export interface KeyLocationView extends SlotStateView {
  /** As JSON text, with every byte beyond ASCII escaped. */
  readonly key: string;
  readonly slot: number;
  /** The part between braces that decides; null: the whole key does. */
  readonly tag: string | null;
  /** Where requests for it go; null when there is none. */
  readonly server: string | null;
}

/** `GET /keys/big`: the largest that were met when servers were last looked through, largest first. */
export interface BigKeysView {
  readonly at: string | null;
  readonly keys: readonly FoundKeyView[];
  readonly basis: readonly string[];
}

export interface FoundKeyView {
  /** As JSON text, shortened; a mark for whom names are kept from. */
  readonly key: string;
  readonly slot: number;
  readonly group: number;
  readonly db: number;
  readonly bytes: number;
}

/**
 * `GET /keys/hot?limit=&slot=&at=`: those that clients ask for most, as proxies find out by looking at some of the requests; hottest first. `slot`: only keys of that.
 * `at`: not of now but of the minute that this time, in Unix seconds, is in; a dashboard keeps six hours of them, of all slots the 128 hottest keys each.
 */
export interface HotKeysView {
  /** When the proxies were asked; when they were not, when you asked. */
  readonly at: string;
  /** Null: of now. */
  readonly minute: HotMinuteView | null;
  /** One of so many requests is looked at; null: no proxy could be asked. */
  readonly sampleEvery: number | null;
  /** For how long proxies have counted, at most; null as before. */
  readonly windowSeconds: number | null;
  /** How many keys were looked at in that time, of all slots. */
  readonly sampledCount: number;
  readonly keys: readonly HotKeyView[];
  /** How the numbers were come by, or why there are none, each in a sentence. */
  readonly basis: readonly string[];
}

export interface HotMinuteView {
  /** When it began, ISO 8601. */
  readonly from: string;
  readonly state: HotMinuteStateName;
}

/**
 * What a dashboard knows of a minute. `kept`: what at least one proxy told; `pending`: it is not over, or only just; `older`: than what is kept; `before`: this
 * dashboard did not run then; `unanswered`: no proxy told of it.
 */
export type HotMinuteStateName = 'kept' | 'pending' | 'older' | 'before' | 'unanswered';

export interface HotKeyView {
  /** As JSON text, shortened; a mark for whom names are kept from. */
  readonly key: string;
  readonly slot: number;
  /** Where requests for it go, or went when the proxies were asked; null: nowhere. */
  readonly group: number | null;
  readonly db: number;
  /** An estimate. */
  readonly opsPerSecond: number;
  /** By so much at most that may be too high; chance comes on top. */
  readonly overPerSecond: number;
}

export type MoveStageName = 'waiting' | 'locked' | 'moving' | 'done' | 'elsewhere';

/** `GET /migrations/{migration}/slots`: how far each of its slots is, as runs in order. */
export interface MigrationSlotsView {
  readonly id: number;
  readonly epoch: number;
  readonly slots: readonly MigrationSlotRunView[];
}

export interface MigrationSlotRunView {
  readonly first: number;
  readonly last: number;
  readonly stage: MoveStageName;
  /** Where it is, or came from; null when that is not known: it was at `to` before the migration began, or belongs to no group. */
  readonly from: number | null;
  readonly to: number;
  /** When it arrived, ISO 8601; null: it has not, or was there before. */
  readonly at: string | null;
}
