// One migration: how far it is, and everything that can be done about it while it runs.

import type { MigrationView } from '@codis/config/api';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { WriteButton } from '../components/button.tsx';
import { Chip } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { WhyButton } from '../components/explain.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { ThrottleFields, throttleForm, throttleOptions, throttleProblem, throttleRequest } from '../components/throttle.tsx';
import { Time, Value } from '../components/value.tsx';
import { bytes, count, duration, printable, rate, sentence } from '../lib/format.ts';
import { rich, t } from '../lib/words.ts';
import { asProblem, call, type Problem } from '../state/api.ts';
import { migrations, now } from '../state/live.ts';
import { useResource } from '../state/resource.ts';
import { to } from '../state/router.ts';
import { toastDone } from '../state/toasts.ts';
import { MigrationSlots } from './migration-slots.tsx';
import { MigrationChip, ProgressBar, progressText } from './progress.tsx';
import { Steering } from './steering.tsx';
import { StepList } from './wizard.tsx';

export function MigrationPage({ id }: { id: string }) {
  return <One key={id} id={id} />;
}

/** It is asked for besides: the live page may not be told of it (yet), for it is too new or too old. What is typed here stays when it is. */
function One({ id }: { id: string }) {
  const live = migrations.value.find((one) => String(one.id) === id);
  const { view, problem } = useResource<MigrationView>(`/migrations/${encodeURIComponent(id)}`);
  const migration = live ?? view;
  if (migration !== null) return <Shown migration={migration} />;
  const isUnknown = problem?.code === 'CODIS_E_UNKNOWN_MIGRATION' || problem?.code === 'CODIS_E_BAD_REQUEST';
  return (
    <>
      <PageHead title={t('Migration {id}', { id })} />
      {problem === null ? <p class="hint">{t('Looking for it…')}</p> : null}
      {isUnknown ? <Empty text={t('There is no migration {id}. Those that there are:', { id })} cli="codis-config migration list" /> : null}
      {problem === null || isUnknown ? null : <ProblemBox problem={problem} what={t('Migration {id}', { id })} />}
    </>
  );
}

function Shown({ migration }: { migration: MigrationView }) {
  const { id } = migration;
  return (
    <>
      <PageHead title={t('Migration {id}', { id })}>
        <MigrationChip migration={migration} />
      </PageHead>
      <StepList at={3} />
      <Progress migration={migration} />
      <Steering migration={migration} />
      <Throttle migration={migration} />
      <MigrationSlots migration={migration} />
      <Copy text={`codis-config migration watch ${id}`} />
    </>
  );
}

function Progress({ migration }: { migration: MigrationView }) {
  const { slotsDone, slotsTotal, keysSwept, bytesSwept, keysLeft, keysPerSecond, secondsLeft, waiting, resumesAt, stalled, state } =
    migration;
  const open = state === 'running' || state === 'paused';
  return (
    <section class="progress" aria-label={t('Progress')}>
      <ProgressBar migration={migration} label={t('How far it is')} />
      <p class="lead">{progressText(migration)}</p>
      <Announcer text={progressText(migration)} />
      {stalled === null ? null : (
        <p class="note">
          <Chip level="error" word="stalled" />{' '}
          {rich('Nothing has changed since {at}: {reason}', { at: <Time at={stalled.since} />, reason: <Said text={stalled.reason} /> })}{' '}
          <WhyButton of={{ migration: migration.id }} about={t('Migration {id} is stalled', { id: migration.id })} />
        </p>
      )}
      {waiting === null || stalled !== null ? null : (
        <p class="note">
          <Chip level="warn" word="waiting" /> <Said text={waiting} />
          {resumesAt === null ? null : [' (', <Time key="at" at={resumesAt} />, ')']}{' '}
          <WhyButton of={{ migration: migration.id }} about={t('Migration {id} waits', { id: migration.id })} />
        </p>
      )}
      <Outcome migration={migration} />
      <dl class="tiles">
        <Tile name={t('Slots')} text={`${slotsDone} / ${slotsTotal}`} />
        <Tile name={t('Keys handed over')} text={count(keysSwept)} />
        <Tile name={t('Memory handed over')} text={bytes(bytesSwept)} />
        {open ? <Tile name={t('Keys left')} text={count(keysLeft)} why={t('the source is still being looked through')} /> : null}
        {open ? <Tile name={t('Rate')} text={rate(keysPerSecond, 'keys')} why={t('nothing is handed over just now')} /> : null}
        {open ? (
          <Tile name={t('Time left')} text={secondsLeft === null ? '—' : duration(secondsLeft * 1000)} why={t('not known yet')} />
        ) : null}
        <Elapsed migration={migration} />
        <Tile name={t('Retries')} text={count(migration.retries)} />
      </dl>
      <p class="hint">
        {rich('Asked for by {actor}, {at}', { actor: printable(migration.actor), at: <Time at={migration.createdAt} /> })}
        {migration.comment === null ? '' : t(': “{comment}”', { comment: printable(migration.comment) })}
        {t('.')} <TakenBack migration={migration} />
        {migration.durable ? t('Durable: keys leave the source only when the replicas of the target have them.') : ''}
      </p>
    </section>
  );
}

function TakenBack({ migration: { takesBack, takenBackBy } }: { migration: MigrationView }) {
  return (
    <>
      {takesBack === null ? null : (
        <>
          {rich('It takes {migration} back.', {
            migration: <a href={to('migrations', takesBack)}>{t('migration {id}', { id: takesBack })}</a>,
          })}{' '}
        </>
      )}
      {takenBackBy === null ? null : (
        <>
          {rich('{migration} takes it back.', {
            migration: <a href={to('migrations', takenBackBy)}>{t('Migration {id}', { id: takenBackBy })}</a>,
          })}{' '}
        </>
      )}
    </>
  );
}

function Outcome({ migration: { state, slotsDone, slotsTotal, moves, takenBackBy, verified } }: { migration: MigrationView }) {
  if (state === 'done') {
    const groups = [...new Set(moves.map((move) => t('group {id}', { id: move.to })))].join(', ');
    return (
      <p class="outcome">
        <Chip level="ok" word="verified" /> {t('All {slots} slots are at {groups}.', { slots: count(slotsTotal), groups })}{' '}
        {verified === null ? (
          t('A slot counts as moved only when its source was seen to have no key of it left.')
        ) : (
          <Said text={sentence(verified.text)} whole />
        )}
      </p>
    );
  }
  if (state !== 'cancelled') return null;
  return (
    <p class="outcome">
      <Chip level="idle" word="cancelled" />{' '}
      {t(
        takenBackBy === null
          ? '{done} of {total} slots had moved and stay where they are; the others stayed at their source.'
          : '{done} of {total} slots had moved; the others stayed at their source.',
        { done: count(slotsDone), total: count(slotsTotal) },
      )}{' '}
      {verified === null ? null : <Said text={sentence(verified.text)} whole />}
    </p>
  );
}

function Tile({ name, text, why = t('not known') }: { name: string; text: string; why?: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="figure">
          <Value text={text} why={why} />
        </span>
      </dd>
    </div>
  );
}

function Elapsed({ migration: { createdAt, endedAt } }: { migration: MigrationView }) {
  const end = endedAt === null ? now.value : Date.parse(endedAt);
  return <Tile name={t('Elapsed')} text={duration(Math.max(0, end - Date.parse(createdAt)))} />;
}

const ANNOUNCE_MS = 10_000;

/** For a screen reader, at most once in ten seconds. */
function Announcer({ text }: { text: string }) {
  const said = useSignal('');
  const saidAt = useRef(0);
  useEffect(() => {
    if (now.value - saidAt.current < ANNOUNCE_MS) return;
    saidAt.current = now.value;
    said.value = text;
  }, [text, now.value]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {said}
    </p>
  );
}

function Throttle({ migration }: { migration: MigrationView }) {
  const form = useSignal(throttleForm(migration.throttle)).value;
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  if (migration.state !== 'running' && migration.state !== 'paused') return null;
  const save = async () => {
    busy.value = true;
    problem.value = null;
    try {
      await call<MigrationView>('POST', `/migrations/${migration.id}/throttle`, { body: throttleRequest(form) });
      toastDone(t('Migration {id}: the limits hold from now on', { id: migration.id }));
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <section aria-labelledby="limits">
      <h2 id="limits">{t('Limits')}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <ThrottleFields form={form} />
        {problem.value === null ? null : <ProblemBox problem={problem.value} what={t('The limits stay as they were')} />}
        <p class="actions">
          <WriteButton submit block={busy.value ? t('It is being done.') : throttleProblem(form)} onClick={() => void save()}>
            {t('Set the limits')}
          </WriteButton>
          <Copy text={`codis-config migration throttle ${migration.id}${throttleOptions(form, { all: true })}`} />
        </p>
      </form>
    </section>
  );
}
