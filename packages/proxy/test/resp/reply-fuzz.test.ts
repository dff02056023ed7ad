// Goal: whatever bytes a server sends, in whatever pieces, the scanner finds the same replies in them, or refuses the same byte; it ends, and it reads
// nothing but what it was given.
// Method: valid streams of RESP2 and RESP3, the same with faults, and streams written to be nasty; each in one piece, byte by byte, at every split and
// in random pieces. Oracles: a decoder written for this test, and redis-parser for RESP2. Work is counted in bytes looked at, not in time.

import { isCodisError } from '@codis/config/model';
import fc from 'fast-check';
import RedisParser from 'redis-parser';
import { describe, expect, test } from 'vitest';
import { ReplyScanner } from '../../src/resp/reply-scanner.ts';
import { mutated, pieceLengths } from './mutations.ts';
import { decode, resp2, resp3, stream } from './reply-grammar.ts';
import { bytes, bytewise, cut, everySplit } from './scan.ts';

interface Outcome {
  /** Where each reply ended, from the start of all. */
  readonly ends: number[];
  /** How it went on behind the last of them. */
  readonly rest: 'nothing' | 'more' | 'bad';
  readonly error: string | null;
}

function scan(pieces: Iterable<Buffer>): Outcome {
  const scanner = new ReplyScanner();
  const ends: number[] = [];
  let offset = 0;
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        const end = scanner.scan(piece, at, piece.length);
        if (end < 0) break;
        if (end <= at || end > piece.length) throw new Error(`it said ${end} for [${at}, ${piece.length})`);
        ends.push(offset + end);
        at = end;
      }
      offset += piece.length;
    }
  } catch (error) {
    if (!isCodisError(error, 'CODIS_E_NOT_REDIS')) throw error;
    return { ends, rest: 'bad', error: error.message };
  }
  return { ends, rest: scanner.inReply ? 'more' : 'nothing', error: null };
}

function oracle(input: Buffer, types?: string): Omit<Outcome, 'error'> {
  const ends: number[] = [];
  for (let at = 0; at < input.length; ) {
    const decoded = decode(input, at, types);
    if (decoded.kind !== 'whole') return { ends, rest: decoded.kind };
    ends.push(decoded.end);
    at = decoded.end;
  }
  return { ends, rest: 'nothing' };
}

const EVERY_SPLIT_BYTES_MAX = 120;

/** All ways to cut it give one outcome, which is the oracle's. */
function expectOneOutcome(input: Buffer, lengths: readonly number[]): Outcome {
  const whole = scan([input]);
  expect({ ends: whole.ends, rest: whole.rest }).toEqual(oracle(input));
  expect(scan(bytewise(input))).toEqual(whole);
  expect(scan(cut(input, lengths))).toEqual(whole);
  if (input.length <= EVERY_SPLIT_BYTES_MAX) for (const pieces of everySplit(input)) expect(scan(pieces)).toEqual(whole);
  return whole;
}

const STREAMED: readonly string[] = [
  '$?\r\n;4\r\nabcd\r\n;0\r\n',
  '*?\r\n:1\r\n:2\r\n.\r\n',
  '~?\r\n:1\r\n.\r\n',
  '%?\r\n+a\r\n:1\r\n.\r\n',
  '>?\r\n.\r\n',
  '|?\r\n.\r\n+OK\r\n',
  ';0\r\n',
  '.\r\n',
];

/** Which each need an answer, whatever it is. */
const NASTY: readonly string[] = [
  '',
  '\r\n',
  '+',
  '+\n',
  '+\r',
  '+\r\r\n',
  '-\r\n',
  ':\r\n',
  ':x\r\n',
  '$',
  '$-',
  '$--1\r\n',
  '$-0\r\n',
  '$-1',
  '$-1\n',
  '$1\ra\r\n',
  '$1\r\r\na\r\n',
  '$00000000000000000001\r\na\r\n',
  '$1\r\nab\r\n',
  '$0\r\n',
  '$0\r\n\r',
  '$9007199254740991\r\n',
  '$9007199254740992\r\n',
  `$${'9'.repeat(400)}\r\n`,
  '*0\r\n*0\r\n',
  '*1\r\n*0\r\n',
  '*2\r\n*-1\r\n$-1\r\n+OK\r\n',
  '*-0\r\n+OK\r\n',
  '*9007199254740991\r\n:1\r\n',
  '%9007199254740991\r\n:1\r\n',
  '%-1\r\n',
  '%1\r\n|1\r\n:1\r\n:2\r\n:3\r\n:4\r\n',
  '|0\r\n|0\r\n|0\r\n:1\r\n',
  '|1\r\n|1\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n',
  '|-1\r\n:1\r\n',
  '>0\r\n+OK\r\n',
  '>2\r\n|1\r\n:1\r\n>0\r\n+a\r\n+b\r\n',
  '~1\r\n%1\r\n~0\r\n*-1\r\n',
  '=3\r\ntxt\r\n',
  '!-1\r\n',
  '_x\r\n',
  '#\r\n',
  ',\r\n',
  '(\r\n',
  ...STREAMED,
];

describe('one outcome for every way to cut', () => {
  test.each(NASTY)('%j', (text) => {
    expectOneOutcome(bytes(text), [3, 1, 2]);
  });

  test('valid replies, to the last byte', () => {
    fc.assert(
      fc.property(stream(resp3), pieceLengths, (input, lengths) => {
        expect(expectOneOutcome(input, lengths).rest).toBe('nothing');
      }),
      { numRuns: 300 },
    );
  });

  const holds = (input: Buffer, lengths: readonly number[]) => void expectOneOutcome(input, lengths);

  test('replies with faults', () => {
    fc.assert(fc.property(mutated(stream(resp3)), pieceLengths, holds), { numRuns: 1000 });
  });

  test('any bytes', () => {
    const structural = fc.string({ unit: fc.constantFrom(...'+-:_,#($=!*~>%|019?\r\nx'), maxLength: 40 }).map(bytes);
    fc.assert(fc.property(fc.oneof(structural, fc.uint8Array({ maxLength: 40 }).map(Buffer.from)), pieceLengths, holds), {
      numRuns: 2000,
    });
  });
});

test.each(STREAMED)('the streamed types of RESP3, which no Redis sends, are refused: %j', (text) => {
  expect(scan([bytes(text)])).toMatchObject({ ends: [], rest: 'bad' });
});

/** Where redis-parser is not to be trusted: it ends a line at any carriage return, and reads -0 as 0. */
const SLOPPY = /(?<!\r)\n|\r(?!\n)|[$*]-(?!1\r\n)/;

test('RESP2 that is still whole after its faults ends where redis-parser finds its end', () => {
  let compared = 0;
  fc.assert(
    fc.property(mutated(stream(resp2)), (input) => {
      const { ends, rest } = oracle(input, '+-:$*');
      if (rest !== 'nothing' || SLOPPY.test(input.toString('latin1'))) return;
      compared++;
      expect(endsByRedisParser(input)).toEqual(ends);
      expect(scan([input]).ends).toEqual(ends);
    }),
    { numRuns: 2000 },
  );
  expect(compared).toBeGreaterThan(100);
});

function endsByRedisParser(input: Buffer): number[] {
  const ends: number[] = [];
  let count = 0;
  const found = () => {
    count++;
  };
  const parser = new RedisParser({ returnReply: found, returnError: found, returnFatalError: found });
  for (const [at, byte] of bytewise(input).entries()) {
    const before = count;
    parser.execute(byte);
    if (count > before) ends.push(at + 1);
  }
  return ends;
}

/** A buffer that counts which of its bytes are looked at, and holds that none outside of [start, end) is. */
function watched(input: Buffer, start: number, end: number): { buf: Buffer; looks: () => number } {
  let looks = 0;
  const buf = new Proxy(input, {
    get(target, name) {
      const position = Number(String(name));
      if (!Number.isInteger(position)) return Reflect.get(target, name, target) as unknown;
      if (position < start || position >= end) throw new Error(`byte ${position} is outside of [${start}, ${end})`);
      looks++;
      return target[position];
    },
  });
  return { buf, looks: () => looks };
}

/** Bytes looked at, over all pieces; each piece stands between bytes that must not be looked at. */
function looksFor(pieces: readonly Buffer[]): number {
  const scanner = new ReplyScanner();
  let sum = 0;
  for (const piece of pieces) {
    const { buf, looks } = watched(Buffer.concat([bytes('*1\r\n'), piece, bytes('$1\r\n\r\n')]), 4, 4 + piece.length);
    try {
      for (let at = 4; at >= 0 && at < 4 + piece.length; ) at = scanner.scan(buf, at, 4 + piece.length);
    } catch (error) {
      if (!isCodisError(error, 'CODIS_E_NOT_REDIS')) throw error;
      return sum + looks();
    }
    sum += looks();
  }
  return sum;
}

/** A bulk string that is not here as a whole is begun again, once. */
const LOOKS_MAX = 3;

test('each byte is looked at a few times at most, and none that is not its own', () => {
  fc.assert(
    fc.property(fc.oneof(stream(resp3), mutated(stream(resp3))), pieceLengths, (input, lengths) => {
      for (const pieces of [[input], bytewise(input), cut(input, lengths)]) {
        expect(looksFor(pieces)).toBeLessThanOrEqual(input.length * LOOKS_MAX);
      }
    }),
    { numRuns: 200 },
  );
});
