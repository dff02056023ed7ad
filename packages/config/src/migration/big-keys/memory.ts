// What a controller has learnt of big keys in its term. As all it learns, never needed to go on after a crash.

import type { Epoch, ProxyId } from '../../model/index.ts';
import type { Seen } from '../look-through.ts';

export interface BigKeysMemory {
  /** What was seen at a source, as `<migration> <address>`, and when that look ended. */
  readonly seen: Map<string, Seen & { readonly atMs: number }>;
  /** Keys (`nameOf`) whose copy at the target is complete: they wait for nothing but to be switched over. */
  readonly copied: Set<string>;
  /** Keys that can't be taken apart after all: they are handed over in one step when everybody waits for them. */
  readonly whole: Set<string>;
  /** How often a copy was found not to be complete. */
  readonly spoilt: Map<string, number>;
  /** By the epoch that began to switch a key over: since when that is known here, and the proxies that were fenced off for it. */
  readonly switches: Map<Epoch, { readonly sinceMs: number; readonly fenced: ReadonlySet<ProxyId> }>;
}

export function newBigKeysMemory(): BigKeysMemory {
  return { seen: new Map(), copied: new Set(), whole: new Set(), spoilt: new Map(), switches: new Map() };
}
