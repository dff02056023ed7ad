// codis-config proxy try: whether a proxy serves, as a client would find out.

import type { Command } from 'commander';
import type { ProxyTryView } from '../../api/index.ts';
import { proxyArgument } from '../arguments.ts';
import { EXIT } from '../failures.ts';
import { sessionOf } from '../session.ts';

export function tryCommand(proxy: Command): void {
  proxy
    .command('try')
    .description('set, read and delete a key through a proxy, as a client would')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .action(async (id: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.change<ProxyTryView>({ method: 'POST', path: `/proxies/${id}/try` });
      if (view === null) return;
      const { addr, ok, problem, slot, steps, totalMs } = view;
      session.print({
        json: view,
        headline: ok
          ? `proxy ${id} serves at ${addr}: slot ${slot}, ${totalMs} ms with connecting`
          : `proxy ${id} does not serve at ${addr}`,
        table: { head: ['SENT', 'ANSWER', 'MS'], rows: steps.map(({ command: sent, reply, ms }) => [sent, reply, ms]) },
        names: [id],
        notes: problem === null ? [] : [problem],
      });
      if (!ok) process.exitCode = EXIT.failed;
    });
}
