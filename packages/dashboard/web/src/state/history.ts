// The numbers of the charts: fetched once for a range, and carried on from the live stream.

import type { HistoryMarkerView, HistoryRangeName, HistorySeriesView, HistoryView } from '@codis/config/api';
import { effect, signal } from '@preact/signals';
import { asProblem, get, type Problem } from './api.ts';
import { connection, live } from './live.ts';

export type SeriesName = keyof HistorySeriesView;
type Series = Record<SeriesName, (number | null)[]>;

export interface History {
  readonly range: HistoryRangeName;
  readonly stepSeconds: number;
  readonly times: readonly number[];
  readonly series: Readonly<Series>;
  readonly markers: readonly HistoryMarkerView[];
}

export const RANGES: readonly HistoryRangeName[] = ['15m', '1h', '6h', '24h'];
const RANGE_SECONDS: Record<HistoryRangeName, number> = { '15m': 900, '1h': 3600, '6h': 21_600, '24h': 86_400 };

export const range = signal<HistoryRangeName>('15m');
export const history = signal<History | null>(null);
export const historyProblem = signal<Problem | null>(null);

/** Loads the range that is asked for, anew after each break of the stream, and appends what comes; until it is stopped. */
export function followHistory(): () => void {
  const stopLoading = effect(() => {
    if (connection.value.kind === 'live') void load(range.value);
  });
  const stopAppending = effect(() => {
    const point = live.value?.point;
    const current = history.peek();
    if (point && current) history.value = appended(current, point);
  });
  return () => {
    stopLoading();
    stopAppending();
  };
}

async function load(wanted: HistoryRangeName): Promise<void> {
  try {
    const loaded = await get<HistoryView>(`/history?range=${wanted}`);
    if (range.peek() !== wanted) return;
    history.value = loaded as History;
    historyProblem.value = null;
  } catch (error) {
    historyProblem.value = asProblem(error);
  }
}

/** With the point at its end, and without what is out of the range by now; the same object when the point is too close to the last. */
export function appended(current: History, point: { readonly at: string } & { readonly [Name in SeriesName]: number | null }): History {
  const time = Date.parse(point.at) / 1000;
  const last = current.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (!(time >= last + current.stepSeconds * 0.9)) return current;
  const from = current.times.findIndex((at) => at > time - RANGE_SECONDS[current.range]);
  const keep = from < 0 ? current.times.length : from;
  const series = Object.fromEntries(
    Object.entries(current.series).map(([name, values]) => [name, [...values.slice(keep), point[name as SeriesName] ?? null]]),
  ) as Series;
  return { ...current, times: [...current.times.slice(keep), time], series };
}
