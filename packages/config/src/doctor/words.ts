// The doctor's words: commands as they can be typed, slots as runs, counts.

import type { GroupId, Slot } from '../model/index.ts';

export const command = (...words: readonly (string | number)[]): string => `codis-config ${words.join(' ')}`;

export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

export interface Run {
  readonly first: Slot;
  readonly last: Slot;
}

/** Slots, in ascending order, as the fewest runs. */
export function runsOf(slots: readonly Slot[]): Run[] {
  const runs: { first: Slot; last: Slot }[] = [];
  for (const slot of slots) {
    const run = runs.at(-1);
    if (run && slot === run.last + 1) run.last = slot;
    else runs.push({ first: slot, last: slot });
  }
  return runs;
}

const RUNS_SHOWN = 5;

/** `slot 5`, `slots 0-9, 12`. */
export function slotsText(slots: readonly Slot[]): string {
  const runs = runsOf(slots);
  const shown = runs.slice(0, RUNS_SHOWN).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  const more = runs.length > RUNS_SHOWN ? ', …' : '';
  return `${slots.length === 1 ? 'slot' : 'slots'} ${shown.join(', ')}${more}`;
}

/** A command for each of the first runs: a list that can be pasted. */
export function perRun(slots: readonly Slot[], line: (run: Run) => string): string[] {
  return runsOf(slots).slice(0, RUNS_SHOWN).map(line);
}

export const groupText = (id: GroupId): string => `group ${id}`;
