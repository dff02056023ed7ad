// Gathers what shall be written to one socket and writes it once per turn of the event loop (turn.ts). Short pieces are copied into pooled pages, and so is what stands in
// the arena, for that is about to change; other long ones go by reference. One write of bounded size is under way at a time, so what comes meanwhile is gathered, and a
// slow reader's progress can be seen.
//
//   append… append… ──▶ | page | slice | page | ──flush──▶ SocketWriter ──taken──▶ pages back to the pool
//
// Invariant: `bytes` counts everything appended and not yet taken by the kernel. A page goes back when all of it was written, not before.

import type { Socket } from 'node:net';
import { giveLarge } from '../resp/large-buffers.ts';
import { arena, copyRange, givePage, PAGE_BYTES, type Page, takePage, viewOf } from './arena.ts';
import { SocketWriter } from './socket-writer.ts';
import { flushInTurn } from './turn.ts';

/** Up to here a copy is cheaper than one more entry in the write. */
export const COPY_BYTES_MAX = 8 * 1024;
const WRITE_BYTES_MAX = 256 * 1024;

/** Told when a write was taken by the kernel, which is when backpressure may end. */
export interface OutletOwner {
  onWritten(): void;
}

export class Outlet {
  bytes = 0;
  /** While true nothing is written: a backend that is still being set up. */
  held = false;
  /** Told when everything that was appended is being written. `late`: not in the turn it came in, because a write was under way, or the outlet held. */
  onFlush: ((late: boolean) => void) | null = null;

  readonly #owner: OutletOwner;
  /** Null once it is closed. */
  #writer: SocketWriter | null;
  #page: Page | null = null;
  #pageUsed = 0;
  /** How much of the page stands in `#ready` or was written. */
  #pageSealed = 0;
  /** What is to be written next, and per entry the page, or the buffer from `takeLarge`, that can go back after it. */
  #ready: Buffer[] = [];
  #readyPages: (Page | Buffer | null)[] = [];
  /** Pages that can go back when the write under way has ended, and its size. */
  #writtenPages: (Page | Buffer)[] = [];
  #writingBytes = 0;
  #busy = false;
  #dirty = false;

  constructor(socket: Socket, owner: OutletOwner) {
    this.#owner = owner;
    this.#writer = new SocketWriter(socket, () => {
      if (this.#taken()) this.flush(true);
    });
  }

  /** HOT PATH. Appends the bytes [start, end) of `src`, which must not change until they are written if they are more than COPY_BYTES_MAX and not in the arena. */
  append(src: Buffer, start: number, end: number): void {
    if (this.#writer === null) return;
    const length = end - start;
    this.bytes += length;
    if (!this.#dirty) this.#schedule();
    if (length <= COPY_BYTES_MAX) this.#copy(src, start, end);
    else if (src === arena) this.#copyLong(start, end);
    else {
      this.#seal(null);
      this.#ready.push(src.subarray(start, end));
      this.#readyPages.push(null);
    }
  }

  #copy(src: Buffer, start: number, end: number): void {
    if (this.#page === null || this.#pageUsed + end - start > PAGE_BYTES) this.#newPage();
    const { buf, at } = this.#page as Page;
    copyRange(src, start, end, buf, at + this.#pageUsed);
    this.#pageUsed += end - start;
  }

  /** Of the arena; it fills pages to their end. */
  #copyLong(start: number, end: number): void {
    for (let from = start; from < end; ) {
      if (this.#page === null || this.#pageUsed === PAGE_BYTES) this.#newPage();
      const to = Math.min(end, from + PAGE_BYTES - this.#pageUsed);
      this.#copy(arena, from, to);
      from = to;
    }
  }

  /** As `append`, of a buffer from `takeLarge` that nobody else keeps: it is given back when that was written. */
  appendLarge(src: Buffer, start: number, end: number): void {
    if (this.#writer === null) return;
    this.append(src, start, end);
    if (end - start > COPY_BYTES_MAX) this.#readyPages[this.#readyPages.length - 1] = src;
    else giveLarge(src);
  }

  appendAll(src: Buffer): void {
    this.append(src, 0, src.length);
  }

  /** Writes what was gathered, unless held or a write is under way (then its end does it). */
  flush(late = false): void {
    this.#dirty = false;
    if (this.held || this.#busy) return;
    for (let isLate = late; this.#writer !== null; isLate = true) {
      if (this.#ready.length === 0 && (this.#page === null || this.#pageUsed === this.#pageSealed)) return;
      if (this.onFlush !== null && this.bytes <= WRITE_BYTES_MAX) this.onFlush(isLate);
      this.#busy = true;
      const isTaken = this.#ready.length === 0 ? this.#writePage(this.#writer, this.#page as Page) : this.#writeReady(this.#writer);
      if (!isTaken || !this.#taken()) return;
    }
  }

  /** Nothing is written any more; the memory goes. The socket is destroyed before the event loop goes on. */
  close(): void {
    if (this.#page !== null) givePage(this.#page);
    for (const page of this.#readyPages) if (page !== null) giveBack(page);
    for (const page of this.#writtenPages) giveBack(page);
    this.#writer = null;
    this.bytes = 0;
    this.#page = null;
    this.#ready = [];
    this.#readyPages = [];
    this.#writtenPages = [];
  }

  /** HOT PATH. Everything stands in the page. */
  #writePage(writer: SocketWriter, page: Page): boolean {
    const from = page.at + this.#pageSealed;
    this.#pageSealed = this.#pageUsed;
    this.#writingBytes = this.bytes;
    return writer.write(viewOf(page, from, page.at + this.#pageUsed));
  }

  #writeReady(writer: SocketWriter): boolean {
    this.#seal(null);
    const buffers: Buffer[] = [];
    let room = WRITE_BYTES_MAX;
    while (this.#ready.length > 0 && room > 0) {
      const first = this.#ready[0] as Buffer;
      if (first.length > room) {
        this.#ready[0] = first.subarray(room);
        buffers.push(first.subarray(0, room));
        room = 0;
      } else {
        room -= first.length;
        buffers.push(this.#takeReady());
      }
    }
    this.#writingBytes = WRITE_BYTES_MAX - room;
    return writer.writeAll(buffers);
  }

  #takeReady(): Buffer {
    const page = this.#readyPages.shift();
    if (page) this.#writtenPages.push(page);
    return this.#ready.shift() as Buffer;
  }

  #schedule(): void {
    this.#dirty = true;
    flushInTurn(this);
  }

  /** What stands in the page becomes ready to write; the rest of the page is used on unless `release` gives the page up. */
  #seal(release: Page | null): void {
    if (this.#page !== null && this.#pageUsed > this.#pageSealed) {
      const { buf, at } = this.#page;
      this.#ready.push(buf.subarray(at + this.#pageSealed, at + this.#pageUsed));
      this.#readyPages.push(release);
      this.#pageSealed = this.#pageUsed;
    } else if (release !== null) {
      if (this.#ready.length > 0) this.#tagLast(release);
      else this.#writtenPages.push(release);
    }
  }

  /** The last entry may have a page of its own to give back; then an empty entry carries this one. */
  #tagLast(page: Page): void {
    const last = this.#readyPages.length - 1;
    if (this.#readyPages[last] === null) this.#readyPages[last] = page;
    else {
      this.#ready.push(page.buf.subarray(0, 0));
      this.#readyPages.push(page);
    }
  }

  #newPage(): void {
    this.#seal(this.#page);
    this.#page = takePage();
    this.#pageUsed = 0;
    this.#pageSealed = 0;
  }

  /** The kernel has taken what was being written. Whether more waits that was there before. */
  #taken(): boolean {
    this.#busy = false;
    if (this.#writer === null) return false;
    this.bytes -= this.#writingBytes;
    this.#writingBytes = 0;
    for (const page of this.#writtenPages) giveBack(page);
    if (this.#writtenPages.length > 0) this.#writtenPages = [];
    const isMore = this.bytes > 0;
    if (!isMore && this.#page !== null) {
      givePage(this.#page);
      this.#page = null;
    }
    this.#owner.onWritten();
    return isMore;
  }
}

function giveBack(page: Page | Buffer): void {
  if (Buffer.isBuffer(page)) giveLarge(page);
  else givePage(page);
}
