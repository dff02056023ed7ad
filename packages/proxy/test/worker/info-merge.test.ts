// What several servers say, made into one, field by field.

import { describe, expect, test } from 'vitest';
import { ErrorCodes } from '../../src/worker/error-codes.ts';
import { mergeKeyspace, mergeSection } from '../../src/worker/local/info-merge.ts';
import { humanBytes, parseInfo, wantedSections } from '../../src/worker/local/info-text.ts';
import { sumWorkers, type WorkerFacts } from '../../src/worker/local/info-worker.ts';

const server = (fields: Record<string, string | number>): ReadonlyMap<string, string> =>
  new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));
const merged = (section: 'Memory' | 'Persistence' | 'Stats' | 'Replication', ...servers: Record<string, string | number>[]) =>
  Object.fromEntries(mergeSection(section, servers.map(server)));

describe('servers', () => {
  test('amounts are added up, and what follows from them is computed anew', () => {
    expect(
      merged(
        'Memory',
        { used_memory: 1024, used_memory_human: '1.00K', used_memory_rss: 4096, mem_fragmentation_ratio: '4.00' },
        { used_memory: 3072, used_memory_human: '3.00K', used_memory_rss: 4096, mem_fragmentation_ratio: '1.33' },
      ),
    ).toMatchObject({ used_memory: 4096, used_memory_human: '4.00K', used_memory_rss: 8192, mem_fragmentation_ratio: '2.00' });
  });

  test('of states the worst is told', () => {
    const ok = { rdb_last_bgsave_status: 'ok', aof_last_write_status: 'ok', rdb_last_save_time: 200, rdb_bgsave_in_progress: 0 };
    const bad = { rdb_last_bgsave_status: 'err', aof_last_write_status: 'ok', rdb_last_save_time: 100, rdb_bgsave_in_progress: 1 };
    expect(merged('Persistence', ok, bad)).toEqual({
      rdb_last_bgsave_status: 'err',
      aof_last_write_status: 'ok',
      rdb_last_save_time: 100,
      rdb_bgsave_in_progress: 1,
    });
  });

  test('an eviction policy that throws keys away anywhere is told', () => {
    expect(merged('Memory', { maxmemory_policy: 'noeviction' }, { maxmemory_policy: 'allkeys-lru' })).toEqual({
      maxmemory_policy: 'allkeys-lru',
    });
  });

  test('a field that only newer servers have is theirs alone, and one that none has is left out', () => {
    expect(merged('Stats', { keyspace_hits: 1 }, { keyspace_hits: 2, total_forks: 5 })).toEqual({ keyspace_hits: 3, total_forks: 5 });
    expect(merged('Stats')).toEqual({});
  });

  test('a value that is no number does not spoil the sum', () => {
    expect(merged('Stats', { keyspace_hits: 'x' }, { keyspace_hits: 2 })).toEqual({ keyspace_hits: 2 });
  });

  test('databases are in order, with the average time to live of all keys that expire', () => {
    const one = server({ db10: 'keys=1,expires=0,avg_ttl=0', db2: 'keys=10,expires=1,avg_ttl=1000' });
    const other = server({ db2: 'keys=5,expires=3,avg_ttl=5000,subexpiry=2', dbsize: 'x' });
    expect(mergeKeyspace([one, other])).toEqual([
      ['db2', 'keys=15,expires=4,avg_ttl=4000,subexpiry=2'],
      ['db10', 'keys=1,expires=0,avg_ttl=0'],
    ]);
  });
});

describe('text', () => {
  test.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1.00K'],
    [1_572_864, '1.50M'],
    [3 * 1024 ** 4, '3.00T'],
    [2 ** 60, '1024.00P'],
  ])('%i bytes are %s for people', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text);
  });

  test('is read line by line; headings and what is no field are passed over', () => {
    expect([...parseInfo('# Server\r\nredis_version:7.0.15\r\nos:a b:c\r\n\r\nnonsense\r\n')]).toEqual([
      ['redis_version', '7.0.15'],
      ['os', 'a b:c'],
    ]);
  });

  test('a thousand names ask for no more than there is', () => {
    expect(wantedSections(Array.from({ length: 1000 }, () => 'cpu'))).toEqual(['CPU']);
    expect(wantedSections(Array.from({ length: 1000 }, (_, at) => `no${at}`))).toEqual([]);
  });
});

const facts = (part: Partial<WorkerFacts>): WorkerFacts => {
  const numbers =
    'clients blockedClients subscribedClients clientsTotal clientsRefused requests requestsPerSecond bytesIn bytesOut errors held';
  const more = 'bytesInPerSecond bytesOutPerSecond rssBytes cpuUser cpuSystem backendConnections tryAgain handOvers handOverErrors';
  const zeros = Object.fromEntries(`${numbers} ${more} inputBytesMax outputBytesMax`.split(' ').map((key) => [key, 0]));
  return { ...(zeros as unknown as WorkerFacts), errorCodes: {}, commands: {}, ...part };
};

test('workers are added up, but for what is the largest of its kind', () => {
  const get = (calls: number) => ({ calls, micros: calls * 10, rejected: 0, failed: 1, histogram: [0, calls] });
  const sum = sumWorkers([
    facts({ clients: 1, outputBytesMax: 5, errorCodes: { ERR: 1 }, commands: { get: get(1) } }),
    facts({ clients: 2, outputBytesMax: 3, errorCodes: { ERR: 2, OOM: 1 }, commands: { get: get(2), set: get(1) } }),
  ]);
  expect(sum).toEqual(
    facts({
      clients: 3,
      outputBytesMax: 5,
      errorCodes: { ERR: 3, OOM: 1 },
      commands: { get: { calls: 3, micros: 30, rejected: 0, failed: 2, histogram: [0, 3] }, set: get(1) },
    }),
  );
});

describe('codes of errors', () => {
  const count = (...replies: string[]) => {
    const codes = new ErrorCodes();
    for (const reply of replies) codes.count(Buffer.from(reply), 0);
    return codes.counts();
  };

  test('are the first word, wherever it ends', () => {
    expect(count('-ERR no\r\n', '-ERR\r\n', '-MOVED 1 x\r\n', '-\r\n', 'rest of one\r\n')).toEqual({ ERR: 4, MOVED: 1 });
  });

  test('can’t make other fields, nor ever more of them', () => {
    expect(count('-a:b=c x\r\n')).toEqual({ 'a_b=c': 1 });
    const many = count(...Array.from({ length: 500 }, (_, at) => `-CODE${at} x\r\n`));
    expect(Object.keys(many)).toHaveLength(129);
    expect(many['ERRORSTATS_OVERFLOW']).toBe(372);
    expect(Object.keys(count(`-${'x'.repeat(1000)}\r\n`))[0]).toHaveLength(32);
  });
});
