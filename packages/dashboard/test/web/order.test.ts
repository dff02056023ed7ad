import { expect, test } from 'vitest';
import { keepOrder } from '../../web/src/lib/order.ts';

test('rows keep their place while their numbers change; new ones come last, in the order they are told', () => {
  const key = (name: string) => name;
  expect(keepOrder(['c', 'a', 'b'], key, [])).toEqual(['c', 'a', 'b']);
  expect(keepOrder(['e', 'b', 'd', 'a'], key, ['a', 'gone', 'b'])).toEqual(['a', 'b', 'e', 'd']);
});
