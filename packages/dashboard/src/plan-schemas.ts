// The JSON schemas of plans; see schemas.ts.

import type { ApplyPlanRequest, CreatePlanRequest, PlanDiffView, PlansView, PlanView } from '@codis/config/api';
import { SLOT_COUNT, WEIGHT_MAX } from '@codis/config/model';
import Type from 'typebox';
import { Count, describes, GroupId, MigrationId, manner, nullable, object, Slot, Time, words } from './schemas.ts';

const GROUPS_MAX = 9999;

export const PlanId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'a plan' });
const move = { first: Slot, last: Slot, to: GroupId };
const amounts = { keysCount: nullable(Count), bytes: nullable(Count) };
const CreatePlan = object({
  kind: words('move', 'rebalance', 'drain'),
  moves: Type.Optional(Type.Array(object(move), { minItems: 1, maxItems: SLOT_COUNT, description: 'for move' })),
  by: Type.Optional(words('slots', 'keys', 'memory')),
  weights: Type.Optional(
    Type.Array(object({ group: GroupId, weight: Type.Integer({ minimum: 0, maximum: WEIGHT_MAX }) }), {
      maxItems: GROUPS_MAX,
      description: 'for rebalance; a group that is not named has weight 1',
    }),
  ),
  group: Type.Optional(GroupId),
});
export const CreatePlanBody = describes<CreatePlanRequest>()(CreatePlan);
const summary = {
  id: PlanId,
  state: words('pending', 'applied', 'stale'),
  goal: Type.String(),
  request: CreatePlan,
  epoch: Count,
  slotsCount: Count,
  ...amounts,
  durationMs: nullable(Count),
  migration: nullable(MigrationId),
  actor: Type.String(),
  createdAt: Time,
};
const PlannedGroup = object({
  group: GroupId,
  slotsBefore: Count,
  slotsAfter: Count,
  memoryBytes: nullable(Count),
  memoryAfterBytes: nullable(Count),
  maxMemoryBytes: nullable(Count),
});

export const PlansSchema = describes<PlansView>()(object({ plans: Type.Array(object(summary)) }));
export const PlanSchema = describes<PlanView>()(
  object({
    ...summary,
    moves: Type.Array(object({ ...move, from: GroupId, ...amounts })),
    groups: Type.Array(PlannedGroup),
    balance: nullable(object({ before: Type.Number(), after: Type.Number() })),
    biggestKeys: Type.Array(
      object({ key: Type.String(), slot: Slot, db: Count, bytes: Count, inPieces: Type.Boolean(), blockingMs: Count }),
    ),
    warnings: Type.Array(Type.String()),
    basis: Type.Array(Type.String()),
  }),
);

export const PlanDiffSchema = describes<PlanDiffView>()(
  object({
    id: PlanId,
    state: summary.state,
    goal: Type.String(),
    epoch: Count,
    currentEpoch: Count,
    changes: Type.Array(Type.String()),
    differences: Type.Array(
      object({ first: Slot, last: Slot, from: nullable(GroupId), planned: nullable(GroupId), now: nullable(GroupId) }),
    ),
    obstacle: nullable(Type.String()),
  }),
);

export const ApplyPlanBody = describes<ApplyPlanRequest>()(object({ ...manner, force: Type.Optional(Type.Boolean()) }));
