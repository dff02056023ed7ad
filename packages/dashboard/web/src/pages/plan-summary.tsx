// What a plan would cost and do, in numbers: all of them estimates.

import type { BigKeyView, PlannedGroupView, PlanView, ThrottleRequest } from '@codis/config/api';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { GroupMark } from '../components/chip.tsx';
import type { Column } from '../components/table.tsx';
import { type ThrottleForm, throttleProblem, throttleRequest } from '../components/throttle.tsx';
import { Meter, Value } from '../components/value.tsx';
import { bytes, count, duration, plural, printable, UNKNOWN } from '../lib/format.ts';
import { msg, t } from '../lib/words.ts';
import { asProblem, get, type Problem } from '../state/api.ts';

export const UNSEEN = msg('it could not be estimated');

export function Summary({ plan, form }: { plan: PlanView; form: ThrottleForm }) {
  const { slotsCount, keysCount, bytes: size, groups, balance, biggestKeys } = plan;
  const [biggest] = biggestKeys;
  return (
    <dl class="tiles">
      <Tile name={t('Slots')} text={count(slotsCount)} note={plural(groups.length, 'group')} />
      <Tile name={t('Keys')} text={count(keysCount)} note={t('estimated')} />
      <Tile name={t('Memory')} text={bytes(size)} note={t('estimated')} />
      <TimeTile plan={plan} form={form} />
      <Tile
        name={t('Balance')}
        text={balance === null ? UNKNOWN : `${balance.before} % → ${balance.after} %`}
        note={t('of everything stands where an even spread has it')}
      />
      <Tile
        name={t('Biggest key')}
        text={biggest === undefined ? t('none seen') : bytes(biggest.bytes)}
        note={biggest === undefined ? '' : t('{key}; {blocking}', { key: keyName(biggest), blocking: blockingText(biggest) })}
      />
    </dl>
  );
}

const keyName = ({ key, slot }: BigKeyView) => t('{key} in slot {slot}', { key: printable(key), slot });

function blockingText({ inPieces, blockingMs }: BigKeyView): string {
  return inPieces
    ? t('moves in pieces, who writes it waits about {time}', { time: duration(blockingMs) })
    : t('moving it blocks its server for about {time}', { time: duration(blockingMs) });
}

/** What is typed is asked for after so long. */
const SETTLE_MS = 300;

/** At the speed that is chosen below, as the dashboard reckons it. */
function TimeTile({ plan, form }: { plan: PlanView; form: ThrottleForm }) {
  const timed = useSignal<{ readonly limits: string; readonly ms: number | null }>({ limits: '', ms: plan.durationMs });
  const problem = useSignal<Problem | null>(null);
  const limits = throttleProblem(form) === null ? limitsQuery(throttleRequest(form)) : null;
  useEffect(() => {
    if (limits === null || limits === timed.peek().limits) return undefined;
    const timer = setTimeout(() => {
      get<PlanView>(`/plans/${plan.id}${limits === '' ? '' : `?${limits}`}`).then(
        ({ durationMs }) => {
          timed.value = { limits, ms: durationMs };
          problem.value = null;
        },
        (error: unknown) => {
          problem.value = asProblem(error);
        },
      );
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [plan.id, limits]);
  const { limits: of, ms } = timed.value;
  const note = problem.value?.message ?? (of === '' ? t('at full speed') : t('with the limits below'));
  return <Tile name={t('Time')} text={of === limits ? duration(ms) : '…'} note={note} />;
}

/** Of what a duration can be reckoned with. */
function limitsQuery({ keysPerSecond, bytesPerSecond, sharePercent, delayMs }: ThrottleRequest): string {
  const query = new URLSearchParams();
  for (const [name, limit] of Object.entries({ keysPerSecond, bytesPerSecond, sharePercent, delayMs })) {
    if (limit !== null && limit !== undefined && limit > 0) query.set(name, String(limit));
  }
  return query.toString();
}

function Tile({ name, text, note }: { name: string; text: string; note: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="figure">
          <Value text={text} why={UNSEEN} />
        </span>
        <span class="hint">{note}</span>
      </dd>
    </div>
  );
}

export const GROUP_COLUMNS: readonly Column<PlannedGroupView>[] = [
  { title: 'Group', cell: ({ group }) => <GroupMark group={group} /> },
  { title: 'Slots before', numeric: true, cell: ({ slotsBefore }) => count(slotsBefore) },
  { title: 'Slots after', numeric: true, cell: ({ slotsAfter }) => count(slotsAfter) },
  { title: 'Memory before', numeric: true, cell: ({ memoryBytes }) => <Value text={bytes(memoryBytes)} why={UNSEEN} /> },
  { title: 'Memory after', numeric: true, cell: ({ memoryAfterBytes }) => <Value text={bytes(memoryAfterBytes)} why={UNSEEN} /> },
  {
    title: 'Of maxmemory',
    cell: ({ group, memoryAfterBytes, maxMemoryBytes }) =>
      maxMemoryBytes === 0 ? (
        t('no limit')
      ) : (
        <Meter
          value={memoryAfterBytes}
          max={maxMemoryBytes ?? 0}
          label={t('memory of group {group} afterwards', { group })}
          text={`${bytes(maxMemoryBytes)}, ${headroom(memoryAfterBytes, maxMemoryBytes)}`}
        />
      ),
  },
];

function headroom(used: number | null, max: number | null): string {
  if (used === null || max === null) return t('headroom unknown');
  return used > max ? t('{bytes} too much', { bytes: bytes(used - max) }) : t('{bytes} left', { bytes: bytes(max - used) });
}
