// The map of slots before and after a plan, side by side; only what changes keeps its colour.

import type { PlanView, SlotStateView } from '@codis/config/api';
import { useEffect, useRef } from 'preact/hooks';
import { plural } from '../lib/format.ts';
import { paintMap } from '../lib/slot-paint.ts';
import { t } from '../lib/words.ts';
import { topology } from '../state/live.ts';

export function BeforeAfter({ plan }: { plan: PlanView }) {
  const slots = topology.value?.slots ?? [];
  if (plan.moves.length === 0 || slots.length === 0) return null;
  const before = [...slots];
  const after = [...slots];
  const moved = new Set<number>();
  const owned = (group: number): SlotStateView => ({ state: 'online', group, to: null, migration: null });
  for (const { first, last, from, to } of plan.moves) {
    before.fill(owned(from), first, last + 1);
    after.fill(owned(to), first, last + 1);
    for (let slot = first; slot <= last; slot++) moved.add(slot);
  }
  return (
    <div class="before-after">
      <Picture title={t('Before')} slots={before} only={moved} />
      <Picture title={t('After')} slots={after} only={moved} />
    </div>
  );
}

function Picture({ title, slots, only }: { title: string; slots: readonly SlotStateView[]; only: ReadonlySet<number> }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const cells = paintMap({ slots, mode: 'owner', stats: null, group: null, filter: 'all', coloured: true, only });
    place.current?.replaceChildren(
      ...cells.map(({ look }) => {
        const cell = document.createElement('span');
        cell.className = look;
        return cell;
      }),
    );
  });
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <div
        ref={place}
        class="slot-picture"
        role="img"
        aria-label={t('{title}: {slots} that move, in the colour of their group', { title, slots: plural(only.size, 'slot') })}
      />
    </figure>
  );
}
