// When sockets are written to: at once where little happens, else all together at the end of a turn of the event loop.

import { setImmediate as turnEnded } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { micros } from '../../src/worker/timings.ts';
import { beginReading, endReading, type Flushable, flushInTurn } from '../../src/worker/turn.ts';

const SECOND = 1e6;

let flushed: string[];

beforeEach(() => {
  flushed = [];
});

const outlet = (name: string, onFlush?: () => void): Flushable => ({
  flush: () => {
    flushed.push(name);
    onFlush?.();
  },
});

/** Something is read, and makes these outlets have something to write. `sinceMicros`: how long ago something was flushed before. */
function read(sinceMicros: number, ...outlets: readonly Flushable[]): void {
  const now = micros();
  beginReading();
  for (const each of outlets) flushInTurn(each);
  endReading((now + sinceMicros) | 0);
}

test('what is read after a pause is answered behind it', () => {
  read(SECOND, outlet('a'), outlet('b'));
  expect(flushed).toEqual(['a', 'b']);
});

test('what is read without one waits for the end of the turn, once for all', async () => {
  read(SECOND, outlet('first'));
  read(-SECOND, outlet('a'));
  read(-SECOND, outlet('b'));
  read(-SECOND);
  expect(flushed).toEqual(['first']);
  await turnEnded();
  expect(flushed).toEqual(['first', 'a', 'b']);
  await turnEnded();
  expect(flushed).toEqual(['first', 'a', 'b']);
});

test('where the end of the turn is waited for, nothing overtakes', async () => {
  read(-SECOND, outlet('a'));
  read(SECOND, outlet('b'));
  expect(flushed).toEqual([]);
  await turnEnded();
  expect(flushed).toEqual(['a', 'b']);
});

test('what comes up outside of reads, or while others are flushed, waits for the end of a turn', async () => {
  flushInTurn(outlet('timer'));
  expect(flushed).toEqual([]);
  await turnEnded();
  expect(flushed).toEqual(['timer']);
  read(
    SECOND,
    outlet('a', () => flushInTurn(outlet('more'))),
    outlet('b'),
  );
  expect(flushed).toEqual(['timer', 'a', 'b']);
  await turnEnded();
  expect(flushed).toEqual(['timer', 'a', 'b', 'more']);
});
