// The commands that the proxy answers itself: connection state, and what client libraries ask first. Nothing here touches a server.

import { timingSafeEqual } from 'node:crypto';
import { COMMANDS, type Command, findCommand } from '../commands/command.ts';
import { extractKeys, KEYS_BAD, keyArgs } from '../commands/key-specs.ts';
import * as replies from '../resp/replies.ts';
import { array, bulk, errorReply, integer, OK } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Session } from './session.ts';

/** What these commands need to know of their surroundings. */
export interface LocalContext {
  /** session_auth; empty for none. */
  readonly password: string;
  readonly version: string;
  /** The text of INFO for these sections (lower case; none: the default ones). */
  readonly info: (sections: readonly string[]) => string;
  /** Version of Redis that clients are told: the oldest one among the servers. */
  readonly redisVersion: () => string;
}

/** Gives the reply. */
type Handler = (session: Session, frame: Frame) => Buffer;

const DATABASES = 16;
const NO_PASSWORD_SET =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';
const WRONG_PASS = errorReply('WRONGPASS invalid username-password pair or user is disabled.');
const NO_PROTO = errorReply('NOPROTO unsupported protocol version');
const BAD_NAME = errorReply('ERR Client names cannot contain spaces, newlines or special characters.');
const YES_NO = errorReply('ERR syntax error');

export class LocalCommands {
  readonly #context: LocalContext;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(context: LocalContext) {
    this.#context = context;
    this.#handlers = new Map<string, Handler>([
      ['ping', ping],
      ['echo', (_, frame) => bulk(arg(frame, 1))],
      ['select', select],
      ['quit', () => OK],
      ['time', time],
      ['auth', (session, frame) => this.#auth(session, frame)],
      ['hello', (session, frame) => this.#hello(session, frame)],
      ['reset', (session) => this.#reset(session)],
      ['info', (_, frame) => bulk(context.info(words(frame, 1)))],
      ['client|setname', setName],
      ['client|getname', (session) => (session.name === '' ? replies.NULL_BULK : bulk(session.name))],
      ['client|id', (session) => integer(session.id)],
      ['client|info', (session) => bulk(`${describe(session)}\n`)],
      ['client|setinfo', setInfo],
      ['client|no-evict', onOff],
      ['client|no-touch', onOff],
      ['command', () => ALL_COMMANDS],
      ['command|count', () => integer(TOP_LEVEL.length)],
      ['command|info', commandInfo],
      ['command|list', commandList],
      ['command|getkeys', getKeys],
    ]);
  }

  /** Answers `session`; a subcommand that is not here gets an error that says so. */
  run(session: Session, command: Command, frame: Frame): void {
    const handler = this.#handlers.get(command.name);
    if (handler) session.reply(handler(session, frame));
    else if (command.subcommands !== null) session.reply(errorReply(`ERR wrong number of arguments for '${command.name}' command`));
    else session.reply(errorReply(`ERR '${command.name.replace('|', ' ')}' is not supported by the proxy yet`));
    if (command.name === 'quit') session.end();
  }

  #auth(session: Session, frame: Frame): Buffer {
    if (frame.argc > 3) return replies.SYNTAX_ERROR;
    if (this.#context.password === '' && frame.argc === 2) return errorReply(NO_PASSWORD_SET);
    const user = frame.argc === 3 ? text(frame, 1) : 'default';
    return this.#checkPassword(session, user, arg(frame, frame.argc - 1)) ? OK : WRONG_PASS;
  }

  #checkPassword(session: Session, user: string, given: Buffer): boolean {
    const password = Buffer.from(this.#context.password);
    const same = password.length === 0 || (given.length === password.length && timingSafeEqual(given, password));
    if (user !== 'default' || !same) return false;
    session.authenticated = true;
    return true;
  }

  /** HELLO [2 [AUTH user password] [SETNAME name]]. RESP3 is refused with NOPROTO, on which client libraries go on in RESP2. */
  #hello(session: Session, frame: Frame): Buffer {
    if (frame.argc > 1) {
      const version = text(frame, 1);
      if (!/^\d+$/.test(version)) return errorReply('ERR Protocol version is not an integer or out of range');
      if (version !== '2') return NO_PROTO;
    }
    let name: string | null = null;
    for (let at = 2; at < frame.argc; at++) {
      const option = text(frame, at).toLowerCase();
      if (option === 'auth' && at + 2 < frame.argc) {
        if (!this.#checkPassword(session, text(frame, at + 1), arg(frame, at + 2))) return WRONG_PASS;
        at += 2;
      } else if (option === 'setname' && at + 1 < frame.argc) name = text(frame, ++at);
      else return errorReply(`ERR Syntax error in HELLO option '${text(frame, at)}'`);
    }
    if (!session.authenticated) return HELLO_NOAUTH;
    if (name !== null && !isName(name)) return BAD_NAME;
    if (name !== null) session.name = name;
    return this.#greeting(session);
  }

  #greeting(session: Session): Buffer {
    const facts = [bulk('server'), bulk('redis'), bulk('version'), bulk(this.#context.redisVersion()), bulk('proto'), integer(2)];
    facts.push(bulk('id'), integer(session.id), bulk('mode'), bulk('standalone'), bulk('role'), bulk('master'));
    return array([...facts, bulk('modules'), replies.EMPTY_ARRAY]);
  }

  #reset(session: Session): Buffer {
    session.db = 0;
    session.name = '';
    session.authenticated = this.#context.password === '';
    return replies.RESET;
  }
}

const HELLO_NOAUTH = errorReply(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);

function ping(_: Session, frame: Frame): Buffer {
  if (frame.argc > 2) return errorReply("ERR wrong number of arguments for 'ping' command");
  return frame.argc === 1 ? replies.PONG : bulk(arg(frame, 1));
}

function select(session: Session, frame: Frame): Buffer {
  const given = text(frame, 1);
  if (!/^-?\d{1,10}$/.test(given)) return replies.NOT_AN_INTEGER;
  const db = Number(given);
  if (db < 0 || db >= DATABASES) return replies.DB_OUT_OF_RANGE;
  session.db = db;
  return OK;
}

function time(): Buffer {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return array([bulk(String(Math.floor(micros / 1_000_000))), bulk(String(micros % 1_000_000))]);
}

function setName(session: Session, frame: Frame): Buffer {
  const name = text(frame, 2);
  if (!isName(name)) return BAD_NAME;
  session.name = name;
  return OK;
}

function setInfo(session: Session, frame: Frame): Buffer {
  const attribute = text(frame, 2).toLowerCase();
  const value = text(frame, 3);
  if (attribute !== 'lib-name' && attribute !== 'lib-ver') return errorReply(`ERR Unrecognized option '${text(frame, 2)}'`);
  if (!isName(value)) return errorReply(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  if (attribute === 'lib-name') session.libName = value;
  else session.libVersion = value;
  return OK;
}

/** NO-EVICT and NO-TOUCH are about the memory and the keys of a server; the proxy evicts nobody. */
function onOff(_: Session, frame: Frame): Buffer {
  const given = text(frame, 2).toLowerCase();
  return given === 'on' || given === 'off' ? OK : YES_NO;
}

function isName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

/** As a line of CLIENT LIST. */
function describe(session: Session): string {
  const seconds = (since: number) => Math.floor(Math.max(0, performance.now() - since) / 1000);
  const facts = {
    id: session.id,
    addr: session.addr,
    name: session.name,
    age: seconds(session.startedAt),
    idle: seconds(session.activeAt),
    flags: 'N',
    db: session.db,
    qbuf: session.inputBytes,
    obl: session.waitingBytes,
    cmd: session.lastCommand,
    user: 'default',
    resp: 2,
    'lib-name': session.libName,
    'lib-ver': session.libVersion,
  };
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

const TOP_LEVEL = COMMANDS.filter((command) => !command.name.includes('|') && command.class.kind !== 'refused');

/** One entry of COMMAND, with the ten fields of Redis 7; what the proxy does not track is empty. */
function describeCommand(command: Command): Buffer {
  const range = command.keys.kind === 'range' ? command.keys : { first: 0, last: 0, step: 0 };
  const flags = array(command.flags.map((flag) => Buffer.from(`+${flag}\r\n`)));
  const subcommands = command.subcommands === null ? [] : [...command.subcommands.values()].map(describeCommand);
  const numbers = [command.arity, range.first, range.last, range.step].map(integer) as [Buffer, Buffer, Buffer, Buffer];
  const [arity, first, last, step] = numbers;
  return array([bulk(command.name), arity, flags, first, last, step, array([]), array([]), array([]), array(subcommands)]);
}

/** 2 ms to encode, and 40 KB: once. */
const ALL_COMMANDS = array(TOP_LEVEL.map(describeCommand));

function commandInfo(_: Session, frame: Frame): Buffer {
  if (frame.argc === 2) return ALL_COMMANDS;
  const entries: Buffer[] = [];
  for (let at = 2; at < frame.argc; at++) {
    const [parent = '', child] = text(frame, at).toLowerCase().split('|');
    const found = findCommand(Buffer.from(parent), 0, Buffer.byteLength(parent));
    const command = child === undefined ? found : found?.subcommands?.get(child);
    entries.push(command ? describeCommand(command) : replies.NULL_BULK);
  }
  return array(entries);
}

function commandList(_: Session, frame: Frame): Buffer {
  if (frame.argc > 2) return replies.SYNTAX_ERROR;
  return array(TOP_LEVEL.map((command) => bulk(command.name)));
}

function getKeys(_: Session, frame: Frame): Buffer {
  const found = findCommand(frame.buf, frame.args[4] as number, frame.args[5] as number);
  const command = (frame.argc > 3 && found?.subcommands?.get(text(frame, 3).toLowerCase())) || found;
  if (!command) return errorReply('ERR Invalid command specified');
  const inner: Frame = { ...frame, argc: frame.argc - 2, args: frame.args.subarray(4) };
  const fits = command.arity > 0 ? inner.argc === command.arity : inner.argc >= -command.arity;
  if (!fits) return errorReply('ERR Invalid number of arguments specified for command');
  if (extractKeys(command.keys, inner) === KEYS_BAD) return errorReply('ERR Invalid arguments specified for command');
  if (keyArgs.count === 0) return errorReply('ERR The command has no key arguments');
  return array(Array.from(keyArgs.list.subarray(0, keyArgs.count), (at) => bulk(arg(inner, at))));
}

function arg(frame: Frame, at: number): Buffer {
  return frame.buf.subarray(frame.args[at * 2], frame.args[at * 2 + 1]);
}

function text(frame: Frame, at: number): string {
  return arg(frame, at).toString('utf8');
}

function words(frame: Frame, from: number): string[] {
  return Array.from({ length: frame.argc - from }, (_, at) => text(frame, from + at).toLowerCase());
}
