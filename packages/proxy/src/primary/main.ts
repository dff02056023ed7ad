// Entry of codis-proxy: command line, log, signals. Everything else is the Primary's.

import { openCoordinator } from '@codis/config/coordinator';
import { isCodisError } from '@codis/config/model';
import { parseProgramArgs, productVersion, type Settings } from '@codis/config/settings';
import { type Logger, pino } from 'pino';
import { startAdmin } from './admin.ts';
import { Primary } from './primary.ts';

const USAGE = {
  command: 'codis-proxy',
  about: 'Serves Redis clients and sends each command to the group that has its slot.',
  examples: [
    'codis-proxy',
    'codis-proxy -c config.ini',
    'codis-proxy --proxy-id proxy_2 --proxy-addr 127.0.0.1:19001 --admin-addr 127.0.0.1:11081',
  ],
};
const COORDINATOR_READY_MS = 10_000;

/** Runs the program until a signal ends it; returns the exit code for what ends at once. */
export async function main(argv: readonly string[]): Promise<number | undefined> {
  try {
    const args = parseProgramArgs({ program: 'proxy', argv, usage: USAGE });
    if (args.kind === 'run') return await run(args.settings);
    process.stdout.write(`${args.text}\n`);
    return 0;
  } catch (error) {
    return complain(error);
  }
}

async function run(settings: Settings): Promise<number | undefined> {
  process.title = `codis-proxy: ${settings.proxy_id}`;
  const log = pino(
    { level: settings.log_level, base: { pid: process.pid, proxy: settings.proxy_id } },
    pino.destination({ dest: 2, sync: true }),
  );
  const coordinator = openCoordinator(settings);
  const version = productVersion();
  const stop = stopper(log);
  const proxy = new Primary({ settings, version, coordinator, log, onFatal: (message) => stop.fatal(message) });
  try {
    const admin = await startAdmin({ addr: settings.admin_addr, proxy, log }).catch((error: Error) => {
      throw new Error(
        `can't listen on admin_addr ${settings.admin_addr}: ${error.message}; stop what listens there, or give another --admin-addr`,
      );
    });
    stop.arm(async () => {
      await proxy.close();
      await coordinator.close();
      admin.closeAllConnections();
      admin.close();
    });
    await coordinator.ready(COORDINATOR_READY_MS);
    await proxy.start();
    return undefined;
  } catch (error) {
    const code = complain(error);
    await proxy.close();
    await coordinator.close();
    return code;
  }
}

/** Ends the program once: by signal (0) or by a fault (1). A second signal does not wait. */
function stopper(log: Logger): { arm: (close: () => Promise<void>) => void; fatal: (message: string) => void } {
  let closing = false;
  let close: () => Promise<void> = async () => undefined;
  const end = (code: number) => {
    if (closing) process.exit(1);
    closing = true;
    close().then(
      () => process.exit(code),
      (error: unknown) => {
        log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  return {
    arm: (how) => {
      close = how;
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
        process.on(signal, () => {
          log.info({ signal }, 'stopping: finishing with the clients there are');
          end(0);
        });
      }
    },
    fatal: (message) => {
      if (closing) return;
      process.stderr.write(`codis-proxy: ${message}\n`);
      end(1);
    },
  };
}

function complain(error: unknown): number {
  if (isCodisError(error)) {
    process.stderr.write(`codis-proxy: ${error.message}\n  try: ${error.kind.hint}\n`);
    return error.kind.exit;
  }
  process.stderr.write(`codis-proxy: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}
