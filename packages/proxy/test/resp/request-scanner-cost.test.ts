// Goal: what arrives in pieces costs linear time, however small the pieces (DESIGN §5: never a rescan, never a copy of a copy of a copy).
// Method: no clock; every byte that Buffer.copy moves, every argument position that is moved, and every byte that indexOf may look at is counted.

import { afterEach, expect, test, vi } from 'vitest';
import { encodeRequest } from '../../src/resp/replies.ts';
import { FRAME, NEED, RequestScanner } from '../../src/resp/request-scanner.ts';
import { bytes, cut } from './scan.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Cost {
  copiedBytes: number;
  allocatedBytes: number;
  movedPositions: number;
  searchedBytes: number;
}

/** Counts from now to the end of the test. */
function count(): Cost {
  const cost: Cost = { copiedBytes: 0, allocatedBytes: 0, movedPositions: 0, searchedBytes: 0 };
  const prototype = Buffer.prototype as Buffer;
  const { copy, indexOf } = prototype;
  const { allocUnsafeSlow } = Buffer;
  const { slice, set } = Int32Array.prototype;
  vi.spyOn(prototype, 'copy').mockImplementation(function (this: Buffer, ...args) {
    const copied = copy.apply(this, args);
    cost.copiedBytes += copied;
    return copied;
  });
  vi.spyOn(prototype, 'indexOf').mockImplementation(function (this: Buffer, ...args) {
    const found = indexOf.apply(this, args);
    cost.searchedBytes += (found < 0 ? this.length : found) - Number(args[1] ?? 0);
    return found;
  });
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => {
    cost.allocatedBytes += size;
    return allocUnsafeSlow(size);
  });
  vi.spyOn(Int32Array.prototype, 'slice').mockImplementation(function (this: Int32Array, ...args) {
    const part = slice.apply(this, args);
    cost.movedPositions += part.length;
    return part as ReturnType<typeof slice>;
  });
  vi.spyOn(Int32Array.prototype, 'set').mockImplementation(function (this: Int32Array, ...args) {
    cost.movedPositions += args[0].length;
    set.apply(this, args);
  });
  return cost;
}

/** Feeds `input` in pieces; returns the arguments of the request found at its end. */
function scan(input: Buffer, pieceBytes: number): number {
  const scanner = new RequestScanner(input.length);
  const pieces = cut(input, [pieceBytes]);
  for (const [at, piece] of pieces.entries()) {
    scanner.feed(piece);
    const result = scanner.next();
    if (result !== (at === pieces.length - 1 ? FRAME : NEED)) throw new Error(`piece ${at} gave ${result}: ${scanner.error}`);
  }
  return scanner.frame.argc;
}

test.each([1024, 65_536])('a value of 32 MB in pieces of %i bytes is copied at most four times', (pieceBytes) => {
  const input = encodeRequest(['SET', 'key', Buffer.alloc(32 << 20, 'v')]);
  const cost = count();
  expect(scan(input, pieceBytes)).toBe(3);
  expect(cost.copiedBytes).toBeGreaterThan(input.length / 2);
  expect(cost.copiedBytes).toBeLessThan(input.length * 4);
  expect(cost.allocatedBytes).toBeLessThan(input.length * 4);
});

test('a million arguments in small pieces are copied at most four times, and so are their positions', () => {
  const args = 1_000_000;
  const input = Buffer.concat([bytes(`*${args}\r\n`), Buffer.alloc(args * 7, '$1\r\nx\r\n')]);
  const cost = count();
  expect(scan(input, 1000)).toBe(args);
  expect(cost.copiedBytes).toBeLessThan(input.length * 4);
  expect(cost.movedPositions).toBeLessThan(args * 2 * 4);
});

test('a value byte by byte is copied at most four times', () => {
  const input = encodeRequest(['SET', 'key', 'v'.repeat(200_000)]);
  const cost = count();
  expect(scan(input, 1)).toBe(3);
  expect(cost.copiedBytes).toBeLessThan(input.length * 4);
});

test('an inline command byte by byte is searched and copied a bounded number of times', () => {
  const input = bytes(`ECHO ${'x'.repeat(60_000)}\n`);
  const cost = count();
  expect(scan(input, 1)).toBe(2);
  expect(cost.searchedBytes).toBeLessThan(input.length * 2);
  expect(cost.copiedBytes).toBeLessThan(input.length * 4);
});

test('what is announced and never comes takes no memory', () => {
  const cost = count();
  const scanner = new RequestScanner(1 << 30);
  scanner.feed(bytes('*1000000\r\n$536870912\r\nabc'));
  expect(scanner.next()).toBe(NEED);
  expect(cost.allocatedBytes).toBeLessThan(10_000);
  expect(cost.movedPositions).toBeLessThan(1000);
});

test('requests that arrive whole are not copied', () => {
  const input = Buffer.concat(Array.from({ length: 100 }, () => encodeRequest(['SET', 'key', 'x'.repeat(1000)])));
  const cost = count();
  const scanner = new RequestScanner(1 << 20);
  scanner.feed(input);
  let found = 0;
  while (scanner.next() === FRAME) found++;
  expect(found).toBe(100);
  expect(cost).toEqual({ copiedBytes: 0, allocatedBytes: 0, movedPositions: 0, searchedBytes: 0 });
});
