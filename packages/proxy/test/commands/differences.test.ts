import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/commands/command.ts';
import { CLASS_TEXTS, DIFFERENCES } from '../../src/commands/differences.ts';

test('differences are of commands that there are, and in alphabetical order', () => {
  const names = Object.keys(DIFFERENCES);
  expect(names.filter((name) => !COMMANDS.some((command) => command.name === name))).toEqual([]);
  expect(names).toEqual([...names].sort());
});

test('nothing is said to differ of what is refused: its reason says enough', () => {
  const refused = COMMANDS.filter((command) => command.class.kind === 'refused' && command.name in DIFFERENCES);
  expect(refused.map(({ name }) => name)).toEqual([]);
});

test('what is said is sentences', () => {
  const texts = [...Object.values(DIFFERENCES), ...Object.values(CLASS_TEXTS).flatMap(({ what, differs }) => [what, differs])];
  expect(texts.filter((text) => !/^[A-Z`][^|\n]*\.$/.test(text))).toEqual([]);
});
