// What a plan says of its cost: surveys of real servers, and the words for what was found.

import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../../test/harness/redis.ts';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  assignSlots,
  emptyTopology,
  fenceKey,
  type Migration,
  type PlannedMove,
  SLOT_COUNT,
  slotOf,
} from '../../src/model/index.ts';
import { costsOf, estimateMoves, estimatePlan, type Surveys } from '../../src/operations/estimate.ts';
import { type Survey, surveyServer } from '../../src/operations/survey.ts';

const options = { password: '', product: 'test', budgetMs: 60_000 };
const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

describe('a survey', () => {
  test('counts the keys of each slot in every database, without the fence marker', async () => {
    const redis = await startRedis();
    await redis.client().set(fenceKey('test'), '7');
    await redis.client().mset({ a: '1', '{a}b': '2', c: '3' });
    await redis.client({ db: 3 }).set('a', '4');
    const survey = await surveyServer(asServerAddr(redis.addr), options);
    const slot = slotOf(Buffer.from('a'));
    expect(survey).toMatchObject({ complete: true, seenCount: 4, measuredCount: 4 });
    expect(survey.keysBySlot[slot]).toBe(3);
    expect(sumOf(survey.keysBySlot)).toBe(4);
    expect(survey.biggestBySlot.get(slot)).toMatchObject({ slot, bytes: expect.any(Number) });
  });

  test('whose time is up takes the rest to be like what it saw', async () => {
    const redis = await startRedis();
    const client = redis.client();
    await Promise.all(Array.from({ length: 20_000 }, (_, number) => client.set(`key:${number}`, 'x'.repeat(100))));
    const survey = await surveyServer(asServerAddr(redis.addr), { ...options, budgetMs: 0 });
    expect(survey.complete).toBe(false);
    expect(survey.seenCount).toBeGreaterThan(0);
    expect(survey.seenCount).toBeLessThan(10_000);
    expect(Math.abs(sumOf(survey.keysBySlot) - 20_000)).toBeLessThan(2000);
    expect(sumOf(survey.bytesBySlot!)).toBeGreaterThan(20_000 * 100 * 0.8);
  });

  test('of a large server measures a sample, and finds what the whole weighs', async () => {
    const redis = await startRedis();
    await redis.client().eval("for i = 1, 100000 do redis.call('SET', 'key:' .. i, string.rep('x', 200)) end", 0);
    const survey = await surveyServer(asServerAddr(redis.addr), options);
    const each = Number(await redis.client().memory('USAGE', 'key:7'));
    expect(survey.measuredCount).toBeLessThanOrEqual(20_000);
    expect(sumOf(survey.keysBySlot)).toBe(100_000);
    expect(Math.abs(sumOf(survey.bytesBySlot!) / (100_000 * each) - 1)).toBeLessThan(0.05);
  });

  test('that rests takes no more than half of the server’s time, and finds the same', async () => {
    const redis = await startRedis();
    await redis.client().eval("for i = 1, 100000 do redis.call('SET', 'key:' .. i, string.rep('x', 200)) end", 0);
    const from = performance.now();
    const { seenCount, complete, busyMs } = await surveyServer(asServerAddr(redis.addr), { ...options, rests: true });
    const took = performance.now() - from;
    expect({ seenCount, complete }).toEqual({ seenCount: 100_000, complete: true });
    expect(busyMs).toBeGreaterThan(50);
    expect(took).toBeGreaterThan(1.8 * busyMs);
  });

  test('of a server that is not there fails in words', async () => {
    await expect(surveyServer(asServerAddr('127.0.0.1:1'), options)).rejects.toMatchObject({ code: 'CODIS_E_SERVER_UNREACHABLE' });
  });
});

const [ONE, TWO] = [asGroupId(1), asGroupId(2)];
const MIB = 1024 * 1024;
const move: PlannedMove = { first: asSlot(0), last: asSlot(9), from: ONE, to: TWO };
const topology = assignSlots(
  [ONE, TWO].reduce((before, group) => addServer(before, { group, addr: asServerAddr(`host${group}:1`), role: 'master' }), emptyTopology()),
  { first: asSlot(0), last: asSlot(9), owner: ONE },
);

function surveyed(over: Partial<Survey> = {}, server: Partial<Survey['probe']> = {}): Survey {
  const probe = {
    addr: asServerAddr('host:1'),
    version: '7.0.15',
    runId: 'r',
    role: 'master' as const,
    master: null,
    replicasCount: 0,
    heardAgo: new Map(),
    replicationId: 'x',
    offset: 0,
    databases: [],
    keysCount: 0,
    usedMemoryBytes: MIB,
    maxMemoryBytes: 0,
    opsPerSecond: 0,
    uptimeSeconds: 0,
    clockMs: null,
    ...server,
  };
  const none = new Array<number>(SLOT_COUNT).fill(0);
  return {
    probe,
    keysBySlot: none,
    bytesBySlot: none,
    biggestBySlot: new Map(),
    seenCount: 0,
    measuredCount: 0,
    busyMs: 0,
    complete: true,
    ...over,
  };
}

function estimate(source: Survey, target: Survey | string, running: readonly Migration[] = []) {
  const surveys: Surveys = {
    found: new Map([[ONE, source], ...(typeof target === 'string' ? [] : [[TWO, target] as const])]),
    failed: new Map(typeof target === 'string' ? [[TWO, target]] : []),
  };
  return estimatePlan({ topology, moves: estimateMoves({ moves: [move], surveys }), surveys, running });
}

const holding = (keysEach: number, bytesEach: number): Partial<Survey> => ({
  keysBySlot: Array.from({ length: SLOT_COUNT }, (_, slot) => (slot < 10 ? keysEach : 0)),
  bytesBySlot: Array.from({ length: SLOT_COUNT }, (_, slot) => (slot < 10 ? bytesEach : 0)),
});

describe('an estimate', () => {
  const none = expect.stringContaining('has no replica');

  test('adds up what moves, and reckons with the slower of keys and bytes', () => {
    expect(estimate(surveyed(holding(10_000, 1000)), surveyed())).toMatchObject({ keysCount: 100_000, bytes: 10_000, durationMs: 2000 });
    expect(estimate(surveyed(holding(1, 50_000_000)), surveyed())).toMatchObject({ keysCount: 10, durationMs: 5000 });
  });

  test('takes away from the source what it adds to the target', () => {
    const { groups } = estimate(surveyed(holding(1, 1000)), surveyed());
    expect(groups).toMatchObject([
      { group: 1, slotsBefore: 10, slotsAfter: 0, memoryBytes: MIB, memoryAfterBytes: MIB - 10_000 },
      { group: 2, slotsBefore: 0, slotsAfter: 10, memoryAfterBytes: MIB + 10_000 },
    ]);
  });

  test.each([
    [
      'an older Redis at the target',
      surveyed(),
      surveyed({}, { version: '6.2.14' }),
      /group 2 runs Redis 6\.2\.14, older than the 7\.0\.15 of group 1/,
    ],
    ['an older first number', surveyed({}, { version: '10.0.1' }), surveyed({}, { version: '9.4.0' }), /group 2 runs Redis 9\.4\.0/],
    ['memory above 80 %', surveyed(holding(1, MIB)), surveyed({}, { maxMemoryBytes: 13 * MIB }), /group 2 would use 85 % of its maxmemory/],
    ['memory that is not there', surveyed(holding(1, MIB)), surveyed({}, { maxMemoryBytes: 5 * MIB }), /does not fit/],
    ['a target that is a replica', surveyed(), surveyed({}, { role: 'replica' }), /the master of group 2, is a replica/],
    ['a target that is down', surveyed(), 'it is away', /the master of group 2 can't be asked: it is away/],
    ['leftovers', surveyed(), surveyed(holding(3, 10)), /holds 30 keys of slots it does not own/],
    ['a target looked through in part', surveyed(), surveyed({ complete: false }), /group 2 was looked through in part for leftovers/],
    [
      'a large key',
      surveyed({ ...holding(1, MIB), biggestBySlot: new Map([[3, { key: '"big"', slot: asSlot(3), db: 0, bytes: 20 * MIB }]]) }),
      surveyed(),
      /the key "big" of slot 3 has about 20\.0 MiB/,
    ],
  ])('warns of %s', (_, source, target, words) => {
    expect(estimate(source, target).warnings).toContainEqual(expect.stringMatching(words));
  });

  test('warns of nothing else when all is well', () => {
    expect(estimate(surveyed(holding(5, 100)), surveyed({}, { version: '7.0.9', maxMemoryBytes: 100 * MIB })).warnings).toEqual([none]);
  });

  test('says when keys were not all looked at', () => {
    const { basis } = estimate(surveyed({ complete: false, seenCount: 5 }, { keysCount: 99 }), surveyed());
    expect(basis[0]).toMatch(/^keys of group 1: 5 of about 99 were looked at in 10 s, the others are taken to be like them/);
  });

  test('of bytes that a server does not tell is not known, and nothing is balanced by them', () => {
    const surveys = { found: new Map([[ONE, surveyed({ bytesBySlot: null })]]), failed: new Map() };
    expect(estimateMoves({ moves: [move], surveys })).toMatchObject([{ keysCount: 0, bytes: null }]);
    expect(() => costsOf(topology, surveys, 'memory')).toThrow(/MEMORY USAGE is refused/);
    expect(costsOf(topology, surveys, 'keys')).toHaveLength(SLOT_COUNT);
    expect(costsOf(topology, surveys, 'slots')).toBeUndefined();
  });
});
