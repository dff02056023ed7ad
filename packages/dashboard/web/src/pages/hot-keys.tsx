// Which keys clients ask for most, now or in a minute of the last six hours; of all slots or of one. Asked for when somebody wants it, so rows stay where they are
// while one looks at them.

import type { HotKeysView, HotKeyView } from '@codis/config/api';
import { useEffect } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { GroupMark } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Ago, Time, Value } from '../components/value.tsx';
import { printable, rate, sentence, UNKNOWN } from '../lib/format.ts';
import { type HotOf, hotCli, hotPath } from '../lib/hot-of.ts';
import { rich, t } from '../lib/words.ts';
import { paused } from '../state/live.ts';
import { type Resource, useResource } from '../state/resource.ts';
import { numberIn, to } from '../state/router.ts';

/** A minute that is not over is asked for again. */
const AGAIN_MS = 5000;

type HotColumn = Column<HotKeyView>;
const KEY: HotColumn = { title: 'Key', cell: ({ key }) => <code>{printable(key)}</code> };
const RATES: readonly HotColumn[] = [
  { title: 'Requests, about', numeric: true, cell: ({ opsPerSecond }) => rate(opsPerSecond) },
  { title: 'Too high by up to', numeric: true, cell: ({ overPerSecond }) => rate(overPerSecond) },
];
const DATABASE: HotColumn = { title: 'Database', numeric: true, cell: ({ db }) => db };
const PLACES: readonly HotColumn[] = [
  { title: 'Slot', numeric: true, cell: ({ slot }) => <a href={to('slots', slot)}>{slot}</a> },
  {
    title: 'Group',
    cell: ({ group }) =>
      group === null ? (
        <Value text={UNKNOWN} why={t('its slot belongs to no group')} />
      ) : (
        <a href={to('groups', group)}>
          <GroupMark group={group} />
        </a>
      ),
  },
];

const OF_ALL = [KEY, ...RATES, ...PLACES, DATABASE];
/** Where there is little room names come after what is to be seen at once. */
const OF_ONE = [...RATES, KEY, DATABASE];

/** As the address asks for them. */
export function HotKeys() {
  const of = { slot: numberIn('slot'), at: numberIn('at') };
  return <HotKeysOf key={hotPath(of)} of={of} />;
}

function HotKeysOf({ of }: { of: HotOf }) {
  const found = useHotKeys(of);
  const { view, problem } = found;
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Hot keys')}</h2>
        <span class="hint">{view === null ? '' : rich('as of {ago}', { ago: <Ago at={view.at} /> })}</span>
        <span class="spring" />
        <Refresh found={found} />
      </div>
      {of.slot === null && of.at === null ? null : (
        <p>
          {of.slot === null ? '' : t('Only those of slot {slot}. ', { slot: of.slot })}
          {of.at === null ? '' : rich('In the minute from {from} to {to}. ', minuteOf(of.at))}
          <a href={to('keys')}>{t('All hot keys now')}</a>
        </p>
      )}
      {problem === null ? null : <ProblemBox problem={problem} />}
      <Found view={view} columns={OF_ALL} cli={of.slot === null ? 'codis-config key hot' : hotCli(of)} />
      {view === null || (view.minute === null && view.keys.length === 0) ? null : <Copy text={hotCli(of)} />}
    </section>
  );
}

/** Of one slot and minute, beside what is known of the slot. */
export function HotKeysThen({ slot, at }: { slot: number; at: number }) {
  const of = { slot, at };
  const found = useHotKeys(of);
  const { view, problem } = found;
  return (
    <>
      <h3>{rich('Hot keys from {from} to {to}', minuteOf(at))}</h3>
      {problem === null ? null : <ProblemBox problem={problem} />}
      {view === null && problem === null ? <p role="status">{t('Reading …')}</p> : null}
      <Found view={view} columns={OF_ONE} cli={hotCli(of)} />
      <p>
        {view?.minute?.state === 'kept' ? null : <Refresh found={found} />}{' '}
        <a href={`${to('keys')}?at=${at}`}>{t('Those of all slots in that minute')}</a>
      </p>
      <Copy text={hotCli(of)} />
    </>
  );
}

function useHotKeys(of: HotOf): Resource<HotKeysView> {
  const found = useResource<HotKeysView>(hotPath(of));
  const isPending = found.view?.minute?.state === 'pending' && !paused.value;
  useEffect(() => {
    if (!isPending) return undefined;
    const timer = setTimeout(found.reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [isPending, found.view]);
  return found;
}

function Refresh({ found: { busy, reload } }: { found: Resource<HotKeysView> }) {
  return (
    <Button block={busy ? t('The proxies are being asked.') : null} onClick={reload}>
      {t('Refresh hot keys')}
    </Button>
  );
}

/** The keys; or why there are none, in the dashboard's words where it is about a minute. */
function Found({ view, columns, cli }: { view: HotKeysView | null; columns: readonly HotColumn[]; cli: string }) {
  if (view === null) return null;
  const { minute, keys, basis } = view;
  const [why, ...rest] = minute !== null && keys.length === 0 ? basis : [undefined, ...basis];
  return (
    <>
      {why === undefined ? null : (
        <p class="note" role="status">
          <Said text={sentence(why)} whole />
        </p>
      )}
      <Table
        caption={t('Hot keys')}
        columns={columns}
        rows={keys}
        rowKey={({ key, db, slot }) => `${db} ${slot} ${key}`}
        empty={
          minute === null ? (
            <Empty text={t('None stands out: no key was met more than now and then by the proxies. To see the same:')} cli={cli} />
          ) : null
        }
      />
      {rest.map((text) => (
        <p key={text} class="hint">
          <Said text={text ?? ''} />
        </p>
      ))}
    </>
  );
}

function minuteOf(at: number) {
  const from = at - (at % 60);
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  return { from: <Time at={iso(from)} />, to: <Time at={iso(from + 60)} /> };
}
