// Keys of several slots in one command: refused as Redis Cluster does, and nothing is done; but for the six that are taken apart.

import type { Scenario } from '../scenario.ts';

const REFUSED = [
  'SINTER X Y',
  'SDIFF X Y',
  'SUNIONSTORE X Y',
  'RENAME X Y',
  'RENAMENX X Y',
  'RPOPLPUSH X Y',
  'PFMERGE X Y',
  'LCS X Y',
  'SMOVE X Y m',
  'MSETNX X 1 Y 2',
  'EVAL "return 1" 2 X Y',
  'ZUNIONSTORE X 1 Y',
  'XREAD STREAMS X Y 0 0',
  'COPY X Y',
  'BITOP AND X Y',
  'SORT X STORE Y',
  'LMPOP 2 X Y LEFT',
  'GEOSEARCHSTORE X Y FROMMEMBER m BYRADIUS 1 km',
  'PFCOUNT X Y',
];

export const ACROSS: readonly Scenario[] = [
  {
    title: 'keys of several slots are refused as Redis Cluster does',
    steps: [
      'SET X kept',
      ...REFUSED.map((line) => [line, /^-CROSSSLOT Keys in request don't hash to the same slot\r\n$/] as const),
      ['MGET X Y', /\$4\r\nkept/],
    ],
  },
  {
    title: 'six commands are taken apart',
    steps: [
      'MSET X 1 Y 2 Z 3',
      'MGET X Y Z C',
      'EXISTS X Y X C',
      'TOUCH X Y C',
      'UNLINK X C Y',
      'DEL Z X',
      'MGET X Y Z',
      'MSET X 1 Y',
      'MSET X',
      'MGET',
      'DEL',
      'RPUSH Y x',
      'MGET X Y',
    ],
  },
];
