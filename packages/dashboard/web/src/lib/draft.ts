// A move that is being thought about: what is chosen so far, whether it can be planned, and the request that asks for the plan. Pure.

import type { CreatePlanRequest, GroupView, MeasureName, MoveView, SlotStateView } from '@codis/config/api';
import { parseSlots, runsOf } from './slots.ts';
import { t } from './words.ts';

export type DraftKind = 'slots' | 'some' | 'rebalance' | 'drain';

/** Every field as it was typed. */
export interface Draft {
  readonly kind: DraftKind;
  /** For `slots`: as text. */
  readonly slots: string;
  /** For `some`: how many, from which group. */
  readonly amount: string;
  /** For `some` and `drain`. */
  readonly from: number | null;
  /** For `slots` and `some`. */
  readonly to: number | null;
  /** For `rebalance` and `drain`. */
  readonly by: MeasureName;
  /** For `rebalance`: by group, as text; 1 where nothing is said. */
  readonly weights: Readonly<Record<string, string>>;
}

export const EMPTY_DRAFT: Draft = { kind: 'slots', slots: '', amount: '', from: null, to: null, by: 'slots', weights: {} };

interface Table {
  readonly slots: readonly SlotStateView[];
  readonly groups: readonly GroupView[];
}

/** What is wrong with the slots, in a sentence; null when they can move. */
export function slotsProblem(text: string, table: Table): string | null {
  const parsed = parseSlots(text);
  if ('problem' in parsed) return parsed.problem;
  for (const slot of parsed.slots) {
    const { state, migration } = table.slots[slot] ?? { state: 'offline', migration: null };
    if (state === 'offline') return t('Slot {slot} belongs to no group, so there is nothing to move.', { slot });
    if (state !== 'online') return t('Slot {slot} is being moved by migration {migration} already.', { slot, migration });
  }
  return null;
}

/** The slots that the draft speaks of; empty where the plan will choose. */
export function draftSlots(draft: Draft, table: Table): readonly number[] {
  if (draft.kind === 'slots') {
    const parsed = parseSlots(draft.slots);
    return 'slots' in parsed ? parsed.slots : [];
  }
  if (draft.kind !== 'some' || draft.from === null) return [];
  const owned = ownedBy(draft.from, table);
  const amount = Number(draft.amount);
  return Number.isInteger(amount) && amount > 0 ? owned.slice(Math.max(0, owned.length - amount)) : [];
}

export function ownedBy(group: number, { slots }: Pick<Table, 'slots'>): number[] {
  return slots.flatMap((state, slot) => (state.group === group && state.state === 'online' ? [slot] : []));
}

/** Why these slots can't move to a group, in a sentence; null when they can. */
export function targetProblem(group: GroupView, draft: Draft, table: Table): string | null {
  if (!group.servers.some(({ role }) => role === 'master')) return t('has no master');
  if (draft.kind === 'some' && draft.from === group.id) return t('is where they come from');
  const slots = draftSlots(draft, table);
  return slots.length > 0 && slots.every((slot) => table.slots[slot]?.group === group.id) ? t('has all of them already') : null;
}

/** What is missing or wrong in the first step. */
export function whatProblem(draft: Draft, table: Table): string | null {
  switch (draft.kind) {
    case 'slots':
      return slotsProblem(draft.slots, table);
    case 'some':
      return draft.from === null ? t('Choose the group they come from.') : amountProblem(draft, draft.from, table);
    case 'drain':
      return draft.from === null ? t('Choose the group to drain.') : null;
    case 'rebalance':
      return table.groups.length < 2 ? t('There is only one group, so there is nothing to balance.') : null;
    default:
      return draft.kind satisfies never;
  }
}

function amountProblem({ amount }: Draft, from: number, table: Table): string | null {
  const owned = ownedBy(from, table).length;
  if (!/^\d+$/.test(amount.trim()) || Number(amount) < 1) return t('Write how many slots, as a whole number from 1.');
  return Number(amount) > owned ? t('Group {id} has only {count} slots that can move.', { id: from, count: owned }) : null;
}

/** What is missing or wrong in the second step. */
export function whereProblem(draft: Draft, table: Table): string | null {
  if (draft.kind === 'slots' || draft.kind === 'some') {
    const group = table.groups.find(({ id }) => id === draft.to);
    if (!group) return t('Choose the group they move to.');
    const problem = targetProblem(group, draft, table);
    return problem === null ? null : t('Group {id} {problem}.', { id: group.id, problem });
  }
  const wrong = Object.entries(draft.weights).find(([, text]) => weightProblem(text) !== null);
  return wrong ? weightProblem(wrong[1]) : null;
}

export function weightProblem(text: string): string | null {
  return text.trim() === '' || (/^\d{1,4}$/.test(text.trim()) && Number(text) <= 1000)
    ? null
    : t('A weight is a whole number from 0 to 1000.');
}

/** To be asked for only when neither step has a problem. */
export function planRequest(draft: Draft, table: Table): CreatePlanRequest {
  switch (draft.kind) {
    case 'slots':
    case 'some':
      return { kind: 'move', moves: movesOf(draft, table) };
    case 'drain':
      return { kind: 'drain', by: draft.by, ...(draft.from === null ? {} : { group: draft.from }) };
    case 'rebalance': {
      const weights = Object.entries(draft.weights).filter(([, text]) => text.trim() !== '');
      return { kind: 'rebalance', by: draft.by, weights: weights.map(([group, text]) => ({ group: Number(group), weight: Number(text) })) };
    }
    default:
      return draft.kind satisfies never;
  }
}

/** Slots that are at the target already don't move. */
function movesOf(draft: Draft, table: Table): MoveView[] {
  const { to } = draft;
  if (to === null) return [];
  const slots = draftSlots(draft, table).filter((slot) => table.slots[slot]?.group !== to);
  return runsOf(slots).map((run) => ({ ...run, to }));
}

/** The same as a command line; null where it takes several. */
export function draftCli(draft: Draft, table: Table): string | null {
  const request = planRequest(draft, table);
  const by = request.by === undefined || request.by === 'slots' ? '' : ` --by ${request.by}`;
  if (request.kind === 'drain') return `codis-config plan drain ${request.group ?? ''}${by}`;
  if (request.kind === 'rebalance') {
    return `codis-config plan rebalance${by}${(request.weights ?? []).map(({ group, weight }) => ` --weight ${group}=${weight}`).join('')}`;
  }
  const [move, ...more] = request.moves ?? [];
  return move === undefined || more.length > 0 ? null : `codis-config plan move ${move.first} ${move.last} ${move.to}`;
}
