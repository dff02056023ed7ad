// What a client is told whose command nobody knows: Redis's own words, with the client's own bytes in them. What is no text stays what it is, so that the reply
// is Redis's to the byte; as with Redis an end of a line becomes a space, and a NUL ends what is shown of an argument.
//
// Sources: server.c commandCheckExistence(), networking.c addReplyErrorFormatInternal() of Redis 7.0.

import type { Frame } from '../resp/request-scanner.ts';
import type { Command } from './command.ts';

const SHOWN_BYTES_MAX = 128;

export function unknownCommand(frame: Frame): Buffer {
  let args = '';
  for (let arg = 1; arg < frame.argc && args.length < SHOWN_BYTES_MAX; arg++)
    args += `'${shown(frame, arg, SHOWN_BYTES_MAX - args.length)}' `;
  return reply(`ERR unknown command '${shown(frame, 0)}', with args beginning with: ${args}`);
}

export function unknownSubcommand(command: Command, frame: Frame): Buffer {
  return reply(`ERR unknown subcommand '${shown(frame, 1)}'. Try ${command.name.toUpperCase()} HELP.`);
}

/** The beginning of an argument, a character for each byte. */
function shown(frame: Frame, arg: number, bytesMax = SHOWN_BYTES_MAX): string {
  const start = frame.args[arg * 2] as number;
  const text = frame.buf.toString('latin1', start, Math.min(frame.args[arg * 2 + 1] as number, start + bytesMax));
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

function reply(text: string): Buffer {
  return Buffer.from(`-${text.replace(/[\r\n]/g, ' ')}\r\n`, 'latin1');
}
