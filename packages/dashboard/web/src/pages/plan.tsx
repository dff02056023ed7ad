// A plan: what would move and what it would cost, and the button that carries it out exactly so.

import type { ApplyPlanRequest, PlanDiffView, PlannedMoveView, PlanView } from '@codis/config/api';
import { signal, useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ActionButton } from '../components/action.tsx';
import { WriteButton } from '../components/button.tsx';
import { Chip, GroupMark, type Level } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { Field } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { ThrottleFields, throttleForm, throttleOptions, throttleProblem, throttleRequest } from '../components/throttle.tsx';
import { Time, Value } from '../components/value.tsx';
import { bytes, count, plural, printable, sentence, shellQuote } from '../lib/format.ts';
import { runText } from '../lib/slots.ts';
import { told } from '../lib/told.ts';
import { rich, t } from '../lib/words.ts';
import { asProblem, call, get, type Problem } from '../state/api.ts';
import { epoch } from '../state/live.ts';
import { navigate, to } from '../state/router.ts';
import { plan as makePlan, planning, planProblem } from '../state/wizard.ts';
import { BeforeAfter } from './before-after.tsx';
import { GROUP_COLUMNS, Summary, UNSEEN } from './plan-summary.tsx';
import { StepList } from './wizard.tsx';

export function PlanPage({ id }: { id: string }) {
  const view = useSignal<PlanView | null>(null);
  const problem = useSignal<Problem | null>(null);
  const at = epoch.value;
  // Again with each epoch: a plan goes stale when the topology changes.
  useEffect(() => {
    get<PlanView>(`/plans/${encodeURIComponent(id)}`).then(
      (found) => {
        view.value = found;
        problem.value = null;
      },
      (error: unknown) => {
        problem.value = asProblem(error);
      },
    );
  }, [id, at]);
  return (
    <>
      <PageHead title={t('Plan {id}', { id })}>{view.value === null ? null : <PlanChip plan={view.value} />}</PageHead>
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
      {view.value === null ? null : <Review plan={view.value} />}
    </>
  );
}

const STATES: Record<PlanView['state'], { level: Level; word: string }> = {
  pending: { level: 'busy', word: 'can be carried out' },
  applied: { level: 'ok', word: 'applied' },
  stale: { level: 'warn', word: 'stale' },
};

export function PlanChip({ plan: { state } }: { plan: Pick<PlanView, 'state'> }) {
  return <Chip {...STATES[state]} />;
}

function Review({ plan }: { plan: PlanView }) {
  return (
    <>
      <StepList at={plan.state === 'applied' ? 3 : 2} />
      <p class="lead">
        <Said text={sentence(plan.goal)} whole />{' '}
        <span class="hint">
          {rich('Made at epoch {epoch} by {actor}, {at}.', {
            epoch: plan.epoch,
            actor: printable(plan.actor),
            at: <Time at={plan.createdAt} />,
          })}
        </span>
      </p>
      {plan.state === 'stale' ? <Stale plan={plan} /> : null}
      {plan.migration === null ? null : (
        <p>
          {rich('Carried out by {migration}.', {
            migration: <a href={to('migrations', plan.migration)}>{t('migration {id}', { id: plan.migration })}</a>,
          })}
        </p>
      )}
      <Summary plan={plan} form={manner.form} />
      {plan.warnings.map((warning) => (
        <p key={warning} class="note">
          <Chip level="warn" word="warning" /> <Said text={warning} />
        </p>
      ))}
      {plan.state === 'pending' ? <Run plan={plan} /> : null}
      <h2>{t('Groups before and after')}</h2>
      <Table caption={t('Groups before and after')} columns={GROUP_COLUMNS} rows={plan.groups} rowKey={({ group }) => group} empty={null} />
      <h2>{t('What moves')}</h2>
      <Table
        caption={t('What moves')}
        columns={MOVE_COLUMNS}
        rows={plan.moves}
        rowKey={({ first }) => first}
        empty={<p>{t('Nothing moves: all is as the goal wants it.')}</p>}
      />
      <BeforeAfter plan={plan} />
      <h2>{t('Basis')}</h2>
      <ul>
        {plan.basis.map((sentence) => (
          <li key={sentence}>
            <Said text={sentence} />
          </li>
        ))}
      </ul>
      <p class="actions">
        <Download plan={plan} />
        <Copy text={`codis-config plan show ${plan.id}`} />
      </p>
    </>
  );
}

const MOVE_COLUMNS: readonly Column<PlannedMoveView>[] = [
  { title: 'Slots', cell: runText },
  { title: 'From', cell: ({ from }) => <GroupMark group={from} /> },
  { title: 'To', cell: (move) => <GroupMark group={move.to} /> },
  { title: 'Count', numeric: true, cell: ({ first, last }) => count(last - first + 1) },
  { title: 'Keys', numeric: true, cell: ({ keysCount }) => <Value text={count(keysCount)} why={UNSEEN} /> },
  { title: 'Memory', numeric: true, cell: (move) => <Value text={bytes(move.bytes)} why={UNSEEN} /> },
];

function Download({ plan }: { plan: PlanView }) {
  const url = useMemo(() => URL.createObjectURL(new Blob([JSON.stringify(plan, null, 2)], { type: 'application/json' })), [plan]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <a href={url} download={`plan-${plan.id}.json`}>
      {t('Export as JSON')}
    </a>
  );
}

/** Kept outside: what was typed outlives a change of the epoch. */
const manner = { form: throttleForm(), durable: signal(false), comment: signal('') };

function Run({ plan }: { plan: PlanView }) {
  const { form, durable, comment } = manner;
  const tight = plan.groups.some(
    ({ memoryAfterBytes, maxMemoryBytes }) => maxMemoryBytes !== null && maxMemoryBytes > 0 && (memoryAfterBytes ?? 0) > maxMemoryBytes,
  );
  const options = useComputed(
    () =>
      `${throttleOptions(form, { all: false })}${durable.value ? ' --durable' : ''}${comment.value === '' ? '' : ` --comment ${shellQuote(comment.value)}`}${tight ? ' --force' : ''}`,
  );
  const block = plan.moves.length === 0 ? t('Nothing moves in this plan.') : throttleProblem(form);
  const start = {
    title: t('Move {slots}', { slots: plural(plan.slotsCount, 'slot') }),
    effect: [
      t(
        '{goal}: exactly what is shown here moves, {slots}, while clients go on. It can be slowed down, paused and cancelled at any time; every slot ends whole on one side.',
        { goal: told(plan.goal) ?? sentence(plan.goal), slots: plural(plan.slotsCount, 'slot') },
      ),
      ...(tight ? [t('It does not fit into the memory of a target, and is begun all the same.')] : []),
    ],
    danger: tight,
    cli: () => `codis-config plan apply ${plan.id}${options.value}`,
    run: async () => {
      const body: ApplyPlanRequest = {
        ...throttleRequest(form),
        ...(durable.value ? { durable: true } : {}),
        ...(comment.value === '' ? {} : { comment: comment.value }),
        ...(tight ? { force: true } : {}),
      };
      const applied = await call<PlanView>('POST', `/plans/${plan.id}/apply`, { body });
      if (applied.migration !== null) navigate(to('migrations', applied.migration));
      return { said: t('Migration {id} has begun', { id: applied.migration }) };
    },
  };
  return (
    <section class="run" aria-labelledby="run">
      <h2 id="run">{t('How fast?')}</h2>
      <ThrottleFields form={form} />
      <label class="choice">
        <input
          type="checkbox"
          checked={durable.value}
          onChange={(event) => {
            durable.value = event.currentTarget.checked;
          }}
        />
        <span>
          <strong>{t('Durable')}</strong>{' '}
          <span class="hint">{t('keys leave the source only when all replicas of the target have them; slower')}</span>
        </span>
      </label>
      <Field
        label={t('Why (for who looks at it later)')}
        value={comment}
        check={(text) => (text.length > 200 ? t('At most 200 characters.') : null)}
      />
      <p class="actions">
        <ActionButton primary action={start} label={start.title} block={block} />
      </p>
    </section>
  );
}

function Stale({ plan }: { plan: PlanView }) {
  const diff = useSignal<PlanDiffView | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    get<PlanDiffView>(`/plans/${plan.id}/diff`).then(
      (found) => {
        diff.value = found;
      },
      (error: unknown) => {
        problem.value = asProblem(error);
      },
    );
  }, [plan]);
  const recompute = async () => {
    const made = await makePlan(plan.request);
    if (made !== null) navigate(to('migrations', 'plan', String(made.id)));
  };
  return (
    <section class="note" aria-label={t('What has changed')}>
      <p>
        <Chip level="warn" word="stale" />{' '}
        {t('The topology has changed since this plan was made, so it can’t be carried out. Nothing was moved.')}
      </p>
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
      <ul>
        {(diff.value?.changes ?? []).map((change) => (
          <li key={change}>
            <Said text={change} />
          </li>
        ))}
      </ul>
      {diff.value === null ? null : <p>{differenceText(diff.value)}</p>}
      {planProblem.value === null ? null : <ProblemBox problem={planProblem.value} what={t('No new plan')} />}
      <WriteButton primary block={planning.value ? t('The plan is being made.') : null} onClick={() => void recompute()}>
        {t('Recompute')}
      </WriteButton>{' '}
      <Copy text={`codis-config plan diff ${plan.id}`} />
    </section>
  );
}

function differenceText({ obstacle, differences }: PlanDiffView): string {
  if (obstacle !== null) return t('There can’t be such a plan now: {obstacle}.', { obstacle });
  const slots = differences.reduce((total, { first, last }) => total + last - first + 1, 0);
  return slots === 0
    ? t('A plan made now would move the same slots.')
    : t('A plan made now would treat {slots} differently.', { slots: plural(slots, 'slot') });
}
