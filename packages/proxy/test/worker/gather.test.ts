// Goal: what is kept of the parts of a reply is counted while it is kept and not longer, and its memory comes back, whichever way the parts come and end.
// Method: parts that are stored as a backend stores them, some in pieces, some lost halfway, some too much; then the pool and the count are as they were.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { givePage, takePage, takePiece } from '../../src/worker/arena.ts';
import { Gather, TOO_LARGE } from '../../src/worker/gather.ts';
import { type Request, SINK_CLIENT, takeRequest } from '../../src/worker/request.ts';
import type { Session } from '../../src/worker/session.ts';

/** The session of one request, and what it was answered. */
function fakeSession(bytesMax: number) {
  const seen = { bytes: 0, most: 0, answers: [] as string[] };
  const session = {
    onPartStored: (bytes: number) => {
      if (seen.bytes + bytes > bytesMax) return false;
      seen.bytes += bytes;
      seen.most = Math.max(seen.most, seen.bytes);
      return true;
    },
    onUnstored: (bytes: number) => {
      seen.bytes -= bytes;
    },
    answer: (_: Request, reply: Buffer) => seen.answers.push(reply.toString()),
  };
  return { seen, session: session as unknown as Session };
}

/** As a backend does. */
function store(request: Request, piece: string): void {
  if (!request.taker?.takes(request, piece.length)) return;
  request.stored ??= [];
  request.stored.push(takePiece(Buffer.from(piece), 0, piece.length));
}

/** Which pages of the arena are free: none is counted twice. */
function freePages(): number {
  const taken = Array.from({ length: 600 }, takePage).filter(({ at }) => at > 0);
  for (const page of taken.toReversed()) givePage(page);
  expect(new Set(taken.map(({ at }) => at)).size).toBe(taken.length);
  return taken.length;
}

const joined = (replies: readonly Buffer[]): Buffer => Buffer.from(replies.map(String).join('|'));

describe('parts that come in pieces', () => {
  const part = fc.record({
    pieces: fc.array(fc.string({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 3 }),
    isLost: fc.boolean(),
  });

  test('are merged, and nothing of them is left', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 60 }), fc.boolean(), (parts, max, isGone) => {
        const { seen, session } = fakeSession(max);
        const before = freePages();
        const parent = takeRequest(session, SINK_CLIENT);
        const gather = new Gather(parent, session, parts.length, joined, true);
        const requests = parts.map((_, at) => gather.take(at));
        if (isGone) parent.onAbandoned?.();
        for (const [at, { pieces, isLost }] of parts.entries()) {
          const request = requests[at] as Request;
          for (const piece of isLost ? pieces.slice(0, -1) : pieces) store(request, piece);
          if (isLost) {
            gather.drop(request);
            store(request, '-');
          }
          gather.onReply(request);
        }
        const whole = parts.map(({ pieces, isLost }) => (isLost ? '-' : pieces.join(''))).join('|');
        if (isGone) expect(seen.answers).toEqual([]);
        else expect([[whole], [TOO_LARGE.toString()]]).toContainEqual(seen.answers);
        expect(seen.bytes).toBe(0);
        expect(seen.most).toBeLessThanOrEqual(max);
        expect(freePages()).toBe(before);
      }),
      { numRuns: 300 },
    );
  });
});
