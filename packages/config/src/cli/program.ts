// All commands put together. Imports nothing heavy, for a person waits for it.

import { Command, Option } from 'commander';
import { productVersion } from '../settings/index.ts';
import { allCommands, describeCommands } from './catalogue.ts';
import { alertsCommands } from './commands/alerts.ts';
import { authCommands } from './commands/auth.ts';
import { completionCommands } from './commands/completion.ts';
import { configCommands } from './commands/config.ts';
import { dashboardCommand } from './commands/dashboard.ts';
import { doctorCommand } from './commands/doctor.ts';
import { keyCommands } from './commands/key.ts';
import { migrationCommands } from './commands/migration.ts';
import { planCommands } from './commands/plan.ts';
import { proxyCommands } from './commands/proxy.ts';
import { serverCommands } from './commands/server.ts';
import { slotCommands } from './commands/slot.ts';
import { slowLogCommand } from './commands/slowlog.ts';
import { statusCommands } from './commands/status.ts';
import { UsageError } from './failures.ts';
import { FORMATS } from './output.ts';

const COMMANDS = [
  statusCommands,
  doctorCommand,
  alertsCommands,
  slowLogCommand,
  slotCommands,
  serverCommands,
  proxyCommands,
  planCommands,
  migrationCommands,
  keyCommands,
  configCommands,
  authCommands,
  dashboardCommand,
  completionCommands,
];

/** Throws UsageError for a command line that is none, and CommanderError after it has printed help or the version. */
export function buildProgram(): Command {
  const program = new Command('codis-config')
    .description('Looks after a cluster: slots, groups, proxies and migrations.')
    .version(productVersion(), '-v, --version')
    .option('-c, --config <file>', 'the config file; ./config.ini unless said')
    .option('--dashboard-addr <host:port>', 'where the dashboard is; wins over the config file')
    .option('--store <where>', 'read the coordinator without a dashboard: config, zk://host:2181, or a directory')
    .option('--token-file <file>', 'a file with the token to call with, where the dashboard wants a login')
    .addOption(new Option('-o, --output <format>', 'how answers are printed').choices(FORMATS).default('table'))
    .option('--debug', 'say where an error comes from');
  for (const add of COMMANDS) add(program);
  describeCommands(program);
  for (const { command } of allCommands(program)) {
    command.configureOutput({ outputError: () => undefined });
    command.exitOverride((problem) => {
      throw problem.exitCode === 0 ? problem : new UsageError(problem, command);
    });
  }
  return program;
}
