// The numbers of the charts over time, and how a new one is added. Pure.

import type { HistoryMarkerView, HistoryRangeName, HistorySeriesView } from '@codis/config/api';

export type SeriesName = keyof HistorySeriesView;
type Series = Record<SeriesName, (number | null)[]>;

export interface History {
  readonly range: HistoryRangeName;
  readonly stepSeconds: number;
  readonly times: readonly number[];
  readonly series: Readonly<Series>;
  readonly markers: readonly HistoryMarkerView[];
}

export const RANGE_SECONDS: Record<HistoryRangeName, number> = { '15m': 900, '1h': 3600, '6h': 21_600, '24h': 86_400 };

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

/** With those markers that it lacks; the same object when there are none. */
export function marked(current: History, markers: readonly HistoryMarkerView[]): History {
  const key = ({ time, text, event }: HistoryMarkerView) => `${time} ${event} ${text}`;
  const known = new Set(current.markers.map(key));
  const fresh = markers.filter((marker) => !known.has(key(marker)));
  return fresh.length === 0 ? current : { ...current, markers: [...current.markers, ...fresh].sort((a, b) => a.time - b.time) };
}
