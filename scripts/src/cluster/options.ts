// The command line of `npm start`.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartFailure } from './failure.ts';
import { PORT_OFFSET_MAX } from './layout.ts';

export interface StartOptions {
  readonly fresh: boolean;
  readonly portOffset: number;
  /** Absolute. */
  readonly dataDir: string;
}

export const HELP = `Brings up a whole cluster on 127.0.0.1: dashboard, two proxies, two groups of two Redis servers.

Examples:
  npm start
  npm start -- --fresh
  npm start -- --port-offset 100 --data-dir data-2

Options:
  --fresh             Begin anew: delete the data of an earlier start first.
  --port-offset <n>   Add n to every port; for ports that are taken, or a second cluster.
  --data-dir <dir>    Where everything is kept; ./data unless said.
  -h, --help

Ctrl-C stops everything; the data stays.`;

/** null when help was asked for. A relative `--data-dir` starts at `cwd`, the default is `data` in `top`. Throws StartFailure. */
export function readOptions(argv: readonly string[], { top, cwd }: { top: string; cwd: string }): StartOptions | null {
  const values = parse(argv);
  if (values.help) return null;
  return {
    fresh: values.fresh ?? false,
    portOffset: readOffset(values['port-offset']),
    dataDir: values['data-dir'] === undefined ? resolve(top, 'data') : resolve(cwd, values['data-dir']),
  };
}

function parse(argv: readonly string[]) {
  try {
    const options = {
      fresh: { type: 'boolean' },
      'port-offset': { type: 'string' },
      'data-dir': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...argv], options, allowPositionals: false }).values;
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new StartFailure(`${what}\nSee npm start -- --help`, { cause });
  }
}

function readOffset(text: string | undefined): number {
  if (text === undefined) return 0;
  const offset = Number(text);
  if (!/^\d{1,5}$/.test(text) || offset > PORT_OFFSET_MAX) {
    throw new StartFailure(`--port-offset ${text} is out of range: write a whole number from 0 to ${PORT_OFFSET_MAX}`);
  }
  return offset;
}
