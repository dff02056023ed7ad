// Who changed what, when: the audit log.

import type { EventViaName, EventView } from '@codis/config/api';
import { useEffect, useMemo } from 'preact/hooks';
import { Chip } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { Field, Select } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Older } from '../components/older.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { Steady } from '../components/steady.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Time } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { printable } from '../lib/format.ts';
import { msg, t } from '../lib/words.ts';
import { useEvents } from '../state/events.ts';
import { useResource } from '../state/resource.ts';
import { query, queryCell, route, setQuery, to } from '../state/router.ts';

export function EventsPage() {
  const wanted = route.value.kind === 'page' ? route.value.object : null;
  return wanted === null ? <AllEvents /> : <OneEvent key={wanted} seq={wanted} />;
}

function AllEvents() {
  const { known, problem, isAskingOlder, askOlder } = useEvents();
  const all = known?.events ?? [];
  const shown = all.filter(matches);
  return (
    <>
      <PageHead title={t('Events')} />
      <Filters events={all} shown={shown} />
      {problem === null ? null : <ProblemBox problem={problem} />}
      {known === null && problem === null ? (
        <p role="status">{t('Reading …')}</p>
      ) : (
        <Steady key={query.value.toString()} rows={shown} rowKey={({ seq }) => String(seq)}>
          {(rows) => (
            <Table
              caption={t('Events, newest first')}
              columns={COLUMNS}
              rows={rows}
              rowKey={({ seq }) => seq}
              empty={<Empty text={all.length === 0 ? t(NOTHING_YET) : t('No event is like that.')} cli="codis-config events" />}
            />
          )}
        </Steady>
      )}
      {known === null || known.older === null ? null : (
        <Older count={all.length} what={t('events')} isBusy={isAskingOlder} onAsk={() => void askOlder()} />
      )}
    </>
  );
}

const NOTHING_YET = msg('Nothing has been changed yet. Every change, and every one that was denied or failed, comes here.');

function OneEvent({ seq }: { seq: string }) {
  const { view, problem } = useResource<EventView>(`/events/${encodeURIComponent(seq)}`);
  return (
    <>
      <PageHead title={t('Event {seq}', { seq })}>
        <a href={to('events')}>{t('all events')}</a>
      </PageHead>
      {problem === null ? null : <ProblemBox problem={problem} />}
      {view === null ? null : <Table caption={t('The event')} columns={COLUMNS} rows={[view]} rowKey={(event) => event.seq} empty={null} />}
    </>
  );
}

function matches({ actor, action, object, result }: EventView): boolean {
  const text = (query.value.get('q') ?? '').toLowerCase();
  const wanted = query.value.get('result') ?? 'all';
  return (wanted === 'all' || wanted === result) && `${actor} ${action} ${object}`.toLowerCase().includes(text);
}

function Filters({ events, shown }: { events: readonly EventView[]; shown: readonly EventView[] }) {
  const text = useMemo(() => queryCell('q'), []);
  return (
    <div class="toolbar">
      <Field label={t('Who, what or on what')} value={text} placeholder={t('migration')} />
      <Select
        label={t('Result')}
        value={query.value.get('result') ?? 'all'}
        options={[
          { value: 'all', label: t('all') },
          { value: 'done', label: t('done') },
          { value: 'denied', label: t('denied') },
          { value: 'failed', label: t('failed') },
        ]}
        onChange={(value) => setQuery({ result: value === 'all' ? null : value })}
      />
      <span class="hint">{t('{count} of {total}', { count: shown.length, total: events.length })}</span>
      <Export events={shown} />
      <Copy text="codis-config events --limit 1000" />
    </div>
  );
}

function Export({ events }: { events: readonly EventView[] }) {
  const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const url = useMemo(() => URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' })), [text]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  return (
    <a href={url} download="events.ndjson">
      {t('Export as NDJSON')}
    </a>
  );
}

const COLUMNS: readonly Column<EventView>[] = [
  { title: 'Number', numeric: true, cell: ({ seq }) => <a href={to('events', seq)}>{seq}</a> },
  { title: 'When', cell: ({ at }) => <Time at={at} /> },
  { title: 'Who', cell: ({ actor, via, ip }) => <Who actor={actor} via={via} ip={ip} /> },
  { title: 'What', cell: ({ action }) => <Said text={printable(action)} /> },
  { title: 'On', cell: (event) => <Subject event={event} /> },
  { title: 'Before → after', cell: ({ before, after }) => <Change before={before} after={after} /> },
  { title: 'Result', cell: ({ result, detail }) => <Result result={result} detail={detail} /> },
];

const VIA: Record<EventViaName, string> = {
  user: msg('logged in'),
  token: msg('by a token'),
  claimed: msg('as the client called itself'),
  system: msg('by itself'),
};

function Who({ actor, via, ip }: Pick<EventView, 'actor' | 'via' | 'ip'>) {
  return (
    <span title={`${t(VIA[via])}${ip === null ? '' : t(', from {ip}', { ip })}`}>
      {printable(actor)} <span class="hint">{via === 'claimed' ? t('(unverified)') : ''}</span>
    </span>
  );
}

function Subject({ event: { object, migration, plan } }: { event: EventView }) {
  return (
    <>
      <Said text={printable(object)} />
      {migration === null
        ? null
        : [
            ' ',
            <a key="migration" href={to('migrations', migration)}>
              {t('migration {id}', { id: migration })}
            </a>,
          ]}
      {plan === null
        ? null
        : [
            ' ',
            <a key="plan" href={to('migrations', 'plan', String(plan))}>
              {t('plan {id}', { id: plan })}
            </a>,
          ]}
    </>
  );
}

function Change({ before, after }: Pick<EventView, 'before' | 'after'>) {
  if (before === null && after === null) return <span class="hint">{t('not told')}</span>;
  return (
    <>
      {before === null ? t('nothing') : <Said text={printable(before)} />} →{' '}
      {after === null ? t('nothing') : <Said text={printable(after)} />}
    </>
  );
}

function Result({ result, detail }: Pick<EventView, 'result' | 'detail'>) {
  if (result === 'done') return <Chip level="ok" word="done" />;
  return (
    <>
      <Chip level={result === 'denied' ? 'error' : 'warn'} word={apiWord(result)} />{' '}
      <span class="hint">
        <Said text={printable(detail ?? '')} />
      </span>
    </>
  );
}
