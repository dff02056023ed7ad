import { describe, expect, test } from 'vitest';
import { giveLarge, takeLarge } from '../../src/resp/large-buffers.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { FRAME, NEED, RequestScanner } from '../../src/resp/request-scanner.ts';

const MB = 1024 * 1024;

describe('a large buffer', () => {
  test('that was given back is used for the next request of about its size, once', () => {
    const first = takeLarge(MB + 60);
    giveLarge(first);
    expect(takeLarge(MB + 5000) === first).toBe(true);
    expect(takeLarge(MB + 5000) === first).toBe(false);
  });

  test('is little larger than asked for', () => {
    for (let bytes = 64 * 1024; bytes < 20 * MB; bytes = Math.ceil(bytes * 1.07)) {
      const { length } = takeLarge(bytes);
      expect(length).toBeGreaterThanOrEqual(bytes);
      expect(length).toBeLessThanOrEqual(bytes * 1.125);
    }
  });

  test('is not kept when more than 16 MB would be', () => {
    const given = Array.from({ length: 17 }, () => takeLarge(MB));
    for (const buf of given) giveLarge(buf);
    const again = Array.from({ length: 17 }, () => takeLarge(MB));
    expect(again.filter((buf) => given.includes(buf)).length).toBeLessThanOrEqual(16);
    const huge = takeLarge(17 * MB);
    giveLarge(huge);
    expect(takeLarge(17 * MB) === huge).toBe(false);
  });
});

describe('a request that arrives in pieces', () => {
  const set = (bytes: number, fill: number) => encodeRequest(['SET', 'k', Buffer.alloc(bytes, fill).toString('latin1')]);

  /** The frames found in `input`, fed in pieces of 64 KB. */
  function frames(input: Buffer): { buf: Buffer; isLarge: boolean; bytes: Buffer }[] {
    const scanner = new RequestScanner(100 * MB);
    const found = [];
    for (let at = 0; at < input.length; at += 65_536) {
      scanner.feed(Buffer.from(input.subarray(at, at + 65_536)));
      while (scanner.next() === FRAME) {
        const { buf, start, end, isLarge } = scanner.frame;
        found.push({ buf, isLarge, bytes: buf.subarray(start, end) });
      }
    }
    expect(scanner.next()).toBe(NEED);
    return found;
  }

  test('and is large has a buffer to give back', () => {
    const [found] = frames(set(MB, 1));
    expect(found?.isLarge).toBe(true);
    giveLarge(found!.buf);
    const [next] = frames(set(MB, 2));
    expect(next?.buf === found?.buf).toBe(true);
  });

  test('has none to give back when it is small, came as a whole, or shares its buffer with what comes before or after it', () => {
    expect(frames(set(60_000, 1))[0]?.isLarge).toBe(false);
    const small = set(10, 1);
    expect(frames(Buffer.concat([small, small])).map(({ isLarge }) => isLarge)).toEqual([false, false]);
    for (const input of [Buffer.concat([set(MB, 1), small]), Buffer.concat([set(MB, 1), set(MB, 2).subarray(0, 9)])]) {
      expect(frames(input)[0]?.isLarge).toBe(false);
    }
  });

  test('stays as it was while others come, if it was not given back', () => {
    const input = Buffer.concat([1, 2, 3, 4, 5].map((fill) => set(MB + fill * 7000, fill)));
    const found = frames(input);
    frames(input);
    expect(Buffer.concat(found.map(({ bytes }) => bytes)).equals(input)).toBe(true);
  });
});
