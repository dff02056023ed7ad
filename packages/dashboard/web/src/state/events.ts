// The audit log as far as it was asked for: the newest page at first, what comes while it is shown, and older pages when somebody wants them.

import type { EventsView, EventView } from '@codis/config/api';
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { asProblem, get, type Problem } from './api.ts';
import { epoch, migrations } from './live.ts';
import { useResource } from './resource.ts';

/** So many are asked for at once. */
const PAGE = 1000;
const KEPT_MAX = 50_000;

/** What is known: without gaps, newest first. */
interface Known {
  readonly events: readonly EventView[];
  /** Where the next older page begins; null: all that are kept are known. */
  readonly older: number | null;
}

export interface Events {
  /** Null before the first answer. */
  readonly known: Known | null;
  readonly problem: Problem | null;
  readonly isAskingOlder: boolean;
  readonly askOlder: () => Promise<void>;
}

export function useEvents(): Events {
  const { known, olderProblem, isAskingOlder } = useMemo(
    () => ({ known: signal<Known | null>(null), olderProblem: signal<Problem | null>(null), isAskingOlder: signal(false) }),
    [],
  );
  const open = migrations.value.map(({ id, state }) => `${id}${state}`).join();
  const since = known.value?.events[0]?.seq ?? 0;
  const { view, problem } = useResource<EventsView>(`/events?limit=${PAGE}&since=${since}`, [epoch.value, open]);
  useEffect(() => {
    if (view !== null) known.value = withNewer(known.peek(), view);
  }, [view]);
  const askOlder = async () => {
    const before = known.peek()?.older ?? null;
    if (before === null || isAskingOlder.peek()) return;
    isAskingOlder.value = true;
    try {
      const page = await get<EventsView>(`/events?limit=${PAGE}&before=${before}`);
      const now = known.peek();
      // Whoever has all from the newest page again since has this one no more.
      if (now?.older === before) known.value = { events: [...now.events, ...page.events], older: page.older };
      olderProblem.value = null;
    } catch (error) {
      olderProblem.value = asProblem(error);
    } finally {
      isAskingOlder.value = false;
    }
  };
  return { known: known.value, problem: problem ?? olderProblem.value, isAskingOlder: isAskingOlder.value, askOlder };
}

/** `view`: what is newer than all that is known. When that is more than a page, the list begins anew with it: one with a gap would mislead. */
function withNewer(known: Known | null, { events, older }: EventsView): Known {
  if (known === null || older !== null) return { events, older };
  const first = known.events[0]?.seq ?? 0;
  const all = [...events.filter(({ seq }) => seq > first), ...known.events];
  if (all.length <= KEPT_MAX) return { events: all, older: known.older };
  const kept = all.slice(0, KEPT_MAX);
  return { events: kept, older: kept.at(-1)?.seq ?? null };
}
