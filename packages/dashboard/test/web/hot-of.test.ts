// Which hot keys a page asks for, as the API and the command line have it.

import { expect, test } from 'vitest';
import { hotCli, hotPath } from '../../web/src/lib/hot-of.ts';

test('a page and its command line ask for the same', () => {
  expect(hotPath({ slot: null, at: null })).toBe('/keys/hot?limit=20');
  expect(hotCli({ slot: null, at: null })).toBe('codis-config key hot --limit 20');
  expect(hotPath({ slot: 0, at: 1_767_225_659 })).toBe('/keys/hot?limit=20&slot=0&at=1767225659');
  expect(hotCli({ slot: 0, at: 1_767_225_659 })).toBe('codis-config key hot --limit 20 --slot 0 --at 2026-01-01T00:00Z');
});
