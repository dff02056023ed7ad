import { expect, test } from 'vitest';
import { steady } from '../../web/src/lib/steady.ts';

const row = (key: string, value = 0) => ({ key, value });
const of = (shown: readonly string[], ...rows: { key: string; value: number }[]) => {
  const { rows: kept, ...rest } = steady(shown, rows, ({ key }) => key);
  return { kept: kept.map(({ key, value }) => `${key}${value}`), ...rest };
};

test('rows stay where they were shown, as they are now', () => {
  expect(of(['a', 'b'], row('b', 1), row('a', 2))).toEqual({ kept: ['a2', 'b1'], newCount: 0, isReordered: true });
  expect(of(['a', 'b'], row('a'), row('b'))).toEqual({ kept: ['a0', 'b0'], newCount: 0, isReordered: false });
});

test('new ones wait and are counted, and those that are gone are gone', () => {
  expect(of(['a', 'b'], row('new'), row('a'), row('b'), row('newer'))).toEqual({ kept: ['a0', 'b0'], newCount: 2, isReordered: false });
  expect(of(['a', 'b', 'c'], row('a'), row('c'))).toEqual({ kept: ['a0', 'c0'], newCount: 0, isReordered: false });
});
