// Goal: the end of every reply is found, RESP2 and RESP3, whatever the pieces; what is not RESP is refused at once.
// Method: values written by hand and generated ones, whose encoder knows where each ends; redis-parser as a second opinion on RESP2.

import { isCodisError } from '@codis/config/model';
import fc from 'fast-check';
import RedisParser from 'redis-parser';
import { describe, expect, test } from 'vitest';
import { ReplyScanner } from '../../src/resp/reply-scanner.ts';
import { pieceLengths } from './mutations.ts';
import { resp2, resp3 } from './reply-grammar.ts';
import { bytes, bytewise, cut, everySplit } from './scan.ts';

interface Found {
  /** Where each reply ended, from the start of all. */
  readonly ends: number[];
  readonly firstBytes: string[];
  readonly inReply: boolean;
}

function scanAll(pieces: Iterable<Buffer>): Found {
  const scanner = new ReplyScanner();
  const ends: number[] = [];
  const firstBytes: string[] = [];
  let offset = 0;
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      const end = scanner.scan(piece, at, piece.length);
      if (end < 0) break;
      ends.push(offset + end);
      firstBytes.push(String.fromCharCode(scanner.firstByte));
      at = end;
    }
    offset += piece.length;
  }
  return { ends, firstBytes, inReply: scanner.inReply };
}

const REPLIES: Readonly<Record<string, string>> = {
  'a simple string': '+OK\r\n',
  'an empty simple string': '+\r\n',
  'an error': '-ERR no\r\n',
  'an integer': ':-42\r\n',
  'a bulk string': '$5\r\nhello\r\n',
  'an empty bulk string': '$0\r\n\r\n',
  'a bulk string of protocol': '$14\r\n*1\r\n$-1\r\n+OK\r\n\r\n',
  'a null bulk string': '$-1\r\n',
  'an array': '*3\r\n:1\r\n$1\r\na\r\n+x\r\n',
  'an empty array': '*0\r\n',
  'a null array': '*-1\r\n',
  'arrays in arrays': '*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n*-1\r\n',
  'an array that ends with an empty one': '*2\r\n:1\r\n*0\r\n',
  'a null': '_\r\n',
  'a double': ',3.14e-7\r\n',
  'an infinite double': ',-inf\r\n',
  'a boolean': '#t\r\n',
  'a big number': '(-3492890328409238509324850943850943825024385\r\n',
  'a blob error': '!9\r\nSYNTAX no\r\n',
  'a verbatim string': '=8\r\ntxt:Some\r\n',
  'a set': '~2\r\n:1\r\n:2\r\n',
  'a map': '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n',
  'an empty map': '%0\r\n',
  'a push': '>2\r\n+message\r\n+x\r\n',
  'a reply with an attribute': '|1\r\n+key\r\n:1\r\n*1\r\n:7\r\n',
  'an array whose element has an attribute': '*2\r\n|1\r\n+ttl\r\n:9\r\n+a\r\n+b\r\n',
  'an empty attribute': '|0\r\n+OK\r\n',
  'maps in sets in maps': '%1\r\n~1\r\n%1\r\n:1\r\n_\r\n>1\r\n%0\r\n',
};

describe.each(Object.entries(REPLIES))('%s', (_, text) => {
  const reply = bytes(text);
  const two = Buffer.concat([reply, bytes(':1\r\n')]);
  const ends = [reply.length, two.length];

  test('ends where it ends', () => {
    expect(scanAll([two])).toEqual({ ends, firstBytes: [text[0], ':'], inReply: false });
  });

  test('ends there byte by byte', () => {
    expect(scanAll(bytewise(two))).toEqual({ ends, firstBytes: [text[0], ':'], inReply: false });
  });

  test('ends there at every split', () => {
    for (const pieces of everySplit(two)) expect(scanAll(pieces)).toMatchObject({ ends, inReply: false });
  });

  test('has not ended before', () => {
    for (let length = 1; length < reply.length; length++) {
      expect(scanAll([reply.subarray(0, length)])).toMatchObject({ ends: [], inReply: true });
    }
  });
});

function endsOf(replies: readonly string[]): number[] {
  let end = 0;
  return replies.map((reply) => {
    end += reply.length;
    return end;
  });
}

test('any sequence of RESP3 replies, in any pieces, ends where its encoder says', () => {
  fc.assert(
    fc.property(fc.array(resp3, { minLength: 1, maxLength: 8 }), pieceLengths, (replies, lengths) => {
      const found = scanAll(cut(bytes(replies.join('')), lengths));
      expect(found).toEqual({ ends: endsOf(replies), firstBytes: replies.map((reply) => reply[0]), inReply: false });
    }),
    { numRuns: 1500 },
  );
});

test('any sequence of RESP2 replies ends where redis-parser finds its end', () => {
  fc.assert(
    fc.property(fc.array(resp2, { minLength: 1, maxLength: 8 }), (replies) => {
      const input = bytes(replies.join(''));
      let count = 0;
      const fatal = (error: Error) => {
        throw error;
      };
      const parser = new RedisParser({ returnReply: () => count++, returnError: () => count++, returnFatalError: fatal });
      const theirs: number[] = [];
      for (const [at, byte] of bytewise(input).entries()) {
        const before = count;
        parser.execute(byte);
        if (count > before) theirs.push(at + 1);
      }
      expect(scanAll([input]).ends).toEqual(theirs);
    }),
    { numRuns: 500 },
  );
});

describe('what costs nothing special', () => {
  test('nesting 100,000 deep', () => {
    const depth = 100_000;
    const reply = bytes(`${'*1\r\n'.repeat(depth)}:1\r\n`);
    expect(scanAll([reply, bytes('+OK\r\n')]).ends).toEqual([reply.length, reply.length + 5]);
    expect(scanAll(cut(reply, [1000])).ends).toEqual([reply.length]);
  });

  test('maps and attributes nested 100,000 deep', () => {
    const depth = 100_000;
    const reply = bytes(`${'%1\r\n|1\r\n_\r\n_\r\n_\r\n'.repeat(depth)}:1\r\n`);
    expect(scanAll(cut(reply, [4096])).ends).toEqual([reply.length]);
  });

  test('an array of ten million elements', () => {
    const scanner = new ReplyScanner();
    const header = bytes('*10000000\r\n');
    const elements = Buffer.alloc(4 * 100_000, ':1\r\n');
    expect(scanner.scan(header, 0, header.length)).toBe(-1);
    for (let part = 1; part < 100; part++) expect(scanner.scan(elements, 0, elements.length)).toBe(-1);
    expect(scanner.scan(elements, 0, elements.length)).toBe(elements.length);
  });

  test('a bulk string of 512 MiB in pieces', () => {
    const scanner = new ReplyScanner();
    const header = bytes('$536870912\r\n');
    const piece = Buffer.alloc(1 << 20);
    expect(scanner.scan(header, 0, header.length)).toBe(-1);
    for (let at = 0; at < 512; at++) expect(scanner.scan(piece, 0, piece.length)).toBe(-1);
    expect(scanner.scan(bytes('\r\n+OK\r\n'), 0, 7)).toBe(2);
  });
});

test('a part of a buffer is scanned as if nothing stood around it', () => {
  const scanner = new ReplyScanner();
  const buf = bytes('xx$3\r\nabc\r\n+OKyyy');
  expect(scanner.scan(buf, 2, 6)).toBe(-1);
  expect(scanner.scan(buf, 6, 8)).toBe(-1);
  expect(scanner.scan(buf, 8, 11)).toBe(11);
  expect(scanner.scan(buf, 11, 14)).toBe(-1);
});

describe('what is not RESP', () => {
  const refusal = (input: Buffer): string => {
    try {
      scanAll([input]);
    } catch (error) {
      if (isCodisError(error, 'CODIS_E_NOT_REDIS')) return error.message;
      throw error;
    }
    return 'accepted';
  };

  const KNOWN = new Set(bytes('+-:_,#($=!*~>%|'));

  test.each(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !KNOWN.has(byte)))('no reply begins with byte %i', (byte) => {
    expect(refusal(Buffer.from([byte, 0x0d, 0x0a]))).toBe(`a reply began with byte ${byte}, which is not RESP`);
    expect(refusal(Buffer.concat([bytes('*1\r\n'), Buffer.from([byte])]))).toBe(`a reply began with byte ${byte}, which is not RESP`);
  });

  test.each([
    ['HTTP/1.1 400 Bad Request\r\n', 'began with byte 72'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'began with byte 83'],
    ['\r\n', 'began with byte 13'],
    ['$abc\r\n', 'a length held byte 97'],
    ['*1 \r\n', 'a length held byte 32'],
    ['$?\r\n', 'a length held byte 63'],
    ['%1.5\r\n', 'a length held byte 46'],
    ['$1-\r\n', 'a length held byte 45'],
    ['$--1\r\n', 'a length held byte 45'],
    ['$1\n', 'a length held byte 10'],
    ['$1\r$', 'a length ended with byte 36'],
    ['$1\r\r\n', 'a length ended with byte 13'],
    ['*?\r\n:1\r\n.\r\n', 'a length held byte 63'],
    [';4\r\nabcd\r\n', 'began with byte 59'],
    ['$\r\n', 'a length is missing'],
    ['*-\r\n', 'a length is missing'],
    ['$99999999999999999999\r\n', 'a length is too large'],
    [`*${'9'.repeat(400)}\r\n`, 'a length is too large'],
  ])('%j is refused', (text, reason) => {
    expect(refusal(bytes(text))).toContain(reason);
    expect(refusal(bytes(`*2\r\n:1\r\n${text}`))).toContain(reason);
  });
});
