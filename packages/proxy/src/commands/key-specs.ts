// Where the keys of a command stand, for the commands whose keys don't stand at fixed places; and the extractor for all of them.
// The table of fixed places comes from Redis itself (data.ts).

import type { Frame } from '../resp/request-scanner.ts';
import { type KeyPlace, placedKeys } from './key-places.ts';
import { deniedOption } from './sort-patterns.ts';

/** Argument 0 is the command's name. */
export type KeySpec =
  /** As COMMAND reports it: `last` counts from the end when negative; no keys when `first` is 0. */
  | { readonly kind: 'range'; readonly first: number; readonly last: number; readonly step: number }
  /** `count` stands at argument `at`, then that many keys, each followed by step - 1 other arguments; `dest`: argument 1 is a key too. */
  | { readonly kind: 'numkeys'; readonly at: number; readonly dest: boolean; readonly step: number }
  /** XREAD, XREADGROUP: after STREAMS, the first half of the rest. */
  | { readonly kind: 'streams' }
  /** SORT, GEORADIUS: the key, and the last argument after STORE (or STOREDIST); options from argument `from`. */
  | { readonly kind: 'store'; readonly from: number; readonly sort: boolean }
  /** As a server has told. */
  | { readonly kind: 'places'; readonly places: readonly KeyPlace[] };

const numkeys = (at: number, options: { dest?: boolean; step?: number } = {}): KeySpec => ({
  kind: 'numkeys',
  at,
  dest: options.dest ?? false,
  step: options.step ?? 1,
});

export const KEY_SPECS: Readonly<Record<string, KeySpec>> = {
  sintercard: numkeys(1),
  sdiffcard: numkeys(1),
  sunioncard: numkeys(1),
  zintercard: numkeys(1),
  zdiff: numkeys(1),
  zinter: numkeys(1),
  zunion: numkeys(1),
  zdiffstore: numkeys(2, { dest: true }),
  zinterstore: numkeys(2, { dest: true }),
  zunionstore: numkeys(2, { dest: true }),
  lmpop: numkeys(1),
  zmpop: numkeys(1),
  blmpop: numkeys(2),
  bzmpop: numkeys(2),
  msetex: numkeys(1, { step: 2 }),
  eval: numkeys(2),
  eval_ro: numkeys(2),
  evalsha: numkeys(2),
  evalsha_ro: numkeys(2),
  fcall: numkeys(2),
  fcall_ro: numkeys(2),
  xread: { kind: 'streams' },
  xreadgroup: { kind: 'streams' },
  sort: { kind: 'store', from: 2, sort: true },
  sort_ro: { kind: 'store', from: 2, sort: true },
  georadius: { kind: 'store', from: 6, sort: false },
  georadiusbymember: { kind: 'store', from: 5, sort: false },
};

/** What `extractKeys` found besides keys. */
export const KEYS_OK = 0;
/** The arguments don't say where the keys are: a number that is none, or more keys than arguments. */
export const KEYS_BAD = 1;
/** It would block. */
export const KEYS_BLOCKING = 2;
/** It reads keys that are computed from values (SORT … BY pattern, GET pattern) and may be in other slots. */
export const KEYS_PATTERN = 3;
export type KeysResult = typeof KEYS_OK | typeof KEYS_BAD | typeof KEYS_BLOCKING | typeof KEYS_PATTERN;

/** Argument numbers of the keys found last; valid until the next `extractKeys`. */
export const keyArgs = { list: new Int32Array(1024), count: 0 };
/** What one request of very many keys needed is not kept for ever. */
const KEPT_LENGTH_MAX = 64 * 1024;

/** HOT PATH for commands with several keys. Fills `keyArgs` with the argument numbers of the keys of the frame. */
export function extractKeys(spec: KeySpec, frame: Frame): KeysResult {
  keyArgs.count = 0;
  if (keyArgs.list.length > KEPT_LENGTH_MAX) keyArgs.list = new Int32Array(1024);
  switch (spec.kind) {
    case 'range':
      return rangeKeys(spec, frame.argc);
    case 'numkeys':
      return countedKeys(spec, frame);
    case 'streams':
      return streamKeys(frame);
    case 'store':
      return storeKeys(frame, spec);
    case 'places':
      return placedKeys(spec.places, frame, add) ? KEYS_OK : KEYS_BAD;
  }
}

function add(arg: number): void {
  if (keyArgs.count === keyArgs.list.length) {
    const grown = new Int32Array(keyArgs.list.length * 2);
    grown.set(keyArgs.list);
    keyArgs.list = grown;
  }
  keyArgs.list[keyArgs.count++] = arg;
}

function rangeKeys(spec: { first: number; last: number; step: number }, argc: number): KeysResult {
  if (spec.first === 0) return KEYS_OK;
  const last = spec.last < 0 ? argc + spec.last : spec.last;
  if (last >= argc) return KEYS_BAD;
  for (let arg = spec.first; arg <= last; arg += spec.step) add(arg);
  return KEYS_OK;
}

function countedKeys(spec: { at: number; dest: boolean; step: number }, frame: Frame): KeysResult {
  const count = argInteger(frame, spec.at);
  const first = spec.at + 1;
  if (count < 0 || first + count * spec.step > frame.argc) return KEYS_BAD;
  if (spec.dest) add(1);
  for (let key = 0; key < count; key++) add(first + key * spec.step);
  return KEYS_OK;
}

/** How many arguments follow each option that may stand before STREAMS, in any order. */
const STREAM_OPTIONS: ReadonlyMap<string | undefined, number> = new Map([
  ['group', 2],
  ['count', 1],
  ['block', 1],
  ['claim', 1],
  ['noack', 0],
]);

function streamKeys(frame: Frame): KeysResult {
  let blocks = false;
  for (let arg = 1; arg < frame.argc; arg++) {
    const option = argLower(frame, arg, 8);
    if (option === 'streams') {
      const rest = frame.argc - arg - 1;
      if (rest === 0 || rest % 2 !== 0) return KEYS_BAD;
      for (let key = 0; key < rest / 2; key++) add(arg + 1 + key);
      return blocks ? KEYS_BLOCKING : KEYS_OK;
    }
    const values = STREAM_OPTIONS.get(option);
    if (values === undefined) return KEYS_BAD;
    if (option === 'block') blocks = true;
    arg += values;
  }
  return KEYS_BAD;
}

function storeKeys(frame: Frame, spec: { from: number; sort: boolean }): KeysResult {
  if (frame.argc < spec.from) return KEYS_BAD;
  add(1);
  let store = -1;
  for (let arg = spec.from; arg < frame.argc; arg++) {
    const option = argLower(frame, arg, 9);
    // An option without its value is an error that Redis itself finds, at the key.
    if (option === 'store' || (option === 'storedist' && !spec.sort)) store = ++arg;
    else if (spec.sort && option === 'limit') arg += 2;
    else if (spec.sort && (option === 'by' || option === 'get')) arg++;
    else if (!spec.sort && option === 'count') arg++;
  }
  if (store > 0 && store < frame.argc) add(store);
  return spec.sort && frame.argc > spec.from && deniedOption(frame) !== null ? KEYS_PATTERN : KEYS_OK;
}

/** A number of keys: a whole number of 0 or more in plain digits; -1 otherwise. */
function argInteger(frame: Frame, arg: number): number {
  if (arg >= frame.argc) return -1;
  const start = frame.args[arg * 2] as number;
  const end = frame.args[arg * 2 + 1] as number;
  if (end === start || end - start > 10) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (frame.buf[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** An argument as lower-case text when it is at most `lengthMax` bytes long; undefined for a longer one. */
function argLower(frame: Frame, arg: number, lengthMax: number): string | undefined {
  if (arg >= frame.argc) return undefined;
  const start = frame.args[arg * 2] as number;
  const end = frame.args[arg * 2 + 1] as number;
  return end - start > lengthMax ? undefined : frame.buf.toString('latin1', start, end).toLowerCase();
}
