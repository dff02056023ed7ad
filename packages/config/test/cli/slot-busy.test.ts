// What `slot busy` makes of the bytes that the dashboard keeps.

import { expect, test } from 'vitest';
import type { SlotHistoryView } from '../../src/api/index.ts';
import { busiest } from '../../src/cli/commands/slot-busy.ts';

const view = (minutes: readonly (readonly number[])[]): SlotHistoryView => ({
  from: minutes.length === 0 ? null : 1_700_000_040,
  stepSeconds: 60,
  minutesCount: minutes.length,
  first: 10,
  last: 12,
  levels: Buffer.from(minutes.flat()).toString('base64'),
  least: 0.01,
  ratio: 2,
});

test('the mean is of the minutes that are known, and what had no request is left out', () => {
  expect(
    busiest(
      view([
        [1, 0, 255],
        [3, 0, 2],
      ]),
    ),
  ).toEqual([
    { slot: 10, mean: 0.025, peak: 0.04, peakAt: '2023-11-14T22:15:00.000Z' },
    { slot: 12, mean: 0.02, peak: 0.02, peakAt: '2023-11-14T22:15:00.000Z' },
  ]);
});

test('of nothing there is nothing', () => {
  expect(busiest(view([]))).toEqual([]);
  expect(busiest(view([[255, 255, 0]]))).toEqual([]);
});
