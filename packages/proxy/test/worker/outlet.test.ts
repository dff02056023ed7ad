// Goal: what is appended arrives, whole and in order, however it is mixed and however slowly it is read; and the count of what waits is true,
// for backpressure goes by it.
// Method: a real pair of sockets on 127.0.0.1, random pieces at random times. Pages are counted where they are made.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { arena, givePage, readInto, takePage } from '../../src/worker/arena.ts';
import { Outlet } from '../../src/worker/outlet.ts';

const PAGE_BYTES = 16 * 1024;

let listener: Server;
let writer: Socket;
let reader: Socket;
let received: Buffer[];
let written: number;
let outlet: Outlet;

beforeAll(async () => {
  listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
});

afterAll(() => {
  listener.close();
});

beforeEach(async () => {
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  writer = connect(listener.address() as { port: number });
  await once(writer, 'connect');
  [reader] = await accepted;
  received = [];
  written = 0;
  reader.on('data', (chunk: Buffer) => received.push(chunk));
  outlet = new Outlet(writer, { onWritten: () => written++ });
});

afterEach(() => {
  vi.restoreAllMocks();
  for (const socket of [writer, reader]) socket.on('error', () => undefined).destroy();
});

/** Of the arena. */
function freePages(): number {
  const taken = Array.from({ length: 600 }, takePage);
  for (const page of taken.toReversed()) givePage(page);
  return taken.filter(({ buf }) => buf === arena).length;
}

const receivedBytes = (): number => received.reduce((sum, { length }) => sum + length, 0);

async function arrived(expected: Buffer): Promise<void> {
  await eventually(() => receivedBytes() >= expected.length && outlet.bytes === 0, { what: `${expected.length} bytes to arrive` });
  expect(Buffer.concat(received).equals(expected)).toBe(true);
}

/** Waits until the kernel takes no more: a write is under way, and none ended from one look to the next. */
async function stuck(): Promise<void> {
  let before = -1;
  await eventually(
    () => {
      const same = before === written && outlet.bytes > 0;
      before = written;
      return same;
    },
    { what: 'the kernel’s buffers to be full', everyMs: 50 },
  );
}

const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** Bytes that differ from piece to piece and within one. */
function piece(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + seed * 7) & 0xff;
  return bytes;
}

const NEAR_LIMITS = [0, 1, 39, 40, 41, 8191, 8192, 8193, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 65_536, 262_143, 262_144, 262_145];

describe('bytes', () => {
  test('of one turn arrive in order', async () => {
    const pieces = NEAR_LIMITS.map(piece);
    for (const part of pieces) outlet.appendAll(part);
    expect(outlet.bytes).toBe(Buffer.concat(pieces).length);
    await arrived(Buffer.concat(pieces));
  });

  test('of each size alone arrive', async () => {
    const sent: Buffer[] = [];
    for (const [at, size] of NEAR_LIMITS.entries()) {
      sent.push(piece(size, at));
      outlet.appendAll(sent[at]!);
      await arrived(Buffer.concat(sent));
    }
  });

  test('of a part of a buffer are those', async () => {
    const buf = piece(40_000, 1);
    for (const [start, end] of [
      [10, 20],
      [100, 500],
      [1000, 30_000],
      [39_999, 40_000],
      [7, 7],
    ] as const)
      outlet.append(buf, start, end);
    await arrived(Buffer.concat([buf.subarray(10, 20), buf.subarray(100, 500), buf.subarray(1000, 30_000), buf.subarray(39_999, 40_000)]));
  });

  test('of the arena arrive as they were when they were appended', async () => {
    const sent = NEAR_LIMITS.filter((size) => size <= readInto.length).map(piece);
    for (const part of sent) {
      part.copy(readInto);
      outlet.append(arena, 0, part.length);
      readInto.fill(0xee);
    }
    await arrived(Buffer.concat(sent));
  });

  test('of any sizes over any turns arrive in order, and none is counted at the end', async () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20_000 }), fc.constantFrom(...NEAR_LIMITS));
    const all: Buffer[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 60 }), async (steps) => {
        for (const [length, turn] of steps) {
          all.push(piece(length, all.length));
          outlet.appendAll(all.at(-1)!);
          if (turn) await nextTurn();
        }
        await eventually(() => outlet.bytes === 0, { what: 'everything to be written', everyMs: 1 });
      }),
      { numRuns: 60 },
    );
    await arrived(Buffer.concat(all));
  });

  test('appended when a write has ended arrive too', async () => {
    const sent: Buffer[] = [];
    const chained = new Outlet(writer, {
      onWritten: () => {
        if (sent.length < 50) chained.appendAll(next());
      },
    });
    const next = () => {
      sent.push(piece(sent.length * 997, sent.length));
      return sent.at(-1)!;
    };
    chained.appendAll(next());
    chained.appendAll(next());
    await eventually(() => sent.length === 50 && chained.bytes === 0, { what: 'the chain to end' });
    await arrived(Buffer.concat(sent));
  });
});

describe('a turn of the event loop', () => {
  /** How often the kernel was asked to take something. */
  function writes(): () => number {
    const { _handle: handle } = writer as object as { _handle: { writeBuffer: () => number; writev: () => number } };
    const spies = [vi.spyOn(handle, 'writeBuffer'), vi.spyOn(handle, 'writev')];
    return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  }

  test('makes one write of many short pieces', async () => {
    const count = writes();
    for (let at = 0; at < 100; at++) outlet.appendAll(piece(50, at));
    expect(count()).toBe(0);
    await nextTurn();
    expect(count()).toBe(1);
    await arrived(Buffer.concat(Array.from({ length: 100 }, (_, at) => piece(50, at))));
  });

  test('makes one write of short and long pieces', async () => {
    const count = writes();
    const sent = [10, 9000, 10, 9000, 10].map(piece);
    for (const part of sent) outlet.appendAll(part);
    await nextTurn();
    expect(count()).toBe(1);
    await arrived(Buffer.concat(sent));
  });

  test('does not begin a second write before the first has ended', async () => {
    reader.pause();
    outlet.appendAll(piece(20 * 1024 * 1024, 1));
    await stuck();
    const count = writes();
    const { bytes } = outlet;
    outlet.appendAll(piece(10, 2));
    await nextTurn();
    await nextTurn();
    expect(count()).toBe(0);
    expect(outlet.bytes).toBe(bytes + 10);
    reader.resume();
    await arrived(Buffer.concat([piece(20 * 1024 * 1024, 1), piece(10, 2)]));
    expect(count()).toBeGreaterThan(1);
  });
});

describe('while held', () => {
  test('nothing goes out, and all of it afterwards', async () => {
    outlet.held = true;
    const pieces = [10, 20_000, 8000, 9000, 8192, 8192, 100, 300_000, 5].map(piece);
    for (const part of pieces) {
      outlet.appendAll(part);
      await nextTurn();
    }
    expect(writer.bytesWritten).toBe(0);
    expect(outlet.bytes).toBe(Buffer.concat(pieces).length);
    outlet.held = false;
    outlet.flush();
    await arrived(Buffer.concat(pieces));
  });
});

describe('a slow reader', () => {
  test('is seen in the count, and gets everything in the end', async () => {
    reader.pause();
    const sent: Buffer[] = [];
    for (let at = 0; at < 400; at++) {
      sent.push(piece(at % 3 === 0 ? 100_000 : 3000, at));
      outlet.appendAll(sent[at]!);
      if (at % 10 === 0) await nextTurn();
    }
    const before = outlet.bytes;
    expect(before).toBeGreaterThan(1024 * 1024);
    const told = written;
    reader.resume();
    await arrived(Buffer.concat(sent));
    expect(written).toBeGreaterThan(told + 10);
  });

  test('is seen to make progress: the count falls step by step', async () => {
    reader.pause();
    outlet.appendAll(piece(20 * 1024 * 1024, 1));
    await eventually(() => written > 0, { what: 'the kernel’s buffers to take the first part' });
    const steps = new Set<number>();
    const total = outlet.bytes;
    reader.resume();
    await eventually(
      () => {
        steps.add(outlet.bytes);
        return outlet.bytes === 0;
      },
      { what: 'all to be written', everyMs: 0 },
    );
    expect(total).toBeGreaterThan(10 * 1024 * 1024);
    expect(written).toBeGreaterThan(10);
  });
});

describe('pages', () => {
  /** Pages made from now on; those of the pool don't count. */
  function pagesMade(): () => number {
    const made = vi.spyOn(Buffer, 'allocUnsafeSlow');
    return () => made.mock.calls.filter(([size]) => size === PAGE_BYTES).length;
  }

  async function sendMuch(): Promise<void> {
    const sent: Buffer[] = [];
    for (let at = 0; at < 300; at++) {
      sent.push(piece([30, 7000, 8192, 9000, 1][at % 5]!, at));
      outlet.appendAll(sent[at]!);
      if (at % 50 === 0) await nextTurn();
    }
    received = [];
    await eventually(() => outlet.bytes === 0, { what: 'everything to be written' });
  }

  test('go back to the pool, so that the next round makes none', async () => {
    await sendMuch();
    await sendMuch();
    const made = pagesMade();
    for (let round = 0; round < 20; round++) await sendMuch();
    expect(made()).toBe(0);
  });

  test('are not used again before they were written', async () => {
    reader.pause();
    const first = Array.from({ length: 6000 }, (_, at) => piece(3000, at));
    for (const part of first) outlet.appendAll(part);
    await stuck();
    // Another outlet takes and fills whatever pages are free.
    const other = new Outlet(reader, { onWritten: () => undefined });
    writer.resume();
    for (let at = 0; at < 1000; at++) other.appendAll(Buffer.alloc(5000, 0xee));
    await eventually(() => other.bytes === 0, { what: 'the other direction to be written' });
    reader.resume();
    await arrived(Buffer.concat(first));
  });
});

describe('a closed outlet', () => {
  test('gives back its pages, those under way too', async () => {
    const before = freePages();
    reader.pause();
    for (let at = 0; at < 6000; at++) outlet.appendAll(piece(3000, at));
    await stuck();
    outlet.appendAll(piece(10, 1));
    expect(freePages()).toBeLessThan(before - 10);
    writer.destroy();
    outlet.close();
    await nextTurn();
    expect(freePages()).toBe(before);
  });

  test('takes nothing and counts nothing', async () => {
    outlet.appendAll(piece(1000, 1));
    outlet.close();
    expect(outlet.bytes).toBe(0);
    outlet.appendAll(piece(1000, 2));
    expect(outlet.bytes).toBe(0);
    await nextTurn();
    expect(writer.bytesWritten).toBe(0);
  });

  test('in the middle of a write tells nobody', async () => {
    reader.pause();
    outlet.appendAll(piece(20 * 1024 * 1024, 1));
    await stuck();
    const told = written;
    outlet.close();
    writer.destroy();
    await eventually(() => writer.closed, { what: 'the socket to close' });
    expect(written).toBe(told);
    expect(outlet.bytes).toBe(0);
  });
});
