// Each server beside each proxy: how long it takes, and what stands out. Asked for when somebody wants it.

import type { LatencyServerView, LatencyView } from '@codis/config/api';
import { Button } from '../components/button.tsx';
import { Chip, GroupMark } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Ago, Value } from '../components/value.tsx';
import { duration, UNKNOWN } from '../lib/format.ts';
import { useResource } from '../state/resource.ts';

export function Latency() {
  const { view, problem, busy, reload } = useResource<LatencyView>('/latency');
  return (
    <section>
      <div class="toolbar">
        <h2>Latency of servers</h2>
        <span class="hint">{view === null ? '' : ['as of ', <Ago key="at" at={view.at} />]}</span>
        <span class="spring" />
        <Button block={busy ? 'The proxies are being asked.' : null} onClick={reload}>
          Refresh latency
        </Button>
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      {(view?.findings ?? []).map((finding) => (
        <p key={finding} class="note">
          {finding}
        </p>
      ))}
      {view === null ? null : (
        <Table
          caption="Latency of servers by proxy, p50 / p99"
          columns={columnsOf(view)}
          rows={view.servers}
          rowKey={({ addr }) => addr}
          empty={<p class="hint">There is no server that proxies could ask.</p>}
        />
      )}
      {(view?.basis ?? []).map((sentence) => (
        <p key={sentence} class="hint">
          {sentence}
        </p>
      ))}
      <Copy text="codis-config proxy latency" />
    </section>
  );
}

function columnsOf(view: LatencyView): Column<LatencyServerView>[] {
  return [
    { title: 'Server', cell: ({ addr, role }) => (role === 'master' ? addr : `${addr} (${role})`) },
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
  if (cell === undefined || cell.p50Ms === null) return <Value text={UNKNOWN} why={why ?? 'there were no requests lately'} />;
  const text = `${duration(cell.p50Ms)} / ${duration(cell.p99Ms)}`;
  return cell.outlier === null ? <span>{text}</span> : <Chip level="warn" word={`${text}, slow`} title={cell.outlier} />;
}
