// The replies to `… HELP`, in the form of Redis 7.

import { array } from '../../resp/replies.ts';

/** `lines` about `command`, between the lines that Redis puts before and behind. Source: networking.c, addReplyHelp(). */
export function help(command: string, lines: readonly string[]): Buffer {
  const title = `${command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`;
  return array([title, ...lines, 'HELP', '    Prints this help.'].map((line) => Buffer.from(`+${line}\r\n`)));
}
