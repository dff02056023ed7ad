// A command as a line of text, as redis-cli takes it, with marks in front of it that say how its two replies are compared.
//
//   ~  numbers may be a little apart (clocks)        #  numbers may be anything (ids, ports, sizes); the text around them is compared
//   %  in any order (sets, keys)                     ?  only the kind of reply counts
//   @  every field (`name:value`) that Redis has is there
//   =  in this database only (a move of slots refuses what names another)
//
// A, B, C, D stand for keys of one tag that no other case uses; X, Y, Z for keys in three groups.

export type Words = readonly string[];
export type Match = 'same' | 'near' | 'numbers' | 'unordered' | 'names' | 'kind';

export interface Line {
  readonly words: Words;
  readonly match: Match;
  readonly oneDatabase: boolean;
}

const MATCHES: Readonly<Record<string, Match>> = { '~': 'near', '#': 'numbers', '%': 'unordered', '@': 'names', '?': 'kind' };
const KEY = /^[ABCD](?=$|[:*])/;

export function parseLine(text: string): Line {
  const [marks = ''] = text.match(/^[~#%?@=]*/) ?? [];
  const match = [...marks].map((mark) => MATCHES[mark]).find((found) => found !== undefined) ?? 'same';
  return { words: wordsOf(text.slice(marks.length)), match, oneDatabase: marks.includes('=') };
}

/** Words are divided by spaces; in double quotes one may hold any character, with \n, \r, \" and \\ as everywhere. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : (JSON.parse(`"${quoted}"`) as string),
  );
}

/** The line on keys of its own: those that have `tag`. */
export function onOwnKeys(words: Words, tag: string): string[] {
  return words.map((word) => (KEY.test(word) ? `{${tag}}${word}` : word));
}

/** As people write commands by turns. */
export function mixedCase(word: string): string {
  return [...word].map((letter, at) => (at % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('');
}
