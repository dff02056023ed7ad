// Hashes.

import type { Family } from '../family.ts';

export const HASHES: Family = {
  type: 'hash',
  setup: ['HSET A f 1 g x', 'HSET B f 2', 'HSET D only 1'],
  lines: [
    'HSET A f 2 new 3',
    'HMSET A f 2 new 3',
    'HGET A f',
    'HGET A none',
    'HMGET A f none g',
    'HGETALL A',
    'HKEYS A',
    'HVALS A',
    'HLEN A',
    'HEXISTS A f',
    'HDEL A f none',
    'HSETNX A f 5',
    'HINCRBY A f 5',
    'HINCRBY A g 5',
    'HINCRBYFLOAT A f 0.5',
    'HSTRLEN A g',
    'HSCAN A 0',
    'HSCAN A 0 MATCH f COUNT 5',
    'HRANDFIELD D',
    'HRANDFIELD D 2 WITHVALUES',
  ],
};
