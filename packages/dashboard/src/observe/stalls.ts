// Which migrations are not getting on, though they should: nothing of them has changed for half a minute. One that was cancelled should, until what it has under way has arrived; one
// that waits for the end of the one that it takes back need not, nor one outside of its window. Pure.

import type { StalledView } from '@codis/config/api';
import type { Migration } from '@codis/config/model';

export const STALLED_AFTER_MS = 30_000;

/** How a migration stood when it last changed. */
export interface Standing {
  readonly text: string;
  readonly sinceMs: number;
  readonly since: string;
}

export type Standings = ReadonlyMap<number, Standing>;

/** `nowMs` by a clock that only goes forward, `now` the time of day. */
export function follow(
  before: Standings,
  migrations: readonly Pick<Migration, 'id' | 'state' | 'progress' | 'takesBack' | 'resumesAt' | 'endedAt'>[],
  { nowMs, now }: { nowMs: number; now: string },
): Standings {
  const after = new Map<number, Standing>();
  const open = new Set(migrations.filter(({ endedAt }) => endedAt === null).map(({ id }) => id));
  for (const { id, state, progress, takesBack, resumesAt } of migrations) {
    if (!open.has(id) || state === 'paused' || (takesBack !== null && open.has(takesBack))) continue;
    if (resumesAt !== null && Date.parse(resumesAt) > Date.parse(now)) continue;
    const { slotsDone, keysSwept, bytesSwept, keysLeft } = progress;
    const text = [slotsDone, keysSwept, bytesSwept, keysLeft].join();
    const last = before.get(id);
    after.set(id, last?.text === text ? last : { text, sinceMs: nowMs, since: now });
  }
  return after;
}

export function stalledOf(standings: Standings, { id, waiting }: Pick<Migration, 'id' | 'waiting'>, nowMs: number): StalledView | null {
  const standing = standings.get(id);
  if (!standing || nowMs - standing.sinceMs < STALLED_AFTER_MS) return null;
  return { since: standing.since, reason: waiting ?? 'nothing is known to hold it up: is a dashboard elected, and alive?' };
}
