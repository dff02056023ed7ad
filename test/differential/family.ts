// Commands about one type of value, each line of which becomes many cases on keys of their own: as it stands, in mixed case, with an argument too few, one
// too many, with each number replaced by what is none or out of range; and all of it on keys that hold the type, nothing, or another type.

import { type Line, mixedCase, onOwnKeys, parseLine, type Words, wordsOf } from './line.ts';

export interface Family {
  readonly type: string;
  /** A and B hold something of the type, D one element, C nothing. */
  readonly setup: readonly string[];
  readonly lines: readonly string[];
  /** What shows the values afterwards; DUMP and PTTL of every key unless given. */
  readonly after?: readonly string[];
  /** False where one argument too many makes a key, of another slot, of the one before it. */
  readonly extra?: boolean;
}

/** One variant of one line. */
export interface Case {
  readonly db: number;
  readonly setup: readonly Words[];
  readonly act: Line;
  readonly after: readonly Line[];
}

const DATABASES = 16;
const OTHER_TYPE: Readonly<Record<string, string>> = { string: 'RPUSH A x', any: 'ZADD A 1 x' };
const AFTER = ['A', 'B', 'C', 'D'].flatMap((key) => [`DUMP ${key}`, `~PTTL ${key}`]);
const NUMBER = /^-?\d+(?:\.\d+)?$/;
const BAD_NUMBERS = ['words', '-1', '99999999999999999999'];

/** Keys of the cases begin with `salt`. */
export function buildCases(families: readonly Family[], salt: string): Case[] {
  const cases: Case[] = [];
  for (const family of families) {
    const after = (family.after ?? AFTER).map(parseLine);
    const setups = [family.setup, [], [OTHER_TYPE[family.type] ?? 'SET A text']].map((lines) => lines.map(wordsOf));
    for (const act of family.lines.map(parseLine)) {
      for (const [at, setup] of setups.entries()) {
        const common = variants(act.words, family.extra ?? true);
        for (const words of at === 0 ? [...common, ...rareVariants(act.words)] : common) {
          const tag = `${salt}${cases.length}`;
          const own = (line: Line): Line => ({ ...line, words: onOwnKeys(line.words, tag) });
          cases.push({
            db: cases.length % DATABASES,
            setup: setup.map((command) => onOwnKeys(command, tag)),
            act: own({ ...act, words }),
            after: after.map(own),
          });
        }
      }
    }
  }
  return cases;
}

/** The argument too many may be taken for a key, so it is one of the same tag. */
function variants(words: Words, extra: boolean): Words[] {
  return [words, words.slice(0, -1), ...(extra ? [[...words, 'A:extra']] : []), withBadNumber(words, 0, 'words')];
}

function rareVariants([name = '', ...rest]: Words): Words[] {
  const words = [name, ...rest];
  const bad = words.flatMap((word, at) => (NUMBER.test(word) ? BAD_NUMBERS.map((number) => withBadNumber(words, at, number)) : []));
  return [
    [mixedCase(name), ...rest],
    [name.toLowerCase(), ...rest.map((word) => (/^[A-Z]{2,}$/.test(word) ? mixedCase(word) : word))],
    [name],
    ...bad,
  ];
}

/** The first number at or behind argument `from` replaced. */
function withBadNumber(words: Words, from: number, number: string): Words {
  const at = words.findIndex((word, position) => position >= from && NUMBER.test(word));
  return words.map((word, position) => (position === at ? number : word));
}
