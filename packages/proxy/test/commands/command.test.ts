// Goal: what the proxy knows of Redis's commands is what Redis says of them, and any name is found or not found for certain.
// Method: COMMAND of a real redis-server 7 is the oracle. The table is that of a newer Redis, so every difference is listed with its reason.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { COMMANDS, type Command, findCommand } from '../../src/commands/command.ts';

/** One entry of COMMAND: name, arity, flags, first, last, step, categories, tips, key specifications, subcommands. */
type Entry = [string, number, string[], number, number, number, unknown, unknown, unknown, Entry[]];

let server: RedisServer;
let theirs: Map<string, Entry>;

beforeAll(async () => {
  server = await startRedis();
  const entries = (await server.client().call('COMMAND')) as Entry[];
  theirs = new Map(entries.flatMap((entry) => [entry, ...entry[9]]).map((entry) => [entry[0], entry]));
});

afterAll(() => server.stop());

const ours = new Map(COMMANDS.map((command) => [command.name, command]));

function find(name: string): Command | undefined {
  const bytes = Buffer.from(`xx${name}yy`, 'latin1');
  return findCommand(bytes, 2, bytes.length - 2);
}

describe('compared with COMMAND of Redis 7', () => {
  test('no command is missing', () => {
    expect(theirs.size).toBeGreaterThan(350);
    expect([...theirs.keys()].filter((name) => !ours.has(name))).toEqual([]);
  });

  test('the number of arguments is the same', () => {
    const different = [...theirs.values()].flatMap(([name, arity]) =>
      ours.get(name)?.arity === arity ? [] : [`${name}: ${ours.get(name)?.arity}, not ${arity}`],
    );
    expect(different.sort()).toEqual(
      [
        // Redis 7.2 added WITHSCORE.
        'zrank: -3, not 3',
        'zrevrank: -3, not 3',
        // Redis 7.2 corrected it: a command without arguments has keys nowhere, but may be asked for.
        'command|getkeys: -3, not -4',
        'command|getkeysandflags: -3, not -4',
      ].sort(),
    );
  });

  test('the flags that decide anything are the same', () => {
    const DECIDING = ['write', 'blocking', 'pubsub', 'admin', 'no_auth', 'movablekeys'];
    const deciding = (flags: readonly string[] = []) => DECIDING.filter((flag) => flags.includes(flag)).join(' ');
    const different = [...theirs.values()].flatMap(([name, , flags]) => {
      const [us, them] = [deciding(ours.get(name)?.flags), deciding(flags)];
      return us === them ? [] : [`${name}: '${us}', not '${them}'`];
    });
    expect(different).toEqual([
      // Later versions say of WAIT that it blocks.
      "wait: 'blocking', not ''",
    ]);
  });

  test('fixed keys stand at the same places', () => {
    const different = [...theirs.values()].flatMap(([name, , , first, last, step]) => {
      const keys = ours.get(name)?.keys;
      if (keys?.kind !== 'range' || (keys.first === first && keys.last === last && keys.step === step)) return [];
      return [name];
    });
    expect(different).toEqual([]);
  });

  test('keys that stand at no fixed place have their own rule', () => {
    const without = COMMANDS.filter(({ flags, keys }) => flags.includes('movablekeys') && keys.kind === 'range');
    // MIGRATE is refused before anybody looks for its keys.
    expect(without.map(({ name }) => name)).toEqual(['migrate']);
  });

  test('subcommands belong to the same commands', () => {
    for (const [name, entry] of theirs) {
      if (name.includes('|')) continue;
      const known = ours.get(name)?.subcommands;
      for (const [sub] of entry[9]) expect(known?.get(sub.slice(name.length + 1))?.name).toBe(sub);
    }
  });
});

describe('a name', () => {
  const names = COMMANDS.filter(({ name }) => !name.includes('|')).map(({ name }) => name);

  test('of a command is found in any case', () => {
    for (const name of names) {
      expect(find(name)?.name).toBe(name);
      expect(find(name.toUpperCase())?.name).toBe(name);
      expect(find(name.replace(/^./, (first) => first.toUpperCase()))?.name).toBe(name);
    }
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.infiniteStream(fc.boolean()), (name, upper) => {
        const mixed = Array.from(name, (letter) => (upper.next().value ? letter.toUpperCase() : letter)).join('');
        expect(find(mixed)?.name).toBe(name);
      }),
    );
  });

  test('that is the longest is found', () => {
    const longest = names.reduce((a, b) => (b.length > a.length ? b : a));
    expect(longest.length).toBeGreaterThan(18);
    expect(find(longest)?.name).toBe(longest);
  });

  test('with one byte more, less or changed is another name', () => {
    const known = new Set(names);
    const others = names.flatMap((name) => [
      name.slice(1),
      name.slice(0, -1),
      `${name}x`,
      `x${name}`,
      `${name} `,
      `${name}\0`,
      ...Array.from(name, (letter, at) => name.slice(0, at) + String.fromCharCode(letter.charCodeAt(0) ^ 0x40) + name.slice(at + 1)),
    ]);
    for (const name of others) if (!known.has(name)) expect(find(name)).toBeUndefined();
  });

  test('whose bytes fold onto a letter is not that letter', () => {
    // `| 0x20` maps the control characters onto the digits, @ onto `, and [ \\ ] ^ onto { | } ~.
    expect(find('GE\x14')).toBeUndefined();
    expect(find('eval\x7fro')).toBeUndefined();
    expect(find('restore\x0dasking')).toBeUndefined();
    expect(find('g\xe5t')).toBeUndefined();
  });

  test.each(['', 'x', 'x'.repeat(32), 'x'.repeat(33), 'get'.repeat(1000), 'object|encoding', 'client|id'])(
    '%j is found nowhere',
    (name) => {
      expect(find(name)).toBeUndefined();
    },
  );

  test('made of any bytes is found only when it is one', () => {
    const known = new Set(names);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const name = Buffer.from(bytes).toString('latin1');
        const lower = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
        expect(find(name)?.name).toBe(known.has(lower) ? lower : undefined);
      }),
    );
  });
});

test('every command has its own index, from 0 without gaps', () => {
  expect(COMMANDS.map(({ index }) => index)).toEqual(COMMANDS.map((_, at) => at));
  expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
});
