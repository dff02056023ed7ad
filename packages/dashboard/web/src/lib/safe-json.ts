// JSON of the dashboard, with every text in it so that it can be shown: names of keys, clients and people may hold anything. Here, at the only door, so that no page can forget it.

import { printable } from './format.ts';

/** What `printable` would change, as it stands in JSON: as itself, or escaped. Most answers have none of it and are spared the look at every text. */
const SUSPECT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\\(?:u|[bfnrt])/u;

/** Throws a SyntaxError for what is no JSON. */
export function parseSafely(text: string): unknown {
  return SUSPECT.test(text) ? JSON.parse(text, reviveText) : JSON.parse(text);
}

const reviveText = (_: string, value: unknown): unknown => (typeof value === 'string' ? printable(value) : value);
