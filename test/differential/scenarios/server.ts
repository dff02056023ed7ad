// What clients and monitoring ask of a server: MEMORY, LATENCY, SLOWLOG, OBJECT and others.

import type { Scenario } from '../scenario.ts';

export const SERVER: readonly Scenario[] = [
  {
    title: 'OBJECT',
    steps: ['OBJECT HELP', 'SET A x', 'OBJECT FREQ A', 'OBJECT IDLETIME A', 'OBJECT REFCOUNT A', 'OBJECT ENCODING C', 'OBJECT REFCOUNT C'],
  },
  {
    title: 'MEMORY',
    steps: [
      'SET A x',
      '?MEMORY USAGE A',
      'MEMORY USAGE C',
      'MEMORY USAGE A SAMPLES',
      'MEMORY USAGE A SAMPLES words',
      'MEMORY USAGE A SAMPLES -1',
      'MEMORY USAGE A NONSENSE 1',
      '?MEMORY STATS',
      '?MEMORY DOCTOR',
      '?MEMORY MALLOC-STATS',
      'MEMORY PURGE',
      'MEMORY HELP',
    ],
  },
  {
    title: 'LATENCY',
    steps: [
      '#LATENCY RESET',
      'LATENCY LATEST',
      'LATENCY HISTORY command',
      'LATENCY HISTORY nosuch',
      'LATENCY RESET command other',
      'LATENCY GRAPH nosuch',
      '?LATENCY DOCTOR',
      '?LATENCY HISTOGRAM',
      'LATENCY HISTOGRAM nosuch',
      'LATENCY HELP',
      'LATENCY GRAPH',
      'LATENCY HISTORY',
    ],
  },
  {
    title: 'SLOWLOG',
    steps: [
      'SLOWLOG RESET',
      'SLOWLOG LEN',
      'SLOWLOG GET',
      'SLOWLOG GET 5',
      'SLOWLOG GET -1',
      'SLOWLOG GET -2',
      'SLOWLOG GET words',
      'SLOWLOG GET 1 2',
      ['SLOWLOG HELP', /^\*15\r\n\+SLOWLOG <subcommand>/],
    ],
  },
  { title: 'XINFO and XGROUP HELP', steps: ['XINFO HELP', 'XGROUP HELP'] },
  { title: 'CLIENT HELP', steps: ['CLIENT HELP'] },
  { title: 'PFSELFTEST and PFDEBUG', steps: ['PFADD A x', 'PFDEBUG ENCODING A', 'PFDEBUG DECODE A', 'PFDEBUG NONSENSE A'] },
  { title: 'ROLE, LOLWUT and LASTSAVE', steps: ['#ROLE', '?LOLWUT', '?LASTSAVE', 'ROLE x', 'LASTSAVE x'] },
  {
    title: 'MODULE and ACL, of which some is refused',
    steps: [
      'MODULE LIST',
      'MODULE HELP',
      'ACL CAT',
      '%ACL CAT hash',
      'ACL CAT nosuch',
      '?ACL GENPASS',
      'ACL GENPASS words',
      'ACL WHOAMI',
      'ACL HELP',
      ['ACL LIST', /^-ERR 'acl\|list' is refused by the proxy: /],
      ['MODULE LOAD x', /^-ERR 'module\|load' is refused by the proxy: /],
    ],
  },
];
