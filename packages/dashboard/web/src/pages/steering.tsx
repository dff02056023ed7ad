// What can be done about a migration that has not ended: paused, resumed, cancelled, taken back. Each dialog says in numbers what becomes of its slots.

import type { MigrationView } from '@codis/config/api';
import { type Action, ActionButton } from '../components/action.tsx';
import { WhyButton } from '../components/explain.tsx';
import { count, plural } from '../lib/format.ts';
import { call } from '../state/api.ts';
import { topology } from '../state/live.ts';

type Verb = 'pause' | 'resume';

const VERBS: Record<Verb, { readonly effect: string; readonly said: string }> = {
  pause: {
    effect:
      'It finishes the keys in flight and takes no further ones. Slots between two groups stay there, and clients go on: what they ask for is handed over.',
    said: 'paused',
  },
  resume: { effect: 'It goes on where it stopped.', said: 'goes on' },
};

export function Steering({ migration }: { migration: MigrationView }) {
  const { id, state } = migration;
  if (state !== 'running' && state !== 'paused') return null;
  return (
    <p class="actions">
      {state === 'running' ? (
        <ActionButton primary action={steer(id, 'pause')} label="Pause …" />
      ) : (
        <ActionButton primary action={steer(id, 'resume')} label="Resume …" />
      )}
      <ActionButton action={cancel(migration)} label="Finish the slots under way, leave the rest …" />
      <ActionButton
        action={rollBack(migration, 'current')}
        label="Roll back the slots under way …"
        block={underWay(id) === 0 ? 'No slot is under way just now.' : null}
      />
      <ActionButton action={rollBack(migration, 'all')} label="Roll back everything …" />
      <WhyButton of={{ migration: id }} about={`Migration ${id}`} />
    </p>
  );
}

function steer(id: number, verb: Verb): Action {
  return {
    title: `${verb[0]?.toUpperCase()}${verb.slice(1)} migration ${id}`,
    effect: [VERBS[verb].effect],
    cli: `codis-config migration ${verb} ${id}`,
    rehearsal: { method: 'POST', path: `/migrations/${id}/${verb}`, body: {} },
    run: async () => {
      await call<MigrationView>('POST', `/migrations/${id}/${verb}`, { body: {} });
      return { said: `Migration ${id} ${VERBS[verb].said}` };
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
  return {
    moving:
      between === 0
        ? 'No slot is under way just now.'
        : `${plural(between, 'slot')} under way ${between === 1 ? 'arrives' : 'arrive'} first.`,
    rest: `${plural(slotsTotal - slotsDone - between, 'slot')} of ${count(slotsTotal)} that ${slotsTotal - slotsDone - between === 1 ? 'waits' : 'wait'} will not be moved.`,
  };
}

function cancel(migration: MigrationView): Action {
  const { id, slotsDone } = migration;
  const { moving, rest } = numbers(migration);
  return {
    title: `Cancel migration ${id}`,
    effect: [
      moving,
      rest,
      `${plural(slotsDone, 'slot')} that moved will stay there. Every slot ends whole on one side. It can’t be resumed.`,
    ],
    cli: `codis-config migration cancel ${id}`,
    rehearsal: { method: 'POST', path: `/migrations/${id}/cancel`, body: {} },
    danger: true,
    run: async () => {
      await call<MigrationView>('POST', `/migrations/${id}/cancel`, { body: {} });
      return { said: `Migration ${id} cancelled` };
    },
  };
}

function rollBack(migration: MigrationView, which: 'current' | 'all'): Action {
  const { id, slotsDone } = migration;
  const { moving, rest } = numbers(migration);
  const path = `/migrations/${id}/cancel`;
  return {
    title: which === 'current' ? `Roll back what migration ${id} has under way` : `Roll back all of migration ${id}`,
    effect: [
      moving,
      rest,
      which === 'current'
        ? `Then another migration brings back what was under way. ${plural(slotsDone, 'slot')} that moved before will stay there.`
        : `Then another migration brings them back where they came from${slotsDone === 0 ? '' : `, and ${plural(slotsDone, 'slot')} that moved before, as far as nobody else has moved them on`}.`,
      'That takes about as long as moving them did; clients go on. It can’t be resumed.',
    ],
    cli: `codis-config migration cancel ${id} --roll-back ${which}`,
    rehearsal: { method: 'POST', path, body: { rollBack: which }, tells: true },
    danger: true,
    run: async () => {
      const { takenBackBy } = await call<MigrationView>('POST', path, { body: { rollBack: which } });
      const back = takenBackBy === null ? 'there was nothing to take back' : `migration ${takenBackBy} takes it back`;
      return { said: `Migration ${id} cancelled; ${back}` };
    },
  };
}
