// SORT by other keys.

import type { Scenario } from '../scenario.ts';

export const SORT: readonly Scenario[] = [
  {
    title: 'SORT by keys of the same tag',
    steps: [
      'RPUSH A 1 2 3',
      'MSET A:w1 3 A:w2 2 A:w3 1',
      'HSET A:h1 f one',
      'SORT A BY A:w* GET #',
      'SORT A BY A:w* GET A:w* GET A:h*->f',
      'SORT A BY nosort GET A:w*',
      'SORT A BY A:w* DESC LIMIT 0 2',
      'SORT A GET A:w* STORE B',
      'LRANGE B 0 -1',
      'SORT_RO A BY A:w*',
      'SORT A BY A:h*->f ALPHA',
      'SORT A BY',
      'SORT A GET',
      'SORT A LIMIT 0',
      'SORT_RO A STORE B',
      'SORT A BY A:w* GET',
      ['SORT A BY w*', /^-ERR /],
      ['SORT A GET w*', /^-ERR /],
    ],
  },
];
