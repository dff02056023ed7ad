// The slots of a migration, one by one, and those that are under way now.

import type { MigrationSlotRunView, MigrationSlotsView, MigrationView, MoveStageName } from '@codis/config/api';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Chip, GroupMark, type Level } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Table } from '../components/table.tsx';
import { Time, Value } from '../components/value.tsx';
import { runText } from '../lib/slots.ts';
import { t } from '../lib/words.ts';
import { asProblem, get, type Problem } from '../state/api.ts';
import { topology } from '../state/live.ts';

const STAGES: Record<MoveStageName, { level: Level; word: string }> = {
  waiting: { level: 'idle', word: 'waiting' },
  locked: { level: 'busy', word: 'locked, about to move' },
  moving: { level: 'busy', word: 'moving' },
  done: { level: 'ok', word: 'moved' },
  elsewhere: { level: 'warn', word: 'elsewhere' },
};

/** Asked for again whenever the slots have changed. */
export function MigrationSlots({ migration: { id, state } }: { migration: MigrationView }) {
  const view = useSignal<MigrationSlotsView | null>(null);
  const problem = useSignal<Problem | null>(null);
  const at = topology.value?.epoch;
  useEffect(() => {
    get<MigrationSlotsView>(`/migrations/${id}/slots`).then(
      (found) => {
        view.value = found;
        problem.value = null;
      },
      (error: unknown) => {
        problem.value = asProblem(error);
      },
    );
  }, [id, at, state]);
  if (problem.value !== null) return <ProblemBox problem={problem.value} what={t('The slots')} />;
  if (view.value === null) return null;
  const { slots } = view.value;
  return (
    <section>
      <h2>{t('Slots')}</h2>
      <Lanes runs={slots.filter(({ stage }) => stage === 'locked' || stage === 'moving')} />
      <Table
        caption={t('Slots of this migration')}
        columns={[
          { title: 'Slot', numeric: true, cell: ({ slot }) => slot },
          {
            title: 'From',
            cell: ({ from }) =>
              from === null ? <Value text="—" why={t('it was there before, or belongs to no group')} /> : <GroupMark group={from} />,
          },
          { title: 'To', cell: ({ to }) => <GroupMark group={to} /> },
          { title: 'Stage', cell: ({ stage }) => <Chip {...STAGES[stage]} /> },
          {
            title: 'Arrived',
            cell: (slot) =>
              slot.at === null ? <Value text="—" why={t('it has not been moved by this migration')} /> : <Time at={slot.at} />,
          },
        ]}
        rows={slots.flatMap(eachSlot)}
        rowKey={({ slot }) => slot}
        empty={null}
      />
      <Copy text={`codis-config migration slots ${id}`} />
    </section>
  );
}

/** A lane is a pair of groups: what goes from one to the other. */
function Lanes({ runs }: { runs: readonly MigrationSlotRunView[] }) {
  return (
    <ul class="lanes" aria-label={t('Under way now')}>
      {runs.map((run) => (
        <li key={run.first}>
          {run.from === null ? null : <GroupMark group={run.from} />} → <GroupMark group={run.to} />{' '}
          {t('slots {run}: {stage}', { run: runText(run), stage: t(STAGES[run.stage].word) })}
        </li>
      ))}
    </ul>
  );
}

function eachSlot({ first, last, ...run }: MigrationSlotRunView) {
  return Array.from({ length: last - first + 1 }, (_, n) => ({ slot: first + n, ...run }));
}
