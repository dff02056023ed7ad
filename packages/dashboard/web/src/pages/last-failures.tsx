// What was tried with a group lately and failed, with why and when: it stays after the dialog in which it failed is closed, and whoever tried it.

import type { EventsView, EventView } from '@codis/config/api';
import { isActing } from '../components/action.tsx';
import { Chip } from '../components/chip.tsx';
import { Said } from '../components/said.tsx';
import { Time } from '../components/value.tsx';
import { printable, sentence } from '../lib/format.ts';
import { rich, t } from '../lib/words.ts';
import { epoch, now } from '../state/live.ts';
import { useResource } from '../state/resource.ts';
import { to } from '../state/router.ts';

const KEPT_MS = 3_600_000;
const OF_GROUP = /^[A-Z]+ \/api\/v1\/groups\/(\d+)(?:\/|$)/;

/** By group, the newest. */
export function useLastFailures(): ReadonlyMap<number, EventView> {
  const path = `/events?result=failed&limit=100&object=${encodeURIComponent('/groups/')}`;
  const { view } = useResource<EventsView>(path, [epoch.value, isActing.value]);
  const newest = new Map<number, EventView>();
  for (const event of view?.events ?? []) {
    const group = OF_GROUP.exec(event.object)?.[1];
    if (group !== undefined && !newest.has(Number(group))) newest.set(Number(group), event);
  }
  return newest;
}

export function LastFailure({ event }: { event: EventView | undefined }) {
  if (event === undefined || now.value - Date.parse(event.at) > KEPT_MS) return null;
  const { seq, at, actor, detail } = event;
  return (
    <p class="note">
      <Chip level="warn" word="failed" /> <Said text={sentence(printable(detail ?? ''))} />{' '}
      <span class="hint">
        {rich('Tried by {actor} at {at}, {event}.', {
          actor: printable(actor),
          at: <Time at={at} />,
          event: <a href={to('events', seq)}>{t('event {id}', { id: seq })}</a>,
        })}
      </span>
    </p>
  );
}
