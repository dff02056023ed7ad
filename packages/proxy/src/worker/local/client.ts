// CLIENT: what a client says and asks about its own connection to the proxy.

import { bulk, errorReply, integer, nil, OK, verbatim } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Session } from '../session.ts';
import { text, word } from './args.ts';
import type { Handlers } from './local-commands.ts';

export const BAD_NAME = errorReply('ERR Client names cannot contain spaces, newlines or special characters.');
const SYNTAX_ERROR = errorReply('ERR syntax error');

export function clientCommands(): Handlers {
  return [
    ['client|setname', setName],
    ['client|getname', (session) => (session.name === '' ? nil(session.protocol) : bulk(session.name))],
    ['client|id', (session) => integer(session.id)],
    ['client|info', (session) => verbatim(session.protocol, `${describeClient(session)}\n`)],
    ['client|setinfo', setInfo],
    ['client|no-evict', onOff],
    ['client|no-touch', onOff],
  ];
}

/** What a name of a client may hold: printable ASCII without spaces. */
export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

function setName(session: Session, frame: Frame): Buffer {
  const name = text(frame, 2);
  if (!isClientName(name)) return BAD_NAME;
  session.name = name;
  return OK;
}

function setInfo(session: Session, frame: Frame): Buffer {
  const attribute = word(frame, 2);
  const value = text(frame, 3);
  if (attribute !== 'lib-name' && attribute !== 'lib-ver') return errorReply(`ERR Unrecognized option '${text(frame, 2)}'`);
  if (!isClientName(value)) return errorReply(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  if (attribute === 'lib-name') session.libName = value;
  else session.libVersion = value;
  return OK;
}

/** NO-EVICT and NO-TOUCH are about the memory and the keys of a server; the proxy evicts nobody. */
function onOff(_: Session, frame: Frame): Buffer {
  const given = word(frame, 2);
  return given === 'on' || given === 'off' ? OK : SYNTAX_ERROR;
}

/** As a line of CLIENT LIST, without its end. */
export function describeClient(session: Session): string {
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
    resp: session.protocol,
    'lib-name': session.libName,
    'lib-ver': session.libVersion,
  };
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
