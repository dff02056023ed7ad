// What a migration may take of the servers, as options of the commands that say so. `none` takes a limit away.

import { type Command, InvalidArgumentError } from 'commander';
import type { ThrottleRequest, ThrottleView } from '../api/index.ts';
import { isCodisError, parseWindow, windowText } from '../model/index.ts';
import { numberOption } from './arguments.ts';

type Limit = number | 'none';

export interface ThrottleOptions {
  readonly delay?: number;
  readonly keysPerSecond?: Limit;
  readonly mbPerSecond?: Limit;
  readonly addedP99?: Limit;
  readonly share?: Limit;
  readonly window?: string;
}

const BYTES_PER_MB = 1024 * 1024;

export function throttleOptions(command: Command): Command {
  return speedOptions(command)
    .option('--added-p99 <ms>', 'how long a batch may keep a request waiting, or none', limitOption('--added-p99', 1000))
    .option(
      '--window <hh:mm-hh:mm>',
      'times of day between which it runs, by the local clock of the controller; it stands still outside of them, and goes on the next day; or none',
      windowOption,
    );
}

export type SpeedOptions = Omit<ThrottleOptions, 'addedP99' | 'window'>;

/** Those that a duration can be reckoned with. */
export function speedOptions(command: Command): Command {
  return command
    .option('--delay <ms>', 'pause between two batches of keys', numberOption('--delay', { min: 0, max: 60_000 }))
    .option('--keys-per-second <n>', 'keys handed over in a second, or none', limitOption('--keys-per-second', 1_000_000_000))
    .option('--mb-per-second <n>', 'MiB of memory handed over in a second, or none', limitOption('--mb-per-second', 100_000))
    .option('--share <percent>', 'of the source’s time, or none: as much as its clients leave', limitOption('--share', 100));
}

export function throttleOf({ delay, keysPerSecond, mbPerSecond, addedP99, share, window }: ThrottleOptions): ThrottleRequest {
  return {
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(keysPerSecond === undefined ? {} : { keysPerSecond: orNull(keysPerSecond) }),
    ...(mbPerSecond === undefined ? {} : { bytesPerSecond: orNull(mbPerSecond, BYTES_PER_MB) }),
    ...(addedP99 === undefined ? {} : { addedP99Ms: orNull(addedP99) }),
    ...(share === undefined ? {} : { sharePercent: orNull(share) }),
    ...(window === undefined ? {} : { window: window === 'none' ? null : window }),
  };
}

/** `delay 10 ms, 20000 keys/s, 20.0 MiB/s, added p99 2 ms, 10 % of the source, only 00:00-07:00`; `none`. */
export function throttleText({ delayMs, keysPerSecond, bytesPerSecond, addedP99Ms, sharePercent, window }: ThrottleView): string {
  const parts = [
    ...(delayMs === 0 ? [] : [`delay ${delayMs} ms`]),
    ...(keysPerSecond === null ? [] : [`${keysPerSecond} keys/s`]),
    ...(bytesPerSecond === null ? [] : [`${(bytesPerSecond / BYTES_PER_MB).toFixed(1)} MiB/s`]),
    ...(addedP99Ms === null ? [] : [`added p99 ${addedP99Ms} ms`]),
    ...(sharePercent === null ? [] : [`${sharePercent} % of the source`]),
    ...(window === null ? [] : [`only ${window}`]),
  ];
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function orNull(limit: Limit, unit = 1): number | null {
  return limit === 'none' ? null : limit * unit;
}

function windowOption(text: string): string {
  if (text === 'none') return text;
  try {
    return windowText(parseWindow(text));
  } catch (error) {
    if (isCodisError(error)) throw new InvalidArgumentError(`${error.message}. Or say none.`);
    throw error;
  }
}

/** Commander takes null for no value. */
function limitOption(name: string, max: number): (text: string) => Limit {
  const number = numberOption(name, { min: 1, max });
  return (text) => {
    if (text === 'none') return text;
    try {
      return number(text);
    } catch (error) {
      if (error instanceof InvalidArgumentError) throw new InvalidArgumentError(`${error.message} Or say none.`);
      throw error;
    }
  };
}
