// Proxies: who serves clients, by which table, and how busy.

import type {
  CommandStatsView,
  ProxyDetailView,
  ProxyEntryView,
  ProxyRemovedView,
  ProxyStateName,
  ProxyWantedView,
} from '@codis/config/api';
import { type Signal, signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Action, ActionButton } from '../components/action.tsx';
import { Chip, type Level } from '../components/chip.tsx';
import { WhyButton } from '../components/explain.tsx';
import { Field, wholeNumber } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Value } from '../components/value.tsx';
import { bytes, count, duration, percent, plural, rate } from '../lib/format.ts';
import { asProblem, call, get, type Problem } from '../state/api.ts';
import { epoch, live, status } from '../state/live.ts';
import { route, to } from '../state/router.ts';

export function ProxiesPage() {
  const proxies = status.value?.proxies ?? [];
  const wanted = route.value.kind === 'page' ? route.value.object : null;
  const one = proxies.find(({ id }) => id === wanted);
  return (
    <>
      <PageHead title={wanted === null ? 'Proxies' : `Proxy ${wanted}`}>
        {wanted === null ? null : <a href={to('proxies')}>all proxies</a>}
      </PageHead>
      {wanted !== null && one === undefined ? <Empty text={`There is no proxy ${wanted}.`} cli="codis-config proxy list" /> : null}
      {wanted === null || one !== undefined ? (
        <Table
          caption="Proxies"
          columns={COLUMNS}
          rows={one === undefined ? proxies : [one]}
          rowKey={({ id }) => id}
          empty={
            <Empty
              text="No proxy is registered, so no client can connect. A proxy registers by itself when it starts:"
              cli="npx codis-proxy"
            />
          }
        />
      ) : null}
      {one === undefined ? null : <ProxyDetail id={one.id} />}
    </>
  );
}

const STATES: Record<ProxyStateName, { level: Level; word: string }> = {
  joining: { level: 'busy', word: 'joining' },
  online: { level: 'ok', word: 'online' },
  behind: { level: 'warn', word: 'behind' },
  draining: { level: 'busy', word: 'draining' },
  offline: { level: 'idle', word: 'offline' },
  lost: { level: 'error', word: 'lost' },
};

const statsOf = ({ id }: ProxyEntryView) => live.value?.proxyStats.get(id);
const whyOf = (proxy: ProxyEntryView) => statsOf(proxy)?.problem ?? 'it has not answered twice yet';

const COLUMNS: readonly Column<ProxyEntryView>[] = [
  { title: 'Proxy', cell: ({ id }) => <a href={to('proxies', id)}>{id}</a> },
  { title: 'State', cell: ({ state }) => <Chip {...STATES[state]} /> },
  { title: 'Clients connect to', cell: ({ addr }) => addr },
  { title: 'Slot table', cell: (proxy) => <SlotTable proxy={proxy} /> },
  { title: 'Requests', numeric: true, cell: (proxy) => <Value text={rate(statsOf(proxy)?.opsPerSecond)} why={whyOf(proxy)} /> },
  { title: 'Errors', numeric: true, cell: (proxy) => <Value text={rate(statsOf(proxy)?.errorsPerSecond)} why={whyOf(proxy)} /> },
  {
    title: 'p99',
    numeric: true,
    cell: (proxy) => <Value text={duration(statsOf(proxy)?.p99Ms)} why={statsOf(proxy)?.problem ?? 'there are no requests'} />,
  },
  { title: 'Sessions', numeric: true, cell: (proxy) => <Value text={count(statsOf(proxy)?.sessions)} why={whyOf(proxy)} /> },
  { title: 'CPU', numeric: true, cell: (proxy) => <Value text={percent(statsOf(proxy)?.cpuPercent)} why={whyOf(proxy)} /> },
  { title: 'Change', cell: (proxy) => <ProxyActions proxy={proxy} /> },
];

function SlotTable({ proxy: { epoch: held } }: { proxy: ProxyEntryView }) {
  const newest = epoch.value;
  if (held === null || newest === null) return <Value text="—" why="it has no session with the coordinator" />;
  if (held >= newest) return <>v{held} (current)</>;
  return <Chip level="warn" word={`v${held} — ${newest - held} behind`} title={`the newest is v${newest}`} />;
}

const DRAIN_SECONDS = { min: 0, max: 3600 };

function ProxyActions({ proxy }: { proxy: ProxyEntryView }) {
  const { id, wanted, state } = proxy;
  const drain = useSignal('5');
  return (
    <span class="actions">
      {wanted === 'online' ? (
        <ActionButton action={offline(id, drain)} label="Take offline …" />
      ) : (
        <ActionButton action={online(id)} label="Bring online …" />
      )}
      {state === 'lost' || state === 'offline' ? <ActionButton action={removal(id)} label="Remove …" /> : null}
      <WhyButton of={{ proxy: id }} about={`Proxy ${id}`} />
    </span>
  );
}

function online(id: string): Action {
  return {
    title: `Bring ${id} online`,
    effect: ['It takes clients as soon as it has the newest slot table.'],
    cli: `codis-config proxy online ${id}`,
    rehearsal: { method: 'PUT', path: `/proxies/${encodeURIComponent(id)}/wanted`, body: { wanted: 'online' } },
    run: () => want(id, { wanted: 'online' }),
  };
}

function offline(id: string, drain: Signal<string>): Action {
  const check = wholeNumber('The time', DRAIN_SECONDS);
  return {
    title: `Take ${id} offline`,
    effect: [
      'It takes no new clients. Those it has may go on for a while, and are disconnected then. Migrations don’t wait for it any more.',
    ],
    cli: () => (drain.value === '5' ? `codis-config proxy offline ${id}` : `codis-config proxy drain ${id} --timeout ${drain.value}`),
    details: <Field label="Clients may go on for" unit="s" numeric value={drain} check={check} />,
    block: () => check(drain.value),
    run: () => want(id, { wanted: 'offline', drainSeconds: Number(drain.value) }),
  };
}

async function want(id: string, body: { wanted: 'online' | 'offline'; drainSeconds?: number }) {
  const { notes } = await call<ProxyWantedView>('PUT', `/proxies/${encodeURIComponent(id)}/wanted?wait=false`, { body });
  return { said: `${id} shall be ${body.wanted}; its state says when it is`, notes };
}

function removal(id: string): Action {
  return {
    title: `Remove ${id}`,
    effect: ['Its registration is forgotten. If it still runs somewhere, it registers again.'],
    cli: `codis-config proxy remove ${id}`,
    rehearsal: { method: 'DELETE', path: `/proxies/${encodeURIComponent(id)}` },
    danger: true,
    run: async () => {
      const { notes } = await call<ProxyRemovedView>('DELETE', `/proxies/${encodeURIComponent(id)}`);
      return { said: `${id} is forgotten`, notes };
    },
  };
}

const REFRESH_MS = 5000;
const detail = signal<ProxyDetailView | null>(null);

function ProxyDetail({ id }: { id: string }) {
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
  const why = view.problem ?? 'it did not say';
  return (
    <>
      {view.problem === null ? null : <p class="note">{view.problem}</p>}
      <dl class="facts">
        <dt>Version</dt>
        <dd>{view.version ?? <Value text="—" why={why} />}</dd>
        <dt>Up for</dt>
        <dd>
          <Value text={duration(view.uptimeSeconds === null ? null : view.uptimeSeconds * 1000)} why={why} />
        </dd>
        <dt>Memory</dt>
        <dd>
          <Value text={bytes(view.memoryBytes)} why={why} />
        </dd>
        <dt>Workers</dt>
        <dd>
          <Value text={count(view.workersCount)} why={why} />
          {view.workerRestartsCount ? `, ${plural(view.workerRestartsCount, 'restart')}` : ''}
        </dd>
        <dt>Latency p50 / p99</dt>
        <dd>
          <Value text={duration(view.p50Ms)} why="there are no requests" /> /{' '}
          <Value text={duration(view.p99Ms)} why="there are no requests" />
        </dd>
      </dl>
      <h2>Commands</h2>
      <Table
        caption="Commands"
        columns={COMMAND_COLUMNS}
        rows={view.commands}
        rowKey={({ command }) => command}
        empty={<p class="hint">No command has been served yet.</p>}
      />
    </>
  );
}

const COMMAND_COLUMNS: readonly Column<CommandStatsView>[] = [
  { title: 'Command', cell: ({ command }) => <code>{command}</code> },
  { title: 'Calls', numeric: true, cell: ({ callsCount }) => count(callsCount) },
  {
    title: 'Calls per second',
    numeric: true,
    cell: ({ callsPerSecond }) => <Value text={rate(callsPerSecond)} why="it has not answered twice yet" />,
  },
];
