// codis-config dashboard: Codis 2.0's way to start the dashboard. It runs codis-dashboard as a child, for config may not import the dashboard.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { findDashboard } from '../dashboard-program.ts';
import type { Globals } from '../session.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function dashboardCommand(program: Command): void {
  program
    .command('dashboard')
    .description('run the dashboard in the foreground; further options go to codis-dashboard')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_, command: Command) => {
      const { config, dashboardAddr } = command.optsWithGlobals<Globals>();
      const args = [
        ...(config === undefined ? [] : ['-c', config]),
        ...(dashboardAddr === undefined ? [] : ['--dashboard-addr', dashboardAddr]),
      ];
      process.exitCode = await run(findDashboard(), [...args, ...command.args]);
    });
}

/** Runs it with our terminal, passes signals on, and ends as it ends. The channel tells the child when we are gone, however we went. */
async function run(script: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of FORWARDED) process.on(signal, forward);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  for (const name of FORWARDED) process.off(name, forward);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
