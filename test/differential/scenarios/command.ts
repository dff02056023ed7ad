// COMMAND: what clients learn from.

import type { Scenario } from '../scenario.ts';

const INVOCATIONS = [
  'GET k',
  'MSET a 1 b 2',
  'EVAL script 2 a b c',
  'ZUNIONSTORE out 2 a b',
  'XREAD COUNT 2 STREAMS a b 0 0',
  'ECHO x',
  'NOSUCH a',
  'GET a b',
  'SORT k STORE to',
  'SET k v GET',
  'XGROUP CREATE k g 0',
  'LMPOP 2 a b LEFT',
  'BITFIELD k GET u8 0',
  'COPY a b',
  'MIGRATE host 1 "" 0 5 KEYS a b',
  'EVAL script 0',
  'ZUNIONSTORE out words a',
  'OBJECT ENCODING k',
  'PUBLISH c m',
  'SPUBLISH c m',
  'GEORADIUS k 0 0 1 m STORE to',
  'BLPOP a b 0',
  'RENAME a b',
];

export const COMMAND: readonly Scenario[] = [
  { title: 'COMMAND GETKEYS', steps: INVOCATIONS.map((invocation) => `COMMAND GETKEYS ${invocation}`) },
  { title: 'COMMAND GETKEYSANDFLAGS', steps: INVOCATIONS.map((invocation) => `COMMAND GETKEYSANDFLAGS ${invocation}`) },
  {
    title: 'COMMAND INFO',
    steps: [
      '%COMMAND INFO get',
      '%COMMAND INFO set mset',
      '%COMMAND INFO nosuch',
      '%COMMAND INFO GET nosuch',
      '%COMMAND INFO eval',
      '%COMMAND INFO sort',
      '%COMMAND INFO xread',
      '%COMMAND INFO bitfield',
      '%COMMAND INFO object',
      '%COMMAND INFO "object|encoding"',
      '%COMMAND INFO "config|get"',
      '%COMMAND INFO migrate',
      '%COMMAND INFO ping',
    ],
  },
  {
    title: 'COMMAND DOCS',
    steps: ['%COMMAND DOCS get', '%COMMAND DOCS nosuch', '%COMMAND DOCS set "config|get"', '%COMMAND DOCS xgroup', '?COMMAND DOCS'],
  },
  {
    title: 'COMMAND COUNT and LIST',
    steps: [
      ['COMMAND COUNT', /^:\d+\r\n$/],
      ['COMMAND LIST', /^\*\d+\r\n\$/],
      '%COMMAND LIST FILTERBY PATTERN xadd*',
      '%COMMAND LIST FILTERBY PATTERN nosuch',
      '%COMMAND LIST FILTERBY ACLCAT nosuch',
      '%COMMAND LIST FILTERBY ACLCAT hyperloglog',
      '%COMMAND LIST FILTERBY MODULE nosuch',
      'COMMAND LIST FILTERBY',
      'COMMAND LIST FILTERBY NONSENSE x',
      'COMMAND LIST NONSENSE',
      'COMMAND LIST FILTERBY PATTERN',
    ],
  },
  { title: 'COMMAND HELP', steps: ['COMMAND HELP'] },
  { title: 'COMMAND itself', steps: ['?COMMAND', '?COMMAND INFO'] },
];
