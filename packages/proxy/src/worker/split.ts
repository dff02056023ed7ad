// MGET MSET DEL UNLINK EXISTS TOUCH over several groups: taken apart by where the keys live, run in parallel, merged in the order of the keys. A slot in a
// move is a part of its own, so that it waits or is handed over as any request for it does.
//
// As with a cluster client that does the same, the whole is not atomic: a part may fail where another succeeded. Then the first error is the reply.
//
// HOT PATH for requests of many keys: neither a key on its way out nor a value on its way back is an object. Byte ranges are copied, those of neighbours
// that go the same way at once.

import { SLOT_COUNT, slotOf } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import { keyArgs } from '../commands/key-specs.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { arena, copyRange, reserveScratch } from './arena.ts';
import { decimalsOf, writeHeader, writeLine } from './bytes.ts';

/** How the keys of one command are divided. Parts are in the order of their first keys. */
export interface Parts {
  /** By key: its part. */
  readonly ofKey: readonly number[];
  /** By part: how many keys, and the slots that they are in, each once. */
  readonly keyCounts: readonly number[];
  readonly slots: readonly (readonly number[])[];
}

const NONE = -1;
/** Of the keys that were divided last: by slot, and by place, the part. */
const partOfSlot = new Int16Array(SLOT_COUNT);
const partOfPlace = new Int16Array(SLOT_COUNT);

/** Divides the keys in `keyArgs`. `places`, by slot: a number below SLOT_COUNT that is the same for slots whose keys may travel together. */
export function partition(frame: Frame, places: Int16Array): Parts {
  const { list, count } = keyArgs;
  const { buf, args } = frame;
  const ofKey = new Array<number>(count);
  const keyCounts: number[] = [];
  const slots: number[][] = [];
  partOfSlot.fill(NONE);
  partOfPlace.fill(NONE);
  for (let key = 0; key < count; key++) {
    const arg = (list[key] as number) * 2;
    const slot = slotOf(buf, args[arg] as number, args[arg + 1] as number);
    let part = partOfSlot[slot] as number;
    if (part === NONE) {
      const place = places[slot] as number;
      part = partOfPlace[place] as number;
      if (part === NONE) {
        part = partOfPlace[place] = keyCounts.length;
        keyCounts.push(0);
        slots.push([]);
      }
      partOfSlot[slot] = part;
      (slots[part] as number[]).push(slot);
    }
    ofKey[key] = part;
    keyCounts[part] = (keyCounts[part] as number) + 1;
  }
  return { ofKey, keyCounts, slots };
}

/** Whether one of the keys that were divided last is in `slot`. */
export function wasIn(slot: number): boolean {
  return partOfSlot[slot] !== NONE;
}

/** Requests one behind the other: number n is [ends[n - 1], ends[n]), the first one [start, ends[0]). */
export interface Encoded {
  readonly buf: Buffer;
  readonly start: number;
  readonly ends: readonly number[];
  /** They are written over after `release`: whoever needs a request longer than it takes to send it copies it. */
  readonly reused: boolean;
}

const SCRATCH_BYTES = 64 * 1024;
const SCRATCH_AT = reserveScratch(SCRATCH_BYTES);
let isScratchTaken = false;

/** The request for each part: the command's name, and each key with what belongs to it (MSET's value), as the client sent them. For the keys that were
 *  divided last. */
export function encodeParts(frame: Frame, command: Command, { ofKey, keyCounts }: Parts): Encoded {
  const step = command.keys.kind === 'range' ? command.keys.step : 1;
  const ends = sizesOf(frame, command, { ofKey, keyCounts }, step);
  let total = 0;
  for (let part = 0; part < ends.length; part++) total += ends[part] as number;
  const reused = !isScratchTaken && total <= SCRATCH_BYTES;
  if (reused) isScratchTaken = true;
  const buf = reused ? arena : Buffer.allocUnsafeSlow(total);
  const start = reused ? SCRATCH_AT : 0;
  // From here on `ends` says how far each request was written.
  for (let part = 0, next = start; part < ends.length; part++) {
    const bytes = ends[part] as number;
    ends[part] = next;
    next += bytes;
  }
  for (let part = 0; part < ends.length; part++) {
    const at = writeHeader(buf, ends[part] as number, STAR, 1 + (keyCounts[part] as number) * step);
    ends[part] = writeLine(buf, writeHeader(buf, at, DOLLAR, command.name.length), command.name);
  }
  for (let key = 0; key < ofKey.length; ) {
    const part = ofKey[key] as number;
    const from = startOfKey(frame, key);
    do key++;
    while (key < ofKey.length && ofKey[key] === part);
    const to = endOfKey(frame, key - 1, step);
    const at = ends[part] as number;
    copyRange(frame.buf, from, to, buf, at);
    ends[part] = at + to - from;
  }
  return { buf, start, ends, reused };
}

/** Everything was sent, or copied. */
export function release({ reused }: Encoded): void {
  if (reused) isScratchTaken = false;
}

/** How many bytes each request takes. */
function sizesOf(frame: Frame, command: Command, { ofKey, keyCounts }: Pick<Parts, 'ofKey' | 'keyCounts'>, step: number): number[] {
  const nameBytes = headerBytes(command.name.length) + command.name.length + 2;
  const sizes: number[] = [];
  for (let part = 0; part < keyCounts.length; part++) sizes.push(headerBytes(1 + (keyCounts[part] as number) * step) + nameBytes);
  for (let key = 0; key < ofKey.length; key++) {
    const part = ofKey[key] as number;
    sizes[part] = (sizes[part] as number) + endOfKey(frame, key, step) - startOfKey(frame, key);
  }
  return sizes;
}

/** `*12\r\n` */
function headerBytes(count: number): number {
  return 1 + decimalsOf(count) + 2;
}

/** Behind the CRLF of the argument before it, where its header begins. */
function startOfKey(frame: Frame, key: number): number {
  return (frame.args[(keyArgs.list[key] as number) * 2 - 1] as number) + 2;
}

/** Behind the last argument that belongs to it. */
function endOfKey(frame: Frame, key: number, step: number): number {
  return (frame.args[((keyArgs.list[key] as number) + step) * 2 - 1] as number) + 2;
}

const STAR = 0x2a;
const DOLLAR = 0x24;
