// SCRIPT: about all servers, and about what is registered for those to come.

import { decodeReply } from '../../resp/decode.ts';
import { array, encodeRequest, errorReply, integer, OK } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { copyFrame } from '../held.ts';
import { arg, word } from '../local/args.ts';
import { help } from '../local/help.ts';
import type { Handlers } from '../local/local-commands.ts';
import type { Request } from '../request.ts';
import type { Router } from '../router.ts';
import type { Session } from '../session.ts';
import { type AsideOptions, askAside } from './aside.ts';
import { shaOf } from './bodies.ts';
import { allOrError, mergeKills } from './merge.ts';
import type { Scripts } from './scripts.ts';

const NO_DEBUG = errorReply(
  "ERR 'script|debug' is refused by the proxy: the debugger is about one connection to one server; connect to that server",
);
const ERROR = 0x2d;
const HELP = help('SCRIPT', [
  'DEBUG (YES|SYNC|NO)',
  '    Set the debug mode for subsequent scripts executed.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Return information about the existence of the scripts in the script cache.',
  'FLUSH [ASYNC|SYNC]',
  '    Flush the Lua scripts cache. Very dangerous on replicas.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the scripts cache.',
  '    * SYNC: Synchronously flush the scripts cache.',
  'KILL',
  '    Kill the currently executing Lua script.',
  'LOAD <script>',
  '    Load a script into the scripts cache without executing it.',
]);

export function scriptCommands(router: Router, scripts: Scripts, aside: AsideOptions): Handlers {
  return [
    ['script|load', (session, frame) => load(router, scripts, session, frame)],
    ['script|exists', (session, frame) => exists(router, scripts, session, frame)],
    ['script|flush', (session, frame) => flush(router, scripts, session, frame)],
    ['script|kill', (session) => killOnAll(router, session, encodeRequest(['SCRIPT', 'KILL']), aside)],
    ['script|debug', () => NO_DEBUG],
    ['script|help', () => HELP],
  ];
}

function load(router: Router, scripts: Scripts, session: Session, frame: Frame): null {
  const servers = router.masters();
  const bytes = copyFrame(frame);
  const body = Buffer.from(arg(frame, 2));
  const parent = session.enqueue();
  const merge = (replies: readonly Buffer[]): Buffer | null => {
    const reply = allOrError(replies, servers);
    if (reply[0] === ERROR) return reply;
    scripts.onLoaded(shaOf(body), body);
    return answerWhenWritten(scripts, session, parent, reply);
  };
  router.ask(session, servers, () => bytes, merge, parent);
  return null;
}

/** Whoever hears of the reply finds at any proxy what it is about. */
export function answerWhenWritten({ registry }: Scripts, session: Session, parent: Request, reply: Buffer): null {
  registry.whenWritten(() => {
    if (parent.session !== null) session.answer(parent, reply);
  });
  return null;
}

/** What is registered exists: whoever asks for it by EVALSHA finds it. */
function exists(router: Router, scripts: Scripts, session: Session, frame: Frame): null {
  const bytes = copyFrame(frame);
  const shas = Array.from({ length: frame.argc - 2 }, (_, at) => word(frame, at + 2));
  const parent = session.enqueue();
  const merge = (replies: readonly Buffer[]): Buffer | null => {
    const error = replies.find((reply) => reply[0] === ERROR);
    if (error !== undefined) return error;
    const everywhere = replies.map(decodeReply);
    const found = shas.map((sha, at) => scripts.bodies.has(sha) || everywhere.every((flags) => Array.isArray(flags) && flags[at] === 1));
    const missing = shas.filter((_, at) => !found[at]);
    if (missing.length === 0) return flags(found);
    scripts.registry.ask({ kind: 'scripts', shas: [...new Set(missing)] }, (known) => {
      const registered = new Set(known);
      if (parent.session !== null) session.answer(parent, flags(found.map((is, at) => is || registered.has(shas[at] as string))));
    });
    return null;
  };
  router.ask(session, router.masters(), () => bytes, merge, parent);
  return null;
}

function flags(found: readonly boolean[]): Buffer {
  return array(found.map((is) => integer(is ? 1 : 0)));
}

function flush(router: Router, scripts: Scripts, session: Session, frame: Frame): null {
  const servers = router.masters();
  const bytes = copyFrame(frame);
  router.ask(
    session,
    servers,
    () => bytes,
    (replies) => {
      const reply = allOrError(replies, servers);
      if (reply.equals(OK)) scripts.onFlushed();
      return reply;
    },
  );
  return null;
}

/** A server that is busy with a script answers over a new connection only. */
export function killOnAll(router: Router, session: Session, request: Buffer, aside: AsideOptions): null {
  return askAllAside(router, session, request, aside, mergeKills);
}

export function askAllAside(
  router: Router,
  session: Session,
  request: Buffer,
  aside: AsideOptions,
  merge: (replies: readonly Buffer[]) => Buffer,
): null {
  const servers = router.masters();
  if (servers.length === 0) {
    router.ask(session, servers, () => request, merge);
    return null;
  }
  const parent = session.enqueue();
  const replies: Buffer[] = [];
  let left = servers.length;
  for (const [at, { addr }] of servers.entries()) {
    askAside(addr, { request, protocol: session.protocol }, aside, (reply) => {
      replies[at] = reply;
      if (--left === 0 && parent.session !== null) session.answer(parent, merge(replies));
    });
  }
  return null;
}
