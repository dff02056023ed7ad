import { describe, expect, test } from 'vitest';
import { BEGINNING_BYTES_MAX, NOWHERE, PIECE_BYTES_MAX, RecentInput } from '../../src/worker/recent-input.ts';

const MANY = 1000;

describe('recent input', () => {
  test('is found where it was put, with what came behind it', () => {
    const input = new RecentInput();
    const first = input.add(Buffer.from('-first-'), 1, 6);
    const second = input.add(Buffer.from('second'), 0, 6);
    expect(input.from(first)?.toString()).toBe('firstsecond');
    expect(input.from(second + 3)?.toString()).toBe('ond');
  });

  test('of any age is either what was put there or gone', () => {
    const input = new RecentInput();
    const kept: { text: string; at: number }[] = [];
    for (let count = 0; count < MANY; count++) {
      const text = `${count}:`.padEnd(1 + ((count * 7919) % PIECE_BYTES_MAX), 'x');
      kept.push({ text, at: input.add(Buffer.from(text), 0, text.length) });
    }
    const found = kept.filter(({ at }) => input.from(at) !== null);
    for (const { text, at } of found) expect(input.from(at)?.toString('latin1', 0, text.length)).toBe(text);
    expect(found.length).toBeGreaterThan(100);
    expect(found.length).toBeLessThan(MANY);
    expect(found).toEqual(kept.slice(-found.length));
  });

  test('longer than a piece may be is kept as far as a piece goes', () => {
    const input = new RecentInput();
    const at = input.add(Buffer.alloc(PIECE_BYTES_MAX + 1, 'a'), 0, PIECE_BYTES_MAX + 1);
    expect(input.from(at)?.length).toBe(PIECE_BYTES_MAX);
  });

  test('that is the beginning of something longer ends where that was cut', () => {
    const input = new RecentInput();
    const long = Buffer.alloc(BEGINNING_BYTES_MAX * 2, 'a');
    const short = Buffer.from('short');
    const positions = [input.addBeginning(long, 1, long.length), input.addBeginning(short, 0, short.length)];
    input.add(Buffer.from('of another client'), 0, 17);
    expect(positions.map((at) => input.from(at)?.toString())).toEqual(['a'.repeat(BEGINNING_BYTES_MAX), 'short']);
  });

  test('that nobody put there is nowhere', () => {
    expect(new RecentInput().from(NOWHERE)).toBeNull();
  });
});
