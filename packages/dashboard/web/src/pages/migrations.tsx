// Plans and migrations: what could move, what moves, what has moved.

import type { MigrationView, PlanSummaryView, PlansView } from '@codis/config/api';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ActionButton } from '../components/action.tsx';
import { WriteButton } from '../components/button.tsx';
import { Select } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { Steady } from '../components/steady.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Time, Value } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { bytes, count, duration, plural, printable } from '../lib/format.ts';
import { t } from '../lib/words.ts';
import { asProblem, call, get, type Problem } from '../state/api.ts';
import { epoch, migrations } from '../state/live.ts';
import { navigate, query, setQuery, to } from '../state/router.ts';
import { step } from '../state/wizard.ts';
import { PlanChip } from './plan.tsx';
import { MigrationChip, ProgressLine } from './progress.tsx';

const STATES: readonly MigrationView['state'][] = ['running', 'paused', 'done', 'cancelled'];

export function MigrationsPage() {
  const all = [...migrations.value].reverse();
  const open = all.filter(({ state }) => state === 'running' || state === 'paused');
  const wanted = query.value.get('state') ?? 'all';
  const shown = all.filter(({ state }) => wanted === 'all' || state === wanted);
  return (
    <>
      <PageHead title={t('Migrations')}>
        <WriteButton
          primary
          onClick={() => {
            step.value = 'what';
            navigate(to('migrations', 'new'));
          }}
        >
          {t('Move slots…')}
        </WriteButton>
      </PageHead>
      {open.length === 0 ? null : <UnderWay open={open} />}
      <Plans />
      <div class="toolbar">
        <h2>{t('All migrations')}</h2>
        <span class="spring" />
        <Select
          label={t('State')}
          value={wanted}
          options={[{ value: 'all', label: t('all') }, ...STATES.map((state) => ({ value: state as string, label: apiWord(state) }))]}
          onChange={(value) => setQuery({ state: value === 'all' ? null : value })}
        />
      </div>
      <Steady key={wanted} rows={shown} rowKey={({ id }) => String(id)}>
        {(rows) => (
          <Table
            caption={t('Migrations')}
            columns={COLUMNS}
            rows={rows}
            rowKey={({ id }) => id}
            empty={<Empty text={t('No slot has been moved yet. “Move slots…” above begins; or type:')} cli="codis-config plan rebalance" />}
          />
        )}
      </Steady>
    </>
  );
}

const COLUMNS: readonly Column<MigrationView>[] = [
  { title: 'Migration', cell: ({ id }) => <a href={to('migrations', id)}>{id}</a> },
  { title: 'State', cell: (migration) => <MigrationChip migration={migration} /> },
  { title: 'Slots', numeric: true, cell: ({ slotsDone, slotsTotal }) => `${count(slotsDone)} / ${count(slotsTotal)}` },
  { title: 'To', cell: ({ moves }) => [...new Set(moves.map((move) => t('group {id}', { id: move.to })))].join(', ') },
  { title: 'Keys', numeric: true, cell: ({ keysSwept }) => count(keysSwept) },
  { title: 'By', cell: ({ actor }) => printable(actor) },
  { title: 'Begun', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { title: 'Ended', cell: ({ endedAt }) => (endedAt === null ? <Value text="—" why={t('it has not ended')} /> : <Time at={endedAt} />) },
];

function UnderWay({ open }: { open: readonly MigrationView[] }) {
  const ids = open.map(({ id }) => id);
  const sum = (field: 'slotsTotal' | 'slotsDone') => open.reduce((total, migration) => total + migration[field], 0);
  const cancelAll = {
    title: t('Cancel {migrations}', { migrations: plural(open.length, 'migration') }),
    effect: [
      t(
        'Migrations {ids} take no further slots: of {total}, {done} that moved will stay there, what is under way arrives, and the rest is not moved.',
        { ids: ids.join(', '), total: plural(sum('slotsTotal'), 'slot'), done: plural(sum('slotsDone'), 'slot') },
      ),
      t('Every slot ends whole on one side.'),
    ],
    cli: ids.map((id) => `codis-config migration cancel ${id}`).join(' && '),
    run: async () => {
      const outcomes = [];
      for (const id of ids) outcomes.push(await cancelUnlessEnded(id));
      return {
        said: t('{migrations} cancelled', { migrations: plural(outcomes.filter((isCancelled) => isCancelled).length, 'migration') }),
      };
    },
  };
  return (
    <section>
      <h2>{t('Under way')}</h2>
      {open.map((migration) => (
        <ProgressLine key={migration.id} migration={migration} />
      ))}
      {open.length > 1 ? <ActionButton action={cancelAll} label={`${cancelAll.title} …`} /> : null}
    </section>
  );
}

/** False when it has ended by then. */
async function cancelUnlessEnded(id: number): Promise<boolean> {
  try {
    await call<MigrationView>('POST', `/migrations/${id}/cancel`, { body: {} });
    return true;
  } catch (error) {
    if (asProblem(error).code === 'CODIS_E_CONFLICT') return false;
    throw error;
  }
}

const PLANS_SHOWN = 10;

function Plans() {
  const view = useSignal<readonly PlanSummaryView[]>([]);
  const problem = useSignal<Problem | null>(null);
  const at = epoch.value;
  useEffect(() => {
    get<PlansView>('/plans').then(
      ({ plans }) => {
        view.value = [...plans].reverse();
      },
      (error: unknown) => {
        problem.value = asProblem(error);
      },
    );
  }, [at]);
  const open = view.value.filter(({ state }) => state !== 'applied').slice(0, PLANS_SHOWN);
  return (
    <section>
      <h2>{t('Plans that were not carried out')}</h2>
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
      <Table
        caption={t('Plans')}
        columns={PLAN_COLUMNS}
        rows={open}
        rowKey={({ id }) => id}
        empty={
          <Empty
            text={t('None. A plan says what would move and at what cost; making one moves nothing:')}
            cli="codis-config plan rebalance"
          />
        }
      />
    </section>
  );
}

const PLAN_COLUMNS: readonly Column<PlanSummaryView>[] = [
  { title: 'Plan', cell: ({ id }) => <a href={to('migrations', 'plan', String(id))}>{id}</a> },
  { title: 'State', cell: (plan) => <PlanChip plan={plan} /> },
  { title: 'Goal', cell: ({ goal }) => <Said text={goal} /> },
  { title: 'Slots', numeric: true, cell: ({ slotsCount }) => count(slotsCount) },
  { title: 'Keys', numeric: true, cell: ({ keysCount }) => <Value text={count(keysCount)} why={t('it could not be estimated')} /> },
  { title: 'Memory', numeric: true, cell: (plan) => <Value text={bytes(plan.bytes)} why={t('it could not be estimated')} /> },
  { title: 'Time', numeric: true, cell: ({ durationMs }) => <Value text={duration(durationMs)} why={t('it could not be estimated')} /> },
  { title: 'By', cell: ({ actor }) => printable(actor) },
  { title: 'Made', cell: ({ createdAt }) => <Time at={createdAt} /> },
];
