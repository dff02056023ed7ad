// Goal: no frequent key is missed by the list of hot keys, whatever else is asked for, and what it says of a key is within its bounds.
// Method: any sequence of keys is counted exactly beside it; requests as a worker reads them are sampled.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCommand } from '../../src/commands/command.ts';
import { mergeHotKeys, mergeHotMinutes } from '../../src/primary/hot-keys.ts';
import { FRAME, RequestScanner } from '../../src/resp/request-scanner.ts';
import { HotKeys, KEY_BYTES_MAX, SAMPLE_EVERY } from '../../src/worker/hot-keys.ts';
import { TopKeys } from '../../src/worker/top-keys.ts';

describe('the most frequent keys', () => {
  test('are all there, none is counted too low, and none too high by more than is said', () => {
    const keys = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }).map(String), fc.integer({ min: 1, max: 9 })), { maxLength: 400 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 12 }), (added, counters) => {
        const top = new TopKeys(counters);
        const exact = new Map<string, number>();
        for (const [key, weight] of added) {
          top.add(key, weight);
          exact.set(key, (exact.get(key) ?? 0) + weight);
        }
        const entries = new Map(top.entries().map((entry) => [entry.key, entry]));
        expect(entries.size).toBeLessThanOrEqual(counters);
        for (const { key, count, over } of entries.values()) {
          expect(count).toBeGreaterThanOrEqual(exact.get(key)!);
          expect(count - over).toBeLessThanOrEqual(exact.get(key)!);
        }
        for (const [key, count] of exact) if (count > top.total / counters) expect(entries.has(key)).toBe(true);
      }),
    );
  });
});

/** A time of day at which a minute begins. */
const NOON = 1_767_225_600_000;

/** Runs requests past the sampling as the router does. */
function ask(hot: HotKeys, words: readonly string[], times: number, db = 0): void {
  const scanner = new RequestScanner(1_000_000);
  scanner.authenticated = true;
  const bytes = Buffer.from(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`, 'latin1');
  for (let count = 0; count < times; count++) {
    scanner.feed(bytes);
    expect(scanner.next()).toBe(FRAME);
    const { frame } = scanner;
    const command = findCommand(frame.buf, frame.args[0] as number, frame.args[1] as number);
    if (command === undefined) throw new Error('no such command');
    if (--hot.left === 0) hot.sample(command, frame, db);
  }
}

describe('what is sampled', () => {
  test('is one request of so many on average, each for all of its keys', () => {
    const hot = new HotKeys(0);
    ask(hot, ['GET', 'one'], 200 * SAMPLE_EVERY);
    ask(hot, ['MGET', 'a', 'b', 'c', 'd'], 200 * SAMPLE_EVERY, 3);
    const { sampled, keys } = hot.read(10_000);
    const of = (...names: string[]) => keys.filter(({ key }) => names.includes(key)).reduce((sum, { count }) => sum + count, 0);
    expect(of('one')).toBeGreaterThan(100);
    expect(of('one')).toBeLessThan(400);
    expect(of('a', 'b', 'c', 'd')).toBeGreaterThan(400);
    expect(of('a', 'b', 'c', 'd')).toBeLessThan(1600);
    expect(of('a')).toBeLessThan(of('a', 'b', 'c', 'd') / 2);
    expect(sampled).toBe(of('one', 'a', 'b', 'c', 'd'));
    expect(keys.find(({ key }) => key === 'a')?.db).toBe(3);
  });

  test('are keys only: no channels, nothing of commands without any, no name that is too long', () => {
    const hot = new HotKeys(0);
    for (const words of [['PING'], ['SPUBLISH', 'channel', 'x'], ['GET', 'k'.repeat(KEY_BYTES_MAX + 1)], ['EVAL', 'x', 'many']]) {
      ask(hot, words, 20 * SAMPLE_EVERY);
    }
    expect(hot.read().keys).toEqual([]);
  });

  test('is forgotten after two windows at the latest', () => {
    const hot = new HotKeys(0, NOON);
    ask(hot, ['GET', 'old'], 20 * SAMPLE_EVERY);
    hot.tick(30_000, NOON + 30_000);
    expect(hot.read(40_000)).toMatchObject({ seconds: 40, keys: [{ key: 'old' }] });
    hot.tick(60_000, NOON + 60_000);
    expect(hot.read(60_001)).toMatchObject({ seconds: 30.001, sampled: 0, keys: [] });
  });

  test('of a whole minute is kept until the next is over, by the time of day', () => {
    const hot = new HotKeys(0, NOON + 45_000);
    expect(hot.lastMinute).toBeNull();
    ask(hot, ['GET', 'first'], 20 * SAMPLE_EVERY);
    for (let second = 1; second < 16; second++) hot.tick(second * 1000, NOON + 45_000 + second * 1000);
    expect(hot.lastMinute).toMatchObject({ minute: NOON / 60_000, seconds: 15, keys: [{ key: 'first' }] });
    ask(hot, ['GET', 'early'], 20 * SAMPLE_EVERY);
    for (let second = 16; second < 75; second++) hot.tick(second * 1000, NOON + 45_000 + second * 1000);
    ask(hot, ['GET', 'late'], 20 * SAMPLE_EVERY);
    expect(hot.lastMinute).toMatchObject({ minute: NOON / 60_000 });
    hot.tick(75_000, NOON + 120_000);
    expect(hot.lastMinute).toMatchObject({ minute: NOON / 60_000 + 1, seconds: 60 });
    expect(hot.lastMinute?.keys.map(({ key }) => key).sort()).toEqual(['early', 'late']);
    for (let second = 76; second < 140; second++) hot.tick(second * 1000, NOON + 45_000 + second * 1000);
    expect(hot.lastMinute).toMatchObject({ minute: NOON / 60_000 + 2, seconds: 60, sampled: 0, keys: [] });
  });
});

test('what workers have seen is one list of rates: those met too seldom to tell are left out', () => {
  const key = (name: string, count: number, over = 0) => ({ key: name, db: 0, count, over });
  const merged = mergeHotKeys(
    [
      { seconds: 10, sampled: 20, keys: [key('a', 10), key('b', 3)] },
      { seconds: 20, sampled: 50, keys: [key('b', 10, 2), key('c', 3), key('d', 9, 6)] },
    ],
    5,
  );
  expect(merged).toMatchObject({ sampleEvery: SAMPLE_EVERY, seconds: 20, sampled: 70 });
  expect(merged.keys).toEqual([
    { key: 'a', db: 0, requestsPerSecond: 256, overPerSecond: 0 },
    { key: 'b', db: 0, requestsPerSecond: 204.8, overPerSecond: 25.6 },
  ]);
  expect(mergeHotKeys([], 5)).toMatchObject({ seconds: 0, keys: [] });
});

test('a minute is what all workers have seen of the newest that is over; who is not as far is missing', () => {
  const seen = (minute: number, name: string) => ({ minute, seconds: 60, sampled: 15, keys: [{ key: name, db: 0, count: 15, over: 0 }] });
  const around = { count: 5, workers: 4, time: 101 * 60_000 + 12_000 };
  const merged = mergeHotMinutes([seen(100, 'a'), seen(99, 'b'), null, seen(100, 'a')], around);
  expect(merged).toMatchObject({ endedSecondsAgo: 12, missing: 2, sampled: 30, keys: [{ key: 'a', requestsPerSecond: 128 }] });
  expect(mergeHotMinutes([null, null], around)).toMatchObject({ endedSecondsAgo: null, missing: 4, sampled: 0, keys: [] });
});
