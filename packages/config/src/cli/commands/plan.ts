// codis-config plan …, and slot rebalance: what would move, first looked at, then carried out.

import type { Command } from 'commander';
import type {
  ApplyPlanRequest,
  CreatePlanRequest,
  DryRunView,
  GroupWeightView,
  MeasureName,
  PlanDiffView,
  PlansView,
  PlanView,
} from '../../api/index.ts';
import { groupArgument, measureOption, planArgument, slotArgument, weightOption } from '../arguments.ts';
import { type CarryOutOptions, carryOutOptions, mannerOf, reportMigration } from '../carry-out.ts';
import { queryText } from '../client.ts';
import { dryRunAnswer } from '../dry-run.ts';
import { EXIT, ProblemError } from '../failures.ts';
import { diffAnswer, planAnswer, plansTable, previewAnswer } from '../plan-text.ts';
import { agreed } from '../prompt.ts';
import { type Session, sessionOf } from '../session.ts';
import { type SpeedOptions, speedOptions, throttleOf } from '../throttle.ts';

export function planCommands(program: Command): void {
  const plan = program.command('plan').description('what would move, and at what cost; nothing moves until a plan is applied');
  makingCommands(plan);
  plan
    .command('list')
    .description('the newest plans, oldest first')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<PlansView>('/plans');
      session.print({ json: view, table: plansTable(view.plans), names: view.plans.map(({ id }) => id) });
    });
  speedOptions(plan.command('show').description('one plan, and how long it takes at full speed or with limits'))
    .argument('<id>', 'plan id', planArgument)
    .action(async (id: number, options: SpeedOptions, command: Command) => {
      const session = sessionOf(command);
      const limits = Object.entries(throttleOf(options)).filter(([, limit]) => limit !== null);
      const query = queryText(Object.fromEntries(limits.map(([name, limit]) => [name, String(limit)])));
      session.print(planAnswer(await session.get<PlanView>(`/plans/${id}${query === '' ? '' : `?${query}`}`)));
    });
  plan
    .command('diff')
    .description('what has changed since a plan was made, and what a new one would do differently')
    .argument('<id>', 'plan id', planArgument)
    .action(async (id: number, _, command: Command) => {
      const session = sessionOf(command);
      session.print(diffAnswer(await session.get<PlanDiffView>(`/plans/${id}/diff`)));
    });
  const applying = plan.command('apply').description('carry out a plan as it is; refused when the topology has changed since');
  forceOption(carryOutOptions(applying))
    .argument('<id>', 'plan id', planArgument)
    .action((id: number, options: ApplyOptions, command: Command) => apply(sessionOf(command), { id, ...options }));
}

interface BalanceOptions {
  readonly by: MeasureName;
  readonly weight?: readonly GroupWeightView[];
}

function makingCommands(plan: Command): void {
  plan
    .command('move')
    .description('plan to move slots to a group')
    .argument('<from>', '0 to 1023', slotArgument)
    .argument('<to>', '0 to 1023', slotArgument)
    .argument('<group>', 'group id', groupArgument)
    .action((first: number, last: number, to: number, _, command: Command) =>
      make(command, { kind: 'move', moves: [{ first, last, to }] }),
    );
  balanceOptions(plan.command('rebalance').description('plan to give every group its share')).action(
    (options: BalanceOptions, command: Command) => make(command, rebalanceOf(options)),
  );
  plan
    .command('drain')
    .description('plan to empty a group, so that it can be removed')
    .argument('<group>', 'group id', groupArgument)
    .option('--by <measure>', 'what to make even among the others: slots, keys or memory', measureOption, 'slots')
    .action((group: number, { by }: { by: MeasureName }, command: Command) => make(command, { kind: 'drain', group, by }));
}

function balanceOptions(command: Command): Command {
  return command
    .option('--by <measure>', 'what to make even: slots, keys or memory', measureOption, 'slots')
    .option('--weight <group=n>', 'a group’s part compared with others: 1 unless said, 0 for no slots; may be repeated', weightOption);
}

function rebalanceOf({ by, weight = [] }: BalanceOptions): CreatePlanRequest {
  return { kind: 'rebalance', by, weights: weight };
}

async function make(command: Command, goal: CreatePlanRequest): Promise<void> {
  const session = sessionOf(command);
  if (session.dryRun) return previewOnly(session, goal);
  session.print(planAnswer(await session.look<PlanView>({ method: 'POST', path: '/plans', body: goal })));
}

/** Works the plan out and keeps nothing of it. */
async function previewOnly(session: Session, goal: CreatePlanRequest): Promise<void> {
  const view = await session.look<DryRunView>({ method: 'POST', path: '/plans?dryRun=true', body: goal });
  session.print(view.plan === null ? dryRunAnswer(view) : { ...previewAnswer(view.plan), json: view });
}

interface ApplyOptions extends CarryOutOptions {
  readonly force?: boolean;
  /** Nobody is to be asked. */
  readonly yes?: boolean;
}

function forceOption(command: Command): Command {
  return command.option('-f, --force', 'also when it does not fit into the memory of a target');
}

async function apply(session: Session, { id, ...options }: ApplyOptions & { id: number }): Promise<void> {
  const request: ApplyPlanRequest = { ...mannerOf(options), force: options.force ?? false };
  const path = `/plans/${id}/apply`;
  if (session.dryRun) {
    await session.change({ method: 'POST', path, body: request });
    return;
  }
  const plan = await applyOrAsk(session, { path, request, mayAsk: !options.yes });
  if (plan === null) return declined(session, id);
  const migration = plan.migration ?? 0;
  const begun = {
    json: plan,
    table: `migration ${migration} carries out plan ${id}: ${plan.goal}, ${plan.slotsCount} slots`,
    names: [migration],
  };
  await reportMigration(session, { id: migration, begun, ...options });
}

/** What does not fit is a question to a person at a terminal, and refused elsewhere. Null: the answer was no. */
async function applyOrAsk(
  session: Session,
  { path, request, mayAsk }: { path: string; request: ApplyPlanRequest; mayAsk: boolean },
): Promise<PlanView | null> {
  try {
    return await session.change<PlanView>({ method: 'POST', path, body: request });
  } catch (error) {
    const noRoom = error instanceof ProblemError && error.problem.code === 'CODIS_E_NO_ROOM';
    if (!noRoom || !mayAsk || !process.stdin.isTTY) throw error;
    if (!(await agreed(`${error.message}. Move all the same?`))) return null;
    return session.change<PlanView>({ method: 'POST', path, body: { ...request, force: true } });
  }
}

function declined(session: Session, id: number): void {
  session.note(`nothing was moved; carry it out with: codis-config plan apply ${id}`);
  process.exitCode = EXIT.cancelled;
}

type RebalanceOptions = BalanceOptions & ApplyOptions;

/** Codis 2.0's `slot rebalance`. There it began at once, and scripts and its tutorial rely on that, so off a terminal the line does what it says. A person at a terminal
 *  can be asked, and is, after the preview. Either way exactly what the preview shows is carried out. */
export function rebalanceCommand(slot: Command): void {
  const command = slot
    .command('rebalance')
    .description('give every group its share: shows what would move, then moves it; on a terminal it asks first');
  forceOption(carryOutOptions(balanceOptions(command)))
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only show what would move')
    .action(async (options: RebalanceOptions, self: Command) => {
      const session = sessionOf(self);
      const goal = rebalanceOf(options);
      if (session.dryRun) return previewOnly(session, goal);
      const plan = await session.look<PlanView>({ method: 'POST', path: '/plans', body: goal });
      if (plan.moves.length === 0) return session.print(planAnswer(plan));
      session.preview(planAnswer(plan, { previewed: true }));
      if (!options.yes && process.stdin.isTTY && !(await agreed(`move ${plan.slotsCount} slots?`))) {
        return declined(session, plan.id);
      }
      await apply(session, { id: plan.id, ...options });
    });
}
