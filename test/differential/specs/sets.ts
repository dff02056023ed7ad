// Sets. Their order is by chance on every server, so they are shown sorted.

import type { Family } from '../family.ts';

export const SETS: Family = {
  type: 'set',
  after: ['SORT A ALPHA', 'SORT B ALPHA', 'SORT C ALPHA', 'SORT D ALPHA'],
  setup: ['SADD A 1 2 3', 'SADD B 2 3 4', 'SADD D 7'],
  lines: [
    'SADD A 1 9',
    'SCARD A',
    'SDIFF A B',
    'SDIFFSTORE C A B',
    'SINTER A B',
    'SINTERCARD 2 A B',
    'SINTERCARD 2 A B LIMIT 1',
    'SINTERCARD 3 A B',
    'SINTERSTORE C A B',
    'SINTERSTORE A A C',
    'SISMEMBER A 1',
    'SMEMBERS A',
    'SMISMEMBER A 1 9',
    'SMOVE A B 1',
    'SMOVE A B 77',
    'SPOP D',
    'SPOP D 1',
    'SRANDMEMBER D',
    'SRANDMEMBER D -2',
    'SREM A 1 7',
    'SSCAN A 0',
    'SSCAN A 0 MATCH 1* COUNT 100',
    'SUNION A B',
    'SUNIONSTORE C A B',
    'SORT A DESC',
  ],
};
