// codis-config proxy …

import type { Command } from 'commander';
import type {
  ProxiesView,
  ProxyEntryView,
  ProxyRemovedView,
  ProxyStatsView,
  ProxyWantedRequest,
  ProxyWantedView,
} from '../../api/index.ts';
import { numberOption, proxyArgument } from '../arguments.ts';
import { EXIT } from '../failures.ts';
import { type Answer, showsAll } from '../output.ts';
import { type Session, sessionOf } from '../session.ts';
import { explainCommand } from './explain.ts';
import { clientsCommand, infoCommand } from './proxy-info.ts';
import { latencyCommand } from './proxy-latency.ts';
import { tryCommand } from './proxy-try.ts';

/** How long clients may go on unless said. */
const DRAIN_SECONDS = 60;
const DRAIN_SECONDS_MAX = 3600;
const WAIT_SECONDS_MAX = 1_000_000;
const POLL_MS = 500;
/** For clients that are left to be disconnected, and the dashboard to see it. */
const SETTLE_SECONDS = 15;

export function proxyCommands(program: Command): void {
  const proxy = program.command('proxy').description('the proxies that clients connect to');
  proxy
    .command('list')
    .description('all registered proxies')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<ProxiesView>('/proxies');
      const stats = showsAll(session.format)
        ? await Promise.all(view.proxies.map(({ id }) => session.get<ProxyStatsView>(`/proxies/${id}/stats`)))
        : [];
      session.print(proxiesAnswer(view, stats));
    });
  infoCommand(proxy);
  clientsCommand(proxy);
  latencyCommand(proxy);
  explainCommand(proxy, {
    description: 'why is a proxy as it is?',
    argument: ['<proxy>', 'proxy id', proxyArgument],
    query: 'proxy',
  });
  wantedCommands(proxy);
  tryCommand(proxy);
  proxy
    .command('remove')
    .description('forget a proxy that is gone for good')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .action(async (id: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.change<ProxyRemovedView>({ method: 'DELETE', path: `/proxies/${id}` });
      if (view !== null) session.print({ json: view, table: `proxy ${id} is removed`, names: [id], notes: view.notes });
    });
}

/** `stats`: of each proxy, in order, where every column is shown. */
function proxiesAnswer(view: ProxiesView, stats: readonly ProxyStatsView[]): Answer {
  const { proxies } = view;
  const head = ['PROXY', 'ADDR', 'ADMIN', 'STATE', 'EPOCH', 'PID'];
  const rows = proxies.map(({ id, addr, adminAddr, state, epoch, pid }) => [id, addr, adminAddr, state, epoch, pid]);
  const more = ['WANTED', 'STARTED', 'CLIENTS', 'OPS', 'ERRORS', 'P99 MS', 'CPU %', 'LAG P99 MS', 'MEMORY', 'VERSION', 'PROBLEM'];
  const wide = stats.map((one, index) => [
    ...(rows[index] ?? []),
    proxies[index]?.wanted ?? null,
    proxies[index]?.startedAt ?? null,
    one.sessions,
    one.opsPerSecond,
    one.errorsPerSecond,
    one.p99Ms,
    one.cpuPercent,
    one.lagP99Ms,
    one.memoryBytes,
    one.version,
    one.problem,
  ]);
  return { json: view, table: { head, rows }, wide: { head: [...head, ...more], rows: wide }, names: proxies.map(({ id }) => id) };
}

function wantedCommands(proxy: Command): void {
  for (const wanted of ['online', 'offline'] as const) {
    proxy
      .command(wanted)
      .description(wanted === 'online' ? 'let a proxy serve clients' : 'have a proxy stop serving clients')
      .argument('<proxy>', 'proxy id', proxyArgument)
      .option('--wait', 'until it is done, which is what it does unless told, for ten seconds')
      .option('--no-wait', 'come back at once, whether or not it is done')
      .option('--timeout <seconds>', 'wait for at most this long', numberOption('--timeout', { min: 1, max: WAIT_SECONDS_MAX }))
      .action((id: string, options: { wait?: boolean; timeout?: number }, command: Command) =>
        want(sessionOf(command), { id, body: { wanted }, ...options }),
      );
  }
  proxy
    .command('drain')
    .description('as offline, but clients may go on for a while; those that are left then are disconnected')
    .argument('<proxy>', 'proxy id', proxyArgument)
    .option('--timeout <seconds>', 'for how long', numberOption('--timeout', { min: 0, max: DRAIN_SECONDS_MAX }), DRAIN_SECONDS)
    .option('--wait', 'until it is done, which is what it does unless told')
    .option('--no-wait', 'come back at once, whether or not it is done')
    .action((id: string, { timeout, wait = true }: { timeout: number; wait?: boolean }, command: Command) =>
      want(sessionOf(command), { id, wait, body: { wanted: 'offline', drainSeconds: timeout } }),
    );
}

interface Wish {
  readonly id: string;
  readonly body: ProxyWantedRequest;
  /** Yes unless said. */
  readonly wait?: boolean;
  /** In seconds; as long as the dashboard does unless said. */
  readonly timeout?: number;
}

async function want(session: Session, { id, body, wait = true, timeout }: Wish): Promise<void> {
  const seconds = body.drainSeconds === undefined ? timeout : body.drainSeconds + SETTLE_SECONDS;
  const path = `/proxies/${id}/wanted${wait && seconds === undefined ? '' : '?wait=false'}`;
  const view = await session.change<ProxyWantedView>({ method: 'PUT', path, body });
  if (view === null) return;
  const waited = wait && seconds !== undefined;
  const takenUp = waited ? await becomes(session, { id, wanted: body.wanted, seconds }) : view.takenUp;
  const table = takenUp ? `proxy ${id} is ${body.wanted}` : `proxy ${id} shall be ${body.wanted}, but is not yet`;
  session.print({ json: view, table, names: [id], notes: takenUp && waited ? [] : view.notes });
  if (wait && !takenUp) process.exitCode = EXIT.timeout;
}

/** Whether a proxy becomes what is wanted of it in that time; says how many clients it still has when that changes. */
async function becomes(
  session: Session,
  { id, wanted, seconds }: { id: string; wanted: 'online' | 'offline'; seconds: number },
): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  let told: number | null = null;
  for (;;) {
    const { state } = await session.get<ProxyEntryView>(`/proxies/${id}`);
    if (wanted === 'online' ? state === 'online' || state === 'behind' : state === 'offline') return true;
    if (performance.now() >= deadline) return false;
    if (state === 'draining') {
      const { sessions } = await session.get<ProxyStatsView>(`/proxies/${id}/stats`);
      if (sessions !== null && sessions !== told)
        session.note(`proxy ${id} still has ${sessions} ${sessions === 1 ? 'client' : 'clients'}`);
      told = sessions;
    }
    await new Promise((next) => setTimeout(next, POLL_MS));
  }
}
