// Time × slot: how busy each slot was in each minute of the last six hours. Loaded when it is looked at.

import type { SlotHistoryView } from '@codis/config/api';
import { type ReadonlySignal, signal, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { GroupMark } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { HeatCanvas, type HeatPicture } from '../components/heat-canvas.ts';
import { ProblemBox } from '../components/problem.tsx';
import { type Column, Table } from '../components/table.tsx';
import { plural, rate, time } from '../lib/format.ts';
import {
  type Busy,
  busiest,
  busiestPlace,
  type Heat,
  heatOf,
  highest,
  orderOf,
  type Place,
  raster,
  rateOf,
  shade,
  type Window,
  wholeOf,
} from '../lib/heat.ts';
import { SLOT_COUNT } from '../lib/slots.ts';
import { msg, t } from '../lib/words.ts';
import { asProblem, get, type Problem } from '../state/api.ts';
import { paused, topology } from '../state/live.ts';
import { navigate, query, queryWith, setQuery, to } from '../state/router.ts';
import { paintedTheme } from '../state/theme.ts';

const AGAIN_MS = 30_000;
const BUSIEST = 20;
const LABEL = msg(
  'Requests of each slot over time. Arrow keys, Home, End, Page Up and Page Down go about; with Shift they choose a part; Enter zooms into it, or shows the slot and its hot keys then; plus and minus zoom; Escape shows all.',
);

const heat = signal<Heat | null>(null);
const problem = signal<Problem | null>(null);
/** By time, not by minute: what is kept moves on. */
const zoom = signal<{ readonly from: number; readonly to: number; readonly firstRow: number; readonly lastRow: number } | null>(null);
const brightness = signal(0);
const looked = signal<{ readonly at: number; readonly row: number } | null>(null);

export function HeatMap() {
  useEffect(() => {
    void load();
    const timer = setInterval(() => {
      if (!paused.value) void load();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const current = heat.value;
  const grouped = query.value.get('order') === 'group';
  const slots = topology.value?.slots;
  const order = useMemo(() => orderOf(slots ?? [], grouped ? 'group' : 'slot'), [slots, grouped]);
  if (current === null) {
    if (problem.value !== null) return <ProblemBox problem={problem.value} />;
    return <p role="status">{asked.value ? t(NOTHING_YET) : t('Reading …')}</p>;
  }
  const window = windowOf(current);
  return (
    <section class="heat-page" aria-label={t('Requests of each slot over time')}>
      <Controls grouped={grouped} />
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
      <Readout heat={current} order={order} />
      <Canvas heat={current} order={order} window={window} grouped={grouped} />
      <p class="heat-times hint">
        <Minute heat={current} minute={window.firstMinute} />
        <Minute heat={current} minute={window.lastMinute + 1} />
      </p>
      <HeatLegend heat={current} />
      <h2>{t('Busiest of what is shown')}</h2>
      <Busiest heat={current} order={order} window={window} />
      <Copy text={cliOf(current, window, { grouped })} />
      <p class="hint">
        {t(
          'Clients’ requests as all proxies together counted them, the mean of each minute, to within 5 %. Kept by this dashboard since it started, for six hours at most.',
        )}
      </p>
    </section>
  );
}

/** Rows that are not by number are no range of slots. */
function cliOf(current: Heat, { firstMinute, firstRow, lastRow }: Window, { grouped }: { grouped: boolean }): string {
  const slots = grouped || (firstRow === 0 && lastRow === SLOT_COUNT - 1) ? '' : ` --slots ${firstRow}-${lastRow}`;
  return `codis-config slot busy --minutes ${current.minutes - firstMinute}${slots}`;
}

const NOTHING_YET = msg('Nothing has been counted yet: proxies are asked every ten seconds, and a rate takes two answers.');
const asked = signal(false);

async function load(): Promise<void> {
  const before = heat.peek();
  // The last minute again, for it was not over.
  const from = before === null ? 0 : before.from + (before.minutes - 1) * 60;
  try {
    heat.value = heatOf(await get<SlotHistoryView>(`/slots/history?from=${from}`), before);
    problem.value = null;
  } catch (error) {
    problem.value = asProblem(error);
  } finally {
    asked.value = true;
  }
}

/** What is zoomed to, as far as it is still kept. */
function windowOf(current: Heat): Window {
  const wanted = zoom.value;
  if (wanted === null) return wholeOf(current);
  const minute = (at: number) => Math.min(current.minutes - 1, Math.max(0, Math.round((at - current.from) / 60)));
  return {
    firstMinute: minute(wanted.from),
    lastMinute: minute(wanted.to),
    firstRow: Math.max(0, wanted.firstRow),
    lastRow: Math.min(SLOT_COUNT - 1, wanted.lastRow),
  };
}

function zoomTo(current: Heat, window: Window | null): void {
  if (window === null) zoom.value = null;
  else {
    const { firstMinute, lastMinute, firstRow, lastRow } = window;
    zoom.value = { from: current.from + firstMinute * 60, to: current.from + lastMinute * 60, firstRow, lastRow };
  }
}

function Controls({ grouped }: { grouped: boolean }) {
  return (
    <div class="toolbar">
      <label class="choice">
        <input
          type="checkbox"
          checked={grouped}
          onChange={() => {
            zoom.value = null;
            setQuery({ order: grouped ? null : 'group' });
          }}
        />
        <span>{t('Group by group')}</span>
      </label>
      <label class="choice">
        <span>{t('Brightness')}</span>
        <input
          type="range"
          min={0}
          max={90}
          step={5}
          value={brightness.value}
          onInput={(event) => {
            brightness.value = Number(event.currentTarget.value);
          }}
        />
      </label>
      <Button
        block={zoom.value === null ? t('All of it is shown.') : null}
        onClick={() => {
          zoom.value = null;
        }}
      >
        {t('Show all')}
      </Button>
      <span class="hint">{t('Drag to zoom; click for the slot and its hot keys in that minute.')}</span>
    </div>
  );
}

interface HeatProps {
  readonly heat: Heat;
  /** Which slot each row is. */
  readonly order: readonly number[];
}

/** What the pointer or the keyboard is on. */
function Readout({ heat: current, order }: HeatProps) {
  const at = looked.value;
  const slot = order[at?.row ?? 0] ?? 0;
  const minute = at === null ? -1 : Math.round((at.at - current.from) / 60);
  if (minute < 0) return <p role="status">&nbsp;</p>;
  const group = topology.value?.slots[slot]?.group ?? null;
  const value = rateOf(current, minute, slot);
  return (
    <p role="status">
      {t('slot {slot}, {group}, {at}: ', {
        slot,
        group: group === null ? t('no group') : t('group {id}', { id: group }),
        at: clock(current, minute),
      })}
      <strong>{value === null ? t('not known') : value === 0 ? t('no requests') : rateText(value)}</strong>
    </p>
  );
}

function Canvas({ heat: current, order, window, grouped }: HeatProps & { window: Window; grouped: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HeatCanvas | null>(null);
  const width = useSignal(0);
  const latest = useRef({ current, order });
  latest.current = { current, order };
  useEffect(() => {
    canvas.current = new HeatCanvas(t(LABEL), {
      onLook: ({ minute, row }: Place) => {
        looked.value = { at: latest.current.current.from + minute * 60, row };
      },
      onOpen: ({ minute, row }) => {
        const { current: shown, order: slots } = latest.current;
        navigate(thenOf(shown, { slot: slots[row] ?? 0, minute }), { stay: true });
      },
      onZoom: (wanted) => zoomTo(latest.current.current, wanted),
    });
    place.current?.replaceChildren(canvas.current.element);
    const sizes = new ResizeObserver(([entry]) => {
      width.value = entry?.contentRect.width ?? 0;
    });
    if (place.current) sizes.observe(place.current);
    return () => sizes.disconnect();
  }, []);
  const shown = [current, order, window.firstMinute, window.lastMinute, window.firstRow, window.lastRow];
  useEffect(() => {
    canvas.current?.paint(pictureOf({ heat: current, order, window, grouped }));
  }, [...shown, grouped, brightness.value, paintedTheme.value, width.value]);
  return <div ref={place} class="heat-place" />;
}

function pictureOf({ heat: current, order, window, grouped }: HeatProps & { window: Window; grouped: boolean }): HeatPicture {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const ramp = [1, 2, 3, 4, 5, 6, 7, 8].map((step) => rgbOf(token(`--ramp-${step}`)));
  const max = highest(current);
  const colours = Uint32Array.from({ length: 255 }, (_, level) =>
    level === 0 ? packed(rgbOf(token('--surface'))) : packed(onRamp(ramp, shade(level, { max, brightness: brightness.value }))),
  );
  return {
    window,
    raster: (size) => raster(current, order, window, size),
    pick: (point) => busiestPlace(current, order, point),
    colours,
    unknown: [packed(rgbOf(token('--bg'))), packed(rgbOf(token('--hatch')))],
    bands: grouped ? bandsOf(order, window).map(({ group, ...rows }) => ({ ...rows, colour: token(`--group-${group % 8}`) })) : [],
  };
}

function bandsOf(order: readonly number[], { firstRow, lastRow }: Window) {
  const bands: { firstRow: number; lastRow: number; group: number }[] = [];
  for (let row = firstRow; row <= lastRow; row++) {
    const group = topology.value?.slots[order[row] ?? 0]?.group ?? null;
    const last = bands.at(-1);
    if (last !== undefined && last.group === group && last.lastRow === row - 1) last.lastRow = row;
    else if (group !== null) bands.push({ firstRow: row, lastRow: row, group });
  }
  return bands;
}

type Rgb = readonly [number, number, number];

/** Of any colour of a style sheet, which may have been made shorter than it was written. */
function rgbOf(colour: string): Rgb {
  const context = document.createElement('canvas').getContext('2d');
  if (context === null) return [0, 0, 0];
  context.fillStyle = colour;
  const hex = String(context.fillStyle);
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb;
}

/** As canvases keep it: the first byte is red. */
const packed = ([r, g, b]: Rgb): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** 0 is its first colour, 1 its last. */
function onRamp(ramp: readonly Rgb[], share: number): Rgb {
  const at = share * (ramp.length - 1);
  const [a, b] = [ramp[Math.floor(at)] ?? [0, 0, 0], ramp[Math.ceil(at)] ?? [0, 0, 0]];
  return [0, 1, 2].map((channel) => Math.round((a[channel] ?? 0) + ((b[channel] ?? 0) - (a[channel] ?? 0)) * (at % 1))) as unknown as Rgb;
}

function HeatLegend({ heat: current }: { heat: Heat }) {
  const top = Math.max(2, highest(current) * (1.02 - brightness.value / 100));
  return (
    <ul class="ramp heat-legend">
      <li>
        <span class="swatch cell heat-unknown" aria-hidden="true" /> {t('not known')}{' '}
      </li>
      <li>
        <span class="swatch cell heat-zero" aria-hidden="true" /> {t('no requests')}{' '}
      </li>
      <li>
        {rateText(current.least)}{' '}
        {[1, 2, 3, 4, 5, 6, 7, 8].map((step) => (
          <span key={step} class={`swatch cell ramp-${step}`} aria-hidden="true" />
        ))}{' '}
        {t('{most} and more, on a logarithmic scale', { most: rateText(current.least * current.ratio ** (top - 1)) })}
      </li>
    </ul>
  );
}

function Busiest({ heat: current, order, window }: HeatProps & { window: Window }) {
  const found = busiest(current, order, window, BUSIEST);
  const columns: readonly Column<Busy>[] = [
    { title: 'Slot', numeric: true, cell: ({ slot }) => <a href={to('slots', slot) + queryWith({ at: null })}>{slot}</a> },
    { title: 'Group', cell: ({ slot }) => <Owner slot={slot} slots={topology} /> },
    { title: 'Requests, mean', numeric: true, cell: ({ mean }) => rateText(mean) },
    { title: 'Busiest minute', numeric: true, cell: ({ peak }) => rateText(peak) },
    {
      title: 'When',
      cell: ({ slot, peakMinute }) => (
        <a href={thenOf(current, { slot, minute: peakMinute })} title={t('its hot keys then')}>
          <Minute heat={current} minute={peakMinute} />
        </a>
      ),
    },
  ];
  const minutes = plural(window.lastMinute - window.firstMinute + 1, 'minute');
  return (
    <Table
      caption={t('Busiest slots in {minutes}', { minutes })}
      columns={columns}
      rows={found}
      rowKey={({ slot }) => slot}
      empty={<p class="hint">{t('No slot that is shown had a request in {minutes}, as far as known.', { minutes })}</p>}
    />
  );
}

function Owner({ slot, slots }: { slot: number; slots: ReadonlySignal<typeof topology.value> }) {
  const group = slots.value?.slots[slot]?.group ?? null;
  return group === null ? <span class="hint">{t('none')}</span> : <GroupMark group={group} />;
}

/** Where one sees a slot, with its hot keys of that minute. */
const thenOf = ({ from }: Heat, { slot, minute }: { slot: number; minute: number }): string =>
  to('slots', slot) + queryWith({ at: String(from + minute * 60) });

const rateText = (value: number): string => (value < 0.95 ? t('{n}/s', { n: value.toFixed(2) }) : rate(value));

/** The beginning of a minute, with the whole of it in UTC on hover. */
function Minute({ heat: current, minute }: { heat: Heat; minute: number }) {
  const at = isoOf(current, minute);
  return (
    <time dateTime={at} title={at}>
      {clock(current, minute)}
    </time>
  );
}

const isoOf = ({ from }: Heat, minute: number): string => new Date((from + minute * 60) * 1000).toISOString();

/** Of the beginning of a minute. */
const clock = (current: Heat, minute: number): string => time(isoOf(current, minute)).slice(0, -3);
