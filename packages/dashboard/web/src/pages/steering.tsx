// What can be done about a migration that has not ended: paused, resumed, cancelled, taken back. Each dialog says in numbers what becomes of its slots.

import type { MigrationView } from '@codis/config/api';
import { type Action, ActionButton } from '../components/action.tsx';
import { WhyButton } from '../components/explain.tsx';
import { count, plural } from '../lib/format.ts';
import { msg, t } from '../lib/words.ts';
import { call } from '../state/api.ts';
import { topology } from '../state/live.ts';

type Verb = 'pause' | 'resume';

const VERBS: Record<Verb, { readonly title: string; readonly effect: string; readonly said: string }> = {
  pause: {
    title: msg('Pause migration {id}'),
    effect: msg(
      'It finishes the keys in flight and takes no further ones. Slots between two groups stay there, and clients go on: what they ask for is handed over.',
    ),
    said: msg('Migration {id} paused'),
  },
  resume: {
    title: msg('Resume migration {id}'),
    effect: msg('It goes on where it stopped.'),
    said: msg('Migration {id} goes on'),
  },
};

export function Steering({ migration }: { migration: MigrationView }) {
  const { id, state } = migration;
  if (state !== 'running' && state !== 'paused') return null;
  return (
    <p class="actions">
      {state === 'running' ? (
        <ActionButton primary action={steer(id, 'pause')} label={t('Pause …')} />
      ) : (
        <ActionButton primary action={steer(id, 'resume')} label={t('Resume …')} />
      )}
      <ActionButton action={cancel(migration)} label={t('Finish the slots under way, leave the rest …')} />
      <ActionButton
        action={rollBack(migration, 'current')}
        label={t('Roll back the slots under way …')}
        block={underWay(id) === 0 ? t('No slot is under way just now.') : null}
      />
      <ActionButton action={rollBack(migration, 'all')} label={t('Roll back everything …')} />
      <WhyButton of={{ migration: id }} about={t('Migration {id}', { id })} />
    </p>
  );
}

function steer(id: number, verb: Verb): Action {
  return {
    title: t(VERBS[verb].title, { id }),
    effect: [t(VERBS[verb].effect)],
    cli: `codis-config migration ${verb} ${id}`,
    rehearsal: { method: 'POST', path: `/migrations/${id}/${verb}`, body: {} },
    run: async () => {
      await call<MigrationView>('POST', `/migrations/${id}/${verb}`, { body: {} });
      return { said: t(VERBS[verb].said, { id }) };
    },
  };
}

/** How many of its slots are locked or between two groups. */
function underWay(id: number): number {
  return topology.value?.slots.filter(({ migration }) => migration === id).length ?? 0;
}

/** What becomes of its slots when it takes no further ones. */
function numbers({ id, slotsDone, slotsTotal }: MigrationView): { moving: string; rest: string } {
  const between = underWay(id);
  const waiting = slotsTotal - slotsDone - between;
  const slots = plural(between, 'slot');
  const rest = { slots: plural(waiting, 'slot'), total: count(slotsTotal) };
  return {
    moving:
      between === 0
        ? t('No slot is under way just now.')
        : between === 1
          ? t('{slots} under way arrives first.', { slots })
          : t('{slots} under way arrive first.', { slots }),
    rest:
      waiting === 1
        ? t('{slots} of {total} that waits will not be moved.', rest)
        : t('{slots} of {total} that wait will not be moved.', rest),
  };
}

function cancel(migration: MigrationView): Action {
  const { id, slotsDone } = migration;
  const { moving, rest } = numbers(migration);
  return {
    title: t('Cancel migration {id}', { id }),
    effect: [
      moving,
      rest,
      t('{slots} that moved will stay there. Every slot ends whole on one side. It can’t be resumed.', {
        slots: plural(slotsDone, 'slot'),
      }),
    ],
    cli: `codis-config migration cancel ${id}`,
    rehearsal: { method: 'POST', path: `/migrations/${id}/cancel`, body: {} },
    danger: true,
    run: async () => {
      await call<MigrationView>('POST', `/migrations/${id}/cancel`, { body: {} });
      return { said: t('Migration {id} cancelled', { id }) };
    },
  };
}

function rollBack(migration: MigrationView, which: 'current' | 'all'): Action {
  const { id, slotsDone } = migration;
  const { moving, rest } = numbers(migration);
  const path = `/migrations/${id}/cancel`;
  return {
    title: which === 'current' ? t('Roll back what migration {id} has under way', { id }) : t('Roll back all of migration {id}', { id }),
    effect: [
      moving,
      rest,
      which === 'current'
        ? t('Then another migration brings back what was under way. {slots} that moved before will stay there.', {
            slots: plural(slotsDone, 'slot'),
          })
        : slotsDone === 0
          ? t('Then another migration brings them back where they came from.')
          : t(
              'Then another migration brings them back where they came from, and {slots} that moved before, as far as nobody else has moved them on.',
              {
                slots: plural(slotsDone, 'slot'),
              },
            ),
      t('That takes about as long as moving them did; clients go on. It can’t be resumed.'),
    ],
    cli: `codis-config migration cancel ${id} --roll-back ${which}`,
    rehearsal: { method: 'POST', path, body: { rollBack: which }, tells: true },
    danger: true,
    run: async () => {
      const { takenBackBy } = await call<MigrationView>('POST', path, { body: { rollBack: which } });
      const back = takenBackBy === null ? t('there was nothing to take back') : t('migration {id} takes it back', { id: takenBackBy });
      return { said: t('Migration {id} cancelled; {back}', { id, back }) };
    },
  };
}
