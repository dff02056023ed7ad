// codis-config slot busy: which slots clients ask most for, and when.

import type { Command } from 'commander';
import type { SlotHistoryView } from '../../api/index.ts';
import { numberOption, slotRangeArgument } from '../arguments.ts';
import { queryText } from '../client.ts';
import { sessionOf } from '../session.ts';

const MINUTES_MAX = 360;
const NOT_KNOWN = 255;

interface BusyOptions {
  readonly minutes: number;
  readonly slots?: { readonly first: number; readonly last: number };
  readonly limit: number;
}

export interface BusySlot {
  readonly slot: number;
  /** Requests a second, over the minutes that are known. */
  readonly mean: number;
  readonly peak: number;
  /** ISO 8601, of the minute's beginning. */
  readonly peakAt: string;
}

export function busyCommand(slot: Command): void {
  slot
    .command('busy')
    .description('the slots that clients asked most for lately, minute by minute as the dashboard has kept it')
    .option('--minutes <count>', 'so far back', numberOption('--minutes', { min: 1, max: MINUTES_MAX }), 60)
    .option('--slots <first-last>', 'only these', slotRangeArgument)
    .option('--limit <count>', 'at most this many', numberOption('--limit', { min: 1, max: 1024 }), 20)
    .action(async ({ minutes, slots, limit }: BusyOptions, command: Command) => {
      const session = sessionOf(command);
      const from = Math.floor(Date.now() / 1000) - (minutes - 1) * 60;
      const view = await session.get<SlotHistoryView>(`/slots/history?${queryText({ from, ...slots })}`);
      const busy = busiest(view).slice(0, limit);
      session.print({
        json: view,
        table: {
          head: ['SLOT', 'MEAN/S', 'PEAK/S', 'PEAK AT'],
          rows: busy.map(({ slot: number, mean, peak, peakAt }) => [number, rounded(mean), rounded(peak), peakAt]),
        },
        names: busy.map(({ slot: number }) => number),
        notes: [view.minutesCount === 0 ? 'nothing has been counted yet' : `of ${view.minutesCount} minutes, to within 5 %`],
      });
    });
}

/** Most first; without those that had no request, as far as known. */
export function busiest({ from, stepSeconds, minutesCount, first, last, levels, least, ratio }: SlotHistoryView): BusySlot[] {
  const bytes = Buffer.from(levels, 'base64');
  const width = last - first + 1;
  const found: BusySlot[] = [];
  for (let column = 0; column < width; column++) {
    const byMinute = Array.from({ length: minutesCount }, (_, minute) => bytes[minute * width + column] ?? NOT_KNOWN);
    const peakLevel = Math.max(0, ...byMinute.filter((level) => level !== NOT_KNOWN));
    if (peakLevel === 0 || from === null) continue;
    const rates = byMinute.filter((level) => level !== NOT_KNOWN).map((level) => (level === 0 ? 0 : least * ratio ** (level - 1)));
    found.push({
      slot: first + column,
      mean: rates.reduce((sum, rate) => sum + rate, 0) / rates.length,
      peak: Math.max(...rates),
      peakAt: new Date((from + byMinute.indexOf(peakLevel) * stepSeconds) * 1000).toISOString(),
    });
  }
  return found.sort((a, b) => b.mean - a.mean || a.slot - b.slot);
}

const rounded = (rate: number): number => Number(rate.toPrecision(3));
