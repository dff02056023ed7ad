// FLUSHALL and FLUSHDB at all masters. The marker of a fence stays (DESIGN §3), and what is kept while slots move: at each server it is put back in the same
// atomic step.
//
// A write of another client that meets the flush half-way is before it at one server and after it at another, as with any command over several groups.

import { encodeRequest, SYNTAX_ERROR } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { word } from '../local/args.ts';
import type { Handlers } from '../local/local-commands.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import { type Around, commandNamed, isError, keptNames, mergeDone } from './around.ts';
import { type Errand, visit } from './visit.ts';

const FLUSHALL = commandNamed('flushall');
const FLUSHDB = commandNamed('flushdb');

/** KEYS: what stays, of database 0. ARGV: the command and its option. */
const FLUSH_SCRIPT = `
redis.call('SELECT', 0)
local kept = {}
for i, key in ipairs(KEYS) do kept[i] = redis.call('DUMP', key) end
redis.call(unpack(ARGV))
for i, key in ipairs(KEYS) do
  if kept[i] then redis.call('RESTORE', key, 0, kept[i]) end
end
return redis.status_reply('OK')
`.trim();

export function flushCommands(around: Around): Handlers {
  return [
    ['flushall', (session, frame) => flush(around, session, frame, FLUSHALL)],
    ['flushdb', (session, frame) => flush(around, session, frame, FLUSHDB)],
  ];
}

function flush(around: Around, session: Session, frame: Frame, command: typeof FLUSHALL): Buffer | null {
  const option = frame.argc > 1 ? word(frame, 1) : '';
  if (frame.argc > 2 || !['', 'async', 'sync'].includes(option)) return SYNTAX_ERROR;
  const words = option === '' ? [command.name] : [command.name, option];
  const kept = command === FLUSHALL || session.db === 0 ? keptNames(around.router, around.product) : [];
  const request = encodeRequest(kept.length > 0 ? ['EVAL', FLUSH_SCRIPT, String(kept.length), ...kept, ...words] : words);
  return visit(around, session, { command, frame }, () => new FlushErrand(command.name.toUpperCase(), request));
}

class FlushErrand implements Errand {
  readonly request: Buffer;
  readonly everyMaster = true;
  readonly #name: string;
  #done: Buffer = Buffer.alloc(0);

  constructor(name: string, request: Buffer) {
    this.#name = name;
    this.request = request;
  }

  take(_: unknown, servers: readonly Server[], replies: readonly Buffer[]): Buffer | null {
    this.#done = mergeDone(this.#name, servers, replies);
    return isError(this.#done) ? this.#done : null;
  }

  finish(): Buffer {
    return this.#done;
  }
}
