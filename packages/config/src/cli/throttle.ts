// What a migration may take of the servers, as options of the commands that say so. `none` takes a limit away.

import { type Command, InvalidArgumentError } from 'commander';
import type { ThrottleRequest } from '../api/index.ts';
import { numberOption } from './arguments.ts';

export interface ThrottleOptions {
  readonly delay?: number;
  readonly keysPerSecond?: number | null;
  readonly mbPerSecond?: number | null;
  readonly addedP99?: number | null;
}

const BYTES_PER_MB = 1024 * 1024;

export function throttleOptions(command: Command): Command {
  return command
    .option('--delay <ms>', 'pause between two batches of keys', numberOption('--delay', { min: 0, max: 60_000 }))
    .option('--keys-per-second <n>', 'keys handed over in a second, or none', limitOption('--keys-per-second', 1_000_000_000))
    .option('--mb-per-second <n>', 'MiB of memory handed over in a second, or none', limitOption('--mb-per-second', 100_000))
    .option('--added-p99 <ms>', 'how long a batch may keep a request waiting, or none', limitOption('--added-p99', 1000));
}

export function throttleOf({ delay, keysPerSecond, mbPerSecond, addedP99 }: ThrottleOptions): ThrottleRequest {
  return {
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(keysPerSecond === undefined ? {} : { keysPerSecond }),
    ...(mbPerSecond === undefined ? {} : { bytesPerSecond: mbPerSecond === null ? null : mbPerSecond * BYTES_PER_MB }),
    ...(addedP99 === undefined ? {} : { addedP99Ms: addedP99 }),
  };
}

function limitOption(name: string, max: number): (text: string) => number | null {
  const number = numberOption(name, { min: 1, max });
  return (text) => {
    if (text === 'none') return null;
    try {
      return number(text);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new InvalidArgumentError(`${error.message} Or say none.`);
      throw error;
    }
  };
}
