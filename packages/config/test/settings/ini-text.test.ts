import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readIni, writeIniValue } from '../../src/settings/index.ts';

const entriesOf = (text: string) => readIni(text).entries.map(({ key, value }) => [key, value]);
const problemsOf = (text: string) => readIni(text).problems;

describe('the text of a config.ini', () => {
  test.each([
    ['a = 1', [['a', '1']]],
    ['a=1', [['a', '1']]],
    ['  a   =   b c  ', [['a', 'b c']]],
    ['a =', [['a', '']]],
    ['a = b = c', [['a', 'b = c']]],
    [
      'a = 1\r\nb = 2\r\n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['\uFEFFa = 1', [['a', '1']]],
    ['# a = 1\n; b = 2\n\n   \n', []],
    ['a = 1 # why', [['a', '1']]],
    ['a = 1\t; why', [['a', '1']]],
    ['a = # nothing', [['a', '']]],
    ['a = x#y;z', [['a', 'x#y;z']]],
    ['a = "x # y" # why', [['a', 'x # y']]],
    ['a = \' it said "no" \'', [['a', ' it said "no" ']]],
    ['a = "it\'s"', [['a', "it's"]]],
    ['a = ""', [['a', '']]],
    ['a = back\\slash', [['a', 'back\\slash']]],
  ])('%j is understood', (text, expected) => {
    expect(entriesOf(text)).toEqual(expected);
    expect(problemsOf(text)).toEqual([]);
  });

  test.each([
    ['hello', /"hello" is not "key = value"/],
    ['= 1', /is not "key = value"/],
    ['two words = 1', /is not "key = value"/],
    ['[proxy]', /looks like a section; this file has none/],
    ['a = "open', /^a: the quote " is not closed/],
    ["a = 'open", /the quote ' is not closed/],
    ['a = "x" y', /behind the closing quote: y/],
    ['a = "x"y', /behind the closing quote: y/],
    ['a = x\u0000y', /control character/],
  ])('%j is refused with its reason', (text, reason) => {
    expect(entriesOf(text)).toEqual([]);
    expect(problemsOf(text)).toEqual([{ line: 1, message: expect.stringMatching(reason) as string }]);
  });

  test('every entry and every problem knows its line', () => {
    const read = readIni('# one\na = 1\nnonsense\n\nb = 2\n[x]');
    expect(read.entries.map(({ line }) => line)).toEqual([2, 5]);
    expect(read.problems.map(({ line }) => line)).toEqual([3, 6]);
  });

  test('what is not understood is not repeated at length, as it may be a password', () => {
    const [problem] = problemsOf('a-very-long-secret-that-somebody-pasted-here');
    expect(problem?.message).not.toContain('somebody');
  });

  test('any value that can be written is read back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const spelled = writeIniValue(value);
        if (spelled !== null) expect(entriesOf(`key = ${spelled}`)).toEqual([['key', value]]);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', "'", ' ', '#', ';', 'a', '=', '\\') }), (value) => {
        const spelled = writeIniValue(value);
        if (spelled === null) expect(value).toMatch(/"/);
        else expect(entriesOf(`key = ${spelled}`)).toEqual([['key', value]]);
      }),
    );
  });
});
