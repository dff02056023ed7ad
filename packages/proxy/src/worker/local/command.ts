// COMMAND: what the proxy knows of each command, in the form of Redis 7.

import { COMMANDS, type Command, findCommand } from '../../commands/command.ts';
import { extractKeys, KEYS_BAD, keyArgs } from '../../commands/key-specs.ts';
import { array, bulk, errorReply, integer, nil, type Protocol, SYNTAX_ERROR, set } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Session } from '../session.ts';
import { arg, word } from './args.ts';
import type { Handlers } from './local-commands.ts';

export function commandCommands(): Handlers {
  return [
    ['command', (session) => allCommands(session.protocol)],
    ['command|count', () => integer(TOP_LEVEL.length)],
    ['command|info', commandInfo],
    ['command|list', commandList],
    ['command|getkeys', getKeys],
  ];
}

const TOP_LEVEL = COMMANDS.filter((command) => !command.name.includes('|') && command.class.kind !== 'refused');

/** One entry of COMMAND, with the ten fields of Redis 7; what the proxy does not track is empty. */
function describeCommand(command: Command, protocol: Protocol): Buffer {
  const range = command.keys.kind === 'range' ? command.keys : { first: 0, last: 0, step: 0 };
  const flags = set(
    protocol,
    command.flags.map((flag) => Buffer.from(`+${flag}\r\n`)),
  );
  const subcommands =
    command.subcommands === null ? [] : [...command.subcommands.values()].map((child) => describeCommand(child, protocol));
  const numbers = [command.arity, range.first, range.last, range.step].map(integer) as [Buffer, Buffer, Buffer, Buffer];
  const [arity, first, last, step] = numbers;
  return array([
    bulk(command.name),
    arity,
    flags,
    first,
    last,
    step,
    set(protocol, []),
    set(protocol, []),
    set(protocol, []),
    array(subcommands),
  ]);
}

/** 2 ms to encode, and 40 KB: once per protocol. */
const encoded = new Map<Protocol, Buffer>();

function allCommands(protocol: Protocol): Buffer {
  let reply = encoded.get(protocol);
  if (reply === undefined) {
    reply = array(TOP_LEVEL.map((command) => describeCommand(command, protocol)));
    encoded.set(protocol, reply);
  }
  return reply;
}

function commandInfo(session: Session, frame: Frame): Buffer {
  if (frame.argc === 2) return allCommands(session.protocol);
  const entries: Buffer[] = [];
  for (let at = 2; at < frame.argc; at++) {
    const [parent = '', child] = word(frame, at).split('|');
    const found = findCommand(Buffer.from(parent), 0, Buffer.byteLength(parent));
    const command = child === undefined ? found : found?.subcommands?.get(child);
    entries.push(command ? entryOf(command, session.protocol) : nil(session.protocol));
  }
  return array(entries);
}

/** Each is encoded once: a request may ask for a million of them. */
const entryCache = new Map<Protocol, Map<Command, Buffer>>([
  [2, new Map()],
  [3, new Map()],
]);

function entryOf(command: Command, protocol: Protocol): Buffer {
  const known = entryCache.get(protocol)?.get(command);
  if (known !== undefined) return known;
  const entry = describeCommand(command, protocol);
  entryCache.get(protocol)?.set(command, entry);
  return entry;
}

function commandList(_: Session, frame: Frame): Buffer {
  if (frame.argc > 2) return SYNTAX_ERROR;
  return array(TOP_LEVEL.map((command) => bulk(command.name)));
}

function getKeys(_: Session, frame: Frame): Buffer {
  const found = findCommand(frame.buf, frame.args[4] as number, frame.args[5] as number);
  const command = (frame.argc > 3 && found?.subcommands?.get(word(frame, 3))) || found;
  if (!command) return errorReply('ERR Invalid command specified');
  const inner: Frame = { ...frame, argc: frame.argc - 2, args: frame.args.subarray(4) };
  const fits = command.arity > 0 ? inner.argc === command.arity : inner.argc >= -command.arity;
  if (!fits) return errorReply('ERR Invalid number of arguments specified for command');
  if (extractKeys(command.keys, inner) === KEYS_BAD) return errorReply('ERR Invalid arguments specified for command');
  if (keyArgs.count === 0) return errorReply('ERR The command has no key arguments');
  return array(Array.from(keyArgs.list.subarray(0, keyArgs.count), (at) => bulk(arg(inner, at))));
}
