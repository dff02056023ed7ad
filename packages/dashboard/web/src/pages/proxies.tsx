// Proxies: who serves clients, by which table, and how busy.

import type { ProxyEntryView, ProxyRemovedView, ProxyStateName, ProxyWantedView } from '@codis/config/api';
import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { type Action, ActionButton } from '../components/action.tsx';
import { Chip, type Level } from '../components/chip.tsx';
import { WhyButton } from '../components/explain.tsx';
import { Field, wholeNumber } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty } from '../components/problem.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Value } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { count, duration, percent, rate, UNKNOWN } from '../lib/format.ts';
import { msg, rich, t } from '../lib/words.ts';
import { call } from '../state/api.ts';
import { epoch, live, status } from '../state/live.ts';
import { route, to } from '../state/router.ts';
import { Latency } from './latency.tsx';
import { ProxyDetail } from './proxy-detail.tsx';

export function ProxiesPage() {
  const proxies = status.value?.proxies ?? [];
  const wanted = route.value.kind === 'page' ? route.value.object : null;
  const one = proxies.find(({ id }) => id === wanted);
  return (
    <>
      <PageHead title={wanted === null ? t('Proxies') : t('Proxy {id}', { id: wanted })}>
        {wanted === null ? null : <a href={to('proxies')}>{t('all proxies')}</a>}
      </PageHead>
      {wanted !== null && one === undefined ? (
        <Empty text={t('There is no proxy {id}.', { id: wanted })} cli="codis-config proxy list" />
      ) : null}
      {wanted === null || one !== undefined ? (
        <Table
          caption={t('Proxies')}
          columns={COLUMNS}
          rows={one === undefined ? proxies : [one]}
          rowKey={({ id }) => id}
          empty={
            <Empty
              text={t('No proxy is registered, so no client can connect. A proxy registers by itself when it starts:')}
              cli="npx codis-proxy"
            />
          }
        />
      ) : null}
      {one === undefined ? null : <ProxyDetail id={one.id} />}
      {wanted === null && proxies.length > 0 ? <Latency /> : null}
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
const milliseconds = (seconds: number | null | undefined) => (seconds == null ? null : seconds * 1000);
const whyOf = (proxy: ProxyEntryView) => statsOf(proxy)?.problem ?? t('it has not answered twice yet');

const COLUMNS: readonly Column<ProxyEntryView>[] = [
  { title: 'Proxy', cell: (proxy) => <Named proxy={proxy} /> },
  { title: 'State', cell: ({ state }) => <Chip {...STATES[state]} /> },
  { title: 'Slot table', cell: (proxy) => <SlotTable proxy={proxy} /> },
  { title: 'Requests', numeric: true, cell: (proxy) => <Value text={rate(statsOf(proxy)?.opsPerSecond)} why={whyOf(proxy)} /> },
  { title: 'Errors', numeric: true, cell: (proxy) => <Value text={rate(statsOf(proxy)?.errorsPerSecond)} why={whyOf(proxy)} /> },
  {
    title: 'p99',
    numeric: true,
    cell: (proxy) => <Value text={duration(statsOf(proxy)?.p99Ms)} why={statsOf(proxy)?.problem ?? t('there are no requests')} />,
  },
  { title: 'Sessions', numeric: true, cell: (proxy) => <Value text={count(statsOf(proxy)?.sessions)} why={whyOf(proxy)} /> },
  {
    title: 'Version',
    cell: (proxy) => (
      <Two
        first={<Value text={statsOf(proxy)?.version ?? UNKNOWN} why={whyOf(proxy)} />}
        second={rich('up {time}', { time: <Value text={duration(milliseconds(statsOf(proxy)?.uptimeSeconds))} why={whyOf(proxy)} /> })}
      />
    ),
  },
  {
    title: 'CPU, lag',
    numeric: true,
    cell: (proxy) => (
      <Two
        first={<Value text={percent(statsOf(proxy)?.cpuPercent)} why={whyOf(proxy)} />}
        second={
          <>
            p99 <Value text={duration(statsOf(proxy)?.lagP99Ms)} why={whyOf(proxy)} />
          </>
        }
      />
    ),
  },
  { title: 'Change', cell: (proxy) => <ProxyActions proxy={proxy} /> },
];

function Named({ proxy: { id, addr } }: { proxy: ProxyEntryView }) {
  return <Two first={<a href={to('proxies', id)}>{id}</a>} second={addr} />;
}

/** One below the other, so that the buttons are in sight. */
function Two({ first, second }: { first: ComponentChildren; second: ComponentChildren }) {
  return (
    <>
      {first}
      <br />
      <span class="hint">{second}</span>
    </>
  );
}

function SlotTable({ proxy: { epoch: held } }: { proxy: ProxyEntryView }) {
  const newest = epoch.value;
  if (held === null || newest === null) return <Value text="—" why={t('it has no session with the coordinator')} />;
  if (held >= newest) return <>{t('v{held} (current)', { held })}</>;
  return (
    <Chip
      level="warn"
      word={t('v{held} — {behind} behind', { held, behind: newest - held })}
      title={t('the newest is v{newest}', { newest })}
    />
  );
}

const DRAIN_SECONDS = { min: 0, max: 3600 };

function ProxyActions({ proxy }: { proxy: ProxyEntryView }) {
  const { id, wanted, state } = proxy;
  const drain = useSignal('60');
  return (
    <span class="actions">
      {wanted === 'online' ? (
        <>
          <ActionButton action={draining(id, drain)} label={t('Drain …')} />
          <ActionButton action={offline(id)} label={t('Take offline …')} />
        </>
      ) : (
        <ActionButton action={online(id)} label={t('Bring online …')} />
      )}
      {state === 'lost' || state === 'offline' ? <ActionButton action={removal(id)} label={t('Remove …')} /> : null}
      <WhyButton of={{ proxy: id }} about={t('Proxy {id}', { id })} />
    </span>
  );
}

function online(id: string): Action {
  return {
    title: t('Bring {id} online', { id }),
    effect: [t('It takes clients as soon as it has the newest slot table.')],
    cli: `codis-config proxy online ${id}`,
    rehearsal: { method: 'PUT', path: `/proxies/${encodeURIComponent(id)}/wanted`, body: { wanted: 'online' } },
    run: () => want(id, { wanted: 'online' }),
  };
}

function draining(id: string, drain: Signal<string>): Action {
  const check = wholeNumber(msg('The time'), DRAIN_SECONDS);
  return {
    title: t('Drain {id}', { id }),
    effect: [
      t(
        'It takes no new clients. Those it has may go on for a while, and are disconnected then: its sessions fall to 0. Migrations don’t wait for it any more.',
      ),
    ],
    cli: () => `codis-config proxy drain ${id} --timeout ${drain.value}`,
    details: <Field label={t('Clients may go on for')} unit={t('s')} numeric value={drain} check={check} />,
    block: () => check(drain.value),
    run: () => want(id, { wanted: 'offline', drainSeconds: Number(drain.value) }),
  };
}

function offline(id: string): Action {
  return {
    title: t('Take {id} offline', { id }),
    effect: [
      t(
        'It takes no new clients. Those it has are disconnected as soon as their requests are answered. Migrations don’t wait for it any more.',
      ),
    ],
    cli: `codis-config proxy offline ${id}`,
    rehearsal: { method: 'PUT', path: `/proxies/${encodeURIComponent(id)}/wanted`, body: { wanted: 'offline' } },
    run: () => want(id, { wanted: 'offline' }),
  };
}

async function want(id: string, body: { wanted: 'online' | 'offline'; drainSeconds?: number }) {
  const { notes } = await call<ProxyWantedView>('PUT', `/proxies/${encodeURIComponent(id)}/wanted?wait=false`, { body });
  return { said: t('{id} shall be {wanted}; its state says when it is', { id, wanted: apiWord(body.wanted) }), notes };
}

function removal(id: string): Action {
  return {
    title: t('Remove {id}', { id }),
    effect: [t('Its registration is forgotten. If it still runs somewhere, it registers again.')],
    cli: `codis-config proxy remove ${id}`,
    rehearsal: { method: 'DELETE', path: `/proxies/${encodeURIComponent(id)}` },
    danger: true,
    run: async () => {
      const { notes } = await call<ProxyRemovedView>('DELETE', `/proxies/${encodeURIComponent(id)}`);
      return { said: t('{id} is forgotten', { id }), notes };
    },
  };
}
