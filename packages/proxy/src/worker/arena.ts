// The memory that sockets are read into and written from, in one piece: within it a copy takes 7 ns, however short or long (`wasm-memory.ts`). From
// one Buffer to another it takes 45, or 1 for each byte in a loop (Node 20).
//
//   | what was read last | scratch | page | page | page | … | ring |

import { wasmMemory } from './wasm-memory.ts';

export const PAGE_BYTES = 16 * 1024;
const PAGES_COUNT = 512;
const READ_BYTES = 64 * 1024;
const SCRATCH_BYTES = 128 * 1024;
const PAGES_AT = READ_BYTES + SCRATCH_BYTES;
const RING_AT = PAGES_AT + PAGES_COUNT * PAGE_BYTES;
export const RING_BYTES = 4 * 1024 * 1024;
/** So many are left to who writes to sockets. */
const PAGES_SPARED = PAGES_COUNT / 2;

const memory = wasmMemory(RING_AT + RING_BYTES);
export const arena: Buffer = memory.bytes;
/** Asked for each time it would be a call into C++. */
const arenaBuffer = arena.buffer;
/** Copies within it; a constant, so that a call costs next to nothing. */
const copyInArena = memory.copy;

/** All sockets are read into this beginning of it. */
export const readInto: Buffer = arena.subarray(0, READ_BYTES);

let scratchEnd = READ_BYTES;

/** `bytes` of it for whoever makes something there that is copied at once: where they begin. They are never given back. */
export function reserveScratch(bytes: number): number {
  const at = scratchEnd;
  scratchEnd += bytes;
  return at;
}

/** Up to here a loop is cheaper than the call of Buffer.copy. */
const LOOP_BYTES_MAX = 40;

/** HOT PATH. Copies [start, end) of `src` to `at` in `target`. */
export function copyRange(src: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (src === arena && target === arena) copyInArena(at, start, end - start);
  else if (end - start > LOOP_BYTES_MAX) src.copy(target, at, start, end);
  else for (let from = start, to = at; from < end; from++) target[to++] = src[from] as number;
}

/** So many bytes of `buf`, from `at` on. */
export interface Page {
  readonly buf: Buffer;
  readonly at: number;
  /** Of `buf`: what was written to sockets last, one for each of the last three bits of a length. */
  readonly views: Buffer[];
}

const VIEWS_MASK = 7;
const NO_VIEW = Buffer.alloc(0);
const noViews = (): Buffer[] => new Array<Buffer>(VIEWS_MASK + 1).fill(NO_VIEW);
const pages: readonly Page[] = Array.from({ length: PAGES_COUNT }, (_, page) => ({
  buf: arena,
  at: PAGES_AT + page * PAGE_BYTES,
  views: noViews(),
}));
/** Those that were used last are used first. */
const free: Page[] = pages.toReversed();

/** A page with whatever was in it before. When all of the arena's are taken it is one of its own. */
export function takePage(): Page {
  return free.pop() ?? { buf: Buffer.allocUnsafeSlow(PAGE_BYTES), at: 0, views: noViews() };
}

/** Gives it back; nobody may read or write it any more. */
export function givePage(page: Page): void {
  if (page.buf === arena) free.push(page);
}

/** HOT PATH. [from, to) of the page's `buf`. Most commands, and most replies, are as long as one of those before: then it is the same object again. */
export function viewOf({ buf, views }: Page, from: number, to: number): Buffer {
  const place = (to - from) & VIEWS_MASK;
  const view = views[place] as Buffer;
  if (view.length === to - from && view.byteOffset === buf.byteOffset + from) return view;
  const made = buf.subarray(from, to);
  views[place] = made;
  return made;
}

let isRingTaken = false;

/** RING_BYTES for as long as the process runs. Once those of the arena are taken they are its own. */
export function takeRing(): Page {
  if (isRingTaken) return { buf: Buffer.alloc(RING_BYTES), at: 0, views: noViews() };
  isRingTaken = true;
  return { buf: arena, at: RING_AT, views: noViews() };
}

/** A copy of [start, end) of `src` for a short time: until `givePiece`. */
export function takePiece(src: Buffer, start: number, end: number): Buffer {
  if (end - start > PAGE_BYTES || free.length <= PAGES_SPARED) return Buffer.from(src.subarray(start, end));
  const { buf, at } = free.pop() as Page;
  copyRange(src, start, end, buf, at);
  return buf.subarray(at, at + end - start);
}

/** Gives back what `takePiece` gave, whole as it was; nobody may read it any more. */
export function givePiece(piece: Buffer): void {
  if (isInArena(piece)) free.push(pages[(piece.byteOffset - PAGES_AT) / PAGE_BYTES] as Page);
}

/** Whether it is a part of `arena`: then its first byte is there at `byteOffset`. */
export function isInArena(bytes: Buffer): boolean {
  return bytes.buffer === arenaBuffer;
}
