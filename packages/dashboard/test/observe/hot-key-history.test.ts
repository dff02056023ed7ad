// Goal: of six hours one can ask which keys were hot in a minute; and where that is not known, why not, never that there were none.
// Method: minutes are told as proxies tell them, with the time given.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { asGroupId, asServerAddr, emptyTopology, slotOf, type Topology } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { HotKeyHistory, KEYS_PER_MINUTE, MINUTES } from '../../src/observe/hot-key-history.ts';
import type { HotKeysReading, HotKeysTold } from '../../src/observe/hot-keys.ts';

const MINUTE_MS = 60_000;
const FIRST = 29_453_760;
const BEGUN_MS = FIRST * MINUTE_MS + 20_000;
/** Hostile, and not of slot 0. */
const HOSTILE = '<img src=x>\u0000\u00ff"';
const SLOT = slotOf(Buffer.from(HOSTILE, 'latin1'));

const hot = (key: string, requestsPerSecond: number, overPerSecond = 0, db = 0) => ({ key, db, requestsPerSecond, overPerSecond });
const reading = (keys: HotKeysReading['keys'], over: Partial<HotKeysReading> = {}): HotKeysReading => ({
  sampleEvery: 256,
  seconds: 60,
  sampled: 100,
  keyBytesMax: 1024,
  missing: 0,
  keys,
  ...over,
});
const ownedBy = (group: number): Topology => ({
  ...emptyTopology(),
  slots: emptyTopology().slots.map((state, slot) => (slot === SLOT ? { kind: 'online', owner: asGroupId(group) } : state)),
  groups: [{ id: asGroupId(group), servers: [{ addr: asServerAddr('m:1'), role: 'master' }] }],
});

/** When the proxies are asked for a minute. */
const askedMs = (minute: number) => (minute + 1) * MINUTE_MS + 10_000;

function begun(): HotKeyHistory {
  const history = new HotKeyHistory();
  history.begin(BEGUN_MS);
  return history;
}

function tell(history: HotKeyHistory, minute: number, told: HotKeysTold, topology = ownedBy(3)): void {
  history.add(minute, { told, topology, nowMs: askedMs(minute) });
}

const look = (
  history: HotKeyHistory,
  minute: number,
  { now = FIRST + 2, limit = 10, slot }: { now?: number; limit?: number; slot?: number } = {},
) => history.view({ atMs: minute * MINUTE_MS + 59_999, nowMs: now * MINUTE_MS + 30_000, slot, limit });

describe('a minute that was told', () => {
  test('has the keys of all proxies together, with the group of that time and no name that steers', () => {
    const history = begun();
    tell(
      history,
      FIRST,
      new Map([
        ['p1', reading([hot(HOSTILE, 100, 5), hot('b', 90)])],
        ['p2', reading([hot(HOSTILE, 100.25, 5), hot('b', 9, 0, 2)])],
      ]),
    );
    tell(history, FIRST + 1, new Map([['p1', reading([])]]), ownedBy(4));
    expect(look(history, FIRST)).toEqual({
      at: new Date(askedMs(FIRST)).toISOString(),
      minute: { from: new Date(FIRST * MINUTE_MS).toISOString(), state: 'kept' },
      sampleEvery: 256,
      windowSeconds: 60,
      sampledCount: 200,
      keys: [
        { key: '"<img src=x>\\u0000\\u00ff\\""', slot: SLOT, group: 3, db: 0, opsPerSecond: 200.3, overPerSecond: 10 },
        { key: '"b"', slot: slotOf(Buffer.from('b')), group: null, db: 0, opsPerSecond: 90, overPerSecond: 0 },
        { key: '"b"', slot: slotOf(Buffer.from('b')), group: null, db: 2, opsPerSecond: 9, overPerSecond: 0 },
      ],
      basis: ['p1', 'p2'].map(
        (id) => `proxy ${id}: one of 256 requests was looked at, over 60 s; 100 keys were met; names of more than 1024 bytes are left out`,
      ),
    });
  });

  test('is told by slot, and says when no key of it stood out', () => {
    const history = begun();
    tell(history, FIRST, new Map([['p1', reading([hot('b', 90), hot(HOSTILE, 5), hot(HOSTILE, 4, 0, 1)])]]));
    expect(look(history, FIRST, { slot: SLOT }).keys.map(({ slot, db }) => ({ slot, db }))).toEqual([
      { slot: SLOT, db: 0 },
      { slot: SLOT, db: 1 },
    ]);
    expect(look(history, FIRST, { slot: SLOT, limit: 1 }).keys).toHaveLength(1);
    const other = (SLOT + 1) % 1024;
    expect(look(history, FIRST, { slot: other })).toMatchObject({ minute: { state: 'kept' }, keys: [], sampledCount: 100 });
    expect(look(history, FIRST, { slot: other }).basis[0]).toBe(`no key of slot ${other} stood out in that minute`);
    tell(history, FIRST + 1, new Map([['p1', reading([])]]));
    expect(look(history, FIRST + 1).basis[0]).toBe('no key stood out in that minute');
  });

  test('names the proxies that did not tell, and workers that did not', () => {
    const history = begun();
    tell(
      history,
      FIRST,
      new Map<string, HotKeysReading | string>([
        ['p1', reading([hot('b', 9)], { missing: 1 })],
        ['p2', 'it has no session'],
      ]),
    );
    expect(look(history, FIRST)).toMatchObject({ minute: { state: 'kept' }, keys: [{ key: '"b"' }], windowSeconds: 60 });
    expect(look(history, FIRST).basis).toEqual([
      expect.stringMatching(/^proxy p1: .*; 1 of its workers did not answer$/),
      'proxy p2 could not be asked for hot keys: it has no session',
    ]);
  });
});

describe('a minute that is not known says why', () => {
  const why = (history: HotKeyHistory, minute: number, now?: number) => {
    const {
      keys,
      sampleEvery,
      windowSeconds,
      sampledCount,
      minute: about,
      basis,
    } = look(history, minute, now === undefined ? {} : { now });
    expect({ keys, sampleEvery, windowSeconds, sampledCount }).toEqual({
      keys: [],
      sampleEvery: null,
      windowSeconds: null,
      sampledCount: 0,
    });
    return [about?.state, ...basis];
  };

  test('it is not over, or only just', () => {
    const sentence = 'that minute is not over, or only just: proxies are asked 10 s after it';
    expect(why(begun(), FIRST + 2, FIRST + 2)).toEqual(['pending', sentence]);
    const just = begun().view({ atMs: FIRST * MINUTE_MS, nowMs: askedMs(FIRST) + 4000, limit: 1 });
    expect(just).toMatchObject({ minute: { state: 'pending' }, basis: [sentence] });
    expect(begun().view({ atMs: FIRST * MINUTE_MS, nowMs: askedMs(FIRST) + 6000, limit: 1 })).toMatchObject({
      minute: { state: 'unanswered' },
    });
  });

  test('this dashboard did not run then, or keeps none at all', () => {
    expect(why(begun(), FIRST - 1)).toEqual(['before', `this dashboard did not run then: it began at ${new Date(BEGUN_MS).toISOString()}`]);
    expect(why(new HotKeyHistory(), FIRST + 2)).toEqual(['before', 'minutes are kept by a dashboard that runs, which this is not']);
  });

  test('it is older than what is kept, also when this dashboard did not run then', () => {
    const history = begun();
    for (let minute = FIRST; minute < FIRST + MINUTES + 1; minute++) tell(history, minute, new Map([['p1', reading([hot('b', 9)])]]));
    const now = FIRST + MINUTES + 1;
    expect(look(history, FIRST + 1, { now })).toMatchObject({ minute: { state: 'kept' }, keys: [{ key: '"b"' }] });
    for (const minute of [FIRST, FIRST - 1])
      expect(why(history, minute, now)).toEqual(['older', 'that minute is older than what is kept, which is 6 hours']);
  });

  test('no proxy told of it, each with its reason, or there was none', () => {
    const history = begun();
    tell(history, FIRST, new Map([['p1', 'it has no session']]));
    expect(why(history, FIRST)).toEqual([
      'unanswered',
      'no proxy has told of that minute',
      'proxy p1 could not be asked for hot keys: it has no session',
    ]);
    tell(history, FIRST + 1, new Map());
    expect(why(history, FIRST + 1)).toEqual(['unanswered', 'no proxy has told of that minute', 'no proxy was registered']);
  });

  test('the dashboard could not ask, or slept', () => {
    const history = begun();
    history.failed(FIRST, { trouble: 'the coordinator is away', nowMs: askedMs(FIRST) });
    expect(why(history, FIRST)).toEqual([
      'unanswered',
      'no proxy has told of that minute',
      'the proxies could not be asked: the coordinator is away',
    ]);
    expect(why(history, FIRST + 1, FIRST + 3)).toEqual(['unanswered', 'no proxy has told of that minute']);
  });
});

describe('what is kept', () => {
  const many = (count: number, bytes = 1000) =>
    Array.from({ length: count }, (_, index) => hot(`${'x'.repeat(bytes)}${index}`, count - index));

  test('are so many keys of a minute, the hottest, and it says how many more there were', () => {
    const history = begun();
    tell(history, FIRST, new Map([['p1', reading(many(KEYS_PER_MINUTE))]]));
    tell(history, FIRST + 1, new Map([['p1', reading(many(KEYS_PER_MINUTE + 7))]]));
    expect(look(history, FIRST, { limit: 1000 }).keys).toHaveLength(KEYS_PER_MINUTE);
    expect(look(history, FIRST).basis).toHaveLength(1);
    const { keys, basis } = look(history, FIRST + 1, { limit: 1000 });
    expect(keys).toHaveLength(KEYS_PER_MINUTE);
    expect(keys.at(-1)?.opsPerSecond).toBe(8);
    expect(basis.at(-1)).toBe('the 128 hottest keys of a minute are kept; 7 more stood out in that one');
    // Of a name no more than is shown: what else it had is only counted.
    expect(keys[0]?.key).toBe(`"${'x'.repeat(200)}…" (1001 bytes)`);
  });

  test('takes some 16 MB at most, whatever the keys are called', () => {
    const history = begun();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const measured = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = measured();
    for (let minute = FIRST; minute < FIRST + MINUTES + 20; minute++)
      tell(history, minute, new Map([['p1', reading(many(2 * KEYS_PER_MINUTE, 250))]]));
    const taken = measured() - before;
    expect(look(history, FIRST + MINUTES + 19, { now: FIRST + MINUTES + 20 }).keys).toHaveLength(10);
    expect(taken).toBeGreaterThan(5_000_000);
    expect(taken).toBeLessThan(24_000_000);
  });

  test('is of one day only: what a clock that is set back leaves in the future is forgotten', () => {
    const history = begun();
    for (const minute of [FIRST, FIRST + 1, FIRST + 2]) tell(history, minute, new Map([['p1', reading([hot(`of ${minute}`, 9)])]]));
    tell(history, FIRST + 1, new Map([['p1', reading([hot('again', 9)])]]));
    expect(look(history, FIRST)).toMatchObject({ keys: [{ key: `"of ${FIRST}"` }] });
    expect(look(history, FIRST + 1)).toMatchObject({ keys: [{ key: '"again"' }] });
    expect(look(history, FIRST + 2)).toMatchObject({ minute: { state: 'pending' }, keys: [] });
  });
});
