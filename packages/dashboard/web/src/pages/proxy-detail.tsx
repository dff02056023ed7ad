// One proxy: what it says of itself, its workers, the clients that ask the most, and its commands.

import type { CommandStatsView, ProxyClientsView, ProxyClientView, ProxyDetailView, ProxyWorkerView } from '@codis/config/api';
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Copy } from '../components/copy.tsx';
import { WhyButton } from '../components/explain.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { TryProxy } from '../components/try-proxy.tsx';
import { Ago, Value } from '../components/value.tsx';
import { bytes, count, duration, percent, plural, rate, UNKNOWN } from '../lib/format.ts';
import { keepOrder } from '../lib/order.ts';
import { msg, rich, t } from '../lib/words.ts';
import { asProblem, get, type Problem } from '../state/api.ts';
import { useResource } from '../state/resource.ts';

const REFRESH_MS = 5000;
const TOP = 20;
const NOT_TWICE = msg('it has not answered twice yet');
const detail = signal<ProxyDetailView | null>(null);

export function ProxyDetail({ id }: { id: string }) {
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    detail.value = null;
    const load = () =>
      get<ProxyDetailView>(`/proxies/${encodeURIComponent(id)}/stats`).then(
        (found) => {
          detail.value = found;
          problem.value = null;
        },
        (error: unknown) => {
          problem.value = asProblem(error);
        },
      );
    void load();
    const timer = setInterval(() => void load(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [id]);
  const view = detail.value;
  if (problem.value !== null) return <ProblemBox problem={problem.value} />;
  if (view === null) return null;
  return (
    <>
      {view.problem === null ? null : (
        <p class="note">
          <Said text={view.problem} />
        </p>
      )}
      <Facts view={view} />
      <TryProxy id={id} />
      <h2>{t('Workers')}</h2>
      <Table
        caption={t('Workers')}
        columns={WORKER_COLUMNS}
        rows={view.workers}
        rowKey={({ worker }) => worker}
        empty={<p class="hint">{t('It did not say which workers it has.')}</p>}
      />
      <Clients id={id} />
      <Commands commands={view.commands} />
    </>
  );
}

function Facts({ view }: { view: ProxyDetailView }) {
  const why = view.problem ?? t('it did not say');
  return (
    <dl class="facts">
      <dt>{t('Version')}</dt>
      <dd>{view.version ?? <Value text={UNKNOWN} why={why} />}</dd>
      <dt>{t('Up for')}</dt>
      <dd>
        <Value text={duration(view.uptimeSeconds === null ? null : view.uptimeSeconds * 1000)} why={why} />
      </dd>
      <dt>{t('Memory')}</dt>
      <dd>
        <Value text={bytes(view.memoryBytes)} why={why} />
      </dd>
      <dt>{t('Workers')}</dt>
      <dd>
        <Value text={count(view.workersCount)} why={why} />
        {view.workerRestartsCount ? `, ${plural(view.workerRestartsCount, 'restart')}` : ''}
      </dd>
      <dt>{t('Latency p50 / p99')}</dt>
      <dd>
        <Value text={duration(view.p50Ms)} why={t('there are no requests')} /> /{' '}
        <Value text={duration(view.p99Ms)} why={t('there are no requests')} />{' '}
        <WhyButton of={{ proxy: view.id }} about={t('Latency of proxy {id}', { id: view.id })} />
      </dd>
    </dl>
  );
}

const lag = (value: number | null) => <Value text={duration(value)} why={t('it was not measured yet')} />;

const WORKER_COLUMNS: readonly Column<ProxyWorkerView>[] = [
  { title: 'Worker', numeric: true, cell: ({ worker }) => worker },
  { title: 'Process', numeric: true, cell: ({ pid }) => pid },
  { title: 'Sessions', numeric: true, cell: ({ sessions }) => count(sessions) },
  { title: 'Requests', numeric: true, cell: ({ opsPerSecond }) => <Value text={rate(opsPerSecond)} why={NOT_TWICE} /> },
  { title: 'Errors', numeric: true, cell: ({ errorsPerSecond }) => <Value text={rate(errorsPerSecond)} why={NOT_TWICE} /> },
  { title: 'CPU', numeric: true, cell: ({ cpuPercent }) => <Value text={percent(cpuPercent)} why={NOT_TWICE} /> },
  { title: 'Lag p50', numeric: true, cell: ({ lagP50Ms }) => lag(lagP50Ms) },
  { title: 'Lag p99', numeric: true, cell: ({ lagP99Ms }) => lag(lagP99Ms) },
  { title: 'Lag max', numeric: true, cell: ({ lagMaxMs }) => lag(lagMaxMs) },
  { title: 'Memory', numeric: true, cell: ({ memoryBytes }) => bytes(memoryBytes) },
  {
    title: 'Slot table',
    numeric: true,
    cell: ({ epoch }) => <Value text={epoch < 0 ? UNKNOWN : t('v{epoch}', { epoch })} why={t('it has none yet')} />,
  },
];

/** Asked for when somebody wants it, not by itself: rows stay where they are while one looks at them. */
function Clients({ id }: { id: string }) {
  const { view, problem, busy, reload } = useResource<ProxyClientsView>(`/proxies/${encodeURIComponent(id)}/clients?top=${TOP}`);
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Busiest clients')}</h2>
        <span class="hint">{view === null ? '' : rich('as of {ago}', { ago: <Ago at={view.at} /> })}</span>
        <span class="spring" />
        <Button block={busy ? t('They are being asked for.') : null} onClick={reload}>
          {t('Refresh clients')}
        </Button>
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      {view?.clientsCount == null ? null : (
        <p class="hint">
          {t('{shown} of {clients}, by requests over the last five to ten seconds.', {
            shown: view.clients.length,
            clients: plural(view.clientsCount, 'client'),
          })}
        </p>
      )}
      {(view?.notes ?? []).map((note) => (
        <p key={note} class="note">
          <Said text={note} />
        </p>
      ))}
      <Table
        caption={t('Busiest clients')}
        columns={CLIENT_COLUMNS}
        rows={view?.clients ?? []}
        rowKey={(client) => client.id}
        empty={view?.clientsCount === 0 ? <p class="hint">{t('No client is connected.')}</p> : null}
      />
      <Copy text={`codis-config proxy clients ${id} --top ${TOP}`} />
    </section>
  );
}

const seconds = (value: number) => duration(value * 1000);

const CLIENT_COLUMNS: readonly Column<ProxyClientView>[] = [
  { title: 'Client', numeric: true, cell: (client) => client.id },
  { title: 'Address', cell: ({ addr }) => addr },
  { title: 'Name', cell: ({ name }) => <Value text={name === '' ? UNKNOWN : name} why={t('it gave itself none')} /> },
  { title: 'Requests', numeric: true, cell: ({ opsPerSecond }) => rate(opsPerSecond) },
  { title: 'So far', numeric: true, cell: ({ requestsCount }) => count(requestsCount) },
  {
    title: 'Last command',
    cell: ({ command }) => (command === null ? <Value text={UNKNOWN} why={t('it has sent none')} /> : <code>{command}</code>),
  },
  { title: 'Database', numeric: true, cell: ({ db }) => db },
  { title: 'Connected for', numeric: true, cell: ({ ageSeconds }) => seconds(ageSeconds) },
  { title: 'Idle for', numeric: true, cell: ({ idleSeconds }) => seconds(idleSeconds) },
  { title: 'Unfinished request', numeric: true, cell: ({ inputBytes }) => bytes(inputBytes) },
  { title: 'Unread replies', numeric: true, cell: ({ waitingBytes }) => bytes(waitingBytes) },
];

/** Their numbers are live; their order is that of when it was asked for. */
function Commands({ commands }: { commands: readonly CommandStatsView[] }) {
  const order = useRef<readonly string[]>([]);
  const [asked, setAsked] = useState(0);
  const rows = keepOrder(commands, ({ command }) => command, order.current);
  order.current = rows.map(({ command }) => command);
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Commands')}</h2>
        <span class="spring" />
        <Button
          onClick={() => {
            order.current = [];
            setAsked(asked + 1);
          }}
        >
          {t('Refresh order')}
        </Button>
      </div>
      <Table
        caption={t('Commands')}
        columns={COMMAND_COLUMNS}
        rows={rows}
        rowKey={({ command }) => command}
        empty={<p class="hint">{t('No command has been served yet.')}</p>}
      />
    </section>
  );
}

const COMMAND_COLUMNS: readonly Column<CommandStatsView>[] = [
  { title: 'Command', cell: ({ command }) => <code>{command}</code> },
  { title: 'Calls', numeric: true, cell: ({ callsCount }) => count(callsCount) },
  {
    title: 'Calls per second',
    numeric: true,
    cell: ({ callsPerSecond }) => <Value text={rate(callsPerSecond)} why={NOT_TWICE} />,
  },
];
