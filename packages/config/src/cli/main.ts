// codis-config: the command line. Codis 2.0's words, spoken to the dashboard's HTTP API. Turns whatever a command throws into a message and an exit code.

import { CommanderError } from 'commander';
import { EXIT, failureOf, UsageError } from './failures.ts';
import { buildProgram } from './program.ts';
import { usageFailure } from './usage.ts';

/** Runs one command line (without node and script) and sets the exit code; never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  quietPipe();
  try {
    await buildProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, argv.includes('--debug'));
  }
}

function report(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return EXIT.ok;
  const { text, exit } = error instanceof UsageError ? usageFailure(error) : failureOf(error, { debug });
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
