// What the cluster did lately, in rings of fixed length: fine for the last quarter of an hour, coarser the further back. No clock of its own: each point says when it was.
//
//   15m: a point every 2 s    1h: 10 s    6h: 60 s    24h: 240 s

import type { HistoryMarkerView, HistoryRangeName, HistorySeriesView, HistoryView, StatsPointView } from '@codis/config/api';

interface Span {
  readonly stepSeconds: number;
  readonly points: number;
}

const SPANS: Readonly<Record<HistoryRangeName, Span>> = {
  '15m': { stepSeconds: 2, points: 450 },
  '1h': { stepSeconds: 10, points: 360 },
  '6h': { stepSeconds: 60, points: 360 },
  '24h': { stepSeconds: 240, points: 360 },
};
const MARKERS_MAX = 500;

type SeriesName = keyof HistorySeriesView;
/** How several points become one: the mean, the worst of them, or the last. */
const MERGES: Readonly<Record<SeriesName, 'mean' | 'max' | 'last'>> = {
  opsPerSecond: 'mean',
  errorsPerSecond: 'mean',
  p50Ms: 'mean',
  p95Ms: 'max',
  p99Ms: 'max',
  sessions: 'last',
  usedMemoryBytes: 'last',
  keysCount: 'last',
};
const NAMES = Object.keys(MERGES) as SeriesName[];

type Values = Record<SeriesName, number | null>;

interface Cell {
  /** Unix seconds, a multiple of the step. */
  readonly time: number;
  values: Values;
  /** How many known values a mean is of, by name. */
  readonly counts: Record<SeriesName, number>;
}

export class History {
  readonly #rings = new Map<HistoryRangeName, Cell[]>(Object.keys(SPANS).map((name) => [name as HistoryRangeName, []]));
  readonly #markers: HistoryMarkerView[] = [];
  #fresh: HistoryMarkerView[] = [];

  add(point: StatsPointView): void {
    const time = Math.floor(Date.parse(point.at) / 1000);
    for (const [name, cells] of this.#rings) {
      const { stepSeconds, points } = SPANS[name];
      const start = time - (time % stepSeconds);
      const last = cells.at(-1);
      if (last?.time === start) merge(last, point);
      else cells.push(newCell(start, point));
      while (cells.length > points || (cells[0] && cells[0].time <= start - points * stepSeconds)) cells.shift();
    }
  }

  mark(marker: HistoryMarkerView): void {
    this.#markers.push(marker);
    if (this.#markers.length > MARKERS_MAX) this.#markers.shift();
    this.#fresh = [...this.#fresh, marker].slice(-MARKERS_MAX);
  }

  /** Those that were made since this was last asked for. */
  takeFresh(): readonly HistoryMarkerView[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** Times without a point, because the dashboard was busy or the clock was set, are simply missing. */
  view(range: HistoryRangeName): HistoryView {
    const cells = this.#rings.get(range) ?? [];
    const column = (name: SeriesName) => cells.map(({ values }) => values[name]);
    const [first] = cells;
    return {
      range,
      stepSeconds: SPANS[range].stepSeconds,
      times: cells.map(({ time }) => time),
      series: {
        opsPerSecond: column('opsPerSecond'),
        errorsPerSecond: column('errorsPerSecond'),
        p50Ms: column('p50Ms'),
        p95Ms: column('p95Ms'),
        p99Ms: column('p99Ms'),
        sessions: column('sessions'),
        usedMemoryBytes: column('usedMemoryBytes'),
        keysCount: column('keysCount'),
      },
      markers: first ? this.#markers.filter(({ time }) => time >= first.time) : [],
    };
  }
}

function newCell(time: number, point: StatsPointView): Cell {
  const cell: Cell = { time, values: {} as Values, counts: {} as Record<SeriesName, number> };
  for (const name of NAMES) {
    cell.values[name] = point[name];
    cell.counts[name] = point[name] === null ? 0 : 1;
  }
  return cell;
}

function merge({ values, counts }: Cell, point: StatsPointView): void {
  for (const name of NAMES) {
    const before = values[name];
    const now = point[name];
    if (now === null) continue;
    counts[name] += 1;
    if (before === null || MERGES[name] === 'last') values[name] = now;
    else if (MERGES[name] === 'max') values[name] = Math.max(before, now);
    else values[name] = Number((before + (now - before) / counts[name]).toFixed(3));
  }
}
