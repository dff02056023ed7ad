// The commands that the proxy answers itself, by name. What they do stands in the files beside this one, one per family; here they are only put
// together and called.

import type { Command } from '../../commands/command.ts';
import { errorReply } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Session } from '../session.ts';
import type { Stats } from '../stats.ts';
import { type ConnectionContext, connectionCommands } from './connection.ts';

/** What these commands need to know of their surroundings. */
export interface LocalContext extends ConnectionContext {
  readonly stats: Stats;
}

/** Gives the reply; null when it has taken a place in the session's order (`enqueue`) and answers that later, or answers nothing.
 *  `frame` is valid during the call only. */
export type Handler = (session: Session, frame: Frame) => Buffer | null;

/** Handlers by the command's name, `parent|child` for a subcommand. */
export type Handlers = readonly (readonly [name: string, handler: Handler])[];

const ERROR = 0x2d;

export class LocalCommands {
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #stats: Stats;

  /** `more`: families that need more than the session they are asked by. */
  constructor(context: LocalContext, ...more: readonly Handlers[]) {
    this.#stats = context.stats;
    this.#handlers = new Map([connectionCommands(context), ...more].flat());
  }

  /** Answers `session`; a subcommand that is not here gets an error that says so. */
  run(session: Session, command: Command, frame: Frame): void {
    const handler = this.#handlers.get(command.name);
    if (handler !== undefined) {
      const reply = frame.argc > ARGS_MAX ? tooMany(command) : handler(session, frame);
      if (reply === null) return;
      const failed = reply[0] === ERROR;
      if (failed) this.#stats.onError(reply, 0);
      this.#stats.timings.local(session, command, frame, failed);
      session.reply(reply);
      return;
    }
    if (command.subcommands !== null) session.reply(errorReply(`ERR wrong number of arguments for '${command.name}' command`));
    else session.reply(errorReply(`ERR '${command.name.replace('|', ' ')}' is not supported by the proxy yet`));
  }
}

/** What these commands make of their arguments takes far more memory than the 6 bytes that an argument may be. */
const ARGS_MAX = 1024 * 1024;

function tooMany(command: Command): Buffer {
  return errorReply(`ERR more than ${ARGS_MAX} arguments for '${command.name.replace('|', ' ')}' command`);
}
