// All 1024 slots at a glance: whose, how full, how busy, what moves. Select some and move them.

import type { GroupView } from '@codis/config/api';
import { signal, useComputed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button, WriteButton } from '../components/button.tsx';
import { GroupMark } from '../components/chip.tsx';
import { Select } from '../components/field.tsx';
import { Later } from '../components/later.tsx';
import { PageHead } from '../components/layout.tsx';
import { found, SearchAnswer, SearchBox } from '../components/locate.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { Legend, SlotMap } from '../components/slot-map.tsx';
import { Ago } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { plural, sentence } from '../lib/format.ts';
import { details, GROUPS_TOLD_APART, type MapMode, paintMap } from '../lib/slot-paint.ts';
import { runsOf, runText, slotsText } from '../lib/slots.ts';
import { msg, rich, t } from '../lib/words.ts';
import { lastMoves, lastMoveText, loadLastMoves } from '../state/last-moves.ts';
import { epoch, topology } from '../state/live.ts';
import { navigate, numberIn, query, queryWith, route, setQuery, to } from '../state/router.ts';
import { loadSlotStats, slotStats, slotStatsBusy, slotStatsProblem } from '../state/slot-stats.ts';
import { draftOfSlots } from '../state/wizard.ts';
import { SlotDrawer } from './slot-drawer.tsx';

type Filter = 'all' | 'moving' | 'offline';

export const selection = signal<ReadonlySet<number>>(new Set());
const looked = signal(0);
const focusWanted = signal<{ readonly slot: number } | null>(null);

const chosenGroup = () => (query.value.has('group') ? Number(query.value.get('group')) : null);

export function SlotsPage() {
  const current = topology.value;
  const wanted = route.value.kind === 'page' ? route.value.object : null;
  useEffect(() => {
    if (slotStats.value === null) void loadSlotStats({ refresh: false });
  }, []);
  useEffect(() => void loadLastMoves(), [current?.epoch]);
  if (current === null) {
    return (
      <>
        <PageHead title={t('Slots')} />
        <Empty text={t('There is no slot table yet. The overview makes one in four steps; or type:')} cli="codis-config slot init" />
      </>
    );
  }
  return (
    <>
      <PageHead title={t('Slots')}>
        <span class="hint">{t('epoch {epoch}', { epoch: current.epoch })}</span>
        <Views />
      </PageHead>
      {isOverTime() ? <Later load={loadHeatMap} /> : <Now groups={current.groups} />}
      {wanted === null || !/^\d+$/.test(wanted) ? null : (
        <SlotDrawer
          slot={Number(wanted)}
          at={numberIn('at')}
          onClose={() => navigate(to('slots') + queryWith({ at: null }), { stay: true })}
        />
      )}
    </>
  );
}

const loadHeatMap = () => import('./heat-map.tsx').then(({ HeatMap }) => HeatMap);
const isOverTime = () => query.value.get('view') === 'time';

function Views() {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{t('What to show')}</legend>
      {[false, true].map((overTime) => (
        <label key={String(overTime)}>
          <input
            type="radio"
            name="view"
            checked={isOverTime() === overTime}
            onChange={() => setQuery({ view: overTime ? 'time' : null })}
          />
          <span>{overTime ? t('over time') : t('now')}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Now({ groups }: { groups: readonly GroupView[] }) {
  return (
    <>
      <Toolbar />
      <SearchAnswer />
      <div class="slots-layout">
        <TableMap />
        <div class="beside">
          <SelectionBar />
          <Looked />
          <Legend
            mode={mode()}
            groups={groups}
            group={chosenGroup()}
            onGroup={(group) => setQuery({ group: group === null ? null : String(group) })}
          />
          <Basis />
          <RunList />
        </div>
      </div>
    </>
  );
}

const MODES: readonly { value: MapMode; label: string }[] = [
  { value: 'owner', label: msg('owner') },
  { value: 'keys', label: msg('keys') },
  { value: 'bytes', label: msg('bytes (sampled)') },
  { value: 'ops', label: msg('requests per second') },
  { value: 'state', label: msg('state') },
];
const FILTERS: readonly { value: Filter; label: string }[] = [
  { value: 'all', label: msg('all slots') },
  { value: 'moving', label: msg('only moving') },
  { value: 'offline', label: msg('only offline') },
];

const mode = () => MODES.find(({ value }) => value === query.value.get('mode'))?.value ?? 'owner';
const filter = () => FILTERS.find(({ value }) => value === query.value.get('show'))?.value ?? 'all';

function Toolbar() {
  return (
    <div class="toolbar">
      <Select
        label={t('Colour by')}
        value={mode()}
        options={MODES}
        onChange={(value) => setQuery({ mode: value === 'owner' ? null : value })}
      />
      <Select
        label={t('Show')}
        value={filter()}
        options={FILTERS}
        onChange={(value) => setQuery({ show: value === 'all' ? null : value })}
      />
      <SearchBox label={t('Slot, range or key')} onFound={goToFound} />
    </div>
  );
}

function goToFound(): void {
  const answer = found.value;
  if (answer.kind === 'slots') selection.value = new Set(answer.slots);
  const slot = answer.kind === 'slots' ? answer.slots[0] : answer.kind === 'key' ? answer.location.slot : undefined;
  if (slot !== undefined) focusWanted.value = { slot };
}

function TableMap() {
  const cells = useComputed(() =>
    paintMap({
      slots: topology.value?.slots ?? [],
      mode: mode(),
      stats: slotStats.value,
      group: chosenGroup(),
      coloured: (topology.value?.groups.length ?? 0) <= GROUPS_TOLD_APART,
      filter: filter(),
      only: null,
    }),
  );
  return (
    <SlotMap
      label={t('Slots 0 to 1023, 32 in a row')}
      cells={cells.value}
      selection={selection.value}
      focus={focusWanted.value}
      onOpen={(slot) => navigate(to('slots', slot) + queryWith({ at: null }), { stay: true })}
      onSelect={(slots) => {
        selection.value = slots;
      }}
      onLook={(slot) => {
        looked.value = slot;
      }}
    />
  );
}

/** The slot under the pointer or the keyboard. */
function Looked() {
  const state = topology.value?.slots[looked.value];
  if (!state) return null;
  const moved = lastMoves.value?.get(looked.value);
  return (
    <p class="looked">
      {details(looked.value, state, { groups: topology.value?.groups ?? [], stats: slotStats.value })}
      {state.migration === null ? null : (
        <>
          {t(', ')}
          <a href={to('migrations', state.migration)}>{t('migration {id}', { id: state.migration })}</a>
        </>
      )}
      {t(', ')}
      {lastMoveText(looked.value)}
      {moved === undefined ? null : (
        <>
          {t(', ')}
          <a href={to('migrations', moved.migration)}>{t('migration {id}', { id: moved.migration })}</a>
        </>
      )}
    </p>
  );
}

function SelectionBar() {
  const slots = [...selection.value].sort((a, b) => a - b);
  if (slots.length === 0) {
    return (
      <p class="hint">{t('Drag, or hold Shift and press the arrow keys, to select slots; click or press Enter for one slot’s details.')}</p>
    );
  }
  return (
    <div class="selection" role="status">
      <p>{rich('{count} selected: {slots}', { count: <strong>{plural(slots.length, 'slot')}</strong>, slots: slotsText(slots, 6) })}</p>
      <WriteButton
        primary
        onClick={() => {
          draftOfSlots(slots);
          navigate(to('migrations', 'new'));
        }}
      >
        {t('Move {slots}…', { slots: plural(slots.length, 'slot') })}
      </WriteButton>{' '}
      <Button
        onClick={() => {
          selection.value = new Set();
        }}
      >
        {t('Clear')}
      </Button>
    </div>
  );
}

function Basis() {
  if (mode() === 'owner' || mode() === 'state') return null;
  const stats = slotStats.value;
  return (
    <section>
      {slotStatsProblem.value === null ? null : <ProblemBox problem={slotStatsProblem.value} />}
      <p class="hint">
        {stats?.at == null ? null : rich('Looked through {ago}. ', { ago: <Ago at={stats.at} /> })}
        {stats === null ? t('Servers have not been looked through yet.') : <Said text={sentence(stats.basis.join('; '))} whole />}
      </p>
      <Button
        block={slotStatsBusy.value ? t('The servers are being looked through.') : null}
        onClick={() => void loadSlotStats({ refresh: true })}
      >
        {slotStatsBusy.value ? t('Looking …') : t('Look through the servers now')}
      </Button>
    </section>
  );
}

/** The table in words: equal neighbours in one line. */
function RunList() {
  const current = topology.value;
  if (current === null) return null;
  const key = (slot: number) => {
    const { state, group, to: target } = current.slots[slot] ?? { state: 'offline', group: null, to: null };
    return `${state} ${group} ${target}`;
  };
  const kinds = new Map<string, number[]>();
  for (let slot = 0; slot < current.slots.length; slot++) kinds.set(key(slot), [...(kinds.get(key(slot)) ?? []), slot]);
  return (
    <details class="runs">
      <summary>{t('The table in words (epoch {epoch})', { epoch: epoch.value })}</summary>
      {[...kinds.values()].map((slots) => {
        const state = current.slots[slots[0] ?? 0];
        return (
          <p key={slots[0]}>
            {state?.group == null ? <strong>{t('offline')}</strong> : <GroupMark group={state.group} />}
            {state?.to == null ? '' : rich(' {state} to {group}', { state: apiWord(state.state), group: <GroupMark group={state.to} /> })} (
            {plural(slots.length, 'slot')}): {runsOf(slots).map(runText).join(', ')}
          </p>
        );
      })}
    </details>
  );
}
