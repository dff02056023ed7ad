// Goal: every command line that the console offers to copy is one that codis-config takes.
// Method: the lines are read out of the console's sources; their words and options are looked for in the program itself.

import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram } from '../../packages/config/src/cli/program.ts';
import { filesBelow, readSource } from '../harness/source-tree.ts';

const SOURCES = filesBelow('packages/dashboard/web/src', ['.ts', '.tsx']).map(readSource);
/** The words of a command, then whatever is said in the same line of source. */
const LINE = /codis-config ((?:[a-z][a-z-]*\b ?)+)(.*)/g;

const lines = SOURCES.flatMap(({ path, text }) =>
  [...text.matchAll(LINE)].map(([, words = '', rest = '']) => ({
    path,
    words: words.trim(),
    options: rest.match(/--[a-z][a-z0-9-]*/g) ?? [],
  })),
);

/** The command that the words lead to, as far as they are names of commands. */
function commandOf(words: readonly string[]): Command {
  let command: Command = buildProgram();
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) return command;
    command = next;
  }
  return command;
}

test.each(lines)('codis-config $words ($path)', ({ words, options }) => {
  const command = commandOf(words.split(' '));
  expect(command.parent, 'it begins with no command').not.toBe(null);
  // `alerts` lists them, and has commands of its own: a word that is none of them names nothing.
  const named = words.split(' ').length;
  expect(command.commands.length === 0 || named === depthOf(command), `${command.name()} has no such command`).toBe(true);
  expect(options.filter((option) => !command.options.some(({ long }) => long === option))).toEqual([]);
});

function depthOf(command: Command): number {
  return command.parent === null ? 0 : 1 + depthOf(command.parent);
}

test('there are lines at all', () => {
  expect(lines.length).toBeGreaterThan(20);
});
