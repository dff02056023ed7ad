// Entry of codis-dashboard: command line, log, signals, and the order in which the parts start and stop.
//
//   start: coordinator opened ─▶ app listens ─▶ coordinator ready ─▶ controller stands for election      stop: the other way round

import { type Coordinator, openCoordinator } from '@codis/config/coordinator';
import { Controller } from '@codis/config/migration';
import { CodisError, isCodisError, parseAddr } from '@codis/config/model';
import { ensureAdmin, ensureParents } from '@codis/config/operations';
import { parseProgramArgs, type Settings } from '@codis/config/settings';
import { type Logger, pino } from 'pino';
import { buildApp } from './app.ts';
import { isLoopback } from './auth/origin.ts';
import type { App } from './context.ts';

const USAGE = {
  command: 'codis-dashboard',
  about: 'Serves the HTTP API and the console of one product, and runs its migrations while it is the elected controller.',
  examples: ['codis-dashboard', 'codis-dashboard -c config.ini', 'codis-dashboard --dashboard-addr 127.0.0.1:18088'],
};
const COORDINATOR_READY_MS = 10_000;
/** How long stopping may take before the process ends without it. */
const CLOSE_MS = 8000;

/** Runs the program until a signal ends it. What ends at once sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    const args = parseProgramArgs({ program: 'dashboard', argv, usage: USAGE });
    if (args.kind === 'run') await run(args.settings);
    else process.stdout.write(`${args.text}\n`);
  } catch (error) {
    process.exitCode = complain(error);
  }
}

async function run(settings: Settings): Promise<void> {
  const { host } = parseAddr(settings.dashboard_addr);
  if (!isLoopback(host) && settings.dashboard_auth === 'off') throw notLoopback(settings.dashboard_addr);
  process.title = `codis-dashboard: ${settings.product_name}`;
  const log = pino(
    { level: settings.log_level, base: { pid: process.pid, product: settings.product_name } },
    pino.destination({ dest: 2, sync: true }),
  );
  const coordinator = openCoordinator(settings, { onError: (err) => log.error({ err }, 'the coordinator fails') });
  const controller = new Controller({ coordinator, settings, log, id: settings.dashboard_addr });
  const app = await buildApp({ coordinator, controller, settings, log });
  const parts = { app, controller, coordinator };
  const stopping = closeOnSignal(parts, log);
  try {
    await listen(app, settings.dashboard_addr);
    await coordinator.ready(COORDINATOR_READY_MS);
    await ensureParents({ coordinator });
    if (settings.dashboard_auth === 'on') await firstAdmin(coordinator, settings);
    await controller.start();
    log.info({ addr: settings.dashboard_addr }, 'ready');
  } catch (error) {
    if (stopping()) return;
    await closeAll(parts);
    throw error;
  }
}

interface Parts {
  readonly app: App;
  readonly controller: Controller;
  readonly coordinator: Coordinator;
}

/** Stops the parts once: by a signal, or when the program that started us is gone. Further signals change nothing: Ctrl-C in a terminal may arrive twice, from the
 *  terminal and from the program that started us. */
function closeOnSignal(parts: Parts, log: Logger): () => boolean {
  let stopping = false;
  const stop = (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    const overdue = setTimeout(() => {
      log.error('stopping took too long; ending all the same');
      process.exit(1);
    }, CLOSE_MS);
    closeAll(parts).then(
      () => {
        clearTimeout(overdue);
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  process.on('disconnect', () => stop('the program that started this one is gone'));
  process.channel?.unref();
  return () => stopping;
}

async function closeAll({ app, controller, coordinator }: Parts): Promise<void> {
  await app.close();
  await controller.close();
  await coordinator.close();
}

async function listen(app: App, addr: string): Promise<void> {
  const { host, port } = parseAddr(addr);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const what = code === 'EADDRINUSE' ? 'something listens there already' : cause instanceof Error ? cause.message : String(cause);
    throw new CodisError('CODIS_E_ADDRESS_IN_USE', `can't listen on dashboard_addr ${addr}: ${what}`, { cause });
  }
}

function notLoopback(addr: string): CodisError {
  return new CodisError(
    'CODIS_E_DENIED',
    `dashboard_addr ${addr} can be reached from other machines, and nobody has to log in; set dashboard_auth = on, or use 127.0.0.1`,
  );
}

/** The password is printed this once, and is in no log. */
async function firstAdmin(coordinator: Coordinator, { product_name: product }: Settings): Promise<void> {
  const password = await ensureAdmin({ coordinator, product, actor: 'codis-dashboard', password: '' });
  if (password === null) return;
  process.stdout.write(`codis-dashboard: made the user admin; its password is ${password} and will not be shown again\n`);
}

function complain(error: unknown): number {
  if (isCodisError(error)) {
    process.stderr.write(`codis-dashboard: ${error.message}\n  try: ${error.kind.hint}\n`);
    return error.kind.exit;
  }
  process.stderr.write(`codis-dashboard: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
