// Sets of slots: as a person writes them, as runs, and as what the map shows.

import type { SlotRunView, SlotStateView } from '@codis/config/api';
import { t } from './words.ts';

export const SLOT_COUNT = 1024;

export interface Run {
  readonly first: number;
  readonly last: number;
}

/** Slots, or why it names none, in a sentence. */
export type Parsed = { readonly slots: readonly number[] } | { readonly problem: string };

/** `0-255, 300, 512-600` → slots in ascending order. Codis's `..` is taken for `-`. */
export function parseSlots(text: string): Parsed {
  const slots = new Set<number>();
  const parts = text.split(/[\s,;]+/).filter((part) => part !== '');
  if (parts.length === 0) return { problem: t('Write slots as numbers and ranges, like 0-255, 300.') };
  for (const part of parts) {
    const match = /^(\d{1,9})(?:(?:-|\.\.)(\d{1,9}))?$/.exec(part);
    if (!match) return { problem: t('“{text}” is no slot and no range; write 7 or 0-255.', { text: part.slice(0, 40) }) };
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    const beyond = [first, last].find((slot) => slot >= SLOT_COUNT);
    if (beyond !== undefined)
      return { problem: t('There is no slot {slot}: slots go from 0 to {last}.', { slot: beyond, last: SLOT_COUNT - 1 }) };
    if (last < first) return { problem: t('{first}-{last} runs backwards; write {last}-{first}.', { first, last }) };
    for (let slot = first; slot <= last; slot++) {
      if (slots.has(slot)) return { problem: t('Slot {slot} is named twice.', { slot }) };
      slots.add(slot);
    }
  }
  return { slots: [...slots].sort((a, b) => a - b) };
}

/** Ascending slots as runs. */
export function runsOf(slots: readonly number[]): Run[] {
  const runs: { first: number; last: number }[] = [];
  for (const slot of slots) {
    const run = runs.at(-1);
    if (run && run.last + 1 === slot) run.last = slot;
    else runs.push({ first: slot, last: slot });
  }
  return runs;
}

/** `0-255, 300`; the first `limit` runs. */
export function slotsText(slots: readonly number[], limit = Number.POSITIVE_INFINITY): string {
  const runs = runsOf(slots);
  const shown = runs.slice(0, limit).map(runText).join(', ');
  return runs.length > limit ? t('{shown} and {count} more ranges', { shown, count: runs.length - limit }) : shown;
}

export function runText({ first, last }: Run): string {
  return first === last ? String(first) : `${first}-${last}`;
}

const UNMADE: SlotStateView = { state: 'offline', group: null, to: null, migration: null };

/** The table slot by slot; slots that no run names are offline. */
export function expandRuns(runs: readonly SlotRunView[]): SlotStateView[] {
  const slots = new Array<SlotStateView>(SLOT_COUNT).fill(UNMADE);
  for (const { first, last, state, group, to, migration } of runs) slots.fill({ state, group, to, migration }, first, last + 1);
  return slots;
}

/** The group that requests for a slot go to. */
export function servingGroup({ state, group, to }: SlotStateView): number | null {
  return state === 'migrating' ? to : group;
}

/** Colour and texture of a group: `id mod 8` for the hue, and one of three textures. */
export function lookOf(group: number): { readonly hue: number; readonly texture: number } {
  return { hue: group % 8, texture: Math.floor((group - 1) / 8) % 3 };
}

/** Step 1 to 8 of a logarithmic ramp from `min` to `max`. */
export function rampStep(value: number, { min, max }: { min: number; max: number }): number {
  if (max <= min) return 8;
  return Math.min(8, 1 + Math.floor((Math.log(value / min) / Math.log(max / min)) * 8));
}
