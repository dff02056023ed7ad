// What a client says about its connection: HELLO AUTH SELECT RESET QUIT, and PING ECHO TIME. Nothing here touches a server.

import { timingSafeEqual } from 'node:crypto';
import * as replies from '../../resp/replies.ts';
import { bulk, errorReply, integer, map, OK } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { wholeNumber } from '../../resp/whole-number.ts';
import type { Session } from '../session.ts';
import { arg, text, word } from './args.ts';
import { BAD_NAME, isClientName } from './client.ts';
import type { Handlers } from './local-commands.ts';

export interface ConnectionContext {
  /** session_auth; empty for none. */
  readonly password: string;
  /** Version of Redis that clients are told: the oldest one among the servers. */
  readonly redisVersion: () => string;
}

const DATABASES = 16;
const NOT_AN_INT32 = errorReply('ERR value is out of range, value must between -2147483648 and 2147483647');
const NO_PASSWORD_SET = errorReply(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);
const WRONG_PASS = errorReply('WRONGPASS invalid username-password pair or user is disabled.');
const NO_PROTO = errorReply('NOPROTO unsupported protocol version');
const HELLO_NOAUTH = errorReply(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);

export function connectionCommands(context: ConnectionContext): Handlers {
  return [
    ['ping', ping],
    ['echo', (_, frame) => bulk(arg(frame, 1))],
    ['select', select],
    ['quit', quit],
    ['time', time],
    ['auth', (session, frame) => auth(context, session, frame)],
    ['hello', (session, frame) => hello(context, session, frame)],
    ['reset', (session) => reset(context, session)],
  ];
}

function auth(context: ConnectionContext, session: Session, frame: Frame): Buffer {
  if (frame.argc > 3) return replies.SYNTAX_ERROR;
  if (context.password === '' && frame.argc === 2) return NO_PASSWORD_SET;
  const user = frame.argc === 3 ? text(frame, 1) : 'default';
  return checkPassword(context, session, user, arg(frame, frame.argc - 1)) ? OK : WRONG_PASS;
}

function checkPassword(context: ConnectionContext, session: Session, user: string, given: Buffer): boolean {
  const password = Buffer.from(context.password);
  const same = password.length === 0 || (given.length === password.length && timingSafeEqual(given, password));
  if (user !== 'default' || !same) return false;
  session.authenticated = true;
  return true;
}

/** HELLO [2|3 [AUTH user password] [SETNAME name]]. Source: networking.c, helloCommand(). */
function hello(context: ConnectionContext, session: Session, frame: Frame): Buffer {
  let protocol = session.protocol;
  if (frame.argc > 1) {
    const version = text(frame, 1);
    if (wholeNumber(version) === undefined) return errorReply('ERR Protocol version is not an integer or out of range');
    if (version !== '2' && version !== '3') return NO_PROTO;
    protocol = version === '3' ? 3 : 2;
  }
  let name: string | null = null;
  for (let at = 2; at < frame.argc; at++) {
    const option = word(frame, at);
    if (option === 'auth' && at + 2 < frame.argc) {
      if (!checkPassword(context, session, text(frame, at + 1), arg(frame, at + 2))) return WRONG_PASS;
      at += 2;
    } else if (option === 'setname' && at + 1 < frame.argc) {
      name = text(frame, ++at);
      if (!isClientName(name)) return BAD_NAME;
    } else return errorReply(`ERR Syntax error in HELLO option '${text(frame, at)}'`);
  }
  if (!session.authenticated) return HELLO_NOAUTH;
  if (name !== null) session.name = name;
  session.speak(protocol);
  return greeting(context, session);
}

function greeting(context: ConnectionContext, session: Session): Buffer {
  return map(session.protocol, [
    [bulk('server'), bulk('redis')],
    [bulk('version'), bulk(context.redisVersion())],
    [bulk('proto'), integer(session.protocol)],
    [bulk('id'), integer(session.id)],
    [bulk('mode'), bulk('standalone')],
    [bulk('role'), bulk('master')],
    [bulk('modules'), replies.EMPTY_ARRAY],
  ]);
}

function reset(context: ConnectionContext, session: Session): Buffer {
  session.reset(context.password === '');
  return replies.RESET;
}

function ping(_: Session, frame: Frame): Buffer {
  if (frame.argc > 2) return errorReply("ERR wrong number of arguments for 'ping' command");
  return frame.argc === 1 ? replies.PONG : bulk(arg(frame, 1));
}

function quit(session: Session): null {
  session.reply(OK);
  session.end();
  return null;
}

function select(session: Session, frame: Frame): Buffer {
  const given = wholeNumber(text(frame, 1));
  if (given === undefined) return replies.NOT_AN_INTEGER;
  if (BigInt.asIntN(32, given) !== given) return NOT_AN_INT32;
  const db = Number(given);
  if (db < 0 || db >= DATABASES) return replies.DB_OUT_OF_RANGE;
  session.select(db);
  return OK;
}

function time(): Buffer {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return replies.array([bulk(String(Math.floor(micros / 1_000_000))), bulk(String(micros % 1_000_000))]);
}
