// What values and names may be: any bytes, up to the limit; names far beyond the alphabet.

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { VALUE_BYTES_MAX } from '../../../src/coordinator/coordinator.ts';
import { type Bench, committed, create, remove, set } from './environment.ts';

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

const VALUES: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['all 256 bytes', ALL_BYTES],
  ['all 256 bytes backwards', Buffer.from(ALL_BYTES).reverse()],
  ['a single NUL', Buffer.from([0])],
  ['text with accents, CJK and emoji', Buffer.from('é 数据 🦊 \u2028 "quoted" \\ \r\n')],
  ['a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x61])],
  ['utf-8 cut in the middle', Buffer.from([0xe6, 0x95])],
  ['a lone surrogate in utf-8', Buffer.from([0xed, 0xa0, 0x80])],
  ['the replacement character itself', Buffer.from('\ufffd')],
  ['JSON', Buffer.from('{"slots":[1,2],"text":"x"}')],
  ['JSON written with spaces', Buffer.from('{ "slots" : [1, 2] }\n')],
  ['JSON whose numbers do not survive parsing', Buffer.from('[1.0,-0,12345678901234567890,1e400]')],
  ['JSON with a key twice and a reserved one', Buffer.from('{"a":1,"a":2,"__proto__":3}')],
  ['the word null', Buffer.from('null')],
];

/** Names within what ZooKeeper takes: no control characters, none beyond the basic plane. */
const NAMES = [
  'Ünïcödé',
  '数据库',
  'a b  c',
  ' lead and trail ',
  '...',
  '.hidden',
  'a.b.c',
  '100%',
  '%2F',
  '%00',
  'a+b&c=d?e#f',
  'quote\'"',
  'back\\slash',
  '~tilde:colon;*',
  '__proto__',
  'constructor',
  '123',
  'x'.repeat(255),
];

export function valueContract(bench: Bench): void {
  describe('values and names', () => {
    it.each(VALUES)('a value comes back byte for byte: %s', async (_, value) => {
      const [a, b] = await bench.sessions(2);
      await committed(a, { op: 'create', path: 'node', data: value });
      expect((await b!.read('node'))?.data.equals(value)).toBe(true);
      const doubled = Buffer.concat([value, value]);
      await committed(a, { op: 'set', path: 'node', data: doubled });
      expect((await b!.read('node'))?.data.equals(doubled)).toBe(true);
    });

    it('a value of VALUE_BYTES_MAX bytes is taken, on create and on set', async () => {
      const [a, b] = await bench.sessions(2);
      const value = randomBytes(VALUE_BYTES_MAX);
      await committed(a, { op: 'create', path: 'node', data: value });
      expect((await b!.read('node'))?.data.equals(value)).toBe(true);
      value.reverse();
      await committed(a, { op: 'set', path: 'node', data: value, version: 0 });
      expect((await b!.read('node'))?.data.equals(value)).toBe(true);
    });

    it('a value one byte larger is refused by name, nothing is done, and the session goes on', async () => {
      const [a] = await bench.sessions(1);
      await committed(a, create('node', 'kept'));
      const data = Buffer.alloc(VALUE_BYTES_MAX + 1);
      const tooLarge = { code: 'CODIS_E_VALUE_TOO_LARGE', message: expect.stringContaining('node') };
      await expect(a.commit([{ op: 'set', path: 'node', data }])).rejects.toMatchObject(tooLarge);
      await expect(a.commit([create('other'), { op: 'create', path: 'node2', data }])).rejects.toMatchObject(tooLarge);
      expect(await a.list('')).toEqual(['node']);
      await committed(a, set('node', 'changed', 0));
    });

    it('the values of one commit together are bound by the same limit', async () => {
      const [a] = await bench.sessions(1);
      const half = Buffer.alloc(VALUE_BYTES_MAX / 2);
      const more = Buffer.alloc(VALUE_BYTES_MAX / 2 + 1);
      await committed(a, { op: 'create', path: 'a', data: half }, { op: 'create', path: 'b', data: half });
      const commit = a.commit([
        { op: 'set', path: 'a', data: half },
        { op: 'set', path: 'b', data: more },
      ]);
      await expect(commit).rejects.toMatchObject({ code: 'CODIS_E_VALUE_TOO_LARGE' });
      expect((await a.read('a'))?.version).toBe(0);
    });

    it('a caller that writes into what it gave or got changes nothing', async () => {
      const [a] = await bench.sessions(1);
      const given = Buffer.from('given');
      await committed(a, { op: 'create', path: 'node', data: given });
      given.fill('x');
      (await a.read('node'))!.data.fill('y');
      expect((await a.read('node'))!.data.toString()).toBe('given');
    });

    it('odd names are names like any other', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('odd'), ...NAMES.map((name) => create(`odd/${name}`, name)));
      expect(await b!.list('odd')).toEqual([...NAMES].sort());
      for (const name of NAMES) expect((await b!.read(`odd/${name}`))?.data.toString()).toBe(name);
      await committed(b!, ...NAMES.map((name) => create(`odd/${name}/child`)));
      await committed(b!, ...NAMES.flatMap((name) => [remove(`odd/${name}/child`), remove(`odd/${name}`)]));
      expect(await a.list('odd')).toEqual([]);
    });

    it.each(['/lead', 'trail/', 'a//b', '', '.', 'a/..', 'nul\0', 'new\nline'])('%j is not a path', async (path) => {
      const [a] = await bench.sessions(1);
      await expect(a.commit([create(path)])).rejects.toThrow('path');
      await expect(a.commit([create('fine'), create(path)])).rejects.toThrow('path');
      await expect(a.read(path)).rejects.toThrow('path');
      expect(await a.list('')).toEqual([]);
    });
  });
}
