// codis-config: the command line. Codis 2.0's words, spoken to the dashboard's HTTP API. Puts the commands together and turns whatever they throw
// into a message and an exit code; imports nothing heavy, for a person waits for it.

import { Command, CommanderError, Option } from 'commander';
import { productVersion } from '../settings/index.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { doctorCommand } from './commands/doctor.ts';
import { keyCommands } from './commands/key.ts';
import { migrationCommands } from './commands/migration.ts';
import { planCommands } from './commands/plan.ts';
import { proxyCommands } from './commands/proxy.ts';
import { serverCommands } from './commands/server.ts';
import { slotCommands } from './commands/slot.ts';
import { statusCommands } from './commands/status.ts';
import { addExamples } from './examples.ts';
import { EXIT, failureOf } from './failures.ts';
import { FORMATS } from './output.ts';

/** Runs one command line (without node and script) and sets the exit code; never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  quietPipe();
  try {
    await buildProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, argv.includes('--debug'));
  }
}

function buildProgram(): Command {
  const program = new Command('codis-config')
    .description('Looks after a cluster: slots, groups, proxies and migrations.')
    .version(productVersion(), '-v, --version')
    .option('-c, --config <file>', 'the config file; ./config.ini unless said')
    .option('--dashboard-addr <host:port>', 'where the dashboard is; wins over the config file')
    .addOption(new Option('-o, --output <format>', 'how answers are printed').choices(FORMATS).default('table'))
    .option('--debug', 'say where an error comes from')
    .exitOverride();
  for (const add of [
    statusCommands,
    doctorCommand,
    keyCommands,
    slotCommands,
    serverCommands,
    proxyCommands,
    planCommands,
    migrationCommands,
    dashboardCommand,
  ])
    add(program);
  addExamples(program);
  return program;
}

function report(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { text, exit } = failureOf(error, { debug });
  process.stderr.write(`${text}\n`);
  return exit;
}

/** `codis-config events | head` closes our stdout early; that is no error. */
function quietPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
}
