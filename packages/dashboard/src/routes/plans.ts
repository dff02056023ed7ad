// Plans: making one, looking at it, applying it. Making one looks through servers and so may take seconds.

import type { CreatePlanRequest, PlanSummaryView, PlanView } from '@codis/config/api';
import { asGroupId, asPlanId, CodisError, goalText, type PlanGoal, unreachable } from '@codis/config/model';
import { applyPlan, createPlan, diffPlan, listPlans, readPlan, type StatedPlan } from '@codis/config/operations';
import Type from 'typebox';
import { type KeyNames, keyNamesFor } from '../auth/key-names.ts';
import { type App, type Context, callerOf, expectingOf } from '../context.ts';
import { ApplyPlanBody, CreatePlanBody, PlanDiffSchema, PlanId, PlanSchema, PlansSchema } from '../plan-schemas.ts';
import { answers } from '../schemas.ts';
import { moveOf } from './parse.ts';

const PlanParams = Type.Object({ plan: PlanId });

export function planRoutes(app: App, context: Context): void {
  const { coordinator, settings } = context;
  app.get('/plans', { schema: { summary: 'The newest plans, oldest first', response: answers(PlansSchema) } }, async () => ({
    plans: (await listPlans(coordinator)).map(summaryOf),
  }));
  app.get('/plans/:plan', { schema: { summary: 'One plan', params: PlanParams, response: answers(PlanSchema) } }, async (request) =>
    withNames(planView(await readPlan(coordinator, asPlanId(request.params.plan))), keyNamesFor(request, settings)),
  );
  app.get(
    '/plans/:plan/diff',
    {
      schema: {
        summary: 'What has changed since a plan was made, and what a plan for the same goal would do differently now',
        params: PlanParams,
        response: answers(PlanDiffSchema),
      },
    },
    async (request) => {
      const { plan, ...diff } = await diffPlan(callerOf(context, request), { id: asPlanId(request.params.plan) });
      return { id: plan.id, state: plan.state, goal: goalText(plan.goal), epoch: plan.epoch, ...diff };
    },
  );
  app.post(
    '/plans',
    {
      schema: {
        summary:
          'Work out what would move to reach a goal; moves nothing. The same goal at the same epoch is the same plan for ten minutes',
        body: CreatePlanBody,
        response: answers(PlanSchema),
      },
    },
    async (request) => planView(await createPlan(callerOf(context, request), { ...expectingOf(request), goal: goalOf(request.body) })),
  );
  app.post(
    '/plans/:plan/apply',
    {
      schema: {
        summary: 'Carry out a plan as it is, by a migration; refused when the topology has changed since',
        params: PlanParams,
        body: ApplyPlanBody,
        response: answers(PlanSchema),
      },
    },
    async (request) => {
      const wanted = { ...request.body, ...expectingOf(request), id: asPlanId(request.params.plan) };
      return planView(await applyPlan(callerOf(context, request), wanted));
    },
  );
}

/** Throws CODIS_E_BAD_REQUEST for a field that the goal needs, or one that says nothing of it. */
function goalOf({ kind, moves, by, weights, group }: CreatePlanRequest): PlanGoal {
  const refuse = (what: string) => new CodisError('CODIS_E_BAD_REQUEST', `a plan to ${kind} ${what}`);
  const refuseAll = (fields: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) throw refuse(`takes no field ${name}`);
  };
  switch (kind) {
    case 'move':
      refuseAll({ by, weights, group });
      if (!moves) throw refuse('needs the field moves');
      return { kind, moves: moves.map(moveOf) };
    case 'rebalance':
      refuseAll({ moves, group });
      return {
        kind,
        by: by ?? 'slots',
        weights: (weights ?? []).map((entry) => ({ group: asGroupId(entry.group), weight: entry.weight })),
      };
    case 'drain':
      refuseAll({ moves, weights });
      if (group === undefined) throw refuse('needs the field group');
      return { kind, by: by ?? 'slots', group: asGroupId(group) };
    default:
      return unreachable(kind);
  }
}

function requestOf(goal: PlanGoal): CreatePlanRequest {
  if (goal.kind === 'move') return { kind: goal.kind, moves: goal.moves };
  if (goal.kind === 'rebalance') return { kind: goal.kind, by: goal.by, weights: goal.weights };
  return { kind: goal.kind, by: goal.by, group: goal.group };
}

function summaryOf({ id, state, goal, epoch, estimate, migration, actor, createdAt }: StatedPlan): PlanSummaryView {
  const { slotsCount, keysCount, bytes, durationMs } = estimate;
  return {
    id,
    state,
    goal: goalText(goal),
    request: requestOf(goal),
    epoch,
    slotsCount,
    keysCount,
    bytes,
    durationMs,
    migration,
    actor,
    createdAt,
  };
}

/** With the names of its keys as `shown` has them. */
function withNames(view: PlanView, shown: KeyNames): PlanView {
  const names = view.biggestKeys.map(({ key }) => key);
  const inText = (text: string) => names.reduce((done, name) => done.replaceAll(name, () => shown(name)), text);
  return { ...view, biggestKeys: view.biggestKeys.map((big) => ({ ...big, key: shown(big.key) })), warnings: view.warnings.map(inText) };
}

export function planView(plan: StatedPlan): PlanView {
  const { groups, biggestKeys, warnings, basis } = plan.estimate;
  return { ...summaryOf(plan), moves: plan.moves, groups, biggestKeys, warnings, basis };
}

/** Of what an operation would have returned: a plan's view, or null for anything else. */
export function planViewOf(value: unknown): PlanView | null {
  return typeof value === 'object' && value !== null && 'estimate' in value && 'goal' in value ? planView(value as StatedPlan) : null;
}
