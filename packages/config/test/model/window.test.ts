// Times of day between which a migration runs.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOpenAt, parseWindow, timeText, windowText } from '../../src/model/index.ts';

const DAY = Array.from({ length: 1440 }, (_, minute) => minute);
const windows = fc
  .tuple(fc.nat(1439), fc.nat(1439))
  .filter(([from, to]) => from !== to)
  .map(([from, to]) => ({ from, to }));

describe('a window', () => {
  test('is read as it is written', () => {
    expect(parseWindow('00:00-07:00')).toEqual({ from: 0, to: 420 });
    expect(parseWindow(' 22:30-06:05 ')).toEqual({ from: 1350, to: 365 });
    expect(windowText(parseWindow('22:00-24:00'))).toBe('22:00-00:00');
    fc.assert(
      fc.property(windows, (window) => {
        expect(parseWindow(windowText(window))).toEqual(window);
      }),
    );
  });

  test.each(['', '7-8', '24:00-07:00', '00:00-24:01', '00:60-01:00', '00:00-07:00-08:00', '7:00-8:00', '07:00', 'none'])(
    '%j is none',
    (text) => {
      expect(() => parseWindow(text)).toThrow('is no window');
    },
  );

  test('that ends when it begins says nothing', () => {
    expect(() => parseWindow('07:00-07:00')).toThrow('begins when it ends');
    expect(() => parseWindow('00:00-24:00')).toThrow('begins when it ends');
  });

  test('is open from its first minute to before its last, also over midnight', () => {
    const night = parseWindow('22:30-06:00');
    expect(['22:29', '22:30', '23:59', '00:00', '05:59', '06:00', '12:00'].map((time) => [time, open(night, time)])).toEqual([
      ['22:29', false],
      ['22:30', true],
      ['23:59', true],
      ['00:00', true],
      ['05:59', true],
      ['06:00', false],
      ['12:00', false],
    ]);
    fc.assert(
      fc.property(windows, ({ from, to }) => {
        expect(isOpenAt({ from, to }, from)).toBe(true);
        expect(isOpenAt({ from, to }, to)).toBe(false);
        expect(DAY.filter((minute) => isOpenAt({ from, to }, minute))).toHaveLength((to - from + 1440) % 1440);
        // What one leaves of the day the other has.
        for (const minute of DAY) expect(isOpenAt({ from, to }, minute)).toBe(!isOpenAt({ from: to, to: from }, minute));
      }),
    );
  });
});

const open = (window: { from: number; to: number }, time: string) => isOpenAt(window, DAY.find((minute) => timeText(minute) === time)!);
