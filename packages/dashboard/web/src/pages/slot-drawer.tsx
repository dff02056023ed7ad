// One slot, at the side of the map.

import type { LastMoveView, SlotView } from '@codis/config/api';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { WriteButton } from '../components/button.tsx';
import { Chip, GroupMark, type Level } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { Dialog } from '../components/dialog.tsx';
import { WhyButton } from '../components/explain.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Time, Value } from '../components/value.tsx';
import { bytes, count, rate } from '../lib/format.ts';
import { SLOT_COUNT } from '../lib/slots.ts';
import { msg, t } from '../lib/words.ts';
import { asProblem, get, type Problem } from '../state/api.ts';
import { topology } from '../state/live.ts';
import { navigate, to } from '../state/router.ts';
import { slotStats } from '../state/slot-stats.ts';
import { draftOfSlots } from '../state/wizard.ts';
import { HotKeysThen } from './hot-keys.tsx';

const STATES: Record<SlotView['state'], { level: Level; word: string }> = {
  online: { level: 'ok', word: 'online' },
  locked: { level: 'busy', word: 'locked, about to move' },
  migrating: { level: 'busy', word: 'moving' },
  offline: { level: 'error', word: 'offline' },
};

const NOT_LOOKED = msg('servers have not been looked through yet');

/** `at`: with its hot keys in the minute of that time. */
export function SlotDrawer({ slot, at, onClose }: { slot: number; at: number | null; onClose: () => void }) {
  const state = topology.value?.slots[slot];
  return (
    <Dialog title={t('Slot {slot}', { slot })} drawer onClose={onClose}>
      {state === undefined ? (
        <p>{t('There is no slot {slot}: slots go from 0 to {last}.', { slot, last: SLOT_COUNT - 1 })}</p>
      ) : (
        <>
          {at === null ? null : <HotKeysThen key={`${slot} ${at}`} slot={slot} at={at} />}
          <SlotDetails slot={slot} />
        </>
      )}
    </Dialog>
  );
}

function SlotDetails({ slot }: { slot: number }) {
  const state = topology.value?.slots[slot];
  const stats = slotStats.value;
  if (!state) return null;
  return (
    <>
      <dl class="facts">
        <dt>{t('State')}</dt>
        <dd>
          <Chip {...STATES[state.state]} />
        </dd>
        <dt>{t('Group')}</dt>
        <dd>{state.group === null ? t('none: nobody serves it') : <GroupMark group={state.group} />}</dd>
        {state.to === null ? null : (
          <>
            <dt>{t('Moves to')}</dt>
            <dd>
              <GroupMark group={state.to} />
              {state.migration === null ? null : (
                <a href={to('migrations', state.migration)}> {t('migration {id}', { id: state.migration })}</a>
              )}
            </dd>
          </>
        )}
        <Server slot={slot} />
        <dt>{t('Keys')}</dt>
        <dd>
          <Value text={count(stats?.keysCount[slot])} why={NOT_LOOKED} />
        </dd>
        <dt>{t('Memory')}</dt>
        <dd>
          <Value text={bytes(stats?.bytes[slot])} why={NOT_LOOKED} />
        </dd>
        <dt>{t('Requests')}</dt>
        <dd>
          <Value text={rate(stats?.opsPerSecond[slot])} why={t('not all proxies could be asked just now')} />
        </dd>
      </dl>
      <p class="actions">
        <WhyButton of={{ slot }} about={t('Slot {slot}', { slot })} />
        <WriteButton
          block={state.state === 'online' ? null : t('Only a slot that is online, and not in a move, can be moved.')}
          onClick={() => {
            draftOfSlots([slot]);
            navigate(to('migrations', 'new'));
          }}
        >
          {t('Move slot {slot}…', { slot })}
        </WriteButton>
      </p>
      <Copy text={`codis-config slot info ${slot}`} />
    </>
  );
}

/** What the server says of it. */
function Server({ slot }: { slot: number }) {
  const view = useSignal<SlotView | null>(null);
  const problem = useSignal<Problem | null>(null);
  const at = topology.value?.epoch;
  useEffect(() => {
    get<SlotView>(`/slots/${slot}`).then(
      (found) => {
        view.value = found;
      },
      (error: unknown) => {
        problem.value = asProblem(error);
      },
    );
  }, [slot, at]);
  return (
    <>
      <dt>{t('Requests go to')}</dt>
      <dd>
        {problem.value !== null ? (
          <ProblemBox problem={problem.value} />
        ) : view.value === null ? (
          '…'
        ) : (
          (view.value.server ?? t('no server: the group has no master'))
        )}
      </dd>
      <dt>{t('Last move')}</dt>
      <dd>{view.value === null ? '…' : <LastMove move={view.value.lastMove} />}</dd>
    </>
  );
}

function LastMove({ move }: { move: LastMoveView | null }) {
  if (move === null) return <>{t('none is on record')}</>;
  return (
    <>
      <Time at={move.at} />, <GroupMark group={move.from} /> → <GroupMark group={move.to} />,{' '}
      <a href={to('migrations', move.migration)}>{t('migration {id}', { id: move.migration })}</a>
    </>
  );
}
