import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  arena,
  copyRange,
  givePage,
  givePiece,
  isInArena,
  PAGE_BYTES,
  type Page,
  RING_BYTES,
  readInto,
  reserveScratch,
  takePage,
  takePiece,
  viewOf,
} from '../../src/worker/arena.ts';

let taken: Page[] = [];

function takePages(count: number): Page[] {
  const pages = Array.from({ length: count }, takePage);
  taken.push(...pages);
  return pages;
}

afterEach(() => {
  for (const page of taken.toReversed()) givePage(page);
  taken = [];
});

describe('the arena', () => {
  test('is copied within, into and out of, to the byte, also where both ranges overlap', () => {
    const at = reserveScratch(1000);
    const place = fc.record({ isOfArena: fc.boolean(), offset: fc.integer({ min: 0, max: 500 }) });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1000, maxLength: 1000 }),
        place,
        place,
        fc.integer({ min: 0, max: 500 }),
        (was, from, to, length) => {
          const other = Buffer.from(was);
          arena.set(was, at);
          const expected = Uint8Array.from(was);
          fc.pre(from.isOfArena || to.isOfArena);
          expected.set(was.subarray(from.offset, from.offset + length), to.offset);
          const [src, start] = from.isOfArena ? [arena, at + from.offset] : [other, from.offset];
          const [target, begin] = to.isOfArena ? [arena, at + to.offset] : [other, to.offset];
          copyRange(src, start, start + length, target, begin);
          expect([...target.subarray(begin - to.offset, begin - to.offset + 1000)]).toEqual([...expected]);
        },
      ),
    );
  });

  test('has room for what is read, scratch and pages, and nothing twice', () => {
    const scratch = reserveScratch(10);
    const pages = takePages(512).map(({ at }) => at);
    expect(new Set(pages).size).toBe(512);
    expect(readInto.byteOffset).toBe(arena.byteOffset);
    expect(scratch).toBeGreaterThanOrEqual(readInto.length);
    expect(scratch + 10).toBeLessThanOrEqual(Math.min(...pages));
    expect(Math.max(...pages) + PAGE_BYTES + RING_BYTES).toBe(arena.length);
  });

  test('gives a page of its own to who comes when all are taken, and forgets it afterwards', () => {
    takePages(512);
    const [own] = takePages(1);
    expect([own?.buf === arena, own?.at, own?.buf.length]).toEqual([false, 0, PAGE_BYTES]);
    givePage(own as Page);
    const [another] = takePages(1);
    expect(another?.buf).not.toBe(own?.buf);
  });

  test('shows of a page what is asked for, by the same object when that was asked for lately', () => {
    const [page, other] = takePages(2) as [Page, Page];
    for (const { buf, at } of [page, other]) buf.write('abcdef', at);
    const shown = (of: Page, from: number, to: number) => viewOf(of, of.at + from, of.at + to);
    const last = shown(page, 0, 3);
    expect(last.toString()).toBe('abc');
    const longer = shown(page, 0, 4);
    expect([shown(page, 0, 3) === last, shown(page, 0, 4) === longer]).toEqual([true, true]);
    expect(longer.toString()).toBe('abcd');
    expect(shown(other, 0, 3).byteOffset).toBe(other.at);
    for (const [from, to] of [
      [1, 4],
      [1, 3],
      [0, 3],
      [0, 0],
    ] as const) {
      expect(shown(page, from, to).toString()).toBe('abcdef'.slice(from, to));
    }
  });

  test('keeps pieces for a short time, while there are pages to spare', () => {
    const bytes = Buffer.from('some bytes');
    const piece = takePiece(bytes, 1, 4);
    bytes.fill(0);
    expect([piece.toString(), isInArena(piece)]).toEqual(['ome', true]);
    givePiece(piece);
    expect(takePages(1)[0]?.at).toBe(piece.byteOffset);
    const long = takePiece(Buffer.alloc(PAGE_BYTES + 1), 0, PAGE_BYTES + 1);
    expect([long.length, isInArena(long)]).toEqual([PAGE_BYTES + 1, false]);
    givePiece(long);
    takePages(256);
    expect(isInArena(takePiece(bytes, 0, 4))).toBe(false);
  });
});
