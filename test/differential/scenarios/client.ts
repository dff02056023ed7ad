// CLIENT, MONITOR.

import type { Scenario } from '../scenario.ts';

/** Redis 7.0's fields in its order, and the two that newer ones have. */
const CLIENT_LINE =
  /id=\d+ addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ fd=\d+ name= age=\d+ idle=\d+ flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=\d+ qbuf-free=\d+ argv-mem=\d+ multi-mem=\d+ rbs=\d+ rbp=\d+ obl=\d+ oll=\d+ omem=\d+ tot-mem=\d+ events=r cmd=client\|info user=default redir=-1 resp=[23] lib-name= lib-ver=\n/;

export const CLIENT: readonly Scenario[] = [
  {
    title: 'CLIENT ID, INFO and LIST',
    steps: [
      '#CLIENT ID',
      ['CLIENT INFO', CLIENT_LINE],
      '?CLIENT LIST',
      '?CLIENT LIST TYPE normal',
      'CLIENT LIST TYPE nonsense',
      'CLIENT LIST TYPE master',
      'CLIENT LIST TYPE pubsub',
      'CLIENT LIST ID 999999999',
      'CLIENT LIST ID words',
      'CLIENT LIST ID',
      'CLIENT LIST TYPE',
      'CLIENT LIST NONSENSE',
    ],
  },
  {
    title: 'CLIENT KILL of nobody',
    steps: [
      'CLIENT KILL 1.2.3.4:5',
      'CLIENT KILL ID 999999999',
      'CLIENT KILL ADDR 1.2.3.4:5',
      'CLIENT KILL LADDR 1.2.3.4:5',
      'CLIENT KILL TYPE pubsub SKIPME yes',
      'CLIENT KILL USER nobody',
      'CLIENT KILL ID words',
      'CLIENT KILL ID 0',
      'CLIENT KILL ID -1',
      'CLIENT KILL TYPE nonsense',
      'CLIENT KILL SKIPME maybe',
      'CLIENT KILL NONSENSE x',
      'CLIENT KILL ID',
      'CLIENT KILL ID 1 ADDR',
    ],
  },
  {
    title: 'CLIENT REPLY',
    steps: [
      'CLIENT REPLY ON',
      'a>: CLIENT REPLY SKIP',
      'a>: ECHO skipped',
      'PING',
      'a>: CLIENT REPLY OFF',
      'a>: PING',
      'a>: SET A quiet',
      'a>: NOSUCH',
      'a>: CLIENT REPLY SKIP',
      'CLIENT REPLY ON',
      'GET A',
      'CLIENT REPLY MAYBE',
      'CLIENT REPLY',
      'PING',
    ],
  },
  { title: 'CLIENT REPLY OFF and RESET', steps: ['a>: CLIENT REPLY OFF', 'RESET', 'PING'] },
  { title: 'CLIENT NO-EVICT', steps: ['CLIENT NO-EVICT ON', 'CLIENT NO-EVICT off', 'CLIENT NO-EVICT perhaps', 'CLIENT NO-EVICT'] },
  {
    title: 'CLIENT PAUSE and UNPAUSE',
    steps: [
      'CLIENT PAUSE words',
      'CLIENT PAUSE -1',
      'CLIENT PAUSE 10 NONSENSE',
      'CLIENT PAUSE',
      'CLIENT UNPAUSE',
      'CLIENT PAUSE 30 WRITE',
      'GET A',
      'SET A x',
      'CLIENT PAUSE 30',
      'GET A',
      'CLIENT PAUSE 40 ALL',
      'CLIENT UNPAUSE',
      'GET A',
    ],
  },
  {
    title: 'CLIENT TRACKING that is off',
    steps: [
      'CLIENT TRACKING OFF',
      'CLIENT TRACKING MAYBE',
      'CLIENT TRACKINGINFO',
      'CLIENT GETREDIR',
      'CLIENT CACHING YES',
      'CLIENT CACHING x',
      'CLIENT TRACKING',
      ['CLIENT TRACKING ON', /^-ERR .*track/i],
    ],
  },
  {
    title: 'CLIENT SETINFO is newer than this Redis',
    steps: [
      ['CLIENT SETINFO LIB-NAME x', /^\+OK/],
      ['CLIENT NO-TOUCH ON', /^\+OK/],
    ],
  },
  {
    title: 'what a client says of another',
    steps: ['CLIENT SETNAME first', 'b: CLIENT SETNAME second', 'b: CLIENT GETNAME', 'CLIENT GETNAME'],
  },
  { title: 'MONITOR', steps: ['b: MONITOR', 'b: MONITOR x', 'b: QUIT'] },
];
