// The map of slots, and what explains its colours.

import type { GroupView } from '@codis/config/api';
import { useEffect, useRef } from 'preact/hooks';
import { bytes, count, percent, rate } from '../lib/format.ts';
import { boundsOf, type CellPaint, GROUPS_TOLD_APART, type MapMode, numbersOf } from '../lib/slot-paint.ts';
import { SLOT_COUNT } from '../lib/slots.ts';
import { msg, t } from '../lib/words.ts';
import { slotStats } from '../state/slot-stats.ts';
import { lookClass } from './chip.tsx';
import { type GridEvents, SlotGrid } from './slot-grid.ts';

interface SlotMapProps extends GridEvents {
  readonly label: string;
  readonly cells: readonly CellPaint[];
  readonly selection: ReadonlySet<number>;
  /** To be gone to, each time it is another object. */
  readonly focus: { readonly slot: number } | null;
}

export function SlotMap({ label, cells, selection, focus, ...events }: SlotMapProps) {
  const place = useRef<HTMLDivElement>(null);
  const grid = useRef<SlotGrid | null>(null);
  const latest = useRef(events);
  latest.current = events;
  useEffect(() => {
    grid.current = new SlotGrid(label, {
      onOpen: (slot) => latest.current.onOpen(slot),
      onSelect: (slots) => latest.current.onSelect(slots),
      onLook: (slot) => latest.current.onLook(slot),
    });
    place.current?.replaceChildren(grid.current.element);
  }, [label]);
  useEffect(() => grid.current?.paint(cells), [label, cells]);
  useEffect(() => grid.current?.select(selection), [label, selection]);
  useEffect(() => {
    if (focus !== null) grid.current?.goTo(focus.slot);
  }, [label, focus]);
  return <div ref={place} class="slot-map" />;
}

interface LegendProps {
  readonly mode: MapMode;
  readonly groups: readonly GroupView[];
  readonly group: number | null;
  readonly onGroup: (group: number | null) => void;
}

export function Legend({ mode, groups, group, onGroup }: LegendProps) {
  return (
    <section class="legend" aria-label={t('Legend')}>
      {mode === 'owner' ? (
        <GroupLegend groups={groups} group={group} onGroup={onGroup} />
      ) : mode === 'state' ? (
        <StateLegend />
      ) : (
        <RampLegend mode={mode} />
      )}
      {mode === 'owner' ? <StateLegend /> : null}
    </section>
  );
}

function GroupLegend({ groups, group, onGroup }: Omit<LegendProps, 'mode'>) {
  return (
    <>
      {groups.length > GROUPS_TOLD_APART ? (
        <p class="hint">{t('So many groups can’t be told apart by colour: choose one, and the others fade.')}</p>
      ) : null}
      <ul>
        {groups.map(({ id, slotsCount }) => (
          <li key={id}>
            <button type="button" class="legend-entry" aria-pressed={group === id} onClick={() => onGroup(group === id ? null : id)}>
              <span class={`swatch ${lookClass(id)}`} aria-hidden="true" />
              {t('group {id}', { id })}{' '}
              <span class="number">
                {count(slotsCount)} ({percent((slotsCount / SLOT_COUNT) * 100)})
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function StateLegend() {
  return (
    <ul>
      <li>
        <span class="swatch cell moving hue-1 to-2" aria-hidden="true" /> {t('moving: from, to, and a border')}
      </li>
      <li>
        <span class="swatch cell offline" aria-hidden="true" /> {t('offline: belongs to no group')}
      </li>
    </ul>
  );
}

type MetricMode = Exclude<MapMode, 'owner' | 'state'>;

const METRICS: Record<MetricMode, { readonly unit: string; readonly format: (value: number) => string }> = {
  keys: { unit: msg('keys'), format: count },
  bytes: { unit: msg('estimated'), format: bytes },
  ops: { unit: msg('requests'), format: (value) => rate(value) },
};

function RampLegend({ mode }: { mode: MetricMode }) {
  const bounds = boundsOf(numbersOf({ mode, stats: slotStats.value }));
  const { unit, format } = METRICS[mode];
  return (
    <>
      <p class="hint">
        {bounds === null
          ? t('Nothing is known of any slot.')
          : t('From {min} to {max} {unit} a slot, on a logarithmic scale', {
              min: format(bounds.min),
              max: format(bounds.max),
              unit: t(unit),
            })}
      </p>
      <ul class="ramp">
        <li>
          <span class="swatch cell no-data" aria-hidden="true" /> {t('not known')}{' '}
        </li>
        <li>
          <span class="swatch cell zero" aria-hidden="true" /> {t('none')}{' '}
        </li>
        <li>
          {[1, 2, 3, 4, 5, 6, 7, 8].map((step) => (
            <span key={step} class={`swatch cell ramp-${step}`} aria-hidden="true" />
          ))}
          {t('few to many')}
        </li>
      </ul>
    </>
  );
}
