// Each server beside each proxy: how long it takes, and what stands out. Asked for when somebody wants it.

import type { LatencyServerView, LatencyView } from '@codis/config/api';
import { Button } from '../components/button.tsx';
import { Chip, GroupMark } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Ago, Value } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { duration, UNKNOWN } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { rich, t } from '../lib/words.ts';
import { useResource } from '../state/resource.ts';

export function Latency() {
  const { view, problem, busy, reload } = useResource<LatencyView>('/latency');
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Latency of servers')}</h2>
        <span class="hint">{view === null ? '' : rich('as of {ago}', { ago: <Ago at={view.at} /> })}</span>
        <span class="spring" />
        <Button block={busy ? t('The proxies are being asked.') : null} onClick={reload}>
          {t('Refresh latency')}
        </Button>
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      {(view?.findings ?? []).map((finding) => (
        <p key={finding} class="note">
          <Said text={finding} />
        </p>
      ))}
      {view === null ? null : (
        <Table
          caption={t('Latency of servers by proxy, p50 / p99')}
          columns={columnsOf(view)}
          rows={view.servers}
          rowKey={({ addr }) => addr}
          empty={<p class="hint">{t('There is no server that proxies could ask.')}</p>}
        />
      )}
      {(view?.basis ?? []).map((sentence) => (
        <p key={sentence} class="hint">
          <Said text={sentence} />
        </p>
      ))}
      <Copy text="codis-config proxy latency" />
    </section>
  );
}

function columnsOf(view: LatencyView): Column<LatencyServerView>[] {
  return [
    { title: 'Server', cell: ({ addr, role }) => (role === 'master' ? addr : `${addr} (${apiWord(role)})`) },
    { title: 'Group', cell: ({ group }) => <GroupMark group={group} /> },
    ...view.proxies.map(
      ({ id, problem }): Column<LatencyServerView> => ({
        title: id,
        numeric: true,
        cell: ({ addr }) => <Cell of={view.cells.find(({ proxy, server }) => proxy === id && server === addr)} why={problem} />,
      }),
    ),
  ];
}

function Cell({ of: cell, why }: { of: LatencyView['cells'][number] | undefined; why: string | null }) {
  if (cell === undefined || cell.p50Ms === null) return <Value text={UNKNOWN} why={why ?? t('there were no requests lately')} />;
  const text = `${duration(cell.p50Ms)} / ${duration(cell.p99Ms)}`;
  return cell.outlier === null ? (
    <span>{text}</span>
  ) : (
    <Chip level="warn" word={t('{text}, slow', { text })} title={told(cell.outlier) ?? cell.outlier} />
  );
}
