// Goal: a pattern of SORT is let through when, and only when, every key that it can make is in the slot of the key that is sorted.

import { slotOf } from '@codis/config/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCommand } from '../../src/commands/command.ts';
import { deniedOption, readsByPattern } from '../../src/commands/sort-patterns.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { reframe } from '../../src/worker/held.ts';

const frameOf = (line: string) => reframe(encodeRequest(line.split(' ')));
const SORT = findCommand(Buffer.from('sort'), 0, 4) as NonNullable<ReturnType<typeof findCommand>>;

describe('options', () => {
  test.each([
    ['SORT k', null],
    ['SORT k BY nosort GET #', null],
    ['SORT k GET none', null],
    ['SORT k by *', 'BY'],
    ['SORT k GET *', 'GET'],
    ['SORT k LIMIT 0 1 GET # GET w_*', 'GET'],
    ['SORT k STORE BY GET x*', 'GET'],
    ['SORT k STORE by w*', null],
    ['SORT {k} BY {k}* GET x{k}*->f', null],
    ['SORT k BY x{k}y* GET {k}*', null],
    ['SORT {k} BY {k}* GET {j}*', 'GET'],
    ['SORT {k} BY *{k}', 'BY'],
    ['SORT {k} BY {k*}', 'BY'],
    ['SORT {k} BY {k*', 'BY'],
    ['SORT {k} BY w*->{k}', 'BY'],
    ['SORT {}a BY {}*', null],
    ['SORT k BY', null],
    ['SORT k DESC BY', null],
  ])('%s', (line, denied) => {
    expect(deniedOption(frameOf(line))).toBe(denied);
  });
});

test('whatever stands for the star, a key of a pattern that was let through is in the slot', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab{}*'), minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(text, text, text, (key, pattern, value) => {
      if (deniedOption(frameOf(`SORT ${key} BY ${pattern}`)) !== null || !pattern.includes('*')) return;
      expect(slotOf(Buffer.from(pattern.replace('*', value)))).toBe(slotOf(Buffer.from(key)));
    }),
    { numRuns: 5000 },
  );
});

test('a SORT with a pattern reads keys that it does not name, one without does not', () => {
  expect(readsByPattern(SORT, frameOf('SORT {k} BY {k}*'))).toBe(true);
  expect(readsByPattern(SORT, frameOf('SORT {k} BY nosort GET # STORE get*'))).toBe(false);
  const get = findCommand(Buffer.from('get'), 0, 3) as typeof SORT;
  expect(readsByPattern(get, frameOf('GET BY * *'))).toBe(false);
});
