// Commands that wait when there is nothing: here for a moment at most. That others end a wait is in scenarios/blocking.ts.

import type { Family } from '../family.ts';

export const BLOCKING_LISTS: Family = {
  type: 'list',
  extra: false,
  setup: ['RPUSH A a b c b', 'RPUSH B x', 'RPUSH D 3'],
  lines: [
    'BLPOP A 0.01',
    'BLPOP C A 0.01',
    'BRPOP A B 0.01',
    'BRPOP D 0.01',
    'BRPOPLPUSH A B 0.01',
    'BLMOVE A C LEFT RIGHT 0.01',
    'BLMOVE A B UP DOWN 0.01',
    'BLMPOP 0.01 2 C A LEFT COUNT 2',
    'BLMPOP 0.01 1 A RIGHT',
  ],
};

export const BLOCKING_SORTED_SETS: Family = {
  type: 'zset',
  extra: false,
  setup: ['ZADD A 1 a 2 b 3 c', 'ZADD B 5 b 6 x', 'ZADD D 1 only'],
  lines: ['BZPOPMIN A 0.01', 'BZPOPMAX C B 0.01', 'BZMPOP 0.01 2 C A MIN COUNT 2', 'BZMPOP 0.01 1 A MAX'],
};

export const BLOCKING_STREAMS: Family = {
  type: 'stream',
  after: ['TYPE A', 'XRANGE A - +', 'XINFO GROUPS A', 'XPENDING A g'],
  setup: ['XADD A 1-1 f v', 'XADD A 2-1 f w', 'XADD B 1-1 x y', 'XGROUP CREATE A g 0'],
  lines: [
    'XREAD BLOCK 10 STREAMS A $',
    'XREAD BLOCK 10 COUNT 5 STREAMS A $',
    'XREAD BLOCK 10 STREAMS A 0',
    'XREAD COUNT 1 BLOCK 10 STREAMS A B 0 0',
    'XREADGROUP GROUP g me BLOCK 10 STREAMS A >',
    'XREADGROUP GROUP g me COUNT 1 BLOCK 10 NOACK STREAMS A >',
    'XREADGROUP GROUP none me BLOCK 10 STREAMS A >',
  ],
};
