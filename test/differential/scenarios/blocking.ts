// Commands that wait.

import type { Scenario } from '../scenario.ts';

/** What waits on A (and B), what another client does, and what shows the outcome. */
const SERVED: readonly (readonly [wait: string, serve: string, after: string])[] = [
  ['BLPOP A 0', 'RPUSH A x', 'LLEN A'],
  ['BLPOP A B 0', 'RPUSH B x y', 'LRANGE B 0 -1'],
  ['BRPOP A 0', 'LPUSH A x y', 'LRANGE A 0 -1'],
  ['BLMOVE A B LEFT RIGHT 0', 'RPUSH A x', 'LRANGE B 0 -1'],
  ['BRPOPLPUSH A B 0', 'RPUSH A x', 'LRANGE B 0 -1'],
  ['BLMPOP 0 2 A B LEFT COUNT 2', 'RPUSH B x y z', 'LRANGE B 0 -1'],
  ['BZPOPMIN A 0', 'ZADD A 1.5 m 2 n', 'ZRANGE A 0 -1'],
  ['BZPOPMAX A B 0', 'ZADD B 1.5 m 2 n', 'ZRANGE B 0 -1'],
  ['BZMPOP 0 1 A MIN COUNT 5', 'ZADD A 1 m 2 n', 'EXISTS A'],
  ['XREAD BLOCK 0 STREAMS A $', 'XADD A 5-1 f v', 'XLEN A'],
  ['XREAD BLOCK 0 COUNT 1 STREAMS A B 0 $', 'XADD B 5-1 f v', 'XLEN B'],
];

export const BLOCKING: readonly Scenario[] = [
  ...SERVED.map(([wait, serve, after]) => ({ title: `${wait} is served by another client`, steps: [`b&: ${wait}`, serve, 'b<', after] })),
  ...SERVED.map(([wait, serve]) => ({ title: `${wait} is served at once`, steps: [serve, wait.replace('$', '0'), 'EXISTS A B'] })),
  ...SERVED.map(([wait]) => ({
    title: `${wait} gives up`,
    steps: [
      wait
        .replace(/^(XREAD BLOCK|BLMPOP|BZMPOP) 0/, (_, name: string) => `${name} ${name === 'XREAD BLOCK' ? 20 : 0.02}`)
        .replace(/ 0$/, ' 0.02')
        .replace('STREAMS A B 0 $', 'STREAMS A B $ $'),
    ],
  })),
  ...SERVED.map(([wait]) => ({ title: `${wait} of a key of another type`, steps: ['SET A text', wait] })),
  {
    title: 'XREADGROUP BLOCK',
    steps: [
      'XGROUP CREATE A g $ MKSTREAM',
      'b&: XREADGROUP GROUP g me BLOCK 0 STREAMS A >',
      'XADD A 1-1 f v',
      'b<',
      'XPENDING A g',
      'XREADGROUP GROUP g me BLOCK 10 STREAMS A >',
    ],
  },
  {
    title: 'XREADGROUP BLOCK whose group is destroyed',
    steps: ['XGROUP CREATE A g $ MKSTREAM', 'b&: XREADGROUP GROUP g me BLOCK 0 STREAMS A >', 'XGROUP DESTROY A g', 'b<'],
  },
  {
    title: 'XREADGROUP BLOCK whose key is deleted',
    steps: ['XGROUP CREATE A g $ MKSTREAM', 'b&: XREADGROUP GROUP g me BLOCK 0 STREAMS A >', 'DEL A', 'b<'],
  },
  {
    title: 'timeouts that are none',
    steps: [
      'BLPOP A words',
      'BLPOP A -1',
      'BLPOP A 1e400',
      'BLPOP A 99999999999999999999',
      'BLMOVE A B LEFT RIGHT x',
      'BLMOVE A B SIDEWAYS LEFT 1',
      'BZPOPMIN A words',
      'XREAD BLOCK words STREAMS A $',
      'XREAD BLOCK -1 STREAMS A $',
      'BLMPOP 0.01 0 A LEFT',
      'BLMPOP 0.01 1 A UP',
      'BZMPOP x 1 A MIN',
      'BLPOP A',
      'BLPOP',
      'WAIT words 0',
      'WAIT 0 words',
      'WAIT 0 -1',
    ],
  },
  {
    title: 'the first who waits is the first who gets',
    queues: true,
    steps: ['b&: BLPOP A 0', 'c&: BLPOP A 0', 'RPUSH A 1 2', 'b<', 'c<'],
  },
  {
    title: 'one element serves one of those who wait',
    queues: true,
    steps: ['b&: BLPOP A 0', 'c&: BRPOP A 0', 'RPUSH A 1', 'b<', 'RPUSH A 2', 'c<'],
  },
  { title: 'an element for a client that went away stays', steps: ['b&: BLPOP A 0', 'b!', 'RPUSH A x', 'LRANGE A 0 -1'] },
  {
    title: 'what a client sends while it waits comes after',
    steps: ['b&: BLPOP A 0', 'b>: SET B sent', 'b>: GET B', 'GET B', 'RPUSH A x', 'b< 3'],
  },
  { title: 'BLMOVE feeds the next who waits', steps: ['b&: BLPOP B 0', 'c&: BLMOVE A B LEFT LEFT 0', 'RPUSH A x', 'c<', 'b<'] },
  { title: 'BLMOVE into a key of another type', steps: ['SET B text', 'b&: BLMOVE A B LEFT RIGHT 0', 'RPUSH A x', 'b<', 'LRANGE A 0 -1'] },
  { title: 'a wait for a key that comes as another type goes on', steps: ['b&: BLPOP A 0', 'SET A text', 'DEL A', 'RPUSH A x', 'b<'] },
  { title: 'a key that is renamed into place', steps: ['RPUSH B x', 'b&: BLPOP A 0', 'RENAME B A', 'b<'] },
  {
    title: 'CLIENT UNBLOCK of nobody',
    steps: ['CLIENT UNBLOCK 999999999', 'CLIENT UNBLOCK words', 'CLIENT UNBLOCK 1 NONSENSE', 'CLIENT UNBLOCK'],
  },
  { title: 'WAIT without replicas', steps: ['SET A x', 'WAIT 0 0', 'WAIT 0 100', 'WAIT 1 20', 'WAIT'] },
  {
    title: 'BLPOP in one database is not served by another',
    steps: ['b: SELECT 1', 'b&: BLPOP A 0', 'RPUSH A zero', 'SELECT 1', 'RPUSH A one', 'b<'],
  },
  {
    title: 'keys of several groups can’t be waited for',
    steps: [
      ['BLPOP X Y 1', /^-CROSSSLOT /],
      ['BLMOVE X Y LEFT LEFT 1', /^-CROSSSLOT /],
      ['XREAD BLOCK 1 STREAMS X Y $ $', /^-CROSSSLOT /],
    ],
  },
];
