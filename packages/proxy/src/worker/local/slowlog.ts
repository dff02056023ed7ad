// SLOWLOG: the proxy's own, over all its workers, newest first. The microseconds are the whole time in the proxy; `SLOWLOG GET count STAGES`, which is not
// Redis's, gives each entry a seventh field: of these, how many it waited in the proxy before it was sent, was held for a slot in a move, and was at the server.

import { array, bulk, errorReply, integer, OK } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Peers } from '../peers.ts';
import type { Session } from '../session.ts';
import type { SlowEntry, SlowLog } from '../slow-log.ts';
import { text, word } from './args.ts';
import { help } from './help.ts';
import type { Handlers } from './local-commands.ts';
import { answerLater } from './peer-reply.ts';

export interface SlowlogContext {
  readonly peers: Peers;
  readonly log: SlowLog;
  /** slowlog_max_len: of the whole proxy. */
  readonly entriesMax: number;
}

const COUNT_DEFAULT = 10;
const BAD_COUNT = errorReply('ERR count should be greater than or equal to -1');
const HELP = help('SLOWLOG', [
  'GET [<count>]',
  '    Return top <count> entries from the slowlog (default: 10, -1 mean all).',
  '    Entries are made of:',
  '    id, timestamp, time in microseconds, arguments array, client IP and port,',
  '    client name',
  'GET <count> STAGES',
  '    With a seventh field, where the time went: in the proxy before it was sent,',
  '    held for a slot in a move, at the server; each with its microseconds',
  'LEN',
  '    Return the length of the slowlog.',
  'RESET',
  '    Reset the slowlog.',
]);

export function slowlogCommands({ peers, log, entriesMax }: SlowlogContext): Handlers {
  peers.on('slowlog|get', (count) => log.newest(count));
  peers.on('slowlog|len', () => log.length);
  peers.on('slowlog|reset', () => {
    log.reset();
    return null;
  });
  return [
    ['slowlog|get', (session, frame) => get(peers, session, frame, entriesMax)],
    [
      'slowlog|len',
      (session) => answerLater(session, (answer) => peers.ask('slowlog|len', null, (all) => answer(length(all, entriesMax)))),
    ],
    ['slowlog|reset', (session) => answerLater(session, (answer) => peers.ask('slowlog|reset', null, () => answer(OK)))],
    ['slowlog|help', () => HELP],
  ];
}

function get(peers: Peers, session: Session, frame: Frame, entriesMax: number): Buffer | null {
  const withStages = frame.argc === 4 && word(frame, 3) === 'stages';
  const count = countIn(frame, withStages ? 4 : 3);
  if (Buffer.isBuffer(count)) return count;
  const wanted = Math.min(count, entriesMax);
  return answerLater(session, (answer) =>
    peers.ask('slowlog|get', wanted, (all) => answer(array(newest(all, wanted).map((entry) => describe(entry, withStages))))),
  );
}

function length(all: readonly number[], entriesMax: number): Buffer {
  const sum = all.reduce((total, each) => total + each, 0);
  return integer(Math.min(sum, entriesMax));
}

/** How many entries are asked for, or an error. */
function countIn(frame: Frame, argsMax: number): number | Buffer {
  if (frame.argc > argsMax)
    return errorReply(`ERR unknown subcommand or wrong number of arguments for '${text(frame, 1)}'. Try SLOWLOG HELP.`);
  if (frame.argc === 2) return COUNT_DEFAULT;
  const given = text(frame, 2);
  const count = /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (!(count >= -1)) return BAD_COUNT;
  return count === -1 ? Number.MAX_SAFE_INTEGER : count;
}

function newest(all: readonly (readonly SlowEntry[])[], count: number): SlowEntry[] {
  const entries = all.flat().sort((a, b) => b.time - a.time || b.id - a.id);
  return entries.slice(0, count);
}

function describe({ id, time, micros, args, addr, name, stages }: SlowEntry, withStages: boolean): Buffer {
  const words = args.map((bytes) => bulk(Buffer.from(bytes, 'latin1')));
  const fields = [integer(id), integer(time), integer(micros), array(words), bulk(addr), bulk(name)];
  if (withStages) fields.push(array(Object.entries(stages).flatMap(([stage, spent]) => [bulk(stage), integer(spent)])));
  return array(fields);
}
