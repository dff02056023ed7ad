// The cursor of SCAN over all groups: where the scan of one group stands, and all that is to be known of the pass it belongs to. Nothing else is kept anywhere, so
// any worker of any proxy can go on with it.
//
//   62            32 31    29 28         14 13        0
//   | at the server | pass   | epoch      | group     |        below 2^63, as clients expect
//
// 31 bits are enough for a server with 2 billion keys in one database. The epoch is kept modulo 2^15: a cursor that lay unused through 31,744 tables (each move
// of a batch of slots makes three) may be taken for a newer one.

const AT_BITS = 31n;
const EPOCHS = 32_768;
/** How far a cursor of another proxy may be ahead of the table of this worker. */
const AHEAD_MAX = 1024;
const GROUPS = 16_384;

/** What a pass is to return: every key (the first pass), or those of the slots that the pass before left: one that began at the same table … */
export const FIRST = 0;
export const SAME = 1;
/** … or up to REACH_NEAR tables before … */
export const NEAR = 2;
/** … or earlier still: everything again. */
export const ALL = 3;
export type Reach = typeof FIRST | typeof SAME | typeof NEAR | typeof ALL;

const REACH_NEAR = 256;

export interface Pass {
  readonly reach: Reach;
  /** Groups are scanned from the highest number to the lowest. */
  readonly descending: boolean;
  /** The table by which it began, modulo EPOCHS. */
  readonly epoch: number;
}

/** Never the value 0, for groups count from 1. */
export interface Cursor extends Pass {
  readonly group: number;
  /** Of the server; 0 at the beginning of a group. */
  readonly at: bigint;
}

/** Null when the server's own cursor is too large. */
export function encodeCursor(cursor: Cursor): bigint | null {
  if (cursor.at >> AT_BITS !== 0n) return null;
  const pass = cursor.reach * 2 + (cursor.descending ? 1 : 0);
  const low = (pass * EPOCHS + (cursor.epoch % EPOCHS)) * GROUPS + cursor.group;
  return cursor.at * BigInt(8 * EPOCHS * GROUPS) + BigInt(low);
}

/** Takes any number: what no proxy has made is some place in some pass too. */
export function decodeCursor(value: bigint): Cursor {
  const low = Number(value % BigInt(8 * EPOCHS * GROUPS));
  const pass = Math.floor(low / (EPOCHS * GROUPS));
  return {
    at: (value / BigInt(8 * EPOCHS * GROUPS)) & ((1n << AT_BITS) - 1n),
    group: low % GROUPS,
    epoch: Math.floor(low / GROUPS) % EPOCHS,
    reach: (pass >> 1) as Reach,
    descending: pass % 2 === 1,
  };
}

/** The epoch that is meant, seen from one that holds the table of `now`; it may be a little more than `now`. */
export function fullEpoch(epoch: number, now: number): number {
  const behind = (((now - epoch) % EPOCHS) + EPOCHS) % EPOCHS;
  return behind > EPOCHS - AHEAD_MAX ? now + EPOCHS - behind : now - behind;
}

/** The least reach that goes back `tables` from the beginning of a pass. */
export function reachOf(tables: number): Reach {
  if (tables === 0) return SAME;
  return tables <= REACH_NEAR ? NEAR : ALL;
}

/** How many tables it goes back; null for all there ever were. */
export function tablesOf(reach: Reach): number | null {
  if (reach === SAME) return 0;
  return reach === NEAR ? REACH_NEAR : null;
}

/** The number in a cursor that a client sent, as strtoul() reads it; null where Redis says it is invalid. Source: db.c, parseScanCursorOrReply(). */
export function parseCursor(text: string): bigint | null {
  const [number = ''] = text.split('\0', 1);
  if (number === '') return 0n;
  const match = /^([+-]?)(\d+)$/.exec(number);
  if (match === null) return null;
  const value = BigInt(match[2] as string);
  if (value >= UINT64) return null;
  return match[1] === '-' ? (UINT64 - value) % UINT64 : value;
}

const UINT64 = 2n ** 64n;
