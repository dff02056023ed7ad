// The small pure parts of a controller: pace, back-off, absences, sleeping.

import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { backOffAfter } from '../../src/migration/back-off.ts';
import { Budget } from '../../src/migration/budget.ts';
import { isAtLimit, keysAhead, type Rate, rateAfter, secondsLeftOf } from '../../src/migration/lane-progress.ts';
import { Lanes } from '../../src/migration/lanes.ts';
import { observeAbsences, sortAbsences } from '../../src/migration/lost-proxies.ts';
import { Overlap } from '../../src/migration/overlap.ts';
import { batchLimits, FIRST_PACE, type Pace, paceAfter, paceAfterFailure } from '../../src/migration/pace.ts';
import { explained, isServerTrouble, serverTrouble } from '../../src/migration/server-trouble.ts';
import { PROGRESSED } from '../../src/migration/turn.ts';
import { Wakeup } from '../../src/migration/wakeup.ts';
import { asGroupId, asMigrationId, asProxyId, CodisError, type ProxyView, UNTHROTTLED } from '../../src/model/index.ts';

describe('pace', () => {
  const pace = { keysCount: 100, timeoutMs: 250 };
  const after = (from: Pace, took: { keysCount: number; tookMs: number }) => paceAfter(from, { ...took, blockMsMax: null });

  test('quick full batches grow, up to what one MIGRATE takes', () => {
    expect(after(pace, { keysCount: 100, tookMs: 1 }).keysCount).toBe(200);
    expect(after({ ...pace, keysCount: 1600 }, { keysCount: 1600, tookMs: 1 }).keysCount).toBe(2000);
  });

  test('a quick small batch says nothing of a large one', () => {
    expect(after(pace, { keysCount: 99, tookMs: 1 }).keysCount).toBe(100);
  });

  test('batches of a fitting time keep their size', () => {
    expect(after(pace, { keysCount: 100, tookMs: 5 })).toEqual(pace);
    expect(after(pace, { keysCount: 100, tookMs: 10 })).toEqual(pace);
  });

  test('slow batches shrink in proportion, to one key at least', () => {
    expect(after(pace, { keysCount: 100, tookMs: 40 }).keysCount).toBe(25);
    expect(after(pace, { keysCount: 2, tookMs: 5000 }).keysCount).toBe(1);
  });

  test('after failures there are fewer keys, then more patience, and success ends that', () => {
    let next = FIRST_PACE;
    for (let n = 0; n < 20; n++) next = paceAfterFailure(next);
    expect(next).toEqual({ keysCount: 1, timeoutMs: 30_000 });
    expect(paceAfterFailure(pace)).toEqual({ keysCount: 12, timeoutMs: 250 });
    expect(after(next, { keysCount: 1, tookMs: 1 })).toEqual({ keysCount: 2, timeoutMs: 250 });
  });

  test('a budget for the time that a batch blocks holds for the size of batches', () => {
    expect(paceAfter(pace, { keysCount: 100, tookMs: 5, blockMsMax: 2 }).keysCount).toBe(40);
    expect(paceAfter(pace, { keysCount: 100, tookMs: 1.5, blockMsMax: 2 })).toEqual(pace);
  });

  test('what is throttled goes in small steps, of one key at least', () => {
    const throttle = { ...UNTHROTTLED, keysPerSecond: 200, bytesPerSecond: 1_000_000 };
    expect(batchLimits(pace, throttle, true)).toEqual({ keysCount: 20, bytesCount: 100_000 });
    expect(batchLimits(pace, { ...throttle, keysPerSecond: 1, bytesPerSecond: 1 }, true)).toEqual({ keysCount: 1, bytesCount: 16_384 });
    expect(batchLimits(pace, UNTHROTTLED, true)).toEqual({ keysCount: 100, bytesCount: 1_048_576 });
    expect(batchLimits({ ...pace, keysCount: 2000 }, UNTHROTTLED, true).keysCount).toBe(2000);
    expect(batchLimits({ ...pace, keysCount: 2000 }, UNTHROTTLED, false).keysCount).toBe(128);
  });
});

describe('what is ahead of a pass', () => {
  const looked = { keysCount: 100_000, slotsShare: 0.5, scanned: 0, found: 0, firstPass: true };

  test('is at first told by the share of slots, then by what was found so far, and nothing once a pass has ended', () => {
    expect(keysAhead(looked)).toBe(50_000);
    expect(keysAhead({ ...looked, scanned: 20_000, found: 18_000 })).toBe(72_000);
    expect(keysAhead({ ...looked, scanned: 120_000, found: 60_000 })).toBe(0);
    expect(keysAhead({ ...looked, scanned: 150_000, found: 60_000, firstPass: false })).toBe(0);
  });
});

describe('the rate of a source', () => {
  const after = (rate: Rate, keysCount: number, seconds: number) => rateAfter(rate, { keysCount, nowMs: rate.atMs + seconds * 1000 });
  const none = { keysPerSecond: 0, seconds: 0, atMs: 0 };

  test('is at first that of all the time there was, however it is cut', () => {
    const rate = after(after(after(none, 300, 1), 90, 0.1), 10, 0.9);
    expect(rate.keysPerSecond).toBeCloseTo(200);
    expect(after(rate, 100, 0).keysPerSecond).toBeCloseTo(250, 0);
  });

  test('follows a change within some ten seconds, and a long silence at once', () => {
    let rate = after(none, 100_000, 100);
    expect(rate.keysPerSecond).toBeCloseTo(1000);
    for (let second = 0; second < 30; second++) rate = after(rate, 100, 1);
    expect(rate.keysPerSecond).toBeLessThan(150);
    expect(after(rate, 1, 1000).keysPerSecond).toBeCloseTo(0.001);
  });
});

describe('the time that is left', () => {
  const source = (keysLeft: number, keysPerSecond: number) => ({ keysLeft, rate: { keysPerSecond, seconds: 10, atMs: 0 } });
  const free = { isLimited: false };

  test('is that of the slowest source, for they go side by side', () => {
    expect(secondsLeftOf([source(9000, 1000)], free)).toBe(9);
    expect(secondsLeftOf([source(90_000, 1000), source(1000, 9000)], free)).toBe(90);
    expect(secondsLeftOf([source(0, 9000), source(1500, 1000)], free)).toBe(2);
  });

  test('is that of the whole where they share a limit', () => {
    expect(secondsLeftOf([source(9000, 500), source(1000, 500)], { isLimited: true })).toBe(10);
  });

  test('is nothing when nothing is left, and not known without a source or of one that stands still', () => {
    expect(secondsLeftOf([source(0, 0)], free)).toBe(0);
    expect(secondsLeftOf([source(0, 0)], { isLimited: true })).toBe(0);
    expect(secondsLeftOf([], free)).toBeNull();
    expect(secondsLeftOf([source(100, 100), source(100, 0)], free)).toBeNull();
  });

  test('knows that a limit is what keeps keys back when they go about as fast as it lets them', () => {
    const limited = { ...UNTHROTTLED, keysPerSecond: 1000, bytesPerSecond: 50_000 };
    expect(isAtLimit(limited, { keysPerSecond: 900, bytesPerKey: 1 })).toBe(true);
    expect(isAtLimit(limited, { keysPerSecond: 500, bytesPerKey: 10 })).toBe(false);
    expect(isAtLimit(limited, { keysPerSecond: 500, bytesPerKey: 100 })).toBe(true);
    expect(isAtLimit(UNTHROTTLED, { keysPerSecond: 1e6, bytesPerKey: 100 })).toBe(false);
  });
});

describe('lanes', () => {
  const lane = { migration: asMigrationId(1), from: asGroupId(1), to: asGroupId(2) };

  test('know what has ended since the world was read, for the world may not show it', async () => {
    const lanes = new Lanes(() => undefined);
    lanes.start(lane, async () => PROGRESSED);
    expect([lanes.find(() => true), lanes.hasEnded(lane)]).toEqual([lane, false]);
    await lanes.end();
    expect([lanes.find(() => true), lanes.hasEnded(lane), lanes.hasEnded({ ...lane, to: asGroupId(3) })]).toEqual([null, true, false]);
    lanes.forgetEnded();
    expect(lanes.hasEnded(lane)).toBe(false);
  });
});

describe('a budget', () => {
  const never = new AbortController().signal;

  test('lets through what has no limit, and holds back what owes', async () => {
    const budget = new Budget();
    budget.spend({ keysCount: 1e9, bytesCount: 1e12 });
    await budget.wait(never);
    budget.throttle = { ...UNTHROTTLED, keysPerSecond: 1000 };
    budget.spend({ keysCount: 150, bytesCount: 0 });
    const from = performance.now();
    await budget.wait(never);
    expect(performance.now() - from).toBeGreaterThan(140);
  });

  test('a limit that is taken away holds nobody any more, and one that is changed holds at once', async () => {
    const budget = new Budget();
    budget.throttle = { ...UNTHROTTLED, bytesPerSecond: 1 };
    budget.spend({ keysCount: 1, bytesCount: 1_000_000 });
    const waiting = budget.wait(never);
    budget.throttle = UNTHROTTLED;
    await waiting;
  });

  test('a pause that is made shorter ends by the new one', async () => {
    const budget = new Budget();
    budget.throttle = { ...UNTHROTTLED, delayMs: 60_000 };
    const waiting = budget.wait(never);
    budget.throttle = UNTHROTTLED;
    await waiting;
  });

  test('ends waiting when it is told to', async () => {
    const budget = new Budget();
    const stop = new AbortController();
    budget.throttle = { ...UNTHROTTLED, keysPerSecond: 1 };
    budget.spend({ keysCount: 1000, bytesCount: 0 });
    const waiting = budget.wait(stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
  });
});

test('each failure is left alone for twice as long, up to a bound', () => {
  const first = backOffAfter(undefined, { nowMs: 1000, reason: 'a' });
  expect(first).toEqual({ failures: 1, untilMs: 1500, reason: 'a' });
  const second = backOffAfter(first, { nowMs: 2000, reason: 'b' });
  expect(second).toEqual({ failures: 2, untilMs: 3000, reason: 'b' });
  expect(backOffAfter({ ...second, failures: 100 }, { nowMs: 0, reason: 'c' }).untilMs).toBe(10_000);
});

describe('absences', () => {
  const [a, b] = [asProxyId('a'), asProxyId('b')];
  const view = (id: typeof a, live: boolean) => ({ id, live: live ? {} : null }) as ProxyView;

  test('begin when a proxy is first seen without a session, and end when it is back or deregistered', () => {
    const first = observeAbsences(new Map(), [view(a, false), view(b, true)], 100);
    const second = observeAbsences(first, [view(a, false), view(b, false)], 150);
    expect([...second]).toEqual([
      [a, 100],
      [b, 150],
    ]);
    expect([...observeAbsences(second, [view(a, true)], 200)]).toEqual([]);
  });

  test('make a proxy lost once they have lasted', () => {
    const absences = new Map([
      [a, 100],
      [b, 101],
    ]);
    expect(sortAbsences(absences, { nowMs: 1100, timeoutMs: 1000 })).toEqual({ lost: [a], doubtful: [b] });
  });
});

describe('trouble', () => {
  const reply = Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' });
  const broken = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

  test('an error reply and a server that can’t be reached are a server’s, a bug and the coordinator’s are not', () => {
    expect(isServerTrouble(reply)).toBe(true);
    expect(isServerTrouble(explained('a:1', broken))).toBe(true);
    expect(isServerTrouble(new CodisError('CODIS_E_COORDINATOR_LOST', 'gone'))).toBe(false);
    expect(isServerTrouble(new TypeError('a bug'))).toBe(false);
    expect(explained('a:1', new TypeError('a bug'))).toBeInstanceOf(TypeError);
  });

  test('it is told with the name of the server, and what is not a server’s is thrown on', () => {
    expect(serverTrouble('a:1', reply)).toBe('a:1 answered: OOM command not allowed');
    expect(serverTrouble('a:1', explained('a:1', broken))).toBe('a:1 stopped answering: connect ECONNREFUSED');
    expect(() => serverTrouble('a:1', new TypeError('a bug'))).toThrow(TypeError);
  });
});

describe('a sleeper', () => {
  const never = new AbortController().signal;
  const LONG_MS = 60_000;

  test('is woken by a poke, also by one that came before it slept', async () => {
    const wakeup = new Wakeup();
    const sleeping = wakeup.sleep(LONG_MS, never);
    wakeup.poke();
    await sleeping;
    wakeup.poke();
    wakeup.poke();
    await wakeup.sleep(LONG_MS, never);
  });

  test('wakes by itself, once per poke', async () => {
    const wakeup = new Wakeup();
    wakeup.poke();
    await wakeup.sleep(LONG_MS, never);
    await wakeup.sleep(1, never);
  });

  test('is woken when its signal is aborted, before or meanwhile', async () => {
    const wakeup = new Wakeup();
    const stop = new AbortController();
    const sleeping = wakeup.sleep(LONG_MS, stop.signal);
    stop.abort();
    await sleeping;
    await wakeup.sleep(LONG_MS, stop.signal);
  });
});

describe('work that overlaps', () => {
  /** Pieces that end when they are told to. */
  function pieces() {
    const ends: { done: () => void; fail: (error: Error) => void }[] = [];
    const piece = () => new Promise<void>((done, fail) => void ends.push({ done, fail }));
    return { ends, piece };
  }

  test('is at most so many pieces at a time, and waits for the oldest', async () => {
    const { ends, piece } = pieces();
    const work = new Overlap(3);
    await work.begin(piece);
    await work.begin(piece);
    const third = work.begin(piece);
    await expect(Promise.race([third, setImmediate('waits')])).resolves.toBe('waits');
    expect(ends).toHaveLength(3);
    ends[0]!.done();
    await third;
    const over = work.end();
    ends[2]!.done();
    await expect(Promise.race([over, setImmediate('waits')])).resolves.toBe('waits');
    ends[1]!.done();
    await over;
  });

  test('throws what a piece threw, and settles when all have ended, however', async () => {
    const { ends, piece } = pieces();
    const work = new Overlap(3);
    await work.begin(piece);
    await work.begin(piece);
    ends[0]!.fail(new Error('the first'));
    await expect(work.begin(piece)).rejects.toThrow('the first');
    const settled = work.settle();
    await expect(Promise.race([settled, setImmediate('waits')])).resolves.toBe('waits');
    ends[1]!.fail(new Error('another'));
    ends[2]!.done();
    await settled;
  });
});
