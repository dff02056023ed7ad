// Plans: making one, looking at it, applying it. Making one looks through servers and so may take seconds.

import type { CreatePlanRequest, PlanSummaryView, PlanView } from '@codis/config/api';
import {
  asGroupId,
  asPlanId,
  blockingOf,
  CodisError,
  durationAt,
  goalText,
  type PlanGoal,
  type Throttle,
  UNTHROTTLED,
  unreachable,
} from '@codis/config/model';
import { applyPlan, createPlan, diffPlan, listPlans, readPlan, type StatedPlan } from '@codis/config/operations';
import type { Settings } from '@codis/config/settings';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { type KeyNames, keyNamesFor } from '../auth/key-names.ts';
import { type App, type Context, callerOf, expectingOf } from '../context.ts';
import { ApplyPlanBody, CreatePlanBody, PlanDiffSchema, PlanId, PlanSchema, PlansSchema } from '../plan-schemas.ts';
import { answers } from '../schemas.ts';
import { moveOf } from './parse.ts';

const limit = (maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum }));
const SpeedQuery = Type.Object({
  keysPerSecond: limit(1_000_000_000),
  bytesPerSecond: limit(1_000_000_000_000),
  sharePercent: limit(100),
  delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
});
const PlanParams = Type.Object({ plan: PlanId });

export function planRoutes(app: App, context: Context): void {
  const { coordinator, settings } = context;
  app.get('/plans', { schema: { summary: 'The newest plans, oldest first', response: answers(PlansSchema) } }, async () => ({
    plans: (await listPlans(coordinator)).map(summaryOf),
  }));
  app.get(
    '/plans/:plan',
    {
      schema: {
        summary: 'One plan, and how long it takes at full speed, or with the limits that are asked for',
        params: PlanParams,
        querystring: SpeedQuery,
        response: answers(PlanSchema),
      },
    },
    async (request) => {
      const view = planView(await readPlan(coordinator, asPlanId(request.params.plan)), settings, request.query);
      return withNames(view, keyNamesFor(request, settings));
    },
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
    async (request) => {
      const plan = await createPlan(callerOf(context, request), { ...expectingOf(request), goal: goalOf(request.body) });
      return withNames(planView(plan, settings), keyNamesFor(request, settings));
    },
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
      const plan = await applyPlan(callerOf(context, request), wanted);
      return withNames(planView(plan, settings), keyNamesFor(request, settings));
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

type BigKeySettings = Pick<Settings, 'big_key_bytes'>;

/** `limits`: with them the duration is reckoned. */
function planView(plan: StatedPlan, settings: BigKeySettings, limits: Partial<Throttle> = {}): PlanView {
  const { groups, balance, biggestKeys, warnings, basis } = plan.estimate;
  const limited = Object.entries(limits).map(([name, limit]) => `${name} ${limit}`);
  return {
    ...summaryOf(plan),
    durationMs: durationAt(plan.estimate, { ...UNTHROTTLED, ...limits }),
    moves: plan.moves,
    groups,
    balance,
    biggestKeys: biggestKeys.map((key) => ({ ...key, ...blockingOf(key.bytes, { pieceFromBytes: settings.big_key_bytes }) })),
    warnings,
    basis: limited.length === 0 ? basis : [...basis, `duration: with these limits: ${limited.join(', ')}`],
  };
}

/** Of what an operation would have returned to who asks: a plan's view, or null for anything else. */
export function planViewOf(value: unknown, request: FastifyRequest, settings: Settings): PlanView | null {
  const isPlan = typeof value === 'object' && value !== null && 'estimate' in value && 'goal' in value;
  return isPlan ? withNames(planView(value as StatedPlan, settings), keyNamesFor(request, settings)) : null;
}
