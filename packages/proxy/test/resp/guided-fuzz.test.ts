// Goal: the far corners of the scanners are visited too, and no input makes them do more work than its length allows.
// Method: from a few good requests (or replies) inputs are mutated and kept by the blocks of code that they run; each is scanned whole and byte by byte,
// against the oracles, and the blocks it runs are counted: steps, where a clock would lie.

import { isCodisError } from '@codis/config/model';
import { afterEach, expect, test } from 'vitest';
import { ReplyScanner } from '../../src/resp/reply-scanner.ts';
import { BlockCounter, explore } from './guided.ts';
import { decode } from './reply-grammar.ts';
import { understand } from './request-grammar.ts';
import { bytes, bytewise, scanAll } from './scan.ts';

const RUNS = 1000;
/** Counting blocks is slow, more so on a busy machine. */
const TIMEOUT_MS = 90_000;
let counter: BlockCounter;

afterEach(() => counter.close());

/** The share of all blocks that was run. Some need more input than is made here; and V8 counts places that can't be reached, as behind a `continue`. */
function coverage(): number {
  const runs = [...counter.blocks.values()];
  return runs.filter(Boolean).length / runs.length;
}

test('what requests are found is the same for every input that runs something new', { timeout: TIMEOUT_MS }, async () => {
  counter = new BlockCounter('/src/resp/');
  await counter.start();
  const options = { bytesMax: 100_000 };
  const { corpus } = await explore({
    counter,
    runs: RUNS,
    seeds: ['*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n', "ECHO \"a\\n\\x41\" 'b\\''\r\n", '*1\r\n+PING\r\n', '*-1\r\n'].map(bytes),
    check: (input) => {
      const whole = scanAll([input], options);
      expect(scanAll(bytewise(input), options)).toEqual({ ...whole, pendingBytes: expect.any(Number) as number });
      const theirs = understand(input);
      expect(whole.requests).toEqual(theirs.requests.slice(0, whole.requests.length));
      if (whole.error === null) expect(whole.requests.length).toBe(theirs.requests.length);
    },
    stepsMax: (input) => 60 * input.length + 500,
  });
  expect(corpus.length).toBeGreaterThan(20);
  expect(coverage()).toBeGreaterThan(0.6);
});

test('where replies end is the same for every input that runs something new', { timeout: TIMEOUT_MS }, async () => {
  counter = new BlockCounter('/src/resp/reply-scanner');
  await counter.start();
  const { corpus } = await explore({
    counter,
    runs: RUNS,
    seeds: ['*2\r\n$2\r\nhi\r\n:1\r\n', '%1\r\n+a\r\n$-1\r\n'].map(bytes),
    check: (input) => {
      const whole = scanReplies([input]);
      expect(scanReplies(bytewise(input))).toEqual(whole);
      const ends: number[] = [];
      for (let next = decode(input, 0); next.kind === 'whole'; next = decode(input, next.end)) ends.push(next.end);
      expect(whole.ends).toEqual(ends);
    },
    stepsMax: (input) => 30 * input.length + 100,
  });
  expect(corpus.length).toBeGreaterThan(20);
  expect(coverage()).toBeGreaterThan(0.6);
});

function scanReplies(pieces: readonly Buffer[]): { ends: number[]; error: string | null } {
  const scanner = new ReplyScanner();
  const ends: number[] = [];
  let offset = 0;
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        at = scanner.scan(piece, at, piece.length);
        if (at < 0) break;
        ends.push(offset + at);
      }
      offset += piece.length;
    }
  } catch (error) {
    if (!isCodisError(error, 'CODIS_E_NOT_REDIS')) throw error;
    return { ends, error: error.message };
  }
  return { ends, error: null };
}
