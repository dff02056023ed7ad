// Goal: a command line of codis-config that stands anywhere, in a message, a page or a document, can be typed: the command is there, and so is each of its options.
// Method: the sources are read as text; what is filled in later (`${…}`, `<id>`) stands for one word.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCommands, buildProgram, CATALOGUE } from '@codis/config/cli';
import { expect, test } from 'vitest';
import { REPO } from './harness/process.ts';
import { filesBelow } from './harness/source-tree.ts';

const program = buildProgram();
const commands = new Map(allCommands(program).map(({ path, command }) => [path, command]));
const options = (path: string) =>
  [...(commands.get(path)?.options ?? []), ...program.options]
    .flatMap(({ long, short }) => [long, short])
    .filter((name) => name !== undefined);

interface Mention {
  readonly file: string;
  readonly line: string;
}

const FILES = [
  ...['packages/config/src', 'packages/dashboard/src', 'packages/proxy/src', 'scripts/src']
    .flatMap((dir) => filesBelow(dir, ['.ts']))
    .filter((file) => !file.endsWith('completion.ts')),
  ...filesBelow('packages/dashboard/web/src', ['.ts', '.tsx']),
  ...filesBelow('docs', ['.md']),
  ...filesBelow('deploy', ['.md', '.yml']),
  'README.md',
];
const MENTIONS: readonly Mention[] = FILES.flatMap((file) => {
  const text = withoutComments(readFileSync(join(REPO, file), 'utf8')).replaceAll(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, '0');
  return [...text.matchAll(/codis-config ((?:[a-z]|--?[a-z])[^\n`'"|;,]*)/g)].map(([, line = '']) => ({
    file,
    line: line.trim().replace(/[.:)]+$/, ''),
  }));
});

/** For Markdown there is nothing to take out. */
function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(?:\/\/|\/?\*\*?[ /]).*$/gm, '');
}

/** The longest command that `words` begin with; undefined for prose (“codis-config prints …”). */
function pathIn(words: readonly string[]): string | undefined {
  const [noun = '', verb = ''] = words;
  if (CATALOGUE[`${noun} ${verb}`]) return `${noun} ${verb}`;
  return CATALOGUE[noun] ? noun : undefined;
}

test('there are many', () => {
  expect(MENTIONS.length).toBeGreaterThan(150);
});

test('every command that is named is there', () => {
  const wrong = MENTIONS.filter(({ line }) => {
    const words = line
      .replace(/^-c \S+ /, '')
      .split(/\s+/)
      .filter((word) => !word.startsWith('-'));
    const path = pathIn(words);
    const facts = path === undefined ? undefined : CATALOGUE[path];
    if (facts === undefined) return !isProse(words[0] ?? '');
    return facts.kind === 'noun' && /^[a-z-]+$/.test(words[1] ?? '') && !isProse(words[1] ?? '');
  });
  expect(wrong).toEqual([]);
});

test('every option that is named is there', () => {
  const wrong = MENTIONS.flatMap(({ file, line }) => {
    const words = line.split(/\s+/);
    const path = pathIn(words.filter((word) => !word.startsWith('-'))) ?? '';
    const said = words.flatMap((word) => /^(--[a-z][a-z0-9-]*|-[a-z](?=$))/.exec(word)?.[1] ?? []);
    const known = [...options(path), '--help', '--version'];
    return said.filter((name) => !known.includes(name)).map((name) => `${file}: ${line}: ${name}`);
  });
  expect(wrong).toEqual([]);
});

/** Words that follow the program's name in a sentence. */
function isProse(word: string): boolean {
  return /^(?:adds|and|answers|as|asks|by|can|could|command|had|exits|fails|finds|for|from|has|is|keeps|may|on|or|prints|process|reads|runs|says|shall|shows|speaks|status|takes|that|this|to|was|where|which|will|with|would)$/.test(
    word,
  );
}
