// Making another server of a group its master: who can, what each would lose, and who might not hear of it.

import type { CandidatesView, CandidateView, ChangeView } from '@codis/config/api';
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { bytes, UNKNOWN } from '../lib/format.ts';
import { t } from '../lib/words.ts';
import { asProblem, call, get, type Problem } from '../state/api.ts';
import { epoch } from '../state/live.ts';
import { type Action, openAction } from './action.tsx';
import { WriteButton } from './button.tsx';
import { Chip } from './chip.tsx';
import { ProblemBox } from './problem.tsx';
import { Said } from './said.tsx';

const chosen = signal<CandidateView | null>(null);

/** `addr`: the one that is proposed, if any is. */
export function PromoteButton({ group, addr, primary = false }: { group: number; addr: string | null; primary?: boolean }) {
  const label = addr === null ? t('Promote …') : t('Promote {addr} …', { addr });
  return (
    <WriteButton
      primary={primary}
      onClick={() => openAction(promotion(group, addr))}
      label={t('{label} in group {group}', { label, group })}
    >
      {label}
    </WriteButton>
  );
}

function promotion(group: number, proposed: string | null): Action {
  chosen.value = null;
  return {
    title: t('Promote a server of group {group}', { group }),
    effect: [
      t(
        'It becomes the master of group {group}: writes go there, and the others of the group follow it. Proxies take it up by themselves; one that can’t be reached does not hold it up.',
        { group },
      ),
    ],
    cli: () =>
      chosen.value === null ? null : `codis-config server promote ${group} ${chosen.value.addr}${chosen.value.able ? '' : ' --force'}`,
    details: <Candidates group={group} proposed={proposed} />,
    // Whoever is taken by force may lack writes that were acknowledged.
    typed: () => (chosen.value === null || chosen.value.able ? null : chosen.value.addr),
    block: () => (chosen.value === null ? t('Choose a server first.') : null),
    run: async () => {
      const { addr, able } = chosen.value ?? { addr: '', able: true };
      const body = able ? {} : { force: true };
      const path = `/groups/${group}/servers/${encodeURIComponent(addr)}/promote`;
      const { notes } = await call<ChangeView>('POST', path, { body, epoch: epoch.value });
      return { said: t('{addr} is the master of group {group} now', { addr, group }), notes };
    },
  };
}

function Candidates({ group, proposed }: { group: number; proposed: string | null }) {
  const view = useSignal<CandidatesView | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    get<CandidatesView>(`/groups/${group}/candidates`).then(
      (found) => {
        view.value = found;
        const able = found.candidates.filter((candidate) => candidate.able);
        chosen.value = able.find(({ addr }) => addr === proposed) ?? able[0] ?? null;
      },
      (error: unknown) => {
        problem.value = asProblem(error);
      },
    );
  }, [group]);
  if (problem.value !== null) return <ProblemBox problem={problem.value} />;
  if (view.value === null) return <p role="status">{t('Asking the servers …')}</p>;
  const { master, masterUp, candidates, proxiesBehind } = view.value;
  return (
    <>
      <p>
        {t('The master of now: {master}', { master: master ?? t('none') })}{' '}
        {master === null ? null : <Chip level={masterUp ? 'ok' : 'error'} word={masterUp ? 'up' : 'down'} />}
      </p>
      {candidates.length === 0 ? <p>{t('There is no other server in this group. Add a replica first.')}</p> : null}
      <fieldset>
        <legend>{t('New master, the best first')}</legend>
        {candidates.map((candidate) => (
          <CandidateChoice key={candidate.addr} candidate={candidate} />
        ))}
      </fieldset>
      {proxiesBehind.length === 0 ? null : (
        <p class="note">
          {t('These proxies will not hear of it at once, and may go on asking the old master: {proxies}.', {
            proxies: proxiesBehind.join(', '),
          })}
        </p>
      )}
    </>
  );
}

function CandidateChoice({ candidate }: { candidate: CandidateView }) {
  const { addr, up, behindBytes, able, text } = candidate;
  return (
    <label class="choice">
      <input
        type="radio"
        name="candidate"
        checked={chosen.value?.addr === addr}
        disabled={!up}
        onChange={() => {
          chosen.value = candidate;
        }}
      />
      <span>
        <strong>{addr}</strong>{' '}
        <Chip level={able ? 'ok' : up ? 'warn' : 'error'} word={able ? 'can take over' : up ? 'only by force' : 'down'} />
        <br />
        <span class="hint">
          <Said text={text} />
          {bytes(behindBytes) === UNKNOWN ? '' : t(' ({behind} behind)', { behind: bytes(behindBytes) })}
        </span>
      </span>
    </label>
  );
}
