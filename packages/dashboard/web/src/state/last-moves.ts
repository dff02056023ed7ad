// The last move of each slot. Not in the live stream: asked for when the table has changed and somebody looks at slots.

import type { LastMoveView, SlotMovesView } from '@codis/config/api';
import { signal } from '@preact/signals';
import { time } from '../lib/format.ts';
import { t } from '../lib/words.ts';
import { asProblem, get, type Problem } from './api.ts';

/** By slot; null until it is known. */
export const lastMoves = signal<ReadonlyMap<number, LastMoveView> | null>(null);
const problem = signal<Problem | null>(null);

export async function loadLastMoves(): Promise<void> {
  try {
    const { moves } = await get<SlotMovesView>('/slots/moves');
    const bySlot = new Map<number, LastMoveView>();
    for (const move of moves) for (let slot = move.first; slot <= move.last; slot++) bySlot.set(slot, move);
    lastMoves.value = bySlot;
    problem.value = null;
  } catch (error) {
    problem.value = asProblem(error);
  }
}

/** `last moved from group 1 to group 2, 12:30:05`. */
export function lastMoveText(slot: number): string {
  if (problem.value !== null) return t('its last move is not known: {why}', { why: problem.value.message });
  if (lastMoves.value === null) return t('its last move is not known yet');
  const move = lastMoves.value.get(slot);
  return move === undefined
    ? t('no move of it is on record')
    : t('last moved from group {from} to group {to}, {at}', { from: move.from, to: move.to, at: time(move.at) });
}
