// The slow log of a proxy as its admin address shows it: the entries of all workers, without the values that clients sent. Pure.

import { Buffer } from 'node:buffer';
import { COMMANDS, type Command } from '../commands/command.ts';
import type { SlowEntry } from '../worker/slow-log.ts';

export interface ShownSlowEntry extends Omit<SlowEntry, 'args'> {
  readonly command: string;
  /** Its first key, a character for each byte; null when it has none, or it was too long to be kept. */
  readonly key: string | null;
  /** Behind the command: the first key as it is, and how long each other argument is. */
  readonly args: readonly string[];
}

const BY_NAME = new Map(COMMANDS.map((command) => [command.name, command]));
const CUT = /\.\.\. \(\d+ more (?:bytes|arguments)\)$/;

/** Newest first, at most `count`. */
export function slowEntries(all: readonly (readonly SlowEntry[])[], count: number): ShownSlowEntry[] {
  const entries = all.flat().sort((a, b) => b.time - a.time || b.id - a.id);
  return entries.slice(0, count).map(({ args, ...entry }) => ({ ...entry, ...shown(args) }));
}

function shown(words: readonly string[]): Pick<ShownSlowEntry, 'command' | 'key' | 'args'> {
  const [name = '', second = ''] = words.map((word) => word.toLowerCase());
  const command = BY_NAME.get(`${name}|${second}`) ?? BY_NAME.get(name);
  const at = command ? firstKeyAt(command, words) : 0;
  const key = at > 0 && words[at] !== undefined && !CUT.test(words[at]) ? words[at] : null;
  const isSubcommand = command?.name.includes('|') === true;
  const args = words.slice(1).map((word, index) => (index + 1 === at || (isSubcommand && index === 0) ? word : lengthText(word)));
  return { command: command?.name ?? name, key, args };
}

/** 0: it has none. */
function firstKeyAt({ keys }: Command, words: readonly string[]): number {
  switch (keys.kind) {
    case 'range':
      return keys.first;
    case 'numkeys':
      return keys.dest ? 1 : Number(words[keys.at]) > 0 ? keys.at + 1 : 0;
    case 'store':
      return 1;
    case 'streams':
      return words.findIndex((word) => word.toLowerCase() === 'streams') + 1;
    case 'places':
      return 0;
    default:
      return keys satisfies never;
  }
}

/** What was cut says itself how much is missing. */
function lengthText(word: string): string {
  const cut = CUT.exec(word)?.[0];
  if (cut === undefined) return `(${Buffer.byteLength(word, 'latin1')} bytes)`;
  return cut.includes('arguments') ? cut : `(${word.length - cut.length + Number(/\d+/.exec(cut)?.[0])} bytes)`;
}
