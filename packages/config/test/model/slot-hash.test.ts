// The slot of a key, held against zlib's CRC and Codis's rule written down a second time.

import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32, slotOf } from '../../src/model/index.ts';

const slot = (key: string) => slotOf(Buffer.from(key));
const hashed = (text: string | Buffer) => zlibCrc32(text) % 1024;

/** Codis 3.2, pkg/proxy/mapper.go, Hash(): the first `{`, then the first `}` after it. */
function codisTag(key: Buffer): Buffer {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close < 0 ? key : key.subarray(open + 1, close);
}

/** Bytes in which braces are common. */
const keys = fc
  .array(fc.oneof(fc.constantFrom(0x7b, 0x7d), fc.integer({ min: 0, max: 255 })), { maxLength: 40 })
  .map((bytes) => Buffer.from(bytes));

describe('crc32', () => {
  test('is the one of IEEE 802.3', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(Buffer.from(''))).toBe(0);
  });

  test('agrees with zlib on any bytes, and on any part of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), (bytes, a, b) => {
        const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
        expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)));
      }),
    );
  });
});

describe('slotOf', () => {
  test('keeps Codis’s rule on any bytes', () => {
    fc.assert(
      fc.property(keys, (key) => {
        expect(slotOf(key)).toBe(hashed(codisTag(key)));
      }),
      { numRuns: 2000 },
    );
  });

  test('looks at its part of a larger buffer only', () => {
    fc.assert(
      fc.property(keys, keys, keys, (before, key, after) => {
        const frame = Buffer.concat([before, key, after]);
        expect(slotOf(frame, before.length, before.length + key.length)).toBe(slotOf(key));
      }),
    );
  });

  test.each([
    ['a key without braces is hashed whole', 'user:1', hashed('user:1')],
    ['the tag alone counts', 'a{user:1}b', hashed('user:1')],
    ['an empty tag is slot 0, where Redis Cluster would hash the whole key', 'a{}b', 0],
    ['an empty key is slot 0', '', 0],
    ['a brace that is never closed is a letter like any other', 'a{b', hashed('a{b')],
    ['so is one that is closed before it opens', 'a}b{c', hashed('a}b{c')],
    ['the first pair counts, not the second', '{a}{b}', hashed('a')],
    ['a tag begins at the first brace, even when another one follows', '{{a}}', hashed('{a')],
    ['an empty first pair counts, whatever follows', '{}{a}', 0],
    ['a closing brace before the tag is passed over', '}{a}', hashed('a')],
  ])('%s', (_, key, expected) => {
    expect(slot(key)).toBe(expected);
  });

  test('keys with one tag share a slot', () => {
    expect(slot('{user1000}.following')).toBe(slot('{user1000}.followers'));
  });
});
