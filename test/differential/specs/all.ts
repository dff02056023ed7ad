// All families.

import type { Family } from '../family.ts';
import { BLOCKING_LISTS, BLOCKING_SORTED_SETS, BLOCKING_STREAMS } from './blocking.ts';
import { GEO } from './geo.ts';
import { HASHES } from './hashes.ts';
import { HYPERLOGLOGS } from './hyperloglogs.ts';
import { KEYS } from './keys.ts';
import { LISTS } from './lists.ts';
import { SCRIPTS } from './scripts.ts';
import { SETS } from './sets.ts';
import { SORTED_SETS } from './sorted-sets.ts';
import { STREAMS } from './streams.ts';
import { STRINGS } from './strings.ts';

export const FAMILIES: readonly Family[] = [
  STRINGS,
  LISTS,
  SETS,
  HASHES,
  SORTED_SETS,
  GEO,
  STREAMS,
  HYPERLOGLOGS,
  KEYS,
  SCRIPTS,
  BLOCKING_LISTS,
  BLOCKING_SORTED_SETS,
  BLOCKING_STREAMS,
];
