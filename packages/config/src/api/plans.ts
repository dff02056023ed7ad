// Plans in the HTTP API: asked for, looked at, applied.

import type { MannerRequest } from './requests.ts';
import type { MoveView } from './views.ts';

export type MeasureName = 'slots' | 'keys' | 'memory';

export interface GroupWeightView {
  readonly group: number;
  /** A whole number: 1 is the default of every group, 0 for no slots. */
  readonly weight: number;
}

/** `POST /plans`: a goal. `moves` goes with `move`; `by` and `weights` with `rebalance`; `group` and `by` with `drain`. */
export interface CreatePlanRequest {
  readonly kind: 'move' | 'rebalance' | 'drain';
  readonly moves?: readonly MoveView[];
  /** Slots unless said. */
  readonly by?: MeasureName;
  readonly weights?: readonly GroupWeightView[];
  readonly group?: number;
}

/** `POST /plans/{plan}/apply`. */
export interface ApplyPlanRequest extends MannerRequest {
  /** Also when it does not fit into the memory of a target. */
  readonly force?: boolean;
}

/** `pending`: can be applied; `applied`: a migration carries it out, or did; `stale`: the topology has changed since. */
export type PlanStateName = 'pending' | 'applied' | 'stale';

/** Every number is an estimate; null: not known. */
export interface PlanSummaryView {
  readonly id: number;
  readonly state: PlanStateName;
  /** What it is for, in words. */
  readonly goal: string;
  /** What asks for the same goal again. */
  readonly request: CreatePlanRequest;
  /** The epoch it was made at, and can be applied at. */
  readonly epoch: number;
  readonly slotsCount: number;
  readonly keysCount: number | null;
  readonly bytes: number | null;
  readonly durationMs: number | null;
  /** That carries it out; null until it was applied. */
  readonly migration: number | null;
  readonly actor: string;
  readonly createdAt: string;
}

/** `GET /plans`, oldest first. */
export interface PlansView {
  readonly plans: readonly PlanSummaryView[];
}

export interface BalanceView {
  /** How much of everything is where an even spread has it. */
  readonly before: number;
  readonly after: number;
}

/** `GET /plans/{plan}`, and the answer to making and applying one. With `?keysPerSecond=`, `bytesPerSecond=`, `sharePercent=` and `delayMs=` it says how long it takes at that speed. */
export interface PlanView extends PlanSummaryView {
  readonly moves: readonly PlannedMoveView[];
  readonly groups: readonly PlannedGroupView[];
  /** How even the groups are, by what the goal makes even, from 0 to 100; null: an older plan does not say. */
  readonly balance: BalanceView | null;
  /** The largest seen in the slots that move, the largest first. */
  readonly biggestKeys: readonly BigKeyView[];
  /** What to think about first, each in a sentence. */
  readonly warnings: readonly string[];
  /** How the numbers were come by, each in a sentence. */
  readonly basis: readonly string[];
}

/** `GET /plans/{plan}/diff`. */
export interface PlanDiffView {
  readonly id: number;
  readonly state: PlanStateName;
  readonly goal: string;
  /** The epoch it was made at, and the one of now. */
  readonly epoch: number;
  readonly currentEpoch: number;
  /** What changed in between, each in a sentence. */
  readonly changes: readonly string[];
  /** Slots that a plan for the same goal, made now, would treat differently. */
  readonly differences: readonly MoveDifferenceView[];
  /** Why there can't be such a plan now; null when there can. */
  readonly obstacle: string | null;
}

/** Null: no group; with `planned` and `now`: they stay where they are. */
export interface MoveDifferenceView {
  readonly first: number;
  readonly last: number;
  /** Who has them now. */
  readonly from: number | null;
  readonly planned: number | null;
  readonly now: number | null;
}

export interface PlannedMoveView extends MoveView {
  readonly from: number;
  readonly keysCount: number | null;
  readonly bytes: number | null;
}

/** A group that gives or takes slots, before and after. */
export interface PlannedGroupView {
  readonly group: number;
  readonly slotsBefore: number;
  readonly slotsAfter: number;
  /** Of the master. */
  readonly memoryBytes: number | null;
  readonly memoryAfterBytes: number | null;
  /** 0: no limit. */
  readonly maxMemoryBytes: number | null;
}

export interface BigKeyView {
  /** As JSON text, shortened. */
  readonly key: string;
  readonly slot: number;
  readonly db: number;
  readonly bytes: number;
  /** It is so large that it moves in pieces while it is read. */
  readonly inPieces: boolean;
  /** For how long, about, all clients of the source wait for it; where it moves in pieces, for how long those who write it do. */
  readonly blockingMs: number;
}
