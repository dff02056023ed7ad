// How each slot looks on the map: classes for the style sheet, words for who can't see it. Colour is the group's identity; state is a shape besides.

import type { GroupView, SlotStateView, SlotStatsView } from '@codis/config/api';
import { apiWord } from './api-words.ts';
import { bytes, count, rate, UNKNOWN } from './format.ts';
import { lookOf, rampStep } from './slots.ts';
import { t } from './words.ts';

export type MapMode = 'owner' | 'keys' | 'bytes' | 'ops' | 'state';

export interface CellPaint {
  readonly look: string;
  readonly label: string;
  /** Painted over the cell where a long run begins; empty for most. */
  readonly text: string;
}

export interface MapPicture {
  readonly slots: readonly SlotStateView[];
  readonly mode: MapMode;
  readonly stats: SlotStatsView | null;
  /** This one is shown, the others fade. */
  readonly group: number | null;
  readonly filter: 'all' | 'moving' | 'offline';
  /** False with more groups than can be told apart by colour: only the one that is shown has one. */
  readonly coloured: boolean;
  /** Only these keep their colour; null: all. */
  readonly only: ReadonlySet<number> | null;
}

const LABELLED_RUN = 24;
/** With more groups than hues times textures colours are no identity any more. */
export const GROUPS_TOLD_APART = 24;

export function paintMap(picture: MapPicture): CellPaint[] {
  const numbers = numbersOf(picture);
  const bounds = boundsOf(numbers);
  const starts = picture.mode === 'owner' ? labelStarts(picture.slots) : new Map<number, string>();
  return picture.slots.map((state, slot) => {
    const value = numbers?.[slot] ?? null;
    const base =
      numbers === null ? stateLook(state, picture) : `${metricLook(value, bounds)}${state.state === 'offline' ? ' offline' : ''}`;
    const faded = isFaded(slot, state, picture) ? ' faded' : '';
    return { look: `cell ${base}${faded}`, label: describe(slot, state, picture), text: starts.get(slot) ?? '' };
  });
}

function stateLook(state: SlotStateView, { mode, coloured, group }: MapPicture): string {
  if (state.group === null) return 'offline';
  if (mode === 'state') return state.state === 'online' ? 'served' : 'moving plain';
  if (!coloured && (group === null || (state.group !== group && state.to !== group))) return state.to === null ? 'grey' : 'grey moving';
  const { hue, texture } = lookOf(state.group);
  const own = `hue-${hue} texture-${texture}`;
  return state.to === null ? own : `${own} moving to-${lookOf(state.to).hue}`;
}

/** The smallest that is more than nothing, and the largest; null when there is neither. */
export function boundsOf(numbers: readonly (number | null)[] | null): { min: number; max: number } | null {
  const some = (numbers ?? []).filter((value) => value !== null && value > 0) as number[];
  return some.length === 0 ? null : { min: Math.min(...some), max: Math.max(...some) };
}

function metricLook(value: number | null, bounds: { min: number; max: number } | null): string {
  if (value === null) return 'no-data';
  return value === 0 || bounds === null ? 'zero' : `ramp-${rampStep(value, bounds)}`;
}

function isFaded(slot: number, state: SlotStateView, { group, filter, only }: MapPicture): boolean {
  if (only !== null && !only.has(slot)) return true;
  if (group !== null && state.group !== group && state.to !== group) return true;
  if (filter === 'moving') return state.to === null;
  return filter === 'offline' && state.state !== 'offline';
}

export function numbersOf({ mode, stats }: Pick<MapPicture, 'mode' | 'stats'>): readonly (number | null)[] | null {
  switch (mode) {
    case 'keys':
      return stats?.keysCount ?? [];
    case 'bytes':
      return stats?.bytes ?? [];
    case 'ops':
      return stats?.opsPerSecond ?? [];
    case 'owner':
    case 'state':
      return null;
    default:
      return mode satisfies never;
  }
}

/** What a slot is and does, in words. */
export function describe(slot: number, state: SlotStateView, { mode, stats }: Pick<MapPicture, 'mode' | 'stats'>): string {
  const where =
    state.group === null
      ? t('no group, offline')
      : state.to === null
        ? t('group {group}, {state}', { group: state.group, state: apiWord(state.state) })
        : t('{state} from group {group} to group {to}', { state: apiWord(state.state), group: state.group, to: state.to });
  return t('slot {slot}, {where}{numbers}', { slot, where, numbers: metricWords(slot, mode, stats) });
}

/** What is known of one slot, in words: what it does, who serves it, how many keys and requests it has. */
export function details(
  slot: number,
  state: SlotStateView,
  { groups, stats }: { groups: readonly GroupView[]; stats: SlotStatsView | null },
): string {
  const serving = state.state === 'migrating' ? state.to : state.group;
  const master = groups.find(({ id }) => id === serving)?.servers.find(({ role }) => role === 'master')?.addr;
  const where =
    state.group === null ? [] : [master === undefined ? t('its group has no master') : t('requests go to {master}', { master })];
  const keys = count(stats?.keysCount[slot]);
  const ops = rate(stats?.opsPerSecond[slot]);
  return [
    describe(slot, state, { mode: 'owner', stats: null }),
    ...where,
    keys === UNKNOWN ? t('keys not known') : t('{keys} keys', { keys }),
    ops === UNKNOWN ? t('requests not known') : t('{ops} requests', { ops }),
  ].join(t(', '));
}

function metricWords(slot: number, mode: MapMode, stats: SlotStatsView | null): string {
  if (mode === 'keys') return t(', {keys} keys', { keys: known(count(stats?.keysCount[slot])) });
  if (mode === 'bytes') return `, ${known(bytes(stats?.bytes[slot]))}`;
  return mode === 'ops' ? `, ${known(rate(stats?.opsPerSecond[slot], 'ops'))}` : '';
}

const known = (text: string): string => (text === UNKNOWN ? 'unknown' : text);

/** Where a long run begins that is to carry its group's name. */
function labelStarts(slots: readonly SlotStateView[]): Map<number, string> {
  const starts = new Map<number, string>();
  let first = 0;
  for (let slot = 1; slot <= slots.length; slot++) {
    const before = slots[first];
    const here = slots[slot];
    if (here && before && here.group === before.group && here.to === before.to) continue;
    if (before && before.group !== null && before.to === null && slot - first >= LABELLED_RUN) starts.set(first, `g${before.group}`);
    first = slot;
  }
  return starts;
}
