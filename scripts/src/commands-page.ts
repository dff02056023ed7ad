// docs/commands.md: what the proxy does with every command, and what differs from a plain Redis. From the proxy's own tables.

import { CLASS_TEXTS, COMMANDS, type Command, DIFFERENCES } from '@codis/proxy/commands';

export function renderCommandDocs(): string {
  const out = [
    '# Commands',
    '',
    '<!-- Written from packages/proxy/src/commands by `npm run docs`; change it there. -->',
    '',
    'What a client may send, and what differs from one plain Redis 7. Where nothing is said, nothing differs: replies and errors are those of a',
    'Redis, byte for byte, in RESP2 and RESP3. A test holds it so, with a Redis beside it (`test/differential`).',
    '',
    'Commands of newer versions than 7.0 stand here too; a server that lacks one says so itself. What is not in this list is looked up at the',
    'servers.',
    '',
    '## What happens with them',
    '',
    '| | what happens | what differs |',
    '| --- | --- | --- |',
    ...Object.values(CLASS_TEXTS).map(({ name, what, differs }) => `| **${name}** | ${what} | ${differs} |`),
    '',
    '## Every command',
    '',
    '| command | | what differs |',
    '| --- | --- | --- |',
    ...[...COMMANDS].sort(byName).map((command) => `| \`${shown(command)}\` | ${classOf(command)} | ${differences(command)} |`),
  ];
  return `${out.join('\n')}\n`;
}

function byName(a: Command, b: Command): number {
  return a.name < b.name ? -1 : 1;
}

function shown({ name }: Command): string {
  return name.replace('|', ' ').toUpperCase();
}

function classOf({ class: { kind } }: Command): string {
  return kind === 'later' ? 'not yet' : CLASS_TEXTS[kind].name;
}

function differences({ name, class: of }: Command): string {
  const why = of.kind === 'refused' || of.kind === 'later' ? [sentence(of.why)] : [];
  return [...why, DIFFERENCES[name] ?? ''].filter((text) => text !== '').join(' ');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
