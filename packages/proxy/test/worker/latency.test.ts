// Goal: LATENCY says what made clients of the proxy wait, and how long their requests took, over all workers, in Redis's form.
// Method: two workers in this process; waits are made on purpose. Numbers are compared with what was waited for, never with how fast it should be.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { LatencyMonitor, mergeEvents } from '../../src/worker/latency-events.ts';
import { sparkline } from '../../src/worker/local/sparkline.ts';
import { elementsOf } from '../../src/worker/merge.ts';
import { RawClient } from './one-worker.ts';
import { type SeveralWorkers, startWorkers } from './several-workers.ts';

const STALL_MS = 60;
/** Keeps the server busy for ARGV[1] milliseconds. */
const SPIN = `local function ms() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
  local from = ms() while ms() - from < tonumber(ARGV[1]) do end`;
let redis: RedisServer;
let proxy: SeveralWorkers;
const clients: RawClient[] = [];

const client = (at: number): RawClient => {
  clients.push(proxy.client(at));
  return clients.at(-1)!;
};
const items = (reply: string): string[] => elementsOf(Buffer.from(reply, 'latin1')).map((item) => item.toString('latin1'));
const textOf = (bulk: string): string => bulk.slice(bulk.indexOf('\n') + 1, -2);
const number = (reply: string): number => Number(reply.slice(1));

/** The event loop does nothing else for so long. */
function stall(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startWorkers(2, redis, { latency_monitor_threshold_ms: STALL_MS / 2, slowlog_log_slower_than: -1 });
});

afterEach(async () => {
  await client(0).ask('LATENCY RESET\r\n');
  for (const each of clients.splice(0)) each.close();
});

afterAll(async () => {
  proxy.close();
  await redis.stop();
});

describe('events', () => {
  test('an event loop that stood still is one', async () => {
    const a = client(0);
    await a.ask('LATENCY RESET\r\n');
    stall(STALL_MS);
    const event = await eventually(
      async () => {
        const [latest] = await a.ask('LATENCY LATEST\r\n');
        return items(latest!)
          .map(items)
          .find(([name]) => textOf(name!) === 'event-loop');
      },
      { what: 'the event' },
    );
    const [, time, last, max] = event.map(number);
    expect(Math.abs(time! - Date.now() / 1000)).toBeLessThan(60);
    expect(max).toBeGreaterThanOrEqual(STALL_MS / 2);
    expect(max).toBeGreaterThanOrEqual(last!);
  });

  test('a slow command is one, also while SLOWLOG is off; HISTORY, GRAPH and DOCTOR show it, RESET forgets it on every worker', async () => {
    const [a, b] = [client(0), client(1)];
    const sleep = encodeRequest(['EVAL', SPIN, '1', 'a', String(STALL_MS)]);
    expect(await b.ask(sleep)).toEqual(['$-1\r\n']);
    const [time, ms] = items(items((await a.ask('LATENCY HISTORY command\r\n'))[0]!)[0]!).map(number);
    expect(time).toBeGreaterThan(1e9);
    expect(ms).toBeGreaterThanOrEqual(STALL_MS / 2);
    expect((await a.ask('LATENCY GRAPH command\r\n'))[0]).toMatch(/command - high \d+ ms, low \d+ ms \(all time high \d+ ms\)\n-{80}\n/);
    expect((await a.ask('LATENCY DOCTOR\r\n'))[0]).toMatch(/command: \d+ samples; high/);
    expect(await a.ask('SLOWLOG LEN\r\n')).toEqual([':0\r\n']);
    expect(await a.ask('LATENCY RESET command nosuch\r\n')).toEqual([':1\r\n']);
    expect(await b.ask('LATENCY HISTORY command\r\n')).toEqual(['*0\r\n']);
  });

  test('keep the worst of each second, and of several workers; 160 seconds of it', () => {
    const off = new LatencyMonitor(0);
    off.record('command', 1e6);
    expect(off.events()).toEqual({});
    const one = { command: { samples: [[1, 5] as const, [2, 9] as const], max: 50 } };
    const two = { command: { samples: [[2, 3] as const, [3, 1] as const], max: 9 }, 'event-loop': { samples: [], max: 0 } };
    const merged = mergeEvents([one, two]);
    expect(merged.get('command')).toEqual({
      samples: [
        [1, 5],
        [2, 9],
        [3, 1],
      ],
      max: 50,
    });
    const many = { command: { samples: Array.from({ length: 200 }, (_, at) => [at, at] as const), max: 199 } };
    expect(mergeEvents([many]).get('command')!.samples.length).toBe(160);
  });

  test.each([
    'LATENCY',
    'LATENCY HISTORY',
    'LATENCY HISTORY nosuch',
    'LATENCY GRAPH nosuch',
    'LATENCY RESET nosuch',
    'LATENCY HELP',
    'LATENCY foo',
    'LATENCY HISTOGRAM nosuch',
  ])('%s is answered in the words of Redis', async (line) => {
    const plain = new RawClient(redis.port);
    const expected = await plain.ask(`${line}\r\n`);
    plain.close();
    expect(await client(0).ask(`${line}\r\n`)).toEqual(expected);
  });
});

describe('LATENCY HISTOGRAM', () => {
  test('counts the calls of all workers, by command, in growing buckets of microseconds', async () => {
    const [a, b] = [client(0), client(1)];
    await a.ask('SET h 1\r\nGETDEL h\r\n', 2);
    await b.ask('GETDEL h\r\n'.repeat(3), 3);
    await b.ask('CONFIG nosuch\r\nOBJECT HELP\r\n', 2);
    const [reply] = await a.ask('LATENCY HISTOGRAM getdel strlen\r\n');
    const [name, facts, ...rest] = items(reply!);
    expect(rest).toEqual([]);
    expect(textOf(name!)).toBe('getdel');
    const [, calls, , histogram] = items(facts!);
    expect(calls).toBe(':4\r\n');
    const pairs = items(histogram!).map(number);
    const bounds = pairs.filter((_, at) => at % 2 === 0);
    const counts = pairs.filter((_, at) => at % 2 === 1);
    expect(bounds).toEqual([...bounds].sort((x, y) => x - y));
    expect(counts).toEqual([...counts].sort((x, y) => x - y));
    expect(counts.at(-1)).toBe(4);
    expect((await a.ask('LATENCY HISTOGRAM\r\n'))[0]).toContain('getdel');
  });

  test('in RESP3 it is maps', async () => {
    const a = client(0);
    await a.ask('HELLO 3\r\n');
    expect((await a.ask('PING\r\nLATENCY HISTOGRAM ping\r\n', 2))[1]).toMatch(
      /^%1\r\n\$4\r\nping\r\n%2\r\n\$5\r\ncalls\r\n:\d+\r\n\$14\r\nhistogram_usec\r\n%\d/,
    );
    expect(await a.ask('LATENCY HISTOGRAM nosuch\r\n')).toEqual(['%0\r\n']);
  });
});

describe('INFO commandstats', () => {
  test('counts calls, time, rejections and failures of all workers, until they are reset', async () => {
    const [a, b] = [client(0), client(1)];
    await a.ask('SETRANGE r 0 x\r\nSETRANGE r 0\r\nSETRANGE r x y\r\n', 3);
    await b.ask('SETRANGE r 0 x\r\nLPUSH r 1\r\n', 2);
    const [info] = await a.ask('INFO commandstats\r\n');
    expect(info).toMatch(/cmdstat_setrange:calls=3,usec=\d+,usec_per_call=[\d.]+,rejected_calls=1,failed_calls=1\r\n/);
    expect(info).toMatch(/cmdstat_lpush:calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=1\r\n/);
    proxy.members[0]!.worker.peers.tell('stats|reset', null);
    await a.ask('CLIENT LIST\r\n');
    expect((await b.ask('INFO commandstats\r\n'))[0]).not.toContain('setrange');
  });
});

test('a graph has a column for each sample, and how long ago it was', () => {
  expect(
    sparkline(
      [
        [100, 1],
        [130, 50],
        [160, 100],
      ],
      165,
    ),
  ).toBe('  #\n  |\n #|\n_||\n135\nm5s\n s\n');
});
