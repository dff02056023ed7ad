// The pure parts of bench/: a benchmark that miscounts is worse than none. Nothing is measured here.

import { asSlot } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { isWhole, phaseOf } from '../bench/src/clients.ts';
import { keyNames, namesInSlots } from '../bench/src/keys.ts';
import { loadArgs, parseCsv } from '../bench/src/load.ts';
import { inTurn } from '../bench/src/measure.ts';
import { readCostOptions, readMoveOptions } from '../bench/src/options.ts';
import { migrateRequests } from '../bench/src/primitive.ts';
import { cpuNs, onCpuNs } from '../bench/src/process.ts';
import { counterOf, movedOf } from '../bench/src/product.ts';
import { ratios, summarize } from '../bench/src/statistics.ts';
import { renderFacts, renderTable, withSpread } from '../bench/src/table.ts';

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

test('results are Markdown', () => {
  expect(renderFacts({ node: 'v20', rounds: '9' })).toBe('- node: v20\n- rounds: 9\n');
  expect(renderTable(['command', 'µs'], [['GET', withSpread({ median: 2, low: 1.94, high: 2.06 }, 1)]])).toBe(
    '| command |            µs |\n| ------- | ------------: |\n| GET     | 2.0 (1.9–2.1) |\n',
  );
});

describe('bench:cost', () => {
  test('compares with this checkout unless told otherwise', () => {
    expect(readCostOptions(['--before', 'old'])).toEqual({ before: 'old', after: '.', rounds: 21, requests: 20_000, out: null });
    expect(readCostOptions(['--before', 'a', '--after', 'b', '--quick', '--rounds', '3', '--out', 'c'])).toEqual({
      before: 'a',
      after: 'b',
      rounds: 3,
      requests: 5_000,
      out: 'c',
    });
  });

  test('explains itself, and says what is wrong', () => {
    expect(readCostOptions(['--help'])).toBeNull();
    expect(() => readCostOptions([])).toThrow('--before names the checkout to compare with');
    expect(() => readCostOptions(['--before', 'old', '--rounds', 'many'])).toThrow('--rounds is a whole number from 1, not many');
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
    const answered = [1, 2, 3, 9].map((tookMs, index) => ({ atMs: 1000 + index * 100, tookMs }));
    expect(phaseOf(answered, 1000, 1300)).toEqual({ requestsPerSecond: 10, p50Ms: 2, p99Ms: 2.98, maxMs: 3 });
    expect(() => phaseOf(answered, 2000, 3000)).toThrow('no request was answered');
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
