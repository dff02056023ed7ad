// Big keys of a slot in a move: found before the slot is locked, and listed in the topology, because handing one over in one step would block two servers
// for too long. The controller copies a listed key in pieces, and every proxy treats it by its phase:
//
//   copying ──copy complete, epoch written──▶ switching ──all acked, renamed at the target, gone at the source──▶ not listed
//      ▲  reads go to the source, writes wait      │  everything waits
//      └──────────── somebody did not ack ─────────┘
//
// Invariant: while a key is listed nobody writes it, nobody hands it over, and it is read at the source only. It stops being listed only out of `switching`,
// when every proxy knows that it is not to be read at the source any more.

import { fenceKey } from './hand-over.ts';
import { asEpoch, type Epoch, type GroupId, type Slot } from './ids.ts';
import { slotOf } from './slot-hash.ts';

export type ListedKey = KeyName &
  (
    | { readonly phase: 'copying' }
    /** `epoch`: whose table first shows it so: what proxies must have acknowledged before it is renamed. */
    | { readonly phase: 'switching'; readonly epoch: Epoch }
  );

/** A key of one logical database. */
export interface KeyName {
  readonly db: number;
  /** Its bytes, each as the character of that number (latin1). */
  readonly key: string;
}

/** How many keys may be listed for one batch, and how long their names may be together: every proxy looks them up, and the topology stays small. */
export const BIG_KEYS_MAX = 64;
export const BIG_KEY_NAMES_BYTES_MAX = 16 * 1024;

/** Where the copy of a key from group `from` grows until it is complete: a reserved key, in the database of the key. */
export function arrivalKey(product: string, from: GroupId): string {
  return `${arrivalPrefix(product)}${from}`;
}

/** The tag puts these keys into the slot of the fence's marker, so that a proxy looks for reserved names in one slot only. */
export function arrivalPrefix(product: string): string {
  return `{${fenceKey(product)}}:arrival:`;
}

/** What a source hands over to see whether it can. Not there but for moments. */
export function probeKey(product: string): string {
  return `${arrivalPrefix(product)}probe`;
}

/** Whether the name at [start, end) of `bytes` is reserved: the marker of a fence, the copy of a big key, or a probe. Such keys are never shown, moved or reached by
 *  clients. */
export function reservedNames(product: string): (bytes: Buffer, start?: number, end?: number) => boolean {
  const marker = Buffer.from(fenceKey(product));
  const prefix = Buffer.from(arrivalPrefix(product));
  return (bytes, start = 0, end = bytes.length) => {
    const length = end - start;
    if (length === marker.length) return bytes.compare(marker, 0, length, start, end) === 0;
    return length > prefix.length && bytes.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0;
  };
}

export const sameKey = (a: KeyName, b: KeyName): boolean => a.db === b.db && a.key === b.key;

export function encodeBigKey(bigKey: ListedKey): object {
  const { db, phase } = bigKey;
  const key = Buffer.from(bigKey.key, 'latin1').toString('base64');
  return bigKey.phase === 'copying' ? { db, key, phase } : { db, key, phase, epoch: bigKey.epoch };
}

/** Throws a TypeError that says what is wrong. */
export function decodeBigKey(value: unknown): ListedKey {
  const { db, key, phase, epoch } = value as Record<string, unknown>;
  if (typeof db !== 'number' || !Number.isSafeInteger(db) || db < 0) throw new TypeError(`the database of a big key is ${String(db)}`);
  if (typeof key !== 'string') throw new TypeError(`the name of a big key is ${String(key)}`);
  const name = { db, key: Buffer.from(key, 'base64').toString('latin1') };
  if (phase === 'copying') return { ...name, phase };
  if (phase === 'switching') return { ...name, phase, epoch: asEpoch(epoch as number) };
  throw new TypeError(`the phase of a big key is ${JSON.stringify(phase)}`);
}

/** Throws a TypeError for a list that can't be: of a slot's own keys, each once, none switching while the slot is locked. */
export function checkBigKeys(slot: number, kind: 'locked' | 'migrating', bigKeys: readonly ListedKey[]): void {
  const seen = new Set<string>();
  for (const { db, key, phase } of bigKeys) {
    const name = `${db}:${key}`;
    if (seen.has(name)) throw new TypeError(`slot ${slot} lists a big key twice`);
    seen.add(name);
    if (slotOf(Buffer.from(key, 'latin1')) !== (slot as Slot)) throw new TypeError(`slot ${slot} lists a big key of another slot`);
    if (kind === 'locked' && phase !== 'copying') throw new TypeError(`slot ${slot} is locked, but a big key is switched over already`);
  }
}
