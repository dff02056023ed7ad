// CLIENT LIST, KILL and UNBLOCK: clients of the proxy, whichever worker they are with.

import { errorReply, integer, OK, SYNTAX_ERROR, verbatim } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { wholeNumber } from '../../resp/whole-number.ts';
import { type ClientFilter, type ClientType, describeClient, matches } from '../client-filter.ts';
import type { Peers } from '../peers.ts';
import type { Session } from '../session.ts';
import { text, word } from './args.ts';
import type { Handlers } from './local-commands.ts';
import { answerLater } from './peer-reply.ts';

export interface ClientsContext {
  readonly peers: Peers;
  /** Those of this worker. */
  readonly sessions: ReadonlySet<Session>;
  /** Ends what `session` waits for; false when it waits for nothing. */
  readonly unblock: (session: Session, kind: 'timeout' | 'error') => boolean;
}

const INVALID_ID = errorReply('ERR Invalid client ID');
const BAD_ID = errorReply('ERR client-id should be greater than 0');
const NO_SUCH_CLIENT = errorReply('ERR No such client');
const BAD_REASON = errorReply('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
const NOT_AN_INTEGER = errorReply('ERR value is not an integer or out of range');
const TYPES: Readonly<Record<string, ClientType>> = {
  normal: 'normal',
  pubsub: 'pubsub',
  master: 'master',
  replica: 'replica',
  slave: 'replica',
};

export function clientListCommands(context: ClientsContext): Handlers {
  const { peers, sessions } = context;
  peers.on('client|list', (filter) =>
    [...sessions].filter((session) => matches(session, filter)).map((session) => ({ id: session.id, line: describeClient(session) })),
  );
  peers.on('client|kill', (filter) => kill(sessions, filter));
  peers.on('client|unblock', ({ id, kind }) => unblock(context, id, kind));
  return [
    ['client|list', (session, frame) => list(peers, session, frame)],
    ['client|kill', (session, frame) => (frame.argc === 3 ? killOne(peers, session, frame) : killMany(peers, session, frame))],
    ['client|unblock', (session, frame) => unblockOne(peers, session, frame)],
  ];
}

function list(peers: Peers, session: Session, frame: Frame): Buffer | null {
  const filter = listFilter(frame);
  if (Buffer.isBuffer(filter)) return filter;
  return answerLater(session, (answer) =>
    peers.ask('client|list', filter, (all) => {
      const lines = all.flat().sort((a, b) => a.id - b.id);
      answer(verbatim(session.protocol, lines.map(({ line }) => `${line}\n`).join('')));
    }),
  );
}

function listFilter(frame: Frame): ClientFilter | Buffer {
  if (frame.argc === 2) return {};
  const option = word(frame, 2);
  if (option === 'type' && frame.argc === 4) return typeFilter(frame, 3);
  if (option !== 'id' || frame.argc < 4) return SYNTAX_ERROR;
  const ids: number[] = [];
  for (let at = 3; at < frame.argc; at++) {
    const id = numberAt(frame, at);
    if (id === undefined || id < 1) return INVALID_ID;
    ids.push(id);
  }
  return { ids };
}

function typeFilter(frame: Frame, at: number): ClientFilter | Buffer {
  const type = TYPES[word(frame, at)];
  return type === undefined ? errorReply(`ERR Unknown client type '${text(frame, at)}'`) : { type };
}

/** CLIENT KILL addr: the old form, which may be about the client itself. */
function killOne(peers: Peers, session: Session, frame: Frame): null {
  return killed(peers, session, { addr: text(frame, 2) }, (count) => (count > 0 ? OK : NO_SUCH_CLIENT));
}

function killMany(peers: Peers, session: Session, frame: Frame): Buffer | null {
  if (frame.argc % 2 !== 0) return SYNTAX_ERROR;
  let filter: ClientFilter = {};
  let skipMe = true;
  for (let at = 2; at < frame.argc; at += 2) {
    if (word(frame, at) === 'skipme') {
      const given = word(frame, at + 1);
      if (given !== 'yes' && given !== 'no') return SYNTAX_ERROR;
      skipMe = given === 'yes';
      continue;
    }
    const more = killOption(frame, at);
    if (Buffer.isBuffer(more)) return more;
    filter = { ...filter, ...more };
  }
  return killed(peers, session, skipMe ? { ...filter, except: session.id } : filter, integer);
}

/** One option and its value. */
function killOption(frame: Frame, at: number): ClientFilter | Buffer {
  switch (word(frame, at)) {
    case 'id': {
      const id = numberAt(frame, at + 1);
      return id === undefined || id < 1 ? BAD_ID : { ids: [id] };
    }
    case 'type':
      return typeFilter(frame, at + 1);
    case 'user':
      return text(frame, at + 1) === 'default' ? { user: 'default' } : errorReply(`ERR No such user '${text(frame, at + 1)}'`);
    case 'addr':
      return { addr: text(frame, at + 1) };
    case 'laddr':
      return { laddr: text(frame, at + 1) };
    case 'maxage': {
      const maxAge = numberAt(frame, at + 1);
      return maxAge === undefined || maxAge < 1 ? errorReply('ERR maxage is not an integer or out of range') : { maxAge };
    }
    default:
      return SYNTAX_ERROR;
  }
}

/** Whoever sent the command is killed last, when it has its answer. */
function killed(peers: Peers, session: Session, filter: ClientFilter, reply: (count: number) => Buffer): null {
  const self = matches(session, filter);
  return answerLater(session, (answer) =>
    peers.ask('client|kill', self ? { ...filter, except: session.id } : filter, (counts) => {
      answer(reply(counts.reduce((sum, count) => sum + count, self ? 1 : 0)));
      if (self) session.end();
    }),
  );
}

function kill(sessions: ReadonlySet<Session>, filter: ClientFilter): number {
  const doomed = [...sessions].filter((session) => matches(session, filter));
  for (const session of doomed) session.destroy('CLIENT KILL');
  return doomed.length;
}

function unblockOne(peers: Peers, session: Session, frame: Frame): Buffer | null {
  if (frame.argc > 4) return errorReply(`ERR unknown subcommand or wrong number of arguments for '${text(frame, 1)}'. Try CLIENT HELP.`);
  const kind = frame.argc === 4 ? word(frame, 3) : 'timeout';
  if (kind !== 'timeout' && kind !== 'error') return BAD_REASON;
  const id = numberAt(frame, 2);
  if (id === undefined) return NOT_AN_INTEGER;
  return answerLater(session, (answer) =>
    peers.ask('client|unblock', { id, kind }, (found) => answer(integer(found.includes(true) ? 1 : 0))),
  );
}

function unblock({ sessions, unblock: end }: ClientsContext, id: number, kind: 'timeout' | 'error'): boolean {
  for (const session of sessions) if (session.id === id) return end(session, kind);
  return false;
}

function numberAt(frame: Frame, at: number): number | undefined {
  const number = wholeNumber(text(frame, at));
  return number === undefined ? undefined : Number(number);
}
