// How a time is written behind an option.

import { describe, expect, test } from 'vitest';
import { momentOf } from '../../src/cli/arguments.ts';

const NOW = new Date(2026, 2, 1, 14, 5, 30);

describe('a time', () => {
  test('of day is the last one that the clock has shown', () => {
    expect(momentOf('14:05', NOW)).toEqual(new Date(2026, 2, 1, 14, 5));
    expect(momentOf('14:05:30', NOW)).toEqual(NOW);
    expect(momentOf('14:06', NOW)).toEqual(new Date(2026, 1, 28, 14, 6));
    expect(momentOf('00:00', NOW)).toEqual(new Date(2026, 2, 1));
  });

  test('with its day is of the zone it names, or of this machine', () => {
    expect(momentOf('2026-01-31T14:05Z', NOW).toISOString()).toBe('2026-01-31T14:05:00.000Z');
    expect(momentOf('2026-01-31T14:05:59.250+02:00', NOW).toISOString()).toBe('2026-01-31T12:05:59.250Z');
    expect(momentOf('2026-01-31 14:05', NOW)).toEqual(new Date(2026, 0, 31, 14, 5));
  });

  test.each(['', '24:00', '12:60', '1:5', 'now', '2026-01-31', '2026-13-01T00:00Z', '1769868300', '1969-12-31T23:59Z', '14:05\n'])(
    'is not %j',
    (text) => {
      expect(() => momentOf(text, NOW)).toThrow('is not a time: write 14:05');
    },
  );
});
