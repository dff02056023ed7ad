// INFO, by what stands in it.

import type { Scenario } from '../scenario.ts';

export const INFO: readonly Scenario[] = [
  {
    title: 'INFO',
    steps: [
      '?INFO',
      '?INFO everything',
      '@INFO keyspace',
      'INFO nosuch',
      '@INFO replication',
      '@INFO cpu',
      '@INFO clients',
      '@INFO cluster',
      '@INFO modules',
      '?INFO all',
      '?INFO commandstats',
      '?INFO errorstats',
      '?INFO latencystats',
      '?INFO server clients',
    ],
  },
  {
    title: 'INFO clients, stats, memory, persistence, server by name of field',
    steps: ['@INFO stats', '@INFO memory', '@INFO persistence', '@INFO server'],
  },
  { title: 'INFO keyspace', alone: true, steps: ['INFO keyspace', 'MSET X 1 Y 2 Z 3', 'SELECT 3', 'SET X 1', 'INFO keyspace'] },
];
