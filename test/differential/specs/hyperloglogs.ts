// HyperLogLogs.

import type { Family } from '../family.ts';

export const HYPERLOGLOGS: Family = {
  type: 'hyperloglog',
  setup: ['PFADD A a b c', 'PFADD B c d', 'PFADD D x'],
  lines: ['PFADD A z', 'PFADD C', 'PFCOUNT A', 'PFCOUNT A B', 'PFMERGE C A B', 'PFDEBUG ENCODING A'],
};
