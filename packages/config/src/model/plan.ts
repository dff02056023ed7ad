// A plan: what would move to reach a goal, at what cost, bound to the epoch it was computed at. It is a record like a migration: it has a number, is kept in the
// coordinator, and is the same to everybody who asks for the same thing at the same epoch.
//
// Invariant: `moves` never changes after the plan was made. What is carried out is exactly what was looked at, or nothing.

import { CodisError } from './errors.ts';
import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asPlanId,
  asSlot,
  type Epoch,
  type GroupId,
  type MigrationId,
  type PlanId,
  type Slot,
} from './ids.ts';
import type { Move } from './migration.ts';
import type { Balance } from './plan-cost.ts';
import type { PlannedMove } from './rebalance.ts';

/** What a rebalance makes even. */
export type Measure = 'slots' | 'keys' | 'memory';
export const MEASURES: readonly Measure[] = ['slots', 'keys', 'memory'];

/** What a group shall have compared with others: 1 unless said, 0 for nothing. */
export interface GroupWeight {
  readonly group: GroupId;
  readonly weight: number;
}

/** The largest weight; keeps shares of whole slots exact. */
export const WEIGHT_MAX = 1000;

export type PlanGoal =
  | { readonly kind: 'move'; readonly moves: readonly Move[] }
  | { readonly kind: 'rebalance'; readonly by: Measure; readonly weights: readonly GroupWeight[] }
  /** Empties a group, the others keeping what they have. */
  | { readonly kind: 'drain'; readonly group: GroupId; readonly by: Measure };

/** A move with what is in it; null: not known. */
export interface EstimatedMove extends PlannedMove {
  readonly keysCount: number | null;
  readonly bytes: number | null;
}

/** What a plan would cost and do. All of it was found out at one moment, and nothing of it is promised. Null: not known. */
export interface PlanEstimate {
  readonly slotsCount: number;
  readonly keysCount: number | null;
  readonly bytes: number | null;
  readonly durationMs: number | null;
  readonly groups: readonly GroupEstimate[];
  /** Null: a plan of an older version does not say. */
  readonly balance: Balance | null;
  /** The largest seen in the slots that move, the largest first. */
  readonly biggestKeys: readonly BigKey[];
  /** What the operator should think about, each in a sentence. */
  readonly warnings: readonly string[];
  /** How each number was come by, each in a sentence. */
  readonly basis: readonly string[];
}

/** A group that gives or takes slots. */
export interface GroupEstimate {
  readonly group: GroupId;
  readonly slotsBefore: number;
  readonly slotsAfter: number;
  readonly memoryBytes: number | null;
  readonly memoryAfterBytes: number | null;
  /** 0: no limit. */
  readonly maxMemoryBytes: number | null;
}

export interface BigKey {
  /** As JSON text, shortened. */
  readonly key: string;
  readonly slot: Slot;
  readonly db: number;
  readonly bytes: number;
}

/** `plans/<seq>`. */
export interface Plan {
  readonly id: PlanId;
  readonly goal: PlanGoal;
  readonly epoch: Epoch;
  readonly moves: readonly EstimatedMove[];
  readonly estimate: PlanEstimate;
  /** That carries it out; null until it was applied. */
  readonly migration: MigrationId | null;
  readonly actor: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** `stale`: the topology is at another epoch by now, so the plan can't be applied any more. */
export type PlanState = 'pending' | 'applied' | 'stale';

/** Null: there is no topology. */
export function planState(plan: Pick<Plan, 'epoch' | 'migration'>, epoch: Epoch | null): PlanState {
  if (plan.migration !== null) return 'applied';
  return plan.epoch === epoch ? 'pending' : 'stale';
}

/** Groups that get slots, and would have more than their maxmemory lets them. What is not known fits. */
export function overfullGroups({ moves, groups }: Pick<Plan, 'moves'> & Pick<PlanEstimate, 'groups'>): readonly GroupEstimate[] {
  return groups.filter(
    ({ group, memoryAfterBytes, maxMemoryBytes }) =>
      moves.some(({ to }) => to === group) && maxMemoryBytes !== null && maxMemoryBytes > 0 && (memoryAfterBytes ?? 0) > maxMemoryBytes,
  );
}

/** The one spelling of a goal, also as JSON: weights in order of group, without those that say nothing. Throws CODIS_E_BAD_REQUEST for a group that has two weights, or one that
 *  is no whole number from 0 to WEIGHT_MAX. */
export function normalGoal(goal: PlanGoal): PlanGoal {
  if (goal.kind === 'move') return { kind: 'move', moves: goal.moves.map(({ first, last, to }) => ({ first, last, to })) };
  if (goal.kind === 'drain') return { kind: 'drain', group: goal.group, by: goal.by };
  const weights = new Map<GroupId, number>();
  for (const { group, weight } of goal.weights) {
    if (weights.has(group)) throw new CodisError('CODIS_E_BAD_REQUEST', `group ${group} has two weights`);
    if (!Number.isInteger(weight) || weight < 0 || weight > WEIGHT_MAX) {
      throw new CodisError(
        'CODIS_E_BAD_REQUEST',
        `the weight of group ${group} is ${weight}: write a whole number from 0 to ${WEIGHT_MAX}`,
      );
    }
    weights.set(group, weight);
  }
  const telling = [...weights].filter(([, weight]) => weight !== 1).sort(([a], [b]) => a - b);
  return { kind: 'rebalance', by: goal.by, weights: telling.map(([group, weight]) => ({ group, weight })) };
}

/** `rebalance by slots, group 3 with weight 2`. */
export function goalText(goal: PlanGoal): string {
  if (goal.kind === 'move') return `move ${goal.moves.map(({ first, last, to }) => `${rangeText(first, last)} to group ${to}`).join(', ')}`;
  if (goal.kind === 'drain') return `drain group ${goal.group}${goal.by === 'slots' ? '' : ` by ${goal.by}`}`;
  return [`rebalance by ${goal.by}`, ...goal.weights.map(({ group, weight }) => `group ${group} with weight ${weight}`)].join(', ');
}

const rangeText = (first: Slot, last: Slot) => (first === last ? `slot ${first}` : `slots ${first}-${last}`);

/** The bytes stored at `plans/<seq>`. */
export const encodePlan = (plan: Plan): Buffer => Buffer.from(JSON.stringify(plan));

/** Reads what `encodePlan` wrote; throws CODIS_E_COORDINATOR_CORRUPT, naming what is wrong, on anything else. */
export function decodePlan(data: Uint8Array): Plan {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Plan;
    for (const field of ['actor', 'createdAt'] as const) {
      if (typeof value[field] !== 'string') throw new TypeError(`${field} is ${JSON.stringify(value[field])}`);
    }
    return {
      id: asPlanId(value.id),
      goal: decodeGoal(value.goal),
      epoch: asEpoch(value.epoch),
      moves: listOf(value.moves, 'moves').map(decodeMove),
      estimate: decodeEstimate(value.estimate),
      migration: value.migration === null ? null : asMigrationId(value.migration),
      actor: value.actor,
      createdAt: value.createdAt,
    };
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `a plan can't be read: ${(cause as Error).message}`, { cause });
  }
}

function decodeGoal(goal: PlanGoal): PlanGoal {
  if (goal.kind === 'move') return { kind: 'move', moves: listOf(goal.moves, 'moves').map(decodeRange) };
  if (goal.kind !== 'rebalance' && goal.kind !== 'drain') throw new TypeError(`its goal is ${JSON.stringify(goal)}`);
  if (!MEASURES.includes(goal.by)) throw new TypeError(`by is ${JSON.stringify(goal.by)}`);
  if (goal.kind === 'drain') return { kind: 'drain', group: asGroupId(goal.group), by: goal.by };
  return normalGoal({ kind: 'rebalance', by: goal.by, weights: listOf(goal.weights, 'weights') });
}

function decodeRange({ first, last, to }: Move): Move {
  if (last < first) throw new TypeError(`the range ${first}..${last} runs backwards`);
  return { first: asSlot(first), last: asSlot(last), to: asGroupId(to) };
}

function decodeMove(move: EstimatedMove): EstimatedMove {
  return { ...decodeRange(move), from: asGroupId(move.from), keysCount: amount(move.keysCount), bytes: amount(move.bytes) };
}

function decodeEstimate(estimate: PlanEstimate): PlanEstimate {
  for (const field of ['groups', 'biggestKeys', 'warnings', 'basis'] as const) listOf<unknown>(estimate[field], field);
  for (const field of ['slotsCount', 'keysCount', 'bytes', 'durationMs'] as const) amount(estimate[field]);
  return { ...estimate, balance: estimate.balance ?? null };
}

function amount(value: number | null): number | null {
  if (value === null || (Number.isFinite(value) && value >= 0)) return value;
  throw new TypeError(`an amount is ${JSON.stringify(value)}`);
}

function listOf<T>(value: readonly T[], name: string): readonly T[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} is not a list`);
  return value as readonly T[];
}
