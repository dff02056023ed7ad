// codis-config proxy latency: each server beside each proxy.

import type { Command } from 'commander';
import type { LatencyView } from '../../api/index.ts';
import type { Table } from '../output.ts';
import { sessionOf } from '../session.ts';

export function latencyCommand(proxy: Command): void {
  proxy
    .command('latency')
    .description('how long each server takes as each proxy sees it, in milliseconds: p50/p99, with ! where it stands out')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<LatencyView>('/latency');
      session.print({
        json: view,
        table: matrixOf(view),
        wide: listOf(view),
        names: view.servers.map(({ addr }) => addr),
        notes: [...view.findings, ...view.basis],
      });
    });
}

function matrixOf({ proxies, servers, cells }: LatencyView): Table {
  const byPlace = new Map(cells.map((cell) => [`${cell.proxy} ${cell.server}`, cell]));
  return {
    head: ['SERVER', 'GROUP', ...proxies.map(({ id }) => id)],
    rows: servers.map(({ addr, group }) => [
      addr,
      group,
      ...proxies.map(({ id }) => {
        const cell = byPlace.get(`${id} ${addr}`);
        if (cell === undefined || cell.p50Ms === null) return null;
        return `${cell.p50Ms}/${cell.p99Ms}${cell.outlier === null ? '' : ' !'}`;
      }),
    ]),
  };
}

function listOf({ cells }: LatencyView): Table {
  return {
    head: ['PROXY', 'SERVER', 'REQUESTS', 'P50 MS', 'P99 MS', 'STANDS OUT'],
    rows: cells.map(({ proxy, server, requestsCount, p50Ms, p99Ms, outlier }) => [proxy, server, requestsCount, p50Ms, p99Ms, outlier]),
  };
}
