// MGET MSET DEL UNLINK EXISTS TOUCH over several groups: taken apart by where the keys live, run in parallel, merged in the order of the keys. A slot in a
// move is a part of its own, so that it waits or is handed over as any request for it does.
//
// As with a cluster client that does the same, the whole is not atomic: a part may fail where another succeeded. Then the first error is the reply.

import type { Command } from '../commands/command.ts';
import { keyArgs } from '../commands/key-specs.ts';
import { errorReply, integer, OK } from '../resp/replies.ts';
import { ReplyScanner } from '../resp/reply-scanner.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { firstError, type Merge } from './gather.ts';

/** One part: the numbers of its keys among the command's, and the slots they are in. */
export interface Part {
  readonly keys: number[];
  readonly slots: number[];
}

/** How the replies to `parts`, which have `keyCount` keys together, become one. The first error, if there is one, is the reply. */
export function mergeParts(kind: 'sum' | 'array' | 'ok', parts: readonly Part[], keyCount: number): Merge {
  return (replies) => {
    const error = firstError(replies);
    if (error !== undefined) return error;
    switch (kind) {
      case 'ok':
        return OK;
      case 'sum':
        return integer(replies.reduce((sum, reply) => sum + integerIn(reply), 0));
      case 'array':
        return inKeyOrder(replies, parts, keyCount);
    }
  };
}

/** The number in an integer reply. */
export function integerIn(reply: Buffer): number {
  return Number(reply.toString('latin1', 1, reply.length - 2));
}

function inKeyOrder(replies: readonly Buffer[], parts: readonly Part[], keyCount: number): Buffer {
  const items = new Array<Buffer>(keyCount);
  for (const [index, part] of parts.entries()) {
    const elements = elementsOf(replies[index] as Buffer);
    if (elements.length !== part.keys.length)
      return errorReply('ERR a server answered with another number of values than it was asked for');
    for (const [at, key] of part.keys.entries()) items[key] = elements[at] as Buffer;
  }
  return Buffer.concat([Buffer.from(`*${keyCount}\r\n`), ...items]);
}

/** The elements of an array reply (or set, or push), as they stand in it. */
export function elementsOf(reply: Buffer): Buffer[] {
  const elements: Buffer[] = [];
  const scanner = new ReplyScanner();
  let at = reply.indexOf(10) + 1;
  while (at < reply.length) {
    const end = scanner.scan(reply, at, reply.length);
    if (end < 0) break;
    elements.push(reply.subarray(at, end));
    at = end;
  }
  return elements;
}

/** Groups the keys in `keyArgs` by `destination`, which is equal for keys that may travel together and asked for once per slot. */
export function partition(slotOfKey: (key: number) => number, destination: (slot: number) => unknown): Part[] {
  const parts = new Map<unknown, Part>();
  const partOfSlot = new Map<number, Part>();
  for (let key = 0; key < keyArgs.count; key++) {
    const slot = slotOfKey(key);
    let part = partOfSlot.get(slot);
    if (part === undefined) {
      part = partFor(parts, destination(slot));
      part.slots.push(slot);
      partOfSlot.set(slot, part);
    }
    part.keys.push(key);
  }
  return [...parts.values()];
}

function partFor(parts: Map<unknown, Part>, where: unknown): Part {
  let part = parts.get(where);
  if (part === undefined) {
    part = { keys: [], slots: [] };
    parts.set(where, part);
  }
  return part;
}

/** The request for one part: the command's name, and each key with what belongs to it (MSET's value), as the client sent them. */
export function encodePart(frame: Frame, command: Command, part: Part): Buffer {
  const step = command.keys.kind === 'range' ? command.keys.step : 1;
  const name = `$${command.name.length}\r\n${command.name}\r\n`;
  const pieces: Buffer[] = [Buffer.from(`*${1 + part.keys.length * step}\r\n${name}`)];
  for (const key of part.keys) {
    const first = keyArgs.list[key] as number;
    pieces.push(frame.buf.subarray(endOfArg(frame, first - 1), endOfArg(frame, first + step - 1)));
  }
  return Buffer.concat(pieces);
}

/** Behind the CRLF of an argument, where the next one's header begins. */
function endOfArg(frame: Frame, arg: number): number {
  return (frame.args[arg * 2 + 1] as number) + 2;
}
