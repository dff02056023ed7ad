// codis-config proxy …

import type { Command } from 'commander';
import type { ProxiesView, ProxyRemovedView, ProxyWantedView } from '../../api/index.ts';
import { proxyArgument } from '../arguments.ts';
import { EXIT } from '../failures.ts';
import { sessionOf } from '../session.ts';

export function proxyCommands(program: Command): void {
  const proxy = program.command('proxy').description('the proxies that clients connect to');
  proxy
    .command('list')
    .description('all registered proxies')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<ProxiesView>('/proxies');
      const rows = view.proxies.map(({ id, addr, adminAddr, state, epoch, pid }) => [id, addr, adminAddr, state, epoch, pid]);
      const table = { head: ['PROXY', 'ADDR', 'ADMIN', 'STATE', 'EPOCH', 'PID'], rows };
      session.print({ json: view, table, names: view.proxies.map(({ id }) => id) });
    });
  for (const wanted of ['online', 'offline'] as const) wantedCommand(proxy, wanted);
  proxy
    .command('remove')
    .description('forget a proxy that is gone for good')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .action(async (id: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.delete<ProxyRemovedView>(`/proxies/${id}`);
      session.print({ json: view, table: `proxy ${id} is removed`, names: [id], notes: view.notes });
    });
}

function wantedCommand(proxy: Command, wanted: 'online' | 'offline'): void {
  proxy
    .command(wanted)
    .description(wanted === 'online' ? 'let a proxy serve clients' : 'have a proxy stop serving clients')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .action(async (id: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.put<ProxyWantedView>(`/proxies/${id}/wanted`, { wanted });
      const table = view.takenUp ? `proxy ${id} is ${wanted}` : `proxy ${id} shall be ${wanted}, but is not yet`;
      session.print({ json: view, table, names: [id], notes: view.notes });
      if (!view.takenUp) process.exitCode = EXIT.timeout;
    });
}
