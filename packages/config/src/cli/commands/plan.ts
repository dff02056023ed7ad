// codis-config plan …, and slot rebalance: what would move, first looked at, then carried out.

import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type {
  ApplyPlanRequest,
  CreatePlanRequest,
  GroupWeightView,
  MeasureName,
  PlanDiffView,
  PlansView,
  PlanView,
} from '../../api/index.ts';
import { groupArgument, measureOption, planArgument, slotArgument, weightOption } from '../arguments.ts';
import { type CarryOutOptions, carryOutOptions, mannerOf, reportMigration } from '../carry-out.ts';
import { EXIT, ProblemError } from '../failures.ts';
import { diffAnswer, planAnswer, plansTable } from '../plan-text.ts';
import { type Session, sessionOf } from '../session.ts';

export function planCommands(program: Command): void {
  const plan = program.command('plan').description('what would move, and at what cost; nothing moves until a plan is applied');
  makingCommands(plan);
  plan
    .command('list')
    .description('the newest plans, oldest first')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<PlansView>('/plans');
      session.print({ json: view, table: plansTable(view.plans), names: view.plans.map(({ id }) => id) });
    });
  plan
    .command('show')
    .description('one plan')
    .argument('<id>', 'plan id', planArgument)
    .action(async (id: number, _, command: Command) => {
      const session = sessionOf(command);
      session.print(planAnswer(await session.client.get<PlanView>(`/plans/${id}`)));
    });
  plan
    .command('diff')
    .description('what has changed since a plan was made, and what a new one would do differently')
    .argument('<id>', 'plan id', planArgument)
    .action(async (id: number, _, command: Command) => {
      const session = sessionOf(command);
      session.print(diffAnswer(await session.client.get<PlanDiffView>(`/plans/${id}/diff`)));
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
  session.print(planAnswer(await session.client.post<PlanView>('/plans', goal)));
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
  const plan = await applyOrAsk(session, { id, request, mayAsk: !options.yes });
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
  { client }: Session,
  { id, request, mayAsk }: { id: number; request: ApplyPlanRequest; mayAsk: boolean },
): Promise<PlanView | null> {
  try {
    return await client.post<PlanView>(`/plans/${id}/apply`, request);
  } catch (error) {
    const noRoom = error instanceof ProblemError && error.problem.code === 'CODIS_E_NO_ROOM';
    if (!noRoom || !mayAsk || !process.stdin.isTTY) throw error;
    if (!(await agreed(`${error.message}. Move all the same?`))) return null;
    return client.post<PlanView>(`/plans/${id}/apply`, { ...request, force: true });
  }
}

function declined(session: Session, id: number): void {
  session.note(`nothing was moved; carry it out with: codis-config plan apply ${id}`);
  process.exitCode = EXIT.cancelled;
}

interface RebalanceOptions extends BalanceOptions, ApplyOptions {
  readonly dryRun?: boolean;
}

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
      const plan = await session.client.post<PlanView>('/plans', rebalanceOf(options));
      if (options.dryRun || plan.moves.length === 0) return session.print(planAnswer(plan));
      session.preview(planAnswer(plan, { previewed: true }));
      if (!options.yes && process.stdin.isTTY && !(await agreed(`move ${plan.slotsCount} slots?`))) {
        return declined(session, plan.id);
      }
      await apply(session, { id: plan.id, ...options });
    });
}

async function agreed(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } catch {
    return false;
  } finally {
    prompt.close();
  }
}
