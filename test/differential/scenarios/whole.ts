// Commands about the whole keyspace.

import type { Scenario } from '../scenario.ts';

const FILL = ['MSET X 1 Y 2 Z 3', 'RPUSH A x y', 'HSET B f v', 'SADD D m'];

/** A cursor of the proxies is another than a server’s; what else stands in the reply is the same. */
const SCANNED = (keys: string): RegExp => new RegExp(`^\\*2\\r\\n\\$\\d+\\r\\n\\d+\\r\\n\\*[01]\\r\\n${keys}$`);

export const WHOLE_KEYSPACE: readonly Scenario[] = [
  {
    title: 'DBSIZE',
    alone: true,
    steps: ['DBSIZE', ...FILL, 'DBSIZE', 'SELECT 1', 'DBSIZE', 'SET A x', 'DBSIZE', 'SELECT 0', 'DEL X Y', 'DBSIZE', 'DBSIZE x'],
  },
  {
    title: 'KEYS',
    alone: true,
    steps: ['KEYS *', ...FILL, '%KEYS *', '%KEYS *A', '%KEYS *[XY]*', 'KEYS nosuch', 'KEYS', 'KEYS a b', 'SELECT 1', 'KEYS *', 'KEYS ""'],
  },
  {
    title: 'RANDOMKEY',
    alone: true,
    steps: ['RANDOMKEY', 'SET X 1', 'RANDOMKEY', 'DEL X', 'SET Z 1', 'RANDOMKEY', 'SELECT 4', 'RANDOMKEY', 'RANDOMKEY x'],
  },
  {
    title: 'FLUSHDB',
    alone: true,
    steps: [
      ...FILL,
      'SELECT 1',
      ...FILL,
      'FLUSHDB',
      'DBSIZE',
      'SELECT 0',
      'DBSIZE',
      'FLUSHDB ASYNC',
      'DBSIZE',
      ...FILL,
      'FLUSHDB sync',
      'DBSIZE',
      'FLUSHDB nonsense',
      'FLUSHDB SYNC ASYNC',
    ],
  },
  {
    title: 'FLUSHALL',
    alone: true,
    steps: [
      ...FILL,
      'SELECT 1',
      ...FILL,
      'FLUSHALL',
      'DBSIZE',
      'SELECT 0',
      'DBSIZE',
      ...FILL,
      'FLUSHALL ASYNC',
      'DBSIZE',
      'FLUSHALL nonsense',
      'FLUSHALL SYNC ASYNC',
    ],
  },
  {
    title: 'SWAPDB',
    alone: true,
    steps: [
      ...FILL,
      'SELECT 1',
      'SET A one',
      'SWAPDB 0 1',
      'GET A',
      '%KEYS *',
      'SELECT 0',
      'GET A',
      '%KEYS *',
      'SWAPDB 0 0',
      'SWAPDB 0 16',
      'SWAPDB -1 0',
      'SWAPDB words 0',
      'SWAPDB 0 words',
      'SWAPDB 0',
      'SWAPDB 0 99999999999999999999',
    ],
  },
  { title: 'FLUSHALL breaks a watch', alone: true, steps: ['SET A x', 'WATCH A', 'b: FLUSHALL', 'MULTI', 'PING', 'EXEC'] },
  {
    title: 'SCAN of nothing and of little',
    alone: true,
    steps: [
      ['SCAN 0', SCANNED('')],
      'SET X 1',
      ['SCAN 0 MATCH nosuch', SCANNED('')],
      ['SCAN 0 COUNT 1000 MATCH *X*', SCANNED('(?:\\$\\d+\\r\\n\\{tag\\d+\\}X\\d+\\r\\n)?')],
      ['SCAN 0 TYPE hash', SCANNED('')],
      ['SCAN -1', SCANNED('')],
    ],
  },
  {
    title: 'SCAN said wrongly',
    alone: true,
    steps: [
      'SCAN',
      'SCAN words',
      'SCAN 99999999999999999999999',
      'SCAN 0 COUNT',
      'SCAN 0 COUNT 0',
      'SCAN 0 COUNT words',
      'SCAN 0 COUNT -1',
      'SCAN 0 MATCH',
      'SCAN 0 NONSENSE x',
      'SCAN 0 MATCH a COUNT',
      'SCAN "0 "',
      'SCAN 0 TYPE',
    ],
  },
];
