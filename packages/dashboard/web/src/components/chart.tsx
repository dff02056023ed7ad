// A line chart over time, drawn by uPlot, with a sentence that says the same. The library comes when the first chart is shown.

import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { time } from '../lib/format.ts';
import { type History, RANGE_SECONDS, type SeriesName } from '../lib/history.ts';
import { t } from '../lib/words.ts';
import { history } from '../state/history.ts';
import { paintedTheme } from '../state/theme.ts';

export interface Line {
  readonly name: SeriesName;
  readonly label: string;
  /** A token of tokens.css. */
  readonly colour: string;
  readonly dash?: readonly number[];
}

interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number | null) => string;
}

const HEIGHT = 150;
/** Below this an axis needs seconds. */
const SHORT_SECONDS = 300;

export function Chart({ title, lines, format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const current = history.value;
  useEffect(() => {
    let gone = false;
    void draw(place.current, { lines, format }).then((drawn) => {
      if (gone) drawn?.destroy();
      else chart.current = drawn;
    });
    const sizes = new ResizeObserver(([entry]) =>
      chart.current?.setSize({ width: Math.max(200, entry?.contentRect.width ?? 0), height: HEIGHT }),
    );
    if (place.current) sizes.observe(place.current);
    return () => {
      gone = true;
      sizes.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [paintedTheme.value]);
  useEffect(() => {
    if (current !== null) chart.current?.setData(dataOf(current, lines));
  }, [current]);
  return (
    <figure class="chart">
      <figcaption>
        {t(title)}
        {lines.length > 1
          ? lines.map(({ name, label }, index) => (
              <span key={name} class={`line-name line-${index + 1}`}>
                {t(label)}
              </span>
            ))
          : null}
        <span class="hint">{summary(current, lines, format)}</span>
      </figcaption>
      <div ref={place} class="chart-place" aria-hidden="true" />
    </figure>
  );
}

/** The newest values, in words. */
function summary(current: History | null, lines: readonly Line[], format: ChartProps['format']): string {
  if (current === null || current.times.length === 0) return t('no numbers yet');
  return t('now {values}', { values: lines.map(({ name }) => format(current.series[name].at(-1) ?? null)).join(' / ') });
}

async function draw(place: HTMLElement | null, { lines, format }: Pick<ChartProps, 'lines' | 'format'>): Promise<uPlot | null> {
  const { default: Plot } = await import('uplot');
  const current = history.peek();
  if (place === null || !place.isConnected) return null;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = { stroke: token('--muted'), grid: { stroke: token('--border'), width: 1 }, ticks: { stroke: token('--border'), width: 1 } };
  const options: uPlot.Options = {
    width: Math.max(200, place.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false } },
    scales: {
      x: { range: (_, first, last) => spanOf(first, last) },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max((high ?? 0) * 1.15, 1)] },
    },
    axes: [
      { ...axis, size: 30, space: 72, values: (_, times) => times.map((at) => clock(at, times)) },
      { ...axis, size: 74, values: (_, values) => values.map((value) => format(value)) },
    ],
    series: [
      {},
      ...lines.map(({ label, colour, dash }) => ({
        label,
        stroke: token(colour),
        width: 1.5,
        ...(dash === undefined ? {} : { dash: [...dash] }),
        points: { show: false },
      })),
    ],
    hooks: { draw: [(plot) => drawMarkers(plot, token('--border-strong'))] },
  };
  return new Plot(options, current === null ? [[], ...lines.map(() => [])] : dataOf(current, lines), place);
}

/** What there is, but at most the range that was asked for. */
function spanOf(first: number | null, last: number | null): [number, number] {
  if (first === null || last === null) return [0, 1];
  return [Math.min(last - 1, Math.max(first, last - RANGE_SECONDS[history.peek()?.range ?? '15m'])), last];
}

function clock(at: number, times: readonly number[]): string {
  const text = time(new Date(at * 1000).toISOString()).slice(-8);
  return (times.at(-1) ?? 0) - (times[0] ?? 0) < SHORT_SECONDS ? text : text.slice(0, -3);
}

function dataOf(current: History, lines: readonly Line[]): uPlot.AlignedData {
  return [[...current.times], ...lines.map(({ name }) => [...current.series[name]])];
}

/** What happened, as lines on the axis of time. */
function drawMarkers(plot: uPlot, colour: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([3, 3]);
  for (const { time: at } of history.peek()?.markers ?? []) {
    const x = Math.round(plot.valToPos(at, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
