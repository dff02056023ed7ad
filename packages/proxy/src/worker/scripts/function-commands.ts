// FUNCTION: changes go to all servers and into the registry, library by library; questions go to the first of them, for all have the same.

import type { Library } from '../../ipc.ts';
import { decodeReply, type Value } from '../../resp/decode.ts';
import { encodeRequest, NO_MASTERS } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { copyFrame } from '../held.ts';
import { arg } from '../local/args.ts';
import { help } from '../local/help.ts';
import type { Handlers } from '../local/local-commands.ts';
import type { Request } from '../request.ts';
import type { Router } from '../router.ts';
import type { Session } from '../session.ts';
import type { AsideOptions } from './aside.ts';
import { allOrError } from './merge.ts';
import { answerWhenWritten, askAllAside, killOnAll } from './script-commands.ts';
import type { Scripts } from './scripts.ts';

const ERROR = 0x2d;
const LIST = encodeRequest(['FUNCTION', 'LIST', 'WITHCODE']);
const HELP = help('FUNCTION', [
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Create a new library with the given library name and code.',
  'DELETE <LIBRARY NAME>',
  '    Delete the given library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Return general information on all the libraries:',
  '    * Library name',
  '    * The engine used to run the Library',
  '    * Library description',
  '    * Functions list',
  '    * Library code (if WITHCODE is given)',
  '    It also possible to get only function that matches a pattern using LIBRARYNAME argument.',
  'STATS',
  '    Return information about the current function running:',
  '    * Function name',
  '    * Command used to run the function',
  '    * Duration in MS that the function is running',
  '    If no function is running, return nil',
  '    In addition, returns a list of available engines.',
  'KILL',
  '    Kill the current running function.',
  'FLUSH [ASYNC|SYNC]',
  '    Delete all the libraries.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the libraries.',
  '    * SYNC: Synchronously flush the libraries.',
  'DUMP',
  '    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Restore the libraries represented by the given payload, it is possible to give a restore policy to',
  '    control how to handle existing libraries (default APPEND):',
  '    * FLUSH: delete all existing libraries.',
  '    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.',
  '    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old',
  '      libraries with the new libraries (notice that even on this option there is a chance of failure',
  '      in case of functions name collision with another library).',
]);

export function functionCommands(router: Router, scripts: Scripts, aside: AsideOptions): Handlers {
  const { registry, libraries } = scripts;
  const change = (session: Session, frame: Frame, register: (reply: Buffer) => void): null => {
    const parent = session.enqueue();
    return onAll(router, session, { frame, parent }, (reply) => {
      libraries.forget();
      register(reply);
      return answerWhenWritten(scripts, session, parent, reply);
    });
  };
  return [
    [
      'function|load',
      (session, frame) => {
        const code = arg(frame, frame.argc - 1).toString('latin1');
        return change(session, frame, (reply) =>
          registry.tell({ kind: 'set-library', library: { name: String(decodeReply(reply)), code } }),
        );
      },
    ],
    [
      'function|delete',
      (session, frame) => {
        const name = arg(frame, 2).toString('latin1');
        return change(session, frame, () => registry.tell({ kind: 'delete-library', name }));
      },
    ],
    ['function|flush', (session, frame) => change(session, frame, () => registry.tell({ kind: 'set-libraries', libraries: [] }))],
    ['function|restore', (session, frame) => restore(router, scripts, session, frame)],
    ['function|list', (session, frame) => onFirst(router, session, frame)],
    ['function|dump', (session, frame) => onFirst(router, session, frame)],
    ['function|stats', (session) => askAllAside(router, session, encodeRequest(['FUNCTION', 'STATS']), aside, mergeStats)],
    ['function|kill', (session) => killOnAll(router, session, encodeRequest(['FUNCTION', 'KILL']), aside)],
    ['function|help', () => HELP],
  ];
}

/** `onDone` is called with the reply when all masters have done it, and answers `parent`. */
function onAll(
  router: Router,
  session: Session,
  { frame, parent }: { frame: Frame; parent: Request },
  onDone: (reply: Buffer) => null,
): null {
  const servers = router.masters();
  const bytes = copyFrame(frame);
  const merge = (replies: readonly Buffer[]): Buffer | null => {
    const reply = allOrError(replies, servers);
    return reply[0] === ERROR ? reply : onDone(reply);
  };
  router.ask(session, servers, () => bytes, merge, parent);
  return null;
}

/** What was restored is only known to the servers: one of them is asked. */
function restore(router: Router, scripts: Scripts, session: Session, frame: Frame): null {
  const servers = router.masters();
  const bytes = copyFrame(frame);
  const parent = session.enqueue();
  const merge = (replies: readonly Buffer[]): Buffer | null => {
    const done = allOrError(replies, servers);
    if (done[0] === ERROR) return done;
    scripts.libraries.forget();
    router.ask(
      session,
      servers.slice(0, 1),
      () => LIST,
      ([list]) => {
        const reply = register(scripts, done, list as Buffer);
        return reply[0] === ERROR ? reply : answerWhenWritten(scripts, session, parent, reply);
      },
      parent,
    );
    return null;
  };
  router.ask(session, servers, () => bytes, merge, parent);
  return null;
}

function register(scripts: Scripts, done: Buffer, list: Buffer): Buffer {
  if (list[0] === ERROR) return list;
  scripts.registry.tell({ kind: 'set-libraries', libraries: librariesIn(decodeReply(list)) });
  return done;
}

/** What FUNCTION LIST WITHCODE tells. */
export function librariesIn(list: Value): Library[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: Value) => {
    const name = field(item, 'library_name');
    const code = field(item, 'library_code');
    return typeof name === 'string' && typeof code === 'string' ? [{ name, code }] : [];
  });
}

function field(item: Value, name: string): Value | undefined {
  if (!Array.isArray(item)) return undefined;
  const at = item.indexOf(name);
  return at < 0 ? undefined : (item[at + 1] as Value);
}

function onFirst(router: Router, session: Session, frame: Frame): Buffer | null {
  const [first] = router.masters();
  if (first === undefined) return NO_MASTERS;
  router.forward(session.enqueue(), first.addr, frame);
  return null;
}

/** Of a server where something runs, or of the first. */
function mergeStats(replies: readonly Buffer[]): Buffer {
  const busy = replies.find((reply) => reply[0] !== ERROR && field(decodeReply(reply), 'running_script') !== null);
  return busy ?? replies.find((reply) => reply[0] !== ERROR) ?? (replies[0] as Buffer);
}
