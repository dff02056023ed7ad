// Goal: a request is found whatever the pieces it comes in, and nothing else is taken for one.
// Method: the same bytes in one chunk, byte by byte and at every split; random sequences with random splits; every limit from both sides.
// What a malformed request is answered is compared with a real Redis in malformed-requests.test.ts.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRequest } from '../../src/resp/replies.ts';
import { FRAME, NEED, RequestScanner } from '../../src/resp/request-scanner.ts';
import { bytes, bytewise, cut, everySplit, scanAll } from './scan.ts';

const words = (requests: readonly Buffer[][]): string[][] => requests.map((args) => args.map((arg) => arg.toString('latin1')));

const hex = (pieces: readonly Buffer[]): string[] => pieces.map((piece) => piece.toString('hex'));

const SAMPLES: readonly (readonly [title: string, input: string, requests: string[][]])[] = [
  ['a request', '*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n', [['GET', 'key']]],
  ['a request without further arguments', '*1\r\n$4\r\nPING\r\n', [['PING']]],
  ['empty arguments', '*3\r\n$3\r\nSET\r\n$0\r\n\r\n$0\r\n\r\n', [['SET', '', '']]],
  ['arguments that look like protocol', '*2\r\n$4\r\nECHO\r\n$10\r\n\r\n*1\r\n$0\r\n\r\n', [['ECHO', '\r\n*1\r\n$0\r\n']]],
  ['binary arguments', '*2\r\n$4\r\nECHO\r\n$4\r\n\x00\xff\r\n\r\n', [['ECHO', '\x00\xff\r\n']]],
  ['an inline command', 'SET  key "a value"\r\n', [['SET', 'key', 'a value']]],
  ['an inline command that ends with a line feed alone', 'PING\n', [['PING']]],
  [
    'a pipeline of requests, inline commands and empty lines',
    '*1\r\n$4\r\nPING\r\n\r\nGET a\r\n*0\r\n*-1\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n\n   \r\nQUIT\n',
    [['PING'], ['GET', 'a'], ['ECHO', 'hi'], ['QUIT']],
  ],
];

describe.each(SAMPLES)('%s', (_, input, requests) => {
  const whole = bytes(input);

  test('is found in one chunk', () => {
    const scanned = scanAll([whole]);
    expect(words(scanned.requests)).toEqual(requests);
    expect(scanned).toMatchObject({ error: null, pendingBytes: 0 });
  });

  test('is found byte by byte', () => {
    const scanned = scanAll(bytewise(whole));
    expect(words(scanned.requests)).toEqual(requests);
    expect(scanned).toMatchObject({ error: null, pendingBytes: 0 });
  });

  test('is found at every split', () => {
    for (const pieces of everySplit(whole)) expect(words(scanAll(pieces).requests)).toEqual(requests);
  });

  test('is found at every pair of splits', () => {
    for (let first = 0; first < whole.length; first++) {
      for (const [second, third] of everySplit(whole.subarray(first)) as [Buffer, Buffer][]) {
        expect(words(scanAll([whole.subarray(0, first), second, third]).requests)).toEqual(requests);
      }
    }
  });
});

const arg = fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value));
const array = fc.array(arg, { minLength: 1, maxLength: 12 }).map((args) => ({ args, wire: encodeRequest(args) }));
const word = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-_.:{}*$'), minLength: 1, maxLength: 10 })
  .filter((text) => !text.startsWith('*'));
const inline = fc.array(word, { minLength: 1, maxLength: 6 }).map((args) => ({
  args: args.map(bytes),
  wire: bytes(`${args.join(' ')}\r\n`),
}));
const nothing = fc.constantFrom('\r\n', '\n', '  \r\n', '*0\r\n', '*-1\r\n').map((text) => ({ args: null, wire: bytes(text) }));

test('any sequence of requests, in any pieces, gives the same frames', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 5, arbitrary: array }, { weight: 2, arbitrary: inline }, { weight: 1, arbitrary: nothing }), {
        maxLength: 20,
      }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 }),
      (sequence, lengths) => {
        const sent = sequence.flatMap(({ args }) => (args === null ? [] : [args]));
        const scanned = scanAll(cut(Buffer.concat(sequence.map(({ wire }) => wire)), lengths));
        expect(scanned.error).toBeNull();
        expect(scanned.requests.map(hex)).toEqual(sent.map(hex));
        expect(hex(scanned.frames)).toEqual(hex(sent.map((args) => encodeRequest(args))));
      },
    ),
    { numRuns: 400 },
  );
});

test('requests of many arguments, in any pieces, keep their positions', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1000, max: 5000 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 5 }),
      (counts, lengths) => {
        const sent = counts.map((count) => Array.from({ length: count }, (_, at) => Buffer.from(String(at))));
        const scanned = scanAll(cut(Buffer.concat(sent.map(encodeRequest)), lengths));
        expect(scanned.requests.map((args) => args.length)).toEqual(counts);
        for (const [at, args] of scanned.requests.entries()) expect(Buffer.concat(args).equals(Buffer.concat(sent[at]!))).toBe(true);
      },
    ),
    { numRuns: 20 },
  );
});

describe('two connections whose requests arrive in turns', () => {
  test('do not disturb each other', () => {
    const requests = [1, 2].map((id) => encodeRequest(Array.from({ length: 3000 }, (_, at) => `${id}:${at}`)));
    const scanners = requests.map(() => new RequestScanner(1 << 20));
    const found: string[] = [];
    for (let at = 0; at < Math.max(...requests.map(({ length }) => length)); at += 700) {
      for (const [id, scanner] of scanners.entries()) {
        scanner.feed(requests[id]!.subarray(at, at + 700));
        if (scanner.next() !== FRAME) continue;
        const { buf, args, argc } = scanner.frame;
        found.push(Array.from({ length: argc }, (_, arg) => buf.toString('latin1', args[arg * 2], args[arg * 2 + 1])).join());
      }
    }
    expect(found.sort()).toEqual([1, 2].map((id) => Array.from({ length: 3000 }, (_, at) => `${id}:${at}`).join()));
  });
});

describe('what was fed while nobody asked', () => {
  test('is all found later', () => {
    const scanner = new RequestScanner(1 << 20);
    const input = encodeRequest(['ECHO', 'x'.repeat(100)]);
    for (let round = 0; round < 50; round++) for (const piece of cut(input, [33])) scanner.feed(piece);
    let count = 0;
    while (scanner.next() === FRAME) count++;
    expect(count).toBe(50);
    expect(scanner.pendingBytes).toBe(0);
  });

  test('comes after what was asked for before', () => {
    const scanner = new RequestScanner(1 << 20);
    scanner.feed(Buffer.concat([1, 2, 3].map((id) => encodeRequest(['ECHO', String(id)]))));
    const found: string[] = [];
    for (let id = 4; id <= 30; id++) {
      expect(scanner.next()).toBe(FRAME);
      found.push(scanner.frame.buf.toString('latin1', scanner.frame.args[2], scanner.frame.args[3]));
      for (const piece of cut(encodeRequest(['ECHO', String(id)]), [5])) scanner.feed(piece);
    }
    expect(found).toEqual(Array.from({ length: 27 }, (_, at) => String(at + 1)));
  });
});

describe('a request that is not all there', () => {
  test.each([
    ['*', 1],
    ['*2\r\n', 4],
    ['*2\r\n$3\r\nGET\r\n$3\r\nke', 19],
    ['GET ke', 6],
  ])('%j counts its bytes as pending', (input, pendingBytes) => {
    expect(scanAll([bytes(input)])).toEqual({ requests: [], frames: [], error: null, pendingBytes });
  });
});

describe('the limit', () => {
  const LIMIT = 70_000;
  /** A request of exactly `size` bytes. */
  const ofSize = (size: number) => {
    const request = encodeRequest(['SET', 'key', 'x'.repeat(size - 32)]);
    expect(request).toHaveLength(size);
    return request;
  };

  test.each([LIMIT - 1, LIMIT])('request_max_bytes admits a request of %i bytes when it is 70000', (size) => {
    for (const lengths of [[size], [1000], [16_384]]) {
      const { error, frames } = scanAll(cut(ofSize(size), lengths), { bytesMax: LIMIT });
      expect(error).toBeNull();
      expect(frames.map((frame) => frame.equals(ofSize(size)))).toEqual([true]);
    }
  });

  test.each([LIMIT + 1, LIMIT + 2, LIMIT + 3])('request_max_bytes refuses a request of %i bytes by its name', (size) => {
    for (const lengths of [[size], [1000], [16_384]]) {
      const { error, frames } = scanAll(cut(ofSize(size), lengths), { bytesMax: LIMIT });
      expect(error).toBe('Protocol error: request is larger than request_max_bytes (70000)');
      expect(frames).toHaveLength(0);
    }
  });

  test('request_max_bytes is held against what is announced, before it arrives', () => {
    expect(scanAll([bytes('*2\r\n$4\r\nECHO\r\n$100000\r\n')], { bytesMax: LIMIT }).error).toMatch('request_max_bytes');
  });

  test('request_max_bytes is for each request, not for what arrives at once', () => {
    const pipeline = Buffer.concat(Array.from({ length: 20 }, () => ofSize(LIMIT)));
    expect(scanAll([pipeline], { bytesMax: LIMIT }).requests).toHaveLength(20);
    expect(scanAll(cut(pipeline, [10_000]), { bytesMax: LIMIT }).requests).toHaveLength(20);
  });

  test.each([1, 1000, 2_000_000])('of arguments is request_max_bytes: %i empty ones of 6 bytes each just fit', (count) => {
    const input = Buffer.concat([Buffer.from(`*${count}\r\n`), Buffer.alloc(count * 6, '$0\r\n\r\n')]);
    const scanner = new RequestScanner(input.length);
    for (const piece of cut(input, [65_536])) scanner.feed(piece);
    expect(scanner.next()).toBe(FRAME);
    expect(scanner.frame.argc).toBe(count);
    expect(scanAll([input], { bytesMax: input.length - 1 }).error).toMatch(/request_max_bytes \(\d+\)$/);
  });

  test('of arguments is held as soon as they are announced', () => {
    expect(scanAll([bytes('*11184810\r\n')], { bytesMax: 64 << 20 }).error).toBe(
      'Protocol error: request is larger than request_max_bytes (67108864)',
    );
    expect(scanAll([bytes('*11184800\r\n')], { bytesMax: 64 << 20 })).toMatchObject({ error: null, requests: [] });
  });

  test.each([
    ['*2147483647\r\n', 'Protocol error: request is larger than request_max_bytes (536870912)'],
    ['*2147483648\r\n', 'Protocol error: invalid multibulk length'],
  ])('of arguments is INT_MAX where request_max_bytes is not in the way: %j', (input, error) => {
    expect(scanAll([bytes(input)], { bytesMax: 512 << 20 }).error).toBe(error);
  });

  test.each([536_870_911, 536_870_912])('of one argument admits %i bytes', (size) => {
    expect(scanAll([bytes(`*1\r\n$${size}\r\n`)], { bytesMax: 2 ** 30 })).toMatchObject({ error: null, requests: [] });
  });

  test('of one argument refuses one byte more', () => {
    expect(scanAll([bytes('*1\r\n$536870913\r\n')], { bytesMax: 2 ** 30 }).error).toBe('Protocol error: invalid bulk length');
  });

  const INLINE = 65_536;
  /** An inline command whose line feed stands at offset `length`. */
  const inlineOf = (length: number) => bytes(`ECHO ${'x'.repeat(length - 5)}\n`);

  test.each([INLINE - 1, INLINE])('of an inline command admits a line of %i bytes, whole and in pieces', (length) => {
    for (const lengths of [[INLINE * 2], [1000], [INLINE]]) {
      const scanned = scanAll(cut(inlineOf(length), lengths));
      expect(scanned.error).toBeNull();
      expect(scanned.requests[0]?.[1]).toHaveLength(length - 5);
    }
  });

  test('of an inline command refuses one byte more, whole and in pieces', () => {
    for (const lengths of [[INLINE * 2], [1000], [INLINE]]) {
      expect(scanAll(cut(inlineOf(INLINE + 1), lengths)).error).toBe('Protocol error: too big inline request');
    }
  });

  test('of an inline command is held before its end arrives', () => {
    expect(scanAll([Buffer.alloc(INLINE, 'x')]).error).toBeNull();
    expect(scanAll([Buffer.alloc(INLINE + 1, 'x')]).error).toBe('Protocol error: too big inline request');
  });

  test.each([
    ['*10\r\n', null],
    ['*11\r\n', 'Protocol error: unauthenticated multibulk length'],
    ['*1\r\n$16384\r\n', null],
    ['*1\r\n$16385\r\n', 'Protocol error: unauthenticated bulk length'],
  ])('of a client without its password: %j', (input, error) => {
    expect(scanAll([bytes(input)], { authenticated: false }).error).toBe(error);
    expect(scanAll(bytewise(bytes(input)), { authenticated: false }).error).toBe(error);
    expect(scanAll([bytes(input)]).error).toBeNull();
  });
});

test('an empty piece changes nothing', () => {
  const scanner = new RequestScanner(1 << 20);
  for (const piece of bytewise(bytes('*1\r\n$4\r\nPIN'))) {
    scanner.feed(Buffer.alloc(0));
    expect(scanner.next()).toBe(NEED);
    scanner.feed(piece);
    expect(scanner.next()).toBe(NEED);
  }
  scanner.feed(bytes('G\r\n'));
  expect(scanner.next()).toBe(FRAME);
});
