// CLUSTER: a plain Redis is none, and the proxies are one.

import type { Scenario } from '../scenario.ts';

export const CLUSTER: readonly Scenario[] = [
  {
    title: 'CLUSTER tells of the proxies',
    steps: [
      ['CLUSTER INFO', /^[$=]\d+\r\n(?:txt:)?cluster_(?:enabled:1|state:ok)/],
      ['CLUSTER MYID', /^\$40\r\n[0-9a-f]{40}\r\n$/],
      ['CLUSTER SLOTS', /^\*\d+\r\n\*\d\r\n:0\r\n/],
      ['CLUSTER SHARDS', /^\*\d+\r\n/],
      ['CLUSTER NODES', /^[$=]\d+\r\n(?:txt:)?[0-9a-f]{40} /],
      ['CLUSTER KEYSLOT foo', /^:12182\r\n$/],
      ['CLUSTER COUNTKEYSINSLOT 0', /^:\d+\r\n$/],
      ['CLUSTER GETKEYSINSLOT 0 10', /^\*/],
      ['CLUSTER COUNT-FAILURE-REPORTS nosuch', /^-ERR Unknown node nosuch/],
      ['CLUSTER LINKS', /^\*/],
      ['CLUSTER SLAVES nosuch', /^-ERR Unknown node nosuch/],
      ['CLUSTER REPLICAS nosuch', /^-ERR Unknown node nosuch/],
      ['CLUSTER HELP', /^\*\d+\r\n\+CLUSTER <subcommand>/],
    ],
  },
];
