// The class that follows from Redis's flags. Which class each command has is docs/commands.md: a change of it shows there.

import { describe, expect, test } from 'vitest';
import { classOf } from '../../src/commands/classes.ts';
import { COMMANDS } from '../../src/commands/command.ts';

describe('what follows from the flags', () => {
  const facts = { flags: ['write'], hasKeys: true, parent: undefined };

  test('a command with keys lives in their slot', () => {
    expect(classOf(facts)).toEqual({ kind: 'slot' });
  });

  test.each(['blocking', 'pubsub'])('a %s command does not, though it has keys', (flag) => {
    expect(classOf({ ...facts, flags: ['write', flag] }).kind).not.toBe('slot');
  });

  test('a command without keys is never guessed', () => {
    expect(classOf({ ...facts, hasKeys: false })).toMatchObject({ kind: 'later', why: 'the proxy does not know how to route it' });
  });

  test('an administrator’s command without keys is refused', () => {
    expect(classOf({ ...facts, hasKeys: false, flags: ['admin'] })).toMatchObject({ kind: 'refused' });
  });

  test('a subcommand without keys goes with its parent', () => {
    const parent = { kind: 'local' } as const;
    expect(classOf({ ...facts, hasKeys: false, flags: ['admin'], parent })).toBe(parent);
  });
});

test('nothing that blocks goes over a shared connection, but for reads of streams, which are looked at one by one', () => {
  const shared = COMMANDS.filter(({ class: of, flags }) => flags.includes('blocking') && (of.kind === 'slot' || of.kind === 'split'));
  expect(shared.map(({ name }) => name)).toEqual(['xread', 'xreadgroup']);
});

test('nothing goes over a shared connection without a key', () => {
  const shared = COMMANDS.filter(({ class: of, keys }) => of.kind === 'slot' && keys.kind === 'range' && keys.first === 0);
  expect(shared.map(({ name }) => name)).toEqual([]);
});

test('what is taken apart has keys at fixed places', () => {
  for (const { class: of, keys } of COMMANDS) if (of.kind === 'split') expect(keys).toMatchObject({ kind: 'range', first: 1, last: -1 });
});
