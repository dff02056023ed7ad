// The key specifications of Redis 7, by which a server says where the keys of a command are that the proxy's table doesn't have.
// Source: db.c, getKeysUsingKeySpecs().

import type { Frame } from '../resp/request-scanner.ts';
import { wholeNumber } from '../resp/whole-number.ts';

/** Where a search for keys begins, and which arguments from there on are keys. */
export interface KeyPlace {
  /** At an argument; or behind a word that is looked for from argument `from` on, backwards from the end when that is negative. */
  readonly begin:
    | { readonly kind: 'index'; readonly at: number }
    | { readonly kind: 'keyword'; readonly word: string; readonly from: number };
  readonly find: /** As far as `last` from the beginning; from the end when negative, and then `limit` 2 means the first half only, and so on. */
    | { readonly kind: 'range'; readonly last: number; readonly step: number; readonly limit: number }
    /** Their number stands `count` behind the beginning, the first of them `first` behind it. */
    | { readonly kind: 'keynum'; readonly count: number; readonly first: number; readonly step: number };
}

/** Calls `add` with the number of each argument that is a key; false when the arguments don't fit. */
export function placedKeys(places: readonly KeyPlace[], frame: Frame, add: (arg: number) => void): boolean {
  for (const place of places) {
    const begin = place.begin.kind === 'index' ? place.begin.at : behindWord(place.begin, frame);
    if (begin !== null && !addFound(place.find, begin, frame, add)) return false;
  }
  return true;
}

function addFound(find: KeyPlace['find'], begin: number, frame: Frame, add: (arg: number) => void): boolean {
  const range = find.kind === 'range' ? { first: begin, last: lastOf(find, begin, frame.argc) } : countedRange(find, begin, frame);
  if (range === null || range.first < 1 || range.last >= frame.argc) return false;
  if (find.kind === 'range' && range.last < range.first) return false;
  for (let arg = range.first; arg <= range.last; arg += find.step) add(arg);
  return true;
}

function lastOf(find: { last: number; limit: number }, begin: number, argc: number): number {
  if (find.last >= 0) return begin + find.last;
  return find.limit <= 1 ? argc + find.last : begin + (Math.floor((argc - begin) / find.limit) + find.last);
}

function countedRange(
  find: { count: number; first: number; step: number },
  begin: number,
  frame: Frame,
): { first: number; last: number } | null {
  const at = begin + find.count;
  if (at >= frame.argc) return null;
  const count = wholeNumber(argText(frame, at));
  if (count === undefined || count < 0n || count > BigInt(frame.argc)) return null;
  const first = begin + find.first;
  return { first, last: first + (Number(count) - 1) * find.step };
}

/** The argument behind the word; null where it is not there. */
function behindWord({ word, from }: { word: string; from: number }, frame: Frame): number | null {
  const step = from < 0 ? -1 : 1;
  for (let at = from < 0 ? frame.argc + from : from; at > 0 && at < frame.argc; at += step) {
    if (argText(frame, at).toLowerCase() === word) return at + 1;
  }
  return null;
}

const TEXT_BYTES_MAX = 64;

/** The beginning of an argument: enough to tell any number or word by. */
function argText(frame: Frame, at: number): string {
  const start = frame.args[at * 2] as number;
  return frame.buf.toString('latin1', start, Math.min(frame.args[at * 2 + 1] as number, start + TEXT_BYTES_MAX));
}
