// MGET MSET DEL UNLINK EXISTS TOUCH over several groups: taken apart by where the keys live, run in parallel, merged in the order of the keys. A slot in a
// move is a part of its own, so that it waits or is handed over as any request for it does.
//
// As with a cluster client that does the same, the whole is not atomic: a part may fail where another succeeded. Then the first error is the reply.
//
// HOT PATH for requests of many keys: neither a key on its way out nor a value on its way back is an object. Byte ranges are copied, those of neighbours
// that go the same way at once.

import { SLOT_COUNT, slotOf } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { arena, copyRange, reserveScratch } from './arena.ts';
import { decimalsOf, writeHeader, writeLine } from './bytes.ts';

/** How the keys of one command are divided. Parts are in the order of their first keys. */
export interface Parts {
  /** By key: its part. */
  readonly ofKey: readonly number[];
  /** By part: how many keys; how many bytes they are as the client sent them, with what belongs to each (MSET's value); and the slots that they are in, each once. */
  readonly keyCounts: readonly number[];
  readonly bytes: readonly number[];
  readonly slots: readonly (readonly number[])[];
}

const NONE = -1;
/** Of the keys that were divided last: by slot, the part; and the slots, in the order of their first keys. */
const partOfSlot = new Int16Array(SLOT_COUNT);
const slotsSeen = new Int16Array(SLOT_COUNT);
/** While they are: by place, the part; by part, its place and what `Parts` says of it. */
const partOfPlace = new Int16Array(SLOT_COUNT).fill(NONE);
const placeOfPart = new Int16Array(SLOT_COUNT);
const keysIn = new Int32Array(SLOT_COUNT);
const bytesIn = new Int32Array(SLOT_COUNT);
const slotsIn = new Int16Array(SLOT_COUNT);

/** Divides the keys of `frame`: the arguments from 1 on, every one or (`step`) every other. `places`, by slot: a number below SLOT_COUNT that is the same for slots
 *  whose keys may travel together. */
export function partition({ buf, args, argc }: Frame, step: number, places: Int16Array): Parts {
  const ofKey = new Array<number>((argc - 1) / step);
  let partsCount = 0;
  let slotsCount = 0;
  let from = args[1] as number;
  partOfSlot.fill(NONE);
  for (let key = 0, at = 2; key < ofKey.length; key++, at += 2 * step) {
    const slot = slotOf(buf, args[at] as number, args[at + 1] as number);
    let part = partOfSlot[slot] as number;
    if (part === NONE) {
      const place = places[slot] as number;
      part = partOfPlace[place] as number;
      if (part === NONE) {
        part = partsCount++;
        begin(part, place);
      }
      partOfSlot[slot] = part;
      slotsIn[part] = (slotsIn[part] as number) + 1;
      slotsSeen[slotsCount++] = slot;
    }
    ofKey[key] = part;
    const to = args[at + 2 * step - 1] as number;
    keysIn[part] = (keysIn[part] as number) + 1;
    bytesIn[part] = (bytesIn[part] as number) + to - from;
    from = to;
  }
  return partsOf(ofKey, partsCount, slotsCount);
}

function begin(part: number, place: number): void {
  partOfPlace[place] = part;
  placeOfPart[part] = place;
  keysIn[part] = 0;
  bytesIn[part] = 0;
  slotsIn[part] = 0;
}

function partsOf(ofKey: readonly number[], partsCount: number, slotsCount: number): Parts {
  const keyCounts: number[] = [];
  const bytes: number[] = [];
  const slots: number[][] = [];
  for (let part = 0; part < partsCount; part++) {
    keyCounts.push(keysIn[part] as number);
    bytes.push(bytesIn[part] as number);
    slots.push(new Array<number>(slotsIn[part] as number));
    slotsIn[part] = 0;
    partOfPlace[placeOfPart[part] as number] = NONE;
  }
  for (let seen = 0; seen < slotsCount; seen++) {
    const slot = slotsSeen[seen] as number;
    const part = partOfSlot[slot] as number;
    const at = slotsIn[part] as number;
    (slots[part] as number[])[at] = slot;
    slotsIn[part] = at + 1;
  }
  return { ofKey, keyCounts, bytes, slots };
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

/** The request for each part: the command's name, and each key with what belongs to it, as the client sent them. */
export function encodeParts({ buf: src, args, argc }: Frame, command: Command, parts: Parts): Encoded {
  const { ofKey, keyCounts } = parts;
  const step = (argc - 1) / ofKey.length;
  const ends = sizesOf(command, parts, step);
  let total = 0;
  for (let part = 0; part < ends.length; part++) total += ends[part] as number;
  const reused = !isScratchTaken && total <= SCRATCH_BYTES;
  if (reused) isScratchTaken = true;
  const buf = reused ? arena : Buffer.allocUnsafeSlow(total);
  const start = reused ? SCRATCH_AT : 0;
  // From here on `ends` says how far each request was written.
  for (let part = 0, next = start; part < ends.length; part++) {
    const bytes = ends[part] as number;
    const at = writeHeader(buf, next, STAR, 1 + (keyCounts[part] as number) * step);
    ends[part] = writeLine(buf, writeHeader(buf, at, DOLLAR, command.name.length), command.name);
    next += bytes;
  }
  // Behind the CRLF of the argument before, where the header of the key begins.
  let from = (args[1] as number) + 2;
  for (let key = 0; key < ofKey.length; ) {
    const part = ofKey[key] as number;
    do key++;
    while (key < ofKey.length && ofKey[key] === part);
    const to = (args[key * step * 2 + 1] as number) + 2;
    const at = ends[part] as number;
    copyRange(src, from, to, buf, at);
    ends[part] = at + to - from;
    from = to;
  }
  return { buf, start, ends, reused };
}

/** Everything was sent, or copied. */
export function release({ reused }: Encoded): void {
  if (reused) isScratchTaken = false;
}

/** How many bytes each request takes. */
function sizesOf(command: Command, { keyCounts, bytes }: Parts, step: number): number[] {
  const nameBytes = headerBytes(command.name.length) + command.name.length + 2;
  const sizes: number[] = [];
  for (let part = 0; part < keyCounts.length; part++) {
    sizes.push(headerBytes(1 + (keyCounts[part] as number) * step) + nameBytes + (bytes[part] as number));
  }
  return sizes;
}

/** `*12\r\n` */
function headerBytes(count: number): number {
  return 1 + decimalsOf(count) + 2;
}

const STAR = 0x2a;
const DOLLAR = 0x24;
