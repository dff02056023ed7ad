// The map of slots, and what explains its colours.

import type { GroupView } from '@codis/config/api';
import { useEffect, useRef } from 'preact/hooks';
import { count, percent } from '../lib/format.ts';
import { type CellPaint, GROUPS_TOLD_APART, type MapMode } from '../lib/slot-paint.ts';
import { SLOT_COUNT } from '../lib/slots.ts';
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
    if (focus !== null) grid.current?.focus(focus.slot);
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
    <section class="legend" aria-label="Legend">
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
        <p class="hint">So many groups can’t be told apart by colour: choose one, and the others fade.</p>
      ) : null}
      <ul>
        {groups.map(({ id, slotsCount }) => (
          <li key={id}>
            <button type="button" class="legend-entry" aria-pressed={group === id} onClick={() => onGroup(group === id ? null : id)}>
              <span class={`swatch ${lookClass(id)}`} aria-hidden="true" />
              group {id}
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
        <span class="swatch cell moving hue-1 to-2" aria-hidden="true" /> moving: from, to, and a border
      </li>
      <li>
        <span class="swatch cell offline" aria-hidden="true" /> offline: belongs to no group
      </li>
    </ul>
  );
}

const UNITS: Record<Exclude<MapMode, 'owner' | 'state'>, string> = { keys: 'keys', bytes: 'bytes, estimated', ops: 'requests per second' };

function RampLegend({ mode }: { mode: Exclude<MapMode, 'owner' | 'state'> }) {
  return (
    <>
      <p class="hint">{UNITS[mode]}, on a logarithmic scale up to the largest</p>
      <ul class="ramp">
        <li>
          <span class="swatch cell no-data" aria-hidden="true" /> not known
        </li>
        <li>
          <span class="swatch cell zero" aria-hidden="true" /> none
        </li>
        <li>
          {[1, 2, 3, 4, 5, 6, 7, 8].map((step) => (
            <span key={step} class={`swatch cell ramp-${step}`} aria-hidden="true" />
          ))}
          few to many
        </li>
      </ul>
    </>
  );
}
