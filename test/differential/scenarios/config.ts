// CONFIG, which sets all servers.

import type { Scenario } from '../scenario.ts';

export const CONFIG: readonly Scenario[] = [
  {
    title: 'CONFIG GET and SET',
    steps: [
      'CONFIG GET maxmemory-policy',
      'CONFIG GET nosuch',
      '%CONFIG GET maxmemory*',
      '%CONFIG GET maxmemory hz',
      'CONFIG GET MAXMEMORY',
      'CONFIG SET hz 20',
      'CONFIG GET hz',
      'CONFIG SET hz 10',
      'CONFIG SET hz words',
      'CONFIG SET nosuch x',
      'CONFIG SET maxmemory',
      'CONFIG SET hz 10 maxmemory-samples 5',
      'CONFIG SET hz 10 hz 11',
      ['CONFIG SET port words', /^-ERR CONFIG SET failed \(possibly related to argument 'port'\) - not through a proxy: /],
      'CONFIG SET hz 10 maxmemory',
      '?CONFIG GET *',
    ],
  },
  { title: 'CONFIG RESETSTAT and REWRITE', steps: ['CONFIG RESETSTAT', 'CONFIG REWRITE', 'CONFIG REWRITE x'] },
  { title: 'CONFIG HELP', steps: ['CONFIG HELP'] },
  {
    title: 'events about keys',
    alone: true,
    steps: [
      'CONFIG SET notify-keyspace-events KEA',
      'b: PSUBSCRIBE __key*__:*A',
      'SET A x',
      'b< 1',
      'c: GET A',
      'EXPIRE A 100',
      'b<',
      'DEL A',
      'b<',
      'CONFIG SET notify-keyspace-events ""',
    ],
  },
  {
    title: 'CONFIG in a transaction',
    steps: ['MULTI', ['CONFIG GET hz', /^-ERR 'config get' can't be part of a transaction through the proxy/], 'DISCARD'],
  },
];
