// How far a migration is, as a bar and a sentence.

import type { MigrationView } from '@codis/config/api';
import { Chip, type Level } from '../components/chip.tsx';
import { Said } from '../components/said.tsx';
import { count, duration, rate, UNKNOWN } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { rich, t } from '../lib/words.ts';
import { to } from '../state/router.ts';

export const MIGRATION_STATES: Record<MigrationView['state'], { level: Level; word: string }> = {
  running: { level: 'busy', word: 'running' },
  paused: { level: 'warn', word: 'paused' },
  done: { level: 'ok', word: 'done' },
  cancelled: { level: 'idle', word: 'cancelled' },
};

export function MigrationChip({ migration: { state, waiting } }: { migration: MigrationView }) {
  return state === 'running' && waiting !== null ? (
    <Chip level="warn" word="waiting" title={told(waiting) ?? waiting} />
  ) : (
    <Chip {...MIGRATION_STATES[state]} />
  );
}

export function progressText({ slotsDone, slotsTotal, keysSwept, keysLeft, keysPerSecond, secondsLeft, state }: MigrationView): string {
  const parts = [
    t('{done} of {total} slots', { done: count(slotsDone), total: count(slotsTotal) }),
    t('{keys} keys handed over', { keys: count(keysSwept) }),
  ];
  if (state === 'paused' || state === 'running') {
    if (keysLeft !== null) parts.push(t('about {keys} left', { keys: count(keysLeft) }));
    if (state === 'running' && rate(keysPerSecond) !== UNKNOWN) parts.push(rate(keysPerSecond, 'keys'));
    if (state === 'running')
      parts.push(
        secondsLeft === null ? t('time left not known yet') : t('about {duration} left', { duration: duration(secondsLeft * 1000) }),
      );
  }
  return parts.join(t(', '));
}

const BAR_STEPS = 1000;

/** By keys where it is known how many are left, for slots arrive many at a time; else by slots. */
export function ProgressBar({ migration, label }: { migration: MigrationView; label: string }) {
  const { state, slotsDone, slotsTotal, keysSwept, keysLeft } = migration;
  const bySlots = slotsTotal === 0 ? 1 : slotsDone / slotsTotal;
  const byKeys = keysLeft === null || keysSwept + keysLeft === 0 ? 0 : keysSwept / (keysSwept + keysLeft);
  const share = state === 'done' || state === 'cancelled' ? bySlots : Math.max(bySlots, byKeys);
  return <progress max={BAR_STEPS} value={Math.round(share * BAR_STEPS)} aria-label={label} />;
}

export function ProgressLine({ migration }: { migration: MigrationView }) {
  const { id, waiting } = migration;
  return (
    <div class="progress-line">
      <a href={to('migrations', id)}>{t('Migration {id}', { id })}</a> <MigrationChip migration={migration} />
      <ProgressBar migration={migration} label={t('Migration {id}', { id })} />
      <span>{progressText(migration)}</span>
      {waiting === null ? null : <span class="hint">{rich('Waiting: {waiting}', { waiting: <Said text={waiting} /> })}</span>}
    </div>
  );
}
