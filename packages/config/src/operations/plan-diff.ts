// What has become of a plan: what changed in the topology since it was made, and what a plan for the same goal would do differently now. Changes nothing.

import {
  differingMoves,
  type Epoch,
  isCodisError,
  isOpen,
  type Move,
  type MoveDifference,
  type PlanId,
  type Topology,
} from '../model/index.ts';
import type { Caller } from './caller.ts';
import { readTopology } from './commit.ts';
import { costsOf, groupsToSurvey, surveyGroups } from './estimate.ts';
import { listMigrations } from './migrations.ts';
import { changesSince, movesFor, readPlan, type StatedPlan } from './plans.ts';

const CHANGES_MAX = 20;

export interface PlanDiff {
  readonly plan: StatedPlan;
  /** The topology's now. */
  readonly currentEpoch: Epoch;
  /** Since the plan was made, each in a sentence. */
  readonly changes: readonly string[];
  readonly differences: readonly MoveDifference[];
  /** Why the goal can't be planned for now; null when it can. */
  readonly obstacle: string | null;
}

/** Throws CODIS_E_UNKNOWN_PLAN, and as `costsOf`. */
export async function diffPlan(caller: Caller, { id }: { id: PlanId }): Promise<PlanDiff> {
  const plan = await readPlan(caller.coordinator, id);
  const current = await readTopology(caller);
  const changes = current.epoch === plan.epoch ? [] : await changesSince(caller.coordinator, { plan, current, max: CHANGES_MAX });
  const common = { plan, currentEpoch: current.epoch, changes };
  try {
    const now = await movesNow(caller, plan, current.topology);
    return { ...common, differences: differingMoves(current.topology, { planned: plan.moves, now }), obstacle: null };
  } catch (error) {
    if (!isCodisError(error) || error.kind.status >= 500) throw error;
    return { ...common, differences: [], obstacle: error.message };
  }
}

async function movesNow(caller: Caller, { goal }: StatedPlan, topology: Topology): Promise<readonly Move[]> {
  const running = (await listMigrations(caller.coordinator)).filter(isOpen);
  const by = goal.kind === 'move' ? 'slots' : goal.by;
  if (by === 'slots') return movesFor(topology, { goal, running });
  const costs = costsOf(topology, await surveyGroups(caller, topology, groupsToSurvey(topology, by, [])), by);
  return movesFor(topology, { goal, running, ...(costs ? { costs } : {}) });
}
