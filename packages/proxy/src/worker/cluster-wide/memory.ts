// MEMORY about all servers: PURGE is done at every master, and what DOCTOR, MALLOC-STATS and STATS say is said of each.
//
// STATS is a map of numbers: bytes and counts are added up, ratios and means are of the server where they are largest.

import { bulk, double, encodeRequest, integer, type Protocol, verbatim } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { word } from '../local/args.ts';
import type { Handlers } from '../local/local-commands.ts';
import { elementsOf } from '../merge.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import { type Around, commandNamed, contentOf, isError, mergeDone } from './around.ts';

type MergeOf = (session: Session, servers: readonly Server[], replies: readonly Buffer[]) => Buffer;

export function memoryCommands(around: Around): Handlers {
  return [
    asked(around, 'memory|purge', (_, servers, replies) => mergeDone('MEMORY PURGE', servers, replies)),
    asked(around, 'memory|doctor', textOfEach),
    asked(around, 'memory|malloc-stats', textOfEach),
    asked(around, 'memory|stats', (session, _, replies) => replies.find(isError) ?? merged(replies, session.protocol)),
  ];
}

/** One that asks all masters. */
function asked({ router }: Around, name: string, merge: MergeOf): Handlers[number] {
  const command = commandNamed(name);
  return [
    name,
    (session: Session, frame: Frame) => {
      if (!session.inOrder(command, frame)) return null;
      const servers = router.masters();
      const request = encodeRequest(['MEMORY', word(frame, 1)]);
      router.ask(
        session,
        servers,
        () => request,
        (replies) => merge(session, servers, replies),
      );
      return null;
    },
  ];
}

const textOfEach: MergeOf = (session, servers, replies) => {
  const failed = replies.find(isError);
  if (failed !== undefined) return failed;
  const texts = replies.map((reply, at) => `# ${servers[at]?.addr}\n${textIn(reply)}`);
  return verbatim(session.protocol, texts.join('\n'));
};

function textIn(reply: Buffer): string {
  const content = contentOf(reply).toString('utf8');
  return reply[0] === VERBATIM ? content.slice(FORMAT_CHARS) : content;
}

/** Maps of the same kind as one: an entry stands in it when any of them has it. */
function merged(replies: readonly Buffer[], protocol: Protocol): Buffer {
  const values = new Map<string, Buffer[]>();
  for (const reply of replies) {
    const elements = elementsOf(reply);
    for (let at = 0; at + 1 < elements.length; at += 2) {
      const name = contentOf(elements[at] as Buffer).toString('utf8');
      const known = values.get(name) ?? [];
      known.push(elements[at + 1] as Buffer);
      values.set(name, known);
    }
  }
  const pairs = [...values].flatMap(([name, all]) => [bulk(name), mergedValue(name, all, protocol)]);
  const header = protocol === 3 ? `%${values.size}\r\n` : `*${pairs.length}\r\n`;
  return Buffer.concat([Buffer.from(header), ...pairs]);
}

function mergedValue(name: string, all: readonly Buffer[], protocol: Protocol): Buffer {
  const [first] = all as [Buffer];
  if (first[0] === ARRAY || first[0] === MAP) return merged(all, protocol);
  if (first[0] === INTEGER) {
    const numbers = all.map((value) => Number(lineOf(value)));
    return integer(MEANS.has(name) ? Math.max(...numbers) : numbers.reduce((sum, number) => sum + number, 0));
  }
  const texts = all.map((value) => (value[0] === DOUBLE ? lineOf(value) : contentOf(value).toString('latin1')));
  const largest = Math.max(...texts.map(Number));
  return Number.isNaN(largest) ? first : double(protocol, largest);
}

function lineOf(reply: Buffer): string {
  return reply.toString('latin1', 1, reply.length - 2);
}

/** Whole numbers that can't be added up. */
const MEANS: ReadonlySet<string> = new Set(['keys.bytes-per-key']);
const VERBATIM = 0x3d;
/** `txt:` */
const FORMAT_CHARS = 4;
const ARRAY = 0x2a;
const MAP = 0x25;
const INTEGER = 0x3a;
const DOUBLE = 0x2c;
