// Time × slot: what each slot got in each minute, as bytes on a logarithmic scale, and how that becomes a picture. Pure.

import type { SlotHistoryView, SlotStateView } from '@codis/config/api';
import { SLOT_COUNT } from './slots.ts';

export const NOT_KNOWN = 255;
export const MINUTES_MAX = 360;

export interface Heat {
  /** Unix seconds of the first minute. */
  readonly from: number;
  readonly minutes: number;
  /** Of all slots, minute after minute; 0: no request, 255: not known. */
  readonly levels: Uint8Array;
  readonly least: number;
  readonly ratio: number;
}

/** A part of it: minutes and rows, the last ones included. A row is a place in an order of slots. */
export interface Window {
  readonly firstMinute: number;
  readonly lastMinute: number;
  readonly firstRow: number;
  readonly lastRow: number;
}

export interface Place {
  readonly minute: number;
  readonly row: number;
}

export const wholeOf = ({ minutes }: Heat): Window => ({ firstMinute: 0, lastMinute: minutes - 1, firstRow: 0, lastRow: SLOT_COUNT - 1 });

/** Of all slots; with what was known before, where the new one begins no later than that ends. Null when nothing is kept yet. */
export function heatOf(view: SlotHistoryView, before: Heat | null): Heat | null {
  if (view.from === null) return before;
  const levels = Uint8Array.from(atob(view.levels), (char) => char.charCodeAt(0));
  const fresh: Heat = { from: view.from, minutes: view.minutesCount, levels, least: view.least, ratio: view.ratio };
  if (before === null) return fresh;
  const kept = (fresh.from - before.from) / 60;
  if (!(kept >= 0 && kept <= before.minutes)) return fresh;
  const joined = new Uint8Array((kept + fresh.minutes) * SLOT_COUNT);
  joined.set(before.levels.subarray(0, kept * SLOT_COUNT));
  joined.set(levels, kept * SLOT_COUNT);
  const over = Math.max(0, kept + fresh.minutes - MINUTES_MAX);
  return { ...fresh, from: before.from + over * 60, minutes: kept + fresh.minutes - over, levels: joined.subarray(over * SLOT_COUNT) };
}

/** Requests a second; null: not known. */
export function rateOf({ levels, least, ratio }: Heat, minute: number, slot: number): number | null {
  const level = levels[minute * SLOT_COUNT + slot] ?? NOT_KNOWN;
  return level === NOT_KNOWN ? null : level === 0 ? 0 : least * ratio ** (level - 1);
}

/** The slots from top to bottom: by number, or those of a group together. */
export function orderOf(slots: readonly SlotStateView[], by: 'slot' | 'group'): readonly number[] {
  const order = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
  if (by === 'slot') return order;
  const group = (slot: number) => slots[slot]?.group ?? Number.POSITIVE_INFINITY;
  return order.sort((a, b) => (group(a) === group(b) ? a - b : group(a) - group(b)));
}

/** The levels as `width` × `height` points. Where several share a point the busiest is shown, so that none is lost; unknown only where none is known. */
export function raster(heat: Heat, order: readonly number[], window: Window, size: { width: number; height: number }): Uint8Array {
  const points = new Uint8Array(size.width * size.height);
  const minutes = spans(window.firstMinute, window.lastMinute, size.width);
  const rows = spans(window.firstRow, window.lastRow, size.height);
  for (const [y, [top, bottom]] of rows.entries()) {
    for (const [x, [left, right]] of minutes.entries()) {
      let busiest = -1;
      for (let row = top; row <= bottom; row++) {
        const slot = order[row] ?? 0;
        for (let minute = left; minute <= right; minute++) {
          const level = heat.levels[minute * SLOT_COUNT + slot] ?? NOT_KNOWN;
          if (level !== NOT_KNOWN && level > busiest) busiest = level;
        }
      }
      points[y * size.width + x] = busiest < 0 ? NOT_KNOWN : busiest;
    }
  }
  return points;
}

/** Of a window that is looked at as one point: the place that the point is painted as. */
export function busiestPlace(heat: Heat, order: readonly number[], { firstMinute, lastMinute, firstRow, lastRow }: Window): Place {
  let found: Place = { minute: firstMinute, row: firstRow };
  let busiest = -1;
  for (let row = firstRow; row <= lastRow; row++) {
    for (let minute = firstMinute; minute <= lastMinute; minute++) {
      const level = heat.levels[minute * SLOT_COUNT + (order[row] ?? 0)] ?? NOT_KNOWN;
      if (level !== NOT_KNOWN && level > busiest) [busiest, found] = [level, { minute, row }];
    }
  }
  return found;
}

/** What the point `x`, `y` of `size` stands for, as `raster` has it. */
export function windowAt(
  { firstMinute, lastMinute, firstRow, lastRow }: Window,
  size: { width: number; height: number },
  { x, y }: { x: number; y: number },
): Window {
  const minutes = span({ first: firstMinute, last: lastMinute, count: size.width }, x);
  const rows = span({ first: firstRow, last: lastRow, count: size.height }, y);
  return { firstMinute: minutes[0], lastMinute: minutes[1], firstRow: rows[0], lastRow: rows[1] };
}

/** Which of `first` to `last` each of `count` points is of. */
function spans(first: number, last: number, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, at) => span({ first, last, count }, at));
}

function span({ first, last, count }: { first: number; last: number; count: number }, at: number): readonly [number, number] {
  const step = (last - first + 1) / count;
  const begin = first + Math.floor(at * step);
  return [begin, Math.max(begin, Math.min(last, first + Math.ceil((at + 1) * step) - 1))];
}

/** Where on the ramp a level is, 0 to 1. `brightness` 1 to 100: the share of the scale above which all is as bright as can be is left out. */
export function shade(level: number, { max, brightness }: { max: number; brightness: number }): number {
  const top = Math.max(2, max * (1.02 - brightness / 100));
  return Math.min(1, Math.max(0, (level - 1) / (top - 1)));
}

/** The highest that is known; 1 when none is. */
export function highest({ levels }: Heat): number {
  let max = 1;
  for (const level of levels) if (level !== NOT_KNOWN && level > max) max = level;
  return max;
}

export interface Busy {
  readonly slot: number;
  /** Requests a second over the minutes that are known. */
  readonly mean: number;
  readonly peak: number;
  readonly peakMinute: number;
}

/** The busiest in a window, as far as known; none that had no request. */
export function busiest(heat: Heat, order: readonly number[], window: Window, limit: number): Busy[] {
  const found: Busy[] = [];
  for (let row = window.firstRow; row <= window.lastRow; row++) {
    const busy = busyOf(heat, order[row] ?? 0, window);
    if (busy !== null) found.push(busy);
  }
  return found.sort((a, b) => b.mean - a.mean || a.slot - b.slot).slice(0, limit);
}

function busyOf(heat: Heat, slot: number, { firstMinute, lastMinute }: Window): Busy | null {
  let sum = 0;
  let count = 0;
  let peak = 0;
  let peakMinute = firstMinute;
  for (let minute = firstMinute; minute <= lastMinute; minute++) {
    const rate = rateOf(heat, minute, slot);
    if (rate === null) continue;
    sum += rate;
    count++;
    if (rate > peak) [peak, peakMinute] = [rate, minute];
  }
  return peak === 0 ? null : { slot, mean: sum / count, peak, peakMinute };
}
