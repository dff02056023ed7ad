import { describe, expect, test } from 'vitest';
import { ago, bytes, compact, count, duration, percent, plural, printable, rate, shellQuote, time } from '../../web/src/lib/format.ts';
import { parseSafely } from '../../web/src/lib/safe-json.ts';

describe('what is not known', () => {
  test('is a dash, never a zero', () => {
    expect([count(null), compact(undefined), bytes(null), rate(null), percent(null), duration(null), time(null), ago(null, 0)]).toEqual(
      new Array(8).fill('—'),
    );
    expect([count(0), compact(0), bytes(0), rate(0), percent(0), duration(0)]).toEqual(['0', '0', '0 B', '0/s', '0 %', '0 s']);
  });

  test('includes a time that is none', () => {
    expect([time('yesterday'), ago('yesterday', 0)]).toEqual(['—', '—']);
  });
});

test.each([
  [999, '999'],
  [999.6, '1.0k'],
  [1500, '1.5k'],
  [183_204, '183k'],
  [999_999, '1.0M'],
  [0.25, '0.3'],
  [-2500, '-2.5k'],
])('%d is %s where room is scarce', (value, text) => {
  expect(compact(value)).toBe(text);
});

test.each([
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [1024 ** 2 - 1, '1.0 MiB'],
  [300 * 1024 ** 2, '300 MiB'],
])('%d bytes are %s', (value, text) => {
  expect(bytes(value)).toBe(text);
});

test.each([
  [0.25, '0.3 ms'],
  [12.4, '12 ms'],
  [59_600, '1 min'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [3_723_000, '1 h 2 min'],
  [90_000_000, '1 d 1 h'],
])('%d ms are %s', (value, text) => {
  expect(duration(value)).toBe(text);
});

test('a time of another day has its day', () => {
  const at = new Date(2026, 10, 28, 4, 3, 9);
  expect(time(at.toISOString(), at)).toBe('04:03:09');
  expect(time(at.toISOString(), new Date(2026, 10, 29))).toBe('2026-11-28 04:03:09');
});

test('a small share is not rounded to nothing', () => {
  expect([percent(0.2), percent(41.4), plural(1, 'slot'), plural(0, 'slot')]).toEqual(['<1 %', '41 %', '1 slot', '0 slots']);
});

test('what turns text round, hides in it or breaks the line is shown as an escape', () => {
  expect(printable('a\u0000\n\u202Eb\u200B\u{E0001}<b>é')).toBe('a\\x00\\x0a\\u{202e}b\\u{200b}\\u{e0001}<b>é');
});

test('an argument reaches the shell as it is', () => {
  expect([shellQuote('0-255'), shellQuote("it's $HOME"), shellQuote('')]).toEqual(['0-255', "'it'\\''s $HOME'", "''"]);
});

test('texts of the dashboard can be shown when they come through the door, keys of objects and numbers stay', () => {
  const name = 'a\u202e\u0007\u200bb\n';
  const shown = 'a\\u{202e}\\x07\\u{200b}b\\x0a';
  expect(parseSafely(JSON.stringify({ deep: [{ name }], count: 5, none: null }))).toEqual({
    deep: [{ name: shown }],
    count: 5,
    none: null,
  });
  expect(parseSafely(JSON.stringify({ name: '<b>é 中 "' }))).toEqual({ name: '<b>é 中 "' });
  expect(() => parseSafely('{')).toThrow(SyntaxError);
});
