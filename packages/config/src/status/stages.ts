// How far each slot of a migration is, and how each slot was moved last. Pure.

import type { MigrationSlotRunView, MoveStageName, SlotMovesView } from '../api/index.ts';
import { type Arrival, type LastMove, type Migration, type Slot, slotState, type Topology, targets } from '../model/index.ts';
import { slotStateView } from './views.ts';

/** As runs, in order of its moves. */
export function stagesOf(topology: Topology, migration: Pick<Migration, 'id' | 'moves' | 'arrivals'>): MigrationSlotRunView[] {
  const arrived = new Map<number, Arrival>();
  for (const arrival of migration.arrivals) for (let slot: number = arrival.first; slot <= arrival.last; slot++) arrived.set(slot, arrival);
  const runs: { -readonly [Field in keyof MigrationSlotRunView]: MigrationSlotRunView[Field] }[] = [];
  for (const [slot, to] of targets(migration)) {
    const stage = stageOf(topology, slot, { id: migration.id, to });
    const arrival = arrived.get(slot);
    const from = arrival?.from ?? (stage === 'done' ? null : slotStateView(slotState(topology, slot)).group);
    const at = arrival?.at ?? null;
    const last = runs.at(-1);
    if (last && last.last === slot - 1 && last.stage === stage && last.from === from && last.to === to && last.at === at) last.last = slot;
    else runs.push({ first: slot, last: slot, stage, from, to, at });
  }
  return runs;
}

/** `elsewhere`: another migration has it, or it belongs to no group. */
function stageOf(topology: Topology, slot: Slot, { id, to }: { id: number; to: number }): MoveStageName {
  const state = slotState(topology, slot);
  if (state.kind === 'offline') return 'elsewhere';
  if (state.kind === 'online') return state.owner === to ? 'done' : 'waiting';
  if (state.migration !== id) return 'elsewhere';
  return state.kind === 'locked' ? 'locked' : 'moving';
}

/** Neighbours that moved together stand together. */
export function lastMoveRuns(moves: ReadonlyMap<Slot, LastMove>): SlotMovesView['moves'] {
  const runs: { first: number; last: number; migration: number; from: number; to: number; at: string }[] = [];
  for (const [slot, move] of [...moves].sort(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    const isNext = last?.last === slot - 1 && last.migration === move.migration && last.from === move.from && last.at === move.at;
    if (last && isNext && last.to === move.to) last.last = slot;
    else runs.push({ first: slot, last: slot, ...move });
  }
  return runs;
}
