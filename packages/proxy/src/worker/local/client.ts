// CLIENT: what a client says and asks about its own connection to the proxy. About other clients: client-list.ts; what holds for all: client-pause.ts.

import { bulk, EMPTY_ARRAY, errorReply, integer, map, nil, OK, SYNTAX_ERROR, set, verbatim } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { describeClient } from '../client-filter.ts';
import { MODE_REPLY_OFF, MODE_REPLY_SKIP } from '../modes.ts';
import type { Session } from '../session.ts';
import { text, word } from './args.ts';
import { help } from './help.ts';
import type { Handlers } from './local-commands.ts';

export const BAD_NAME = errorReply('ERR Client names cannot contain spaces, newlines or special characters.');
const NO_TRACKING = errorReply(
  'ERR CLIENT TRACKING is refused by the proxy: it shares its connections to the servers among clients, so it can’t know whose keys were changed; turn off client-side caching',
);
const NOT_TRACKING = errorReply(
  'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
);
const HELP = help('CLIENT', [
  'CACHING (YES|NO)',
  '    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.',
  'GETREDIR',
  '    Return the client ID we are redirecting to when tracking is enabled.',
  'GETNAME',
  '    Return the name of the current connection.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'KILL <ip:port>',
  '    Kill connection made from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Kill connections. Options are:',
  '    * ADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made from the specified address',
  '    * LADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made to specified local address',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Kill connections by type.',
  '    * USER <username>',
  '      Kill connections authenticated by <username>.',
  '    * SKIPME (YES|NO)',
  '      Skip killing current connection (default: yes).',
  'LIST [options ...]',
  '    Return information about client connections. Options:',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Return clients of specified type.',
  'UNPAUSE',
  '    Stop the current client pause, resuming traffic.',
  'PAUSE <timeout> [WRITE|ALL]',
  '    Suspend all, or just write, clients for <timeout> milliseconds.',
  'REPLY (ON|OFF|SKIP)',
  '    Control the replies sent to the current connection.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
  'UNBLOCK <clientid> [TIMEOUT|ERROR]',
  '    Unblock the specified blocked client.',
  'TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]',
  '         [OPTIN] [OPTOUT] [NOLOOP]',
  '    Control server assisted client side caching.',
  'TRACKINGINFO',
  '    Report tracking status for the current connection.',
  'NO-EVICT (ON|OFF)',
  '    Protect current client connection from eviction.',
]);

export function clientCommands(): Handlers {
  return [
    ['client|setname', setName],
    ['client|getname', (session) => (session.name === '' ? nil(session.protocol) : bulk(session.name))],
    ['client|id', (session) => integer(session.id)],
    ['client|info', (session) => verbatim(session.protocol, `${describeClient(session)}\n`)],
    ['client|setinfo', setInfo],
    ['client|no-evict', (session, frame) => onOff(session, frame, 'noEvict')],
    ['client|no-touch', (session, frame) => onOff(session, frame, 'noTouch')],
    ['client|reply', reply],
    ['client|tracking', tracking],
    ['client|trackinginfo', trackingInfo],
    ['client|caching', () => NOT_TRACKING],
    ['client|getredir', () => integer(-1)],
    ['client|help', () => HELP],
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

/** About the memory and the keys of a server; the proxy evicts nobody, and remembers what was said. */
function onOff(session: Session, frame: Frame, fact: 'noEvict' | 'noTouch'): Buffer {
  const given = word(frame, 2);
  if (given !== 'on' && given !== 'off') return SYNTAX_ERROR;
  session.facts[fact] = given === 'on';
  return OK;
}

/** SKIP is about the one reply after this command. Source: networking.c, clientCommand(). */
function reply(session: Session, frame: Frame): Buffer | null {
  switch (word(frame, 2)) {
    case 'on':
      session.modes &= ~(MODE_REPLY_OFF | MODE_REPLY_SKIP);
      return OK;
    case 'off':
      session.modes |= MODE_REPLY_OFF;
      return null;
    case 'skip':
      session.modes |= MODE_REPLY_SKIP;
      return null;
    default:
      return SYNTAX_ERROR;
  }
}

function tracking(_: Session, frame: Frame): Buffer {
  const given = word(frame, 2);
  if (given === 'off') return OK;
  return given === 'on' ? NO_TRACKING : SYNTAX_ERROR;
}

function trackingInfo(session: Session): Buffer {
  const { protocol } = session;
  return map(protocol, [
    [bulk('flags'), set(protocol, [bulk('off')])],
    [bulk('redirect'), integer(-1)],
    [bulk('prefixes'), EMPTY_ARRAY],
  ]);
}
