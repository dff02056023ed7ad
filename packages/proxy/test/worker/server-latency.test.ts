// Goal: what is told of a server is of the last seconds, and near what it was.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeLatency } from '../../src/primary/server-latency.ts';
import { bucketOf, bucketStart, ServerLatency } from '../../src/worker/server-latency.ts';

describe('a bucket', () => {
  test('holds what is not less than its start and less than the next one’s, and is no wider than a quarter of that', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (micros) => {
        const bucket = bucketOf(micros);
        expect(bucketStart(bucket)).toBeLessThanOrEqual(micros);
        expect(bucketStart(bucket + 1)).toBeGreaterThan(micros);
        expect(bucketStart(bucket + 1) - bucketStart(bucket)).toBeLessThanOrEqual(Math.max(1, bucketStart(bucket) / 4));
        expect(bucket).toBeLessThan(128);
      }),
    );
  });
});

test('what took long ago is forgotten after two marks, and a clock that wrapped is no request of an hour', () => {
  const latency = new ServerLatency(0);
  latency.add(5000, 3);
  latency.tick(15_000);
  latency.add(-5, 2);
  expect(latency.read(20_000)).toEqual({
    seconds: 20,
    counts: [
      [0, 2],
      [bucketOf(5000), 3],
    ],
  });
  latency.tick(29_000);
  expect(latency.read(29_000).counts).toHaveLength(2);
  latency.tick(30_000);
  expect(latency.read(31_000)).toEqual({ seconds: 16, counts: [[0, 2]] });
  latency.tick(45_000);
  expect(latency.read(46_000)).toEqual({ seconds: 16, counts: [] });
});

test('workers are one line for each server, with percentiles of all their requests', () => {
  const of = (addr: string, ...counts: [micros: number, count: number][]) => ({
    addr,
    seconds: 20,
    counts: counts.map(([micros, count]) => [bucketOf(micros), count] as const),
  });
  const lines = mergeLatency([[of('m:10', [200, 50]), of('m:9')], [of('m:10', [200, 48], [40_000, 2])]]);
  expect(lines).toEqual([
    { addr: 'm:9', seconds: 20, requests: 0, p50Micros: null, p99Micros: null },
    { addr: 'm:10', seconds: 20, requests: 100, p50Micros: expect.any(Number), p99Micros: expect.any(Number) },
  ]);
  const [, { p50Micros, p99Micros } = { p50Micros: 0, p99Micros: 0 }] = lines;
  expect(p50Micros! / 200).toBeCloseTo(1, 0);
  expect(p99Micros! / 40_000).toBeGreaterThan(0.8);
  expect(p99Micros! / 40_000).toBeLessThan(1.25);
});
