// Plans as records: made, listed, applied. Making one looks at servers and changes nothing; applying one makes a migration of exactly its moves.
//
// Invariant: a plan is applied at the epoch it was made at or not at all, and at most once: the migration is created in the commit that marks the plan and checks the
// topology.

import { type Coordinator, type Op, PATHS, planPath } from '../coordinator/index.ts';
import {
  asPlanId,
  balanceOf,
  CodisError,
  checkMoves,
  decodePlan,
  drain,
  type Epoch,
  encodePlan,
  type GroupId,
  type GroupWeight,
  goalText,
  groupsIn,
  isCodisError,
  isOpen,
  type Migration,
  type Move,
  masterOf,
  normalGoal,
  overfullGroups,
  type Plan,
  type PlanGoal,
  type PlanId,
  type PlannedMove,
  type PlanState,
  plannedMoves,
  planState,
  rebalance,
  type Slot,
  slotState,
  slotsWhere,
  type Topology,
  targets,
  type VersionedTopology,
} from '../model/index.ts';
import { type Caller, checkExpected, type Expecting } from './caller.ts';
import { commitAudited, readTopology, readTopologyIfAny } from './commit.ts';
import { costsOf, estimateMoves, estimatePlan, groupsToSurvey, overfullText, surveyGroups } from './estimate.ts';
import { listEvents } from './events.ts';
import { checkOverlap, listMigrations, type MigrationManner, migrationOps, standing } from './migrations.ts';

/** How many plans are kept. */
export const PLANS_MAX = 200;
/** How many of the oldest one commit drops. */
const DROPPED_MAX = 10;
/** How often, and for how long, a plan is made anew when the topology changes while servers are looked through. */
const DRAFTS_MAX = 5;
const DRAFTS_MS = 10_000;
/** A plan older than this is not given again: what servers hold may be another by then. Clocks may differ, so it is no more than a habit. */
const REUSE_MS = 600_000;
const CHANGES_MAX = 3;

/** A plan as it stands now. */
export interface StatedPlan extends Plan {
  readonly state: PlanState;
}

/** In order of id. */
export async function listPlans(coordinator: Coordinator): Promise<StatedPlan[]> {
  const epoch = await epochOrNull(coordinator);
  return (await readPlans(coordinator)).map((plan) => ({ ...plan, state: planState(plan, epoch) }));
}

/** Throws CODIS_E_UNKNOWN_PLAN. */
export async function readPlan(coordinator: Coordinator, id: PlanId): Promise<StatedPlan> {
  const { plan } = await readVersioned(coordinator, id);
  return { ...plan, state: planState(plan, await epochOrNull(coordinator)) };
}

/** Works out how to reach a goal, and keeps it. The same goal at the same epoch is the same plan for ten minutes, as long as it was not applied and nothing else has taken its slots.
 *  Throws what `checkMoves`, `checkOverlap`, `rebalance`, `drain` and `costsOf` throw, CODIS_E_BAD_REQUEST for weights that are none, and CODIS_E_CONFLICT when the
 *  topology changes faster than servers can be looked through. */
export async function createPlan(caller: Caller, request: Expecting & { goal: PlanGoal }): Promise<StatedPlan> {
  const goal = normalGoal(request.goal);
  checkExpected((await readTopology(caller)).epoch, request);
  const startedMs = performance.now();
  for (let attempt = 1; ; attempt++) {
    const current = await readTopology(caller);
    const known = await findPending(caller.coordinator, { goal, epoch: current.epoch });
    if (known) return { ...known, state: 'pending' };
    const draft = await draftPlan(caller, { current, goal });
    if ((await readTopology(caller)).epoch === current.epoch) return store(caller, draft);
    if (attempt < DRAFTS_MAX && performance.now() - startedMs < DRAFTS_MS) continue;
    throw new CodisError(
      'CODIS_E_CONFLICT',
      'the topology changes faster than this can be planned; plan again when the running moves are over',
    );
  }
}

type Draft = Omit<Plan, 'id'>;

async function draftPlan(caller: Caller, { current, goal }: { current: VersionedTopology; goal: PlanGoal }): Promise<Draft> {
  const { epoch, topology } = current;
  const running = (await listMigrations(caller.coordinator)).filter(isOpen);
  const by = goal.kind === 'move' ? 'slots' : goal.by;
  const bySlots = by === 'slots' ? movesFor(topology, { goal, running }) : [];
  const surveys = await surveyGroups(caller, topology, groupsToSurvey(topology, by, bySlots));
  const costs = costsOf(topology, surveys, by);
  const planned = costs ? movesFor(topology, { goal, running, costs }) : bySlots;
  const moves = estimateMoves({ moves: planned, surveys });
  const estimate = estimatePlan({ topology, moves, surveys, running });
  const warnings = [...goalWarnings(topology, { goal, moves: planned, running }), ...estimate.warnings];
  return {
    goal,
    epoch,
    moves,
    estimate: { ...estimate, balance: balanceOf(topology, planned, { costs, weights: weightsOf(goal) }), warnings },
    migration: null,
    actor: caller.actor,
    createdAt: new Date().toISOString(),
  };
}

/** A group that is drained shall have nothing. */
function weightsOf(goal: PlanGoal): readonly GroupWeight[] {
  if (goal.kind === 'drain') return [{ group: goal.group, weight: 0 }];
  return goal.kind === 'rebalance' ? goal.weights : [];
}

interface Aim {
  readonly goal: PlanGoal;
  readonly running: readonly Migration[];
  readonly costs?: readonly number[];
}

/** What reaches a goal from here. Throws what `checkMoves`, `checkOverlap`, `rebalance` and `drain` throw. */
export function movesFor(topology: Topology, { goal, running, costs }: Aim): PlannedMove[] {
  if (goal.kind === 'drain') return drain({ topology, costs, running, group: goal.group });
  if (goal.kind === 'rebalance') {
    return rebalance({ topology, costs, running, weights: new Map(goal.weights.map(({ group, weight }) => [group, weight])) });
  }
  checkMoves(topology, goal.moves);
  checkOverlap(running, goal.moves);
  return plannedMoves(topology, goal.moves);
}

/** What the goal leaves as it is, though one might not expect it. */
function goalWarnings(
  topology: Topology,
  { goal, moves, running }: { goal: PlanGoal; moves: readonly PlannedMove[]; running: readonly Migration[] },
): string[] {
  if (goal.kind === 'move') return [];
  if (goal.kind === 'drain') return drainWarnings(topology, { group: goal.group, moves, running });
  const headless = topology.groups
    .filter((group) => masterOf(group) === undefined)
    .map(({ id }) => `group ${id} has no master: it neither gives nor gets slots`);
  const offline = slotsWhere(topology, ({ kind }) => kind === 'offline').length;
  return [...headless, ...(offline === 0 ? [] : [`${offline} slots are offline and stay so: they belong to no group`])];
}

function drainWarnings(
  topology: Topology,
  { group, moves, running }: { group: GroupId; moves: readonly PlannedMove[]; running: readonly Migration[] },
): string[] {
  const leaving = new Set([...targets({ moves })].map(([slot]) => slot));
  const coming = running
    .flatMap((migration) => [...targets(migration)])
    .filter(([slot, to]) => to === group && !isAt(topology, slot, group));
  const staying = slotsWhere(topology, (state) => groupsIn(state).includes(group)).filter((slot) => !leaving.has(slot));
  const count = new Set([...staying, ...coming.map(([slot]) => slot)]).size;
  return count === 0 ? [] : [`${count} slots in moves from or to group ${group} are not in this plan; drain it again when those are over`];
}

/** The same plan was made by somebody else in the meantime. */
class AlreadyPlanned extends Error {
  readonly plan: Plan;

  constructor(plan: Plan) {
    super('planned already');
    this.plan = plan;
  }
}

async function store(caller: Caller, draft: Draft): Promise<StatedPlan> {
  const { coordinator } = caller;
  try {
    return await commitAudited(caller, async () => {
      const known = await findPending(coordinator, draft);
      if (known) throw new AlreadyPlanned(known);
      const names = await coordinator.list(PATHS.plans);
      const plan: Plan = { ...draft, id: asPlanId(Number(names.at(-1) ?? 0) + 1) };
      const excess = Math.min(names.length + 1 - PLANS_MAX, DROPPED_MAX);
      const dropped = names.slice(0, Math.max(excess, 0)).map((name): Op => ({ op: 'delete', path: `${PATHS.plans}/${name}` }));
      return {
        ops: [{ op: 'create', path: planPath(plan.id), data: encodePlan(plan) }, ...dropped],
        event: { action: 'plan.create', object: planText(plan), epoch: null, before: 'none', after: 'pending' },
        value: { ...plan, state: 'pending' as const },
      };
    });
  } catch (error) {
    if (error instanceof AlreadyPlanned) return { ...error.plan, state: 'pending' };
    throw error;
  }
}

export interface ApplyRequest extends Expecting, MigrationManner {
  readonly id: PlanId;
  /** Also when it does not fit into the memory of a target. */
  readonly force?: boolean;
}

/** Makes a migration of a plan's moves. Throws CODIS_E_UNKNOWN_PLAN; CODIS_E_PLAN_STALE when the topology has changed since; CODIS_E_CONFLICT for a plan that was applied
 *  already or moves nothing; CODIS_E_NO_ROOM unless forced; and as `createMigration`. */
export function applyPlan(caller: Caller, request: ApplyRequest): Promise<StatedPlan> {
  const { id, expectedEpoch: _, force = false, ...manner } = request;
  return commitAudited(caller, async () => {
    const { plan, version } = await readVersioned(caller.coordinator, id);
    if (plan.migration !== null) throw new CodisError('CODIS_E_CONFLICT', `plan ${id} was applied already, as migration ${plan.migration}`);
    if (plan.moves.length === 0) throw new CodisError('CODIS_E_CONFLICT', `plan ${id} moves nothing, so there is nothing to carry out`);
    const current = await readTopology(caller);
    checkExpected(current.epoch, request);
    if (current.epoch !== plan.epoch) throw await staleError(caller.coordinator, { plan, current });
    const overfull = overfullGroups({ moves: plan.moves, groups: plan.estimate.groups });
    if (overfull.length > 0 && !force) throw new CodisError('CODIS_E_NO_ROOM', overfull.map(overfullText).join('; '));
    const { migration, ops } = await migrationOps(caller, current, { moves: plan.moves.map(bare), ...manner });
    const applied: Plan = { ...plan, migration: migration.id };
    return {
      ops: [...ops, { op: 'set', path: planPath(id), data: encodePlan(applied), version }],
      event: {
        action: 'plan.apply',
        object: `${planText(plan)} → migration ${migration.id}`,
        epoch: null,
        before: 'pending',
        after: `applied; its migration is ${standing(migration)}`,
      },
      value: { ...applied, state: 'applied' as const },
    };
  });
}

const bare = ({ first, last, to }: Move): Move => ({ first, last, to });

function planText({ id, goal, moves }: Pick<Plan, 'id' | 'goal' | 'moves'>): string {
  return `plan ${id}: ${goalText(goal)}, ${[...targets({ moves })].length} slots`;
}

async function staleError(coordinator: Coordinator, { plan, current }: { plan: Plan; current: VersionedTopology }): Promise<CodisError> {
  const told = await changesSince(coordinator, { plan, current, max: CHANGES_MAX });
  return new CodisError(
    'CODIS_E_PLAN_STALE',
    `plan ${plan.id} was made at epoch ${plan.epoch}, and the topology is at epoch ${current.epoch} now: ${told.join('; ')}; make a new plan`,
  );
}

/** What happened to the topology since a plan was made, each in a sentence: the first `max` events, and never nothing. */
export async function changesSince(
  coordinator: Coordinator,
  { plan, current, max }: { plan: Plan; current: VersionedTopology; max: number },
): Promise<string[]> {
  const events = (await listEvents(coordinator)).filter(({ epoch }) => epoch !== null && epoch > plan.epoch).reverse();
  const told = events.slice(0, max).map(({ action, object, actor }) => `${action} ${object} by ${actor}`);
  if (events.length > told.length) told.push(`${events.length - told.length} more changes`);
  const away = plan.moves.flatMap((move) =>
    [...targets({ moves: [move] })].filter(([slot]) => !isAt(current.topology, slot, move.from)),
  ).length;
  if (away > 0) told.push(`${away} of its slots are no longer where they were`);
  else if (told.length === 0) told.push('other slots were moved');
  return told;
}

function isAt(topology: Topology, slot: Slot, group: GroupId): boolean {
  const state = slotState(topology, slot);
  return state.kind === 'online' && state.owner === group;
}

/** A plan of late that can still be carried out as it stands. */
async function findPending(coordinator: Coordinator, wanted: { goal: PlanGoal; epoch: Epoch }): Promise<Plan | undefined> {
  const text = JSON.stringify(wanted.goal);
  const plans = (await readPlans(coordinator)).filter(
    (plan) => planState(plan, wanted.epoch) === 'pending' && JSON.stringify(plan.goal) === text && isFresh(plan),
  );
  if (plans.length === 0) return undefined;
  const existing = await listMigrations(coordinator);
  return plans.findLast((plan) => !overlaps(existing, plan.moves));
}

const isFresh = ({ createdAt }: Plan) => Math.abs(Date.now() - Date.parse(createdAt)) < REUSE_MS;

function overlaps(existing: readonly Migration[], moves: readonly Move[]): boolean {
  try {
    checkOverlap(existing, moves);
    return false;
  } catch (error) {
    if (isCodisError(error, 'CODIS_E_SLOT_IN_MOVE')) return true;
    throw error;
  }
}

async function readPlans(coordinator: Coordinator): Promise<Plan[]> {
  const names = await coordinator.list(PATHS.plans);
  const entries = await Promise.all(names.map((name) => coordinator.read(`${PATHS.plans}/${name}`)));
  return entries.filter((entry) => entry !== null).map(({ data }) => decodePlan(data));
}

async function readVersioned(coordinator: Coordinator, id: PlanId): Promise<{ plan: Plan; version: number }> {
  const entry = await coordinator.read(planPath(id));
  if (!entry) throw new CodisError('CODIS_E_UNKNOWN_PLAN', `there is no plan ${id}`);
  return { plan: decodePlan(entry.data), version: entry.version };
}

async function epochOrNull(coordinator: Coordinator): Promise<Epoch | null> {
  return (await readTopologyIfAny({ coordinator }))?.epoch ?? null;
}
