// Words of a request that its command alone does not tell: which subcommand, and what to say of it.

import type { Command } from '../commands/command.ts';
import { errorReply } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';

/** Longer than any; what a client sends may be too long for a string. */
const SUBCOMMAND_BYTES_MAX = 64;

export function subcommand(command: Command, frame: Frame): Command | undefined {
  const start = frame.args[2] as number;
  const end = frame.args[3] as number;
  if (end - start > SUBCOMMAND_BYTES_MAX) return undefined;
  return command.subcommands?.get(frame.buf.toString('latin1', start, end).toLowerCase());
}

function argText(frame: Frame, arg: number, max = 128): string {
  const start = frame.args[arg * 2] as number;
  return frame.buf.toString('utf8', start, Math.min(frame.args[arg * 2 + 1] as number, start + max));
}

/** A browser can be made to send anything after its headers; as Redis does, the connection ends at the first line that only HTTP has. */
export function isHttp(frame: Frame): boolean {
  const name = argText(frame, 0, 6).toLowerCase();
  return name === 'post' || name === 'host:';
}

export function wrongArity(command: Command): Buffer {
  const what = `wrong number of arguments for '${command.name}' command`;
  return errorReply(command.name === 'exec' ? `EXECABORT Transaction discarded because of: ${what}` : `ERR ${what}`);
}
