// The pure parts of bench/, and that it runs: a benchmark that miscounts is worse than none. What is measured here is worth nothing.

import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { asSlot } from '@codis/config/model';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Answers, phaseOf } from '../bench/src/answers.ts';
import { measureSections, SECTIONS } from '../bench/src/bench.ts';
import { Clients, isWhole } from '../bench/src/clients.ts';
import { compareResults, renderComparison } from '../bench/src/differences.ts';
import { type Figure, parseResults, type Results, writeResults } from '../bench/src/figures.ts';
import { GOALS, type Goal, judge } from '../bench/src/goals.ts';
import { keyNames, namesInSlots } from '../bench/src/keys.ts';
import { loadArgs, loadText, parseCsv } from '../bench/src/load.ts';
import { inTurn } from '../bench/src/measure.ts';
import {
  readBenchOptions,
  readCompareOptions,
  readCostOptions,
  readMicroOptions,
  readMoveOptions,
  readProfileOptions,
} from '../bench/src/options.ts';
import { peer } from '../bench/src/peers.ts';
import { migrateRequests } from '../bench/src/primitive.ts';
import { coresOf, cpuNs, onCpuNs, residentBytes } from '../bench/src/process.ts';
import { counterOf, movedOf } from '../bench/src/product.ts';
import { codisBuild } from '../bench/src/proxies.ts';
import { renderReport } from '../bench/src/report.ts';
import type { Scale } from '../bench/src/sections/section.ts';
import { selfTimes } from '../bench/src/self-times.ts';
import { ratios, summarize } from '../bench/src/statistics.ts';
import { renderFacts, renderTable, withSpread } from '../bench/src/table.ts';
import { eventually, scratchDir } from './harness/process.ts';
import { startRedis } from './harness/redis.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('rounds', () => {
  test('are summed up by their median and quartiles', () => {
    expect(summarize([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4 });
    expect(summarize([1, 2])).toEqual({ median: 1.5, low: 1.25, high: 1.75 });
    expect(summarize([7])).toEqual({ median: 7, low: 7, high: 7 });
    expect(() => summarize([])).toThrow('no round was measured');
  });

  test('are compared one by one', () => {
    expect(ratios([2, 9], [1, 3])).toEqual([2, 3]);
    expect(() => ratios([1], [1, 2])).toThrow('only one side');
  });

  test('begin with another subject each time', () => {
    expect([0, 1, 2].map((turn) => inTurn(2, turn))).toEqual([
      [0, 1],
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('redis-benchmark', () => {
  const CSV = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"SET","50773.50","0.509","0.096","0.495","0.711","0.943","1.231"
`;

  test('is told what to do', () => {
    const args = loadArgs({ command: 'GET', pipeline: 16, requests: 1000 });
    expect(args.join(' ')).toBe('-t get -c 50 -d 64 -r 10000 -n 1000 -P 16 --csv');
  });

  test('is told of many keys, of sizes and of databases', () => {
    const mset = { command: 'MSET', pipeline: 1, requests: 10, keysEach: 2, valueBytes: 3, clients: 4, keysCount: 5, db: 6 } as const;
    expect(loadArgs(mset).join(' ')).toBe('-c 4 -d 3 -r 5 -n 10 -P 1 --dbnum 6 --csv MSET key:__rand_int__ xxx key:__rand_int__ xxx');
    expect(loadText({ command: 'MGET', pipeline: 1, requests: 10, keysEach: 100 })).toBe(
      'redis-benchmark -c 50 -d 64 -r 10000 -n 10 -P 1 --csv MGET key:__rand_int__ … (100 keys)',
    );
  });

  test('names a command of many keys by all its words', () => {
    expect(parseCsv(CSV.replace('SET', 'MGET key:__rand_int__ key:__rand_int__'), 'MGET').requestsPerSecond).toBe(50773.5);
  });

  test('is understood', () => {
    expect(parseCsv(`WARNING: Could not fetch server CONFIG\n${CSV}`, 'SET')).toEqual({
      requestsPerSecond: 50773.5,
      p50Ms: 0.495,
      p99Ms: 0.943,
    });
  });

  test.each(['', 'Error from server: ERR no', CSV])('that gave no numbers is an error: %j', (text) => {
    expect(() => parseCsv(text, 'GET')).toThrow('gave no numbers for GET');
  });
});

test('CPU time grows when something is done, and is counted in nanoseconds', () => {
  const before = cpuNs(process.pid);
  const until = process.cpuUsage().user + process.cpuUsage().system + 50_000;
  while (process.cpuUsage().user + process.cpuUsage().system < until) Math.random();
  expect(cpuNs(process.pid) - before).toBeGreaterThan(10_000_000);
  expect(onCpuNs('1553102 0 1\n')).toBe(1_553_102);
  expect(() => onCpuNs('none')).toThrow('not a schedstat');
});

test('memory is counted in bytes', () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(20_000_000);
});

test('cores are counted one by one', () => {
  expect(coresOf('0-1,4,6-7')).toEqual(['0', '1', '4', '6', '7']);
  expect(coresOf('3')).toEqual(['3']);
  expect(() => coresOf('all')).toThrow('not a list of cores: all');
});

test('results are Markdown', () => {
  expect(renderFacts({ node: 'v20', rounds: '9' })).toBe('- node: v20\n- rounds: 9\n');
  expect(renderTable(['command', 'µs'], [['GET', withSpread({ median: 2, low: 1.94, high: 2.06 }, 1)]])).toBe(
    '| command |            µs |\n| ------- | ------------: |\n| GET     | 2.0 (1.9–2.1) |\n',
  );
});

describe('bench:cost', () => {
  test('compares with this checkout unless told otherwise', () => {
    const commands = ['SET', 'GET', 'MSET', 'MGET'];
    expect(readCostOptions(['--before', 'old'])).toEqual({ before: 'old', after: '.', rounds: 21, commands, requests: 20_000, out: null });
    const all = ['--before', 'a', '--after', 'b', '--quick', '--rounds', '3', '--only', 'MGET,SET', '--out', 'c'];
    expect(readCostOptions(all)).toEqual({
      before: 'a',
      after: 'b',
      rounds: 3,
      commands: ['SET', 'MGET'],
      requests: 5_000,
      out: 'c',
    });
  });

  test('explains itself, and says what is wrong', () => {
    expect(readCostOptions(['--help'])).toBeNull();
    expect(() => readCostOptions([])).toThrow('--before names the checkout to compare with');
    expect(() => readCostOptions(['--before', 'old', '--rounds', 'many'])).toThrow('--rounds is a whole number from 1, not many');
    expect(() => readCostOptions(['--before', 'old', '--only', 'DEL'])).toThrow('--only names some of SET GET MSET MGET, not DEL');
    expect(() => readCostOptions(['--nonsense'])).toThrow('nonsense');
  });
});

describe('bench:move', () => {
  test('moves half of a million keys unless told otherwise', () => {
    expect(readMoveOptions([])).toEqual({ keysCount: 1_000_000, rounds: 3, watchMs: 4000, out: null });
    expect(readMoveOptions(['--quick', '--out', 'a'])).toEqual({ keysCount: 50_000, rounds: 1, watchMs: 1000, out: 'a' });
    expect(readMoveOptions(['--keys', '400000', '--rounds', '5'])).toEqual({ keysCount: 400_000, rounds: 5, watchMs: 4000, out: null });
  });

  test('explains itself, and says what is wrong', () => {
    expect(readMoveOptions(['--help'])).toBeNull();
    expect(() => readMoveOptions(['--keys', '10'])).toThrow('--keys is a whole number from 1000, not 10');
    expect(() => readMoveOptions(['--rounds', '1.5'])).toThrow('--rounds is a whole number from 1, not 1.5');
  });

  test('moves the keys of the first slots, about half of them, all in batches', () => {
    const names = keyNames(10_000);
    const moving = namesInSlots(names, asSlot(511));
    expect(moving.length).toBeGreaterThan(4500);
    expect(moving.length).toBeLessThan(5500);
    expect(namesInSlots(names, asSlot(1023))).toEqual(names);
    const requests = migrateRequests(['a', 'bc', 'd'], { to: 7000, batch: 2 }).map(String);
    expect(requests).toEqual([
      '*9\r\n$7\r\nMIGRATE\r\n$9\r\n127.0.0.1\r\n$4\r\n7000\r\n$0\r\n\r\n$1\r\n0\r\n$5\r\n30000\r\n$4\r\nKEYS\r\n$1\r\na\r\n$2\r\nbc\r\n',
      '*8\r\n$7\r\nMIGRATE\r\n$9\r\n127.0.0.1\r\n$4\r\n7000\r\n$0\r\n\r\n$1\r\n0\r\n$5\r\n30000\r\n$4\r\nKEYS\r\n$1\r\nd\r\n',
    ]);
  });

  test.each([
    ['+OK\r\n', true],
    ['$3\r\nabc\r\n', true],
    ['$-1\r\n', true],
    ['$3\r\nabc', false],
    ['$3', false],
    ['', false],
  ])('a client knows whether %j is a whole reply', (reply, whole) => {
    expect(isWhole(Buffer.from(reply))).toBe(whole);
  });

  test('a phase counts what was answered in it', () => {
    const answers = new Answers();
    for (const [index, tookMs] of [1, 2, 3, 9].entries()) answers.add(1000 + index * 100, tookMs);
    expect(answers.phase(1000, 1300)).toEqual({ requestsPerSecond: 10, p50Ms: 2, p99Ms: 2.98, maxMs: 3 });
    expect(() => answers.phase(2000, 3000)).toThrow('no request was answered');
    const spans = [answers.span(1000, 1100), answers.span(1200, 1400)];
    expect(phaseOf(spans)).toEqual({ requestsPerSecond: 10, p50Ms: 3, p99Ms: expect.closeTo(8.88), maxMs: 9 });
    expect([answers.firstSince(0), answers.firstSince(1101), answers.firstSince(1301)]).toEqual([1000, 1200, undefined]);
  });

  test('paced clients that rest ask for nothing, and go on where they are asked to', async () => {
    const redis = await startRedis();
    const clients = new Clients({ port: redis.port, keys: ['a'], clientsCount: 2, rate: 1000 });
    const countAnswers = () => clients.answers.span(0, Infinity).tookMs.length;
    try {
      await clients.start();
      await eventually(() => countAnswers() > 0, { what: 'an answer' });
      // The word that something is due is on its way when they are told to rest.
      for (const untilMs = performance.now() + 20; performance.now() < untilMs; );
      await clients.rest();
      clients.answers.clear();
      await delay(50);
      expect(countAnswers()).toBe(0);
      clients.resume();
      await eventually(() => countAnswers() > 0, { what: 'an answer after the rest' });
      await clients.rest();
    } finally {
      clients.stop();
      await redis.stop();
    }
  });

  test('what went wrong is told to who lets paced clients rest', async () => {
    const redis = await startRedis({ config: { requirepass: 'secret' } });
    const clients = new Clients({ port: redis.port, keys: ['a'], clientsCount: 1, rate: 1000 });
    try {
      await clients.start();
      await eventually(() => clients.answers.firstSince(0) !== undefined, { what: 'an answer' });
      await expect(clients.rest()).rejects.toThrow('a client was answered -NOAUTH');
    } finally {
      expect(() => clients.stop()).toThrow('-NOAUTH');
      await redis.stop();
    }
  });

  test('all answers are counted, however many', () => {
    const answers = new Answers();
    for (let count = 0; count < 200_000; count++) answers.add(count, 1);
    expect(answers.phase(0, 200_000)).toEqual({ requestsPerSecond: 1000, p50Ms: 1, p99Ms: 1, maxMs: 1 });
  });

  test('takes times from a migration that is done, and from no other', () => {
    const view = { state: 'done', createdAt: '1970-01-01T00:00:01.000Z', endedAt: '1970-01-01T00:00:02.500Z' };
    expect(movedOf(JSON.stringify(view))).toEqual({ beganAtMs: 1000, endedAtMs: 2500 });
    expect(() => movedOf(JSON.stringify({ ...view, state: 'cancelled' }))).toThrow('the migration is cancelled');
  });

  test('reads a counter', () => {
    expect(counterOf('# HELP a_total A.\na_total 17\nab_total 3\n', 'a_total')).toBe(17);
    expect(() => counterOf('', 'a_total')).toThrow('there is no a_total');
  });
});

const figure = (subject: string, rounds: readonly number[], more: Partial<Figure> = {}): Figure => ({
  section: 'main',
  load: 'GET, pipeline 1',
  subject,
  measure: 'cpu',
  rounds,
  ...more,
});
const resultsOf = (figures: readonly Figure[], facts: Record<string, string> = { machine: 'M' }): Results => ({
  format: 1,
  facts,
  figures,
  notes: [],
});

describe('bench', () => {
  test('keeps every round, and reads what it wrote', () => {
    const results = resultsOf([figure('Codis', [1.5, 2]), figure('Redis', [3])]);
    expect(parseResults(writeResults(results))).toEqual(results);
    expect(parseResults(writeResults(resultsOf([figure('Codis', [1 / 3])]))).figures[0]?.rounds).toEqual([0.333333]);
  });

  test.each([
    ['{}', 'no results of npm run bench'],
    [JSON.stringify(resultsOf([figure('Codis', [], { measure: 'nonsense' as 'cpu' })])), 'there is no measure nonsense'],
    ['{"format":1,"facts":{},"figures":[{"load":"GET","measure":"cpu","rounds":[null]}]}', 'GET: rounds are no numbers'],
  ])('does not take %s for results', (text, problem) => {
    expect(() => parseResults(text)).toThrow(problem);
  });

  test('judges a ratio round by round', () => {
    const goal: Goal = { section: 'main', load: 'GET, pipeline 1', measure: 'cpu', beside: 'twemproxy', relation: '≤', limit: 1 };
    const met = judge(goal, [figure('Codis', [8, 9, 10]), figure('twemproxy', [10, 10, 20])]);
    expect(met).toMatchObject({ seen: { median: 0.8 }, met: true, clear: true });
    const unclear = judge(goal, [figure('Codis', [8, 9, 20]), figure('twemproxy', [10, 10, 10])]);
    expect(unclear).toMatchObject({ seen: { median: 0.9 }, met: true, clear: false });
    expect(judge(goal, [figure('Codis', [11]), figure('twemproxy', [10])])).toMatchObject({ met: false, clear: true });
    expect(judge(goal, [figure('Codis', [11])])).toBeNull();
    expect(() => judge(goal, [figure('Codis', [1, 2]), figure('twemproxy', [1])])).toThrow('only one side');
  });

  test.each([
    ['≤', 10, true],
    ['<', 10, false],
    ['≥', 10, true],
    ['≤', 11, false],
    ['<', 9, true],
    ['≥', 9, false],
  ] as const)('takes %s 10 for what it says: %j is %j', (relation, value, met) => {
    const goal: Goal = { section: 'main', load: 'GET, pipeline 1', measure: 'cpu', relation, limit: 10 };
    expect(judge(goal, [figure('Codis', [value])])?.met).toBe(met);
  });

  test('has one goal for each thing', () => {
    const names = GOALS.map(({ section, load, measure, beside }) => `${section} ${load} ${measure} ${beside}`);
    expect(new Set(names).size).toBe(names.length);
    const sections = SECTIONS.map(({ id }) => id);
    expect(GOALS.filter(({ section }) => !sections.includes(section))).toEqual([]);
  });

  test('shows goals and figures on one page', () => {
    const results = resultsOf([figure('Codis', [9, 9]), figure('twemproxy', [10, 10]), figure('twemproxy', [1, 1], { measure: 'p99' })]);
    const page = renderReport({ ...results, notes: ['something'] }, { title: 'T', sections: SECTIONS }).replaceAll(/ +/g, ' ');
    expect(page).toContain('# T\n\n- machine: M\n\n- not measured: something\n\n## Goals\n');
    expect(page).toContain('| GET, pipeline 1: CPU, µs/request, Codis / twemproxy | 0.90 (0.90–0.90) | ≤ 0.95 | yes |');
    expect(page).toContain('| GET, pipeline 16: CPU, µs/request, Codis / twemproxy | | ≤ 0.7 | not measured |');
    expect(page).toContain('| GET, pipeline 1 | Codis | 9.00 (9.00–9.00) | | |');
    expect(page).toContain('| GET, pipeline 1 | twemproxy | 10.00 (10.00–10.00) | 1.000 (1.000–1.000) | 0.90 (0.90–0.90) |');
    expect(page).not.toContain('## Growth');
  });

  test('is told which sections, and where to write', () => {
    const ids = ['main', 'clients', 'start'];
    expect(readBenchOptions([], ids)).toEqual({ quick: false, rounds: null, only: ids, out: 'bench/results/bench' });
    expect(readBenchOptions(['--quick'], ids)).toEqual({ quick: true, rounds: null, only: ['main', 'clients'], out: 'data/bench-quick' });
    expect(readBenchOptions(['--only', 'start', '--rounds', '3', '--out', 'a'], ids)).toEqual({
      quick: false,
      rounds: 3,
      only: ['start'],
      out: 'a',
    });
    expect(readBenchOptions(['--help'], ids)).toBeNull();
    expect(() => readBenchOptions(['--only', 'stop'], ids)).toThrow('there is no section stop; there are: main clients start');
    expect(() => readBenchOptions(['--rounds', '0'], ids)).toThrow('--rounds is a whole number from 1, not 0');
    expect(readMicroOptions(['--rounds', '2'])).toEqual({ checkout: '.', isRound: false, rounds: 2, out: null });
    expect(readMicroOptions(['--help'])).toBeNull();
  });

  const TINY: Scale = {
    rounds: 1,
    requests: 1000,
    // A machine that does other things too may stand still for a while.
    watchMs: 1000,
    pacedTurns: 2,
    largeReplyBytes: 1_000_000,
    crowd: [70, 100],
    groups: [1, 2],
    databases: [1, 2],
  };
  /** The load of a goal at that size. */
  const tiny = (load: string) => load.replace('10,000', '100').replace('500 MB', '1 MB');

  /** The peers need not be there. */
  test.each(SECTIONS)('measures $id, and cleans up', { timeout: 120_000 }, async (section) => {
    const dir = scratchDir('bench');
    vi.stubEnv('TMPDIR', dir);
    const subjects = [await codisBuild('Codis', '.'), await peer('Redis')];
    const { figures, notes } = await measureSections({ sections: [section], subjects, scale: TINY });
    expect(notes).toEqual([]);
    expect(new Set(figures.map(({ section: id }) => id))).toEqual(new Set([section.id]));
    const places = figures.map(({ load, subject, measure }) => [load, subject, measure].join(' / '));
    expect(new Set(places).size).toBe(places.length);
    expect(figures.filter(({ rounds }) => rounds.length !== 1)).toEqual([]);
    const cpu = figures.filter(({ measure }) => measure === 'cpu').flatMap(({ rounds }) => rounds);
    expect(cpu.filter((us) => !(us > 0 && us < 1_000_000))).toEqual([]);
    const goals = GOALS.filter((goal) => goal.section === section.id).map((goal) => ({ ...goal, load: tiny(goal.load) }));
    const besideRedis = goals.map((goal) =>
      goal.section === 'workers' || goal.beside === undefined ? goal : { ...goal, beside: 'Redis' },
    );
    expect(besideRedis.filter((goal) => judge(goal, figures) === null)).toEqual([]);
    expect(readdirSync(dir).filter((name) => name.startsWith('codis-bench-'))).toEqual([]);
  });
});

describe('bench:profile', () => {
  test('sums up a profile by where the code is, without what is idle or the profiler itself', () => {
    const frames = [
      ['(idle)', ''],
      ['dispatch', ''],
      ['writeBuffer', ''],
      ['#onReplies', 'file:///anywhere/packages/proxy/dist/worker/backend.js'],
      ['slotOf', 'file:///anywhere/packages/config/dist/model/slot-hash.js'],
      ['send', 'file:///anywhere/packages/proxy/dist/worker/backend.js'],
      ['nextTick', 'node:internal/process/task_queues'],
      ['(garbage collector)', ''],
      ['(program)', ''],
    ] as const;
    const nodes = frames.map(([functionName, url], id) => ({ id, callFrame: { functionName, url } }));
    const times = selfTimes({ nodes, samples: [0, 1, 2, 3, 5, 4, 6, 7, 8], timeDeltas: [900, 800, 70, 30, 31, 50, 40, 20, 10] });
    expect(times).toEqual([
      { where: 'writing to sockets (system calls)', micros: 70 },
      { where: 'proxy worker/backend', micros: 61 },
      { where: 'config model/slot-hash', micros: 50 },
      { where: 'Node: streams, buffers, timers', micros: 40 },
      { where: 'garbage collection', micros: 20 },
      { where: 'C++ of Node and V8', micros: 10 },
    ]);
  });

  test('reads its command line', () => {
    expect(readProfileOptions([])).toEqual({ requests: 200_000, out: null });
    expect(readProfileOptions(['--quick', '--out', 'p.md'])).toEqual({ requests: 5000, out: 'p.md' });
    expect(readProfileOptions(['--help'])).toBeNull();
    expect(() => readProfileOptions(['--rounds', '3'])).toThrow();
  });
});

describe('bench:compare', () => {
  const before = resultsOf([figure('Codis', [10, 11, 12]), figure('Redis', [5, 5, 5]), figure('Codis', [100, 100], { measure: 'rate' })]);

  test('tells a change from noise', () => {
    const after = resultsOf([figure('Codis', [11, 12, 13]), figure('Redis', [6, 6, 6]), figure('Codis', [90, 90], { measure: 'rate' })]);
    expect(compareResults(before, after).differences.map(({ verdict }) => verdict)).toEqual(['same', 'worse', 'worse']);
    expect(compareResults(after, before).differences.map(({ verdict }) => verdict)).toEqual(['same', 'better', 'better']);
    expect(compareResults(before, after).differences[1]?.ratio).toBeCloseTo(1.2);
  });

  test('says what only one of them has', () => {
    const after = resultsOf([figure('Codis', [10]), figure('HAProxy', [10])]);
    expect(compareResults(before, after).missing).toEqual([
      'main, GET, pipeline 1, Redis, CPU, µs/request: only in the first',
      'main, GET, pipeline 1, Codis, requests/s: only in the first',
      'main, GET, pipeline 1, HAProxy, CPU, µs/request: only in the second',
    ]);
  });

  test('warns of another machine, and shows goals of both', () => {
    const peers = (codis: number, machine: string) => resultsOf([figure('Codis', [codis]), figure('twemproxy', [10])], { machine });
    const page = renderComparison(peers(9, 'M'), peers(11, 'N')).replaceAll(/ +/g, ' ');
    expect(page).toContain('- machine: M → N\n');
    expect(page).toContain('The machines differ');
    expect(page).toContain(
      '| GET, pipeline 1: CPU, µs/request, Codis / twemproxy | 0.90 (0.90–0.90) | 1.10 (1.10–1.10) | ≤ 0.95 | yes → NO |',
    );
    expect(page).toContain('| GET, pipeline 1, Codis: CPU, µs/request | 9.00 (9.00–9.00) | 11.00 (11.00–11.00) | 1.222 | worse |');
    expect(renderComparison(before, before)).not.toContain('The machines differ');
  });

  test('takes two files', () => {
    expect(readCompareOptions(['a', 'b'])).toEqual({ before: 'a', after: 'b' });
    expect(readCompareOptions(['--help'])).toBeNull();
    expect(() => readCompareOptions(['a'])).toThrow('two files are compared');
    expect(() => readCompareOptions(['a', 'b', 'c'])).toThrow('two files are compared');
  });
});
