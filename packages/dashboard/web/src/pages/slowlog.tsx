// Slow requests, of proxies and servers in one list.

import type { SlowEntryView, SlowLogView, SlowSplitView } from '@codis/config/api';
import { useMemo } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Field, Select } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Time, Value } from '../components/value.tsx';
import { duration, printable } from '../lib/format.ts';
import { msg, t } from '../lib/words.ts';
import { topology } from '../state/live.ts';
import { useResource } from '../state/resource.ts';
import { query, queryCell, setQuery, to } from '../state/router.ts';

const LIMIT = 500;
const FILTERS = ['source', 'group', 'command', 'prefix'] as const;

export function SlowLogPage() {
  const wanted = new URLSearchParams({ limit: String(LIMIT) });
  for (const name of FILTERS) {
    const value = query.value.get(name);
    if (value !== null) wanted.set(name, value);
  }
  const { view, problem, busy, reload } = useResource<SlowLogView>(`/slowlog?${wanted.toString()}`);
  return (
    <>
      <PageHead title={t('Slow log')}>
        <Button block={busy ? t('It is being asked for.') : null} onClick={reload}>
          {t('Ask again')}
        </Button>
      </PageHead>
      <Filters />
      {problem === null ? null : <ProblemBox problem={problem} />}
      {(view?.notes ?? []).map((note) => (
        <p key={note} class="note">
          <Said text={note} />
        </p>
      ))}
      {view === null && problem === null ? (
        <p role="status">{t('Asking proxies and servers …')}</p>
      ) : (
        <Table
          caption={t('Slow requests, newest first')}
          columns={COLUMNS}
          rows={view?.entries ?? []}
          rowKey={({ source, where, id }) => `${source} ${where} ${id}`}
          empty={
            <Empty
              text={t(
                'No slow request. Servers log what takes longer than their slowlog-log-slower-than; proxies what takes longer than slowlog_log_slower_than of config.ini.',
              )}
              cli="codis-config slowlog"
            />
          }
        />
      )}
    </>
  );
}

function Filters() {
  const command = useMemo(() => queryCell('command'), []);
  const prefix = useMemo(() => queryCell('prefix'), []);
  const groups = topology.value?.groups ?? [];
  return (
    <div class="toolbar">
      <Select
        label={t('Source')}
        value={query.value.get('source') ?? 'all'}
        options={[
          { value: 'all', label: t('proxies and servers') },
          { value: 'proxy', label: t('proxies') },
          { value: 'server', label: t('servers') },
        ]}
        onChange={(value) => setQuery({ source: value === 'all' ? null : value })}
      />
      <Select
        label={t('Group')}
        value={query.value.get('group') ?? 'all'}
        options={[
          { value: 'all', label: t('all groups') },
          ...groups.map(({ id }) => ({ value: String(id), label: t('group {id}', { id }) })),
        ]}
        onChange={(value) => setQuery({ group: value === 'all' ? null : value })}
      />
      <Field label={t('Command')} value={command} placeholder="HGETALL" />
      <Field label={t('Key begins with')} value={prefix} placeholder="user:" />
    </div>
  );
}

const COLUMNS: readonly Column<SlowEntryView>[] = [
  { title: 'When', cell: ({ at }) => <Time at={at} /> },
  { title: 'Took', numeric: true, cell: ({ micros }) => duration(micros / 1000) },
  { title: 'Of which', cell: ({ split }) => <Split split={split} /> },
  { title: 'Request', cell: ({ command, args }) => <code class="wrap">{printable([command, ...args].join(' '))}</code> },
  {
    title: 'Slot',
    numeric: true,
    cell: ({ slot }) => (slot === null ? <Value text="—" why={t('it has no key')} /> : <a href={to('slots', slot)}>{slot}</a>),
  },
  {
    title: 'Group',
    cell: ({ group }) =>
      group === null ? <Value text="—" why={t('it has no key')} /> : <a href={to('groups', group)}>{t('group {id}', { id: group })}</a>,
  },
  { title: 'At', cell: ({ where, migration }) => <Where where={where} migration={migration} /> },
  { title: 'Client', cell: ({ client }) => printable(client) },
];

function Where({ where, migration }: { where: string; migration: number | null }) {
  return (
    <>
      {where}
      {migration === null ? null : (
        <a class="chip busy" href={to('migrations', migration)}>
          {t('during migration {id}', { id: migration })}
        </a>
      )}
    </>
  );
}

function Split({ split }: { split: SlowSplitView | null }) {
  if (split === null) return <Value text="—" why={t('only proxies tell')} />;
  const parts = [
    [msg('proxy'), split.proxy],
    [msg('held'), split.held],
    [msg('server'), split.server],
  ] as const;
  return (
    <>
      {parts
        .filter(([, micros]) => micros > 0)
        .map(([name, micros]) => `${t(name)} ${duration(micros / 1000)}`)
        .join(', ')}
    </>
  );
}
