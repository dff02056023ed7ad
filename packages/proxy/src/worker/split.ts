// MGET MSET DEL UNLINK EXISTS TOUCH over several groups: taken apart by where the keys live, run in parallel, merged in the order of the keys. A slot in a
// move is a part of its own, so that it waits or is handed over as any request for it does.
//
// As with a cluster client that does the same, the whole is not atomic: a part may fail where another succeeded. Then the first error is the reply.

import type { Command } from '../commands/command.ts';
import { keyArgs } from '../commands/key-specs.ts';
import { errorReply, integer, OK } from '../resp/replies.ts';
import { ReplyScanner } from '../resp/reply-scanner.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { type Request, recycle, SINK_PART, takeRequest } from './request.ts';
import type { Session } from './session.ts';

const TOO_LARGE = errorReply(
  'ERR the replies of several groups are merged in memory, and here they exceed session_max_bufsize; ask for fewer keys at once',
);

type Merge = 'sum' | 'array' | 'ok';

/** One part: the numbers of its keys among the command's, and the slots they are in. */
export interface Part {
  readonly keys: number[];
  readonly slots: number[];
}

export class Split {
  /** The client's request, whose turn it must be for the merged reply to go out. */
  readonly parent: Request;
  readonly #merge: Merge;
  readonly #parts: readonly Part[];
  readonly #replies: Buffer[];
  readonly #keyCount: number;
  #left: number;
  #storedBytes = 0;
  #abandoned = false;
  #tooLarge = false;

  constructor(parent: Request, merge: Merge, parts: readonly Part[], keyCount: number) {
    this.parent = parent;
    this.#merge = merge;
    this.#parts = parts;
    this.#keyCount = keyCount;
    this.#left = parts.length;
    this.#replies = new Array<Buffer>(parts.length);
  }

  /** The request for part `index`. */
  take(session: Session, index: number): Request {
    const request = takeRequest(session, SINK_PART);
    request.db = session.db;
    request.split = this;
    request.part = index;
    return request;
  }

  /** The client is gone; parts that still come in are thrown away. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Whether `bytes` more of a part's reply may be kept. Once they exceed session_max_bufsize nothing of this command is: its reply will say so. */
  takes(request: Request, bytes: number, session: Session): boolean {
    if (!this.#tooLarge && session.onPartStored(bytes)) return true;
    this.#tooLarge = true;
    session.onUnstored(lengthOf(request.stored ?? []));
    request.stored = null;
    return false;
  }

  onPart(request: Request): void {
    const stored = request.stored ?? [];
    const reply = stored.length === 1 ? (stored[0] as Buffer) : Buffer.concat(stored);
    this.#replies[request.part] = reply;
    this.#storedBytes += reply.length;
    recycle(request);
    if (--this.#left > 0 || this.#abandoned) return;
    const session = this.parent.session;
    if (session === null) return;
    session.onUnstored(this.#storedBytes);
    session.answer(this.parent, this.#merged());
  }

  #merged(): Buffer {
    if (this.#tooLarge) return TOO_LARGE;
    const error = this.#replies.find((reply) => reply[0] === 0x2d);
    if (error) return error;
    switch (this.#merge) {
      case 'ok':
        return OK;
      case 'sum':
        return integer(this.#replies.reduce((sum, reply) => sum + Number(reply.toString('latin1', 1, reply.length - 2)), 0));
      case 'array':
        return this.#array();
    }
  }

  #array(): Buffer {
    const items = new Array<Buffer>(this.#keyCount);
    for (const [index, part] of this.#parts.entries()) {
      const elements = elementsOf(this.#replies[index] as Buffer);
      if (elements.length !== part.keys.length)
        return errorReply('ERR a server answered with another number of values than it was asked for');
      for (const [at, key] of part.keys.entries()) items[key] = elements[at] as Buffer;
    }
    return Buffer.concat([Buffer.from(`*${this.#keyCount}\r\n`), ...items]);
  }
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** The elements of an array reply, as they stand in it. */
function elementsOf(reply: Buffer): Buffer[] {
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
