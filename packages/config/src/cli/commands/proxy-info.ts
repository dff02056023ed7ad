// codis-config proxy info and clients: what one proxy does, as it says itself.

import type { Command } from 'commander';
import type { ProxyClientsView, ProxyDetailView } from '../../api/index.ts';
import { numberOption, proxyArgument } from '../arguments.ts';
import type { Table } from '../output.ts';
import { sessionOf } from '../session.ts';

const TOP = 20;
const TOP_MAX = 1000;
/** As many commands stand above the workers; `-o json` has all. */
const COMMANDS_SHOWN = 5;

export function infoCommand(proxy: Command): void {
  proxy
    .command('info')
    .description('what a proxy does, and each of its workers')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .action(async (id: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<ProxyDetailView>(`/proxies/${id}/stats`);
      session.print({
        json: view,
        headline: headlineOf(view),
        table: workersTable(view),
        names: view.workers.map(({ worker }) => worker),
        notes: view.problem === null ? [] : [view.problem],
      });
    });
}

function headlineOf(view: ProxyDetailView): string {
  const { id, version, uptimeSeconds, opsPerSecond, errorsPerSecond, p50Ms, p99Ms, sessions, commands } = view;
  const known = (value: number | null, unit = '') => (value === null ? '-' : `${value}${unit}`);
  const busiest = commands.slice(0, COMMANDS_SHOWN).map(({ command, callsCount }) => `${command} ${callsCount}`);
  return [
    `proxy ${id}, version ${version ?? '-'}, up for ${known(uptimeSeconds, ' s')}, ${known(sessions)} clients`,
    `requests ${known(opsPerSecond, '/s')}, errors ${known(errorsPerSecond, '/s')}, p50 ${known(p50Ms, ' ms')}, p99 ${known(p99Ms, ' ms')}`,
    `calls: ${busiest.length === 0 ? 'none' : busiest.join(', ')}${commands.length > COMMANDS_SHOWN ? ', …' : ''}`,
  ].join('\n');
}

function workersTable({ workers }: ProxyDetailView): Table {
  return {
    head: ['WORKER', 'PID', 'CLIENTS', 'OPS', 'ERRORS', 'CPU %', 'LAG P50 MS', 'LAG P99 MS', 'LAG MAX MS', 'MEMORY', 'EPOCH'],
    rows: workers.map((one) => [
      one.worker,
      one.pid,
      one.sessions,
      one.opsPerSecond,
      one.errorsPerSecond,
      one.cpuPercent,
      one.lagP50Ms,
      one.lagP99Ms,
      one.lagMaxMs,
      one.memoryBytes,
      one.epoch,
    ]),
  };
}

export function clientsCommand(proxy: Command): void {
  proxy
    .command('clients')
    .description('the clients that ask the most of a proxy lately, busiest first')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .option('--top <count>', 'at most this many', numberOption('--top', { min: 1, max: TOP_MAX }), TOP)
    .action(async (id: string, { top }: { top: number }, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<ProxyClientsView>(`/proxies/${id}/clients?top=${top}`);
      const { clients, clientsCount, notes } = view;
      const head = ['CLIENT', 'ADDR', 'NAME', 'OPS', 'COMMAND', 'IDLE S'];
      const rows = clients.map((one) => [one.id, one.addr, one.name, one.opsPerSecond, one.command, one.idleSeconds]);
      const more = ['CALLS', 'DB', 'AGE S', 'INPUT', 'WAITING'];
      const wide = clients.map((one, index) => [
        ...(rows[index] ?? []),
        one.requestsCount,
        one.db,
        one.ageSeconds,
        one.inputBytes,
        one.waitingBytes,
      ]);
      session.print({
        json: view,
        table: { head, rows },
        wide: { head: [...head, ...more], rows: wide },
        names: clients.map((one) => one.id),
        notes: [...(clientsCount === null ? [] : [`${clients.length} of ${clientsCount} clients`]), ...notes],
      });
    });
}
