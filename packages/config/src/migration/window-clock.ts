// Whether it is time for a migration that runs between some times of day only. They are local times of the machine that carries it out, and whoever is told says whose zone that is.

import { isOpenAt, type Migration, parseWindow, timeText } from '../model/index.ts';

export interface Closed {
  /** When its window opens. */
  readonly opensAt: Date;
  /** In words, with the zone. */
  readonly reason: string;
}

/** Null: it may go on. One that was cancelled finishes what it has under way at any time. */
export function closedAt({ state, throttle: { window: text } }: Pick<Migration, 'state' | 'throttle'>, now: Date): Closed | null {
  if (text === null || state !== 'running') return null;
  const window = parseWindow(text);
  if (isOpenAt(window, now.getHours() * 60 + now.getMinutes())) return null;
  const opensAt = new Date(now);
  opensAt.setHours(0, window.from, 0, 0);
  if (opensAt <= now) opensAt.setDate(opensAt.getDate() + 1);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return {
    opensAt,
    reason: `outside its window ${text}; it goes on at ${timeText(window.from)} (${timeZone}, the clock of the controller)`,
  };
}
