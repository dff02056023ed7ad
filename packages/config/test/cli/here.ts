// codis-config run in this process, which takes a hundredth of the time of starting it. What it prints is caught; what it does is real.

import { vi } from 'vitest';
import type { CliResult } from '../../../../test/harness/cluster.ts';
import { main } from '../../src/cli/main.ts';

/** Runs one command line; one at a time. */
export async function runHere(...args: string[]): Promise<CliResult> {
  const printed = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      printed[name] += String(chunk);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(args);
    return { code: Number(process.exitCode ?? 0), ...printed };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
    process.stdout.removeAllListeners('error');
  }
}
