// Goal: whatever bytes a client sends, in whatever pieces, the scanner finds the requests that Redis would find in them, and the same error.
// Method: valid pipelines, the same with faults, and any bytes; in one piece, byte by byte, at every split and in random pieces. The oracle is
// networking.c written a second time; a few hundred go to a real redis-server as well, which keeps that second writing honest. What stands around the
// pieces, and in memory that was not written to, is poison.

import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { bulk, encodeRequest, errorReply, PONG } from '../../src/resp/replies.ts';
import { mutated, pieceLengths } from './mutations.ts';
import { pipeline, understand } from './request-grammar.ts';
import { bytes, bytewise, cut, everySplit, type Scanned, type ScanOptions, scanAll } from './scan.ts';

const EVERY_SPLIT_BYTES_MAX = 120;
const PREFIX = 'Protocol error: ';
/** No request is too large for it, so that only Redis's own limits are met. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;

afterEach(() => {
  vi.restoreAllMocks();
});

const hex = (pieces: readonly Buffer[]): string[] => pieces.map((piece) => piece.toString('hex'));
const outcomeOf = ({ requests, frames, error, pendingBytes }: Scanned) => ({
  requests: requests.map(hex),
  frames: hex(frames),
  error,
  pendingBytes: error === null ? pendingBytes : 0,
});

/** All ways to cut it give one outcome. */
function scanEveryWay(input: Buffer, lengths: readonly number[], options: ScanOptions): Scanned {
  const whole = scanAll([input], options);
  const expected = outcomeOf(whole);
  const ways = [bytewise(input), cut(input, lengths), ...(input.length <= EVERY_SPLIT_BYTES_MAX ? everySplit(input) : [])];
  for (const pieces of ways) expect(outcomeOf(scanAll(pieces, options))).toEqual(expected);
  return whole;
}

/** We say that a header is wrong as soon as it can't be right, Redis once its line has ended; and bytes that can't be printed look otherwise. */
function expectRedis(scanned: Scanned, input: Buffer, authenticated = true): void {
  const theirs = understand(input, authenticated);
  expect(scanned.requests.map(hex)).toEqual(theirs.requests.map(hex));
  const error = theirs.error ?? (scanned.error === null ? null : understand(Buffer.concat([input, bytes('\r\n')]), authenticated).error);
  expect(scanned.error).toBe(error === null ? null : PREFIX + shown(error));
  if (error === null) expect(scanned.pendingBytes).toBe(theirs.pendingBytes);
}

function shown(error: string): string {
  return error.replace(/(?<=got ').(?=')/s, (byte) => {
    if (byte === '\r' || byte === '\n') return ' ';
    return /[ -~]/.test(byte) ? byte : `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** What is forwarded is one request, and the one that was meant: nothing can hide behind it. */
function expectForwardable({ requests, frames }: Scanned): void {
  for (const [at, frame] of frames.entries()) {
    const again = understand(frame);
    expect({ ...again, requests: again.requests.map(hex) }).toEqual({ requests: [hex(requests[at]!)], error: null, pendingBytes: 0 });
  }
}

function expectAll(input: Buffer, lengths: readonly number[]): void {
  const scanned = scanEveryWay(input, lengths, { bytesMax: UNLIMITED });
  expectRedis(scanned, input);
  expectForwardable(scanned);
}

const anything = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'*$-+0123\r\n\r\nPx "\'\\'), maxLength: 40 }).map(bytes),
  fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value)),
);

describe('any way to cut it, Redis’s understanding of', () => {
  test.each([
    '*',
    '*\r',
    '*\r\n',
    '*1',
    '*1\r',
    '*1\rX$4\rXPINGXX',
    '*1\r\n$4\r\nPINGxx*1\r\n',
    '*1\r\n$',
    '*1\r\n\r',
    '*1\r\n\n',
    '*2\r\n$0\r\n\r\n$0\r\n\r',
    '*-1\r\n*-9223372036854775808\r\nPING\r\n',
    '*-9223372036854775809\r\n',
    '*2147483647\r\n$1\r\n',
    '*2147483648\r\n',
    '*1\r\n$536870912\r\n',
    '*1\r\n$536870913\r\n',
    '*00\r\n',
    '*1\r\n$00\r\n\r\n',
    `*${'0'.repeat(31)}1\r\n`,
    `*${'1'.repeat(40)}\r\n`,
    '\r\r\n\r\n\n\n*0\r\n\n',
    'a\0b\r\n*1\r\n$1\r\na\r\n',
    '"\r\n',
    '""\'\'\r\n',
    '"a"b\r\n',
    '*1\r\n*1\r\n$4\r\nPING\r\n',
    '$4\r\nPING\r\n',
    '+OK\r\n-ERR\r\n:1\r\n',
    '%1\r\n$1\r\na\r\n$1\r\nb\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  ])('%j', (text) => {
    expectAll(bytes(text), [3, 1, 2]);
  });

  test('valid pipelines', () => {
    fc.assert(fc.property(pipeline, pieceLengths, expectAll), { numRuns: 300 });
  });

  test('pipelines with faults', () => {
    fc.assert(fc.property(mutated(pipeline), pieceLengths, expectAll), { numRuns: 1500 });
  });

  test('any bytes', () => {
    fc.assert(fc.property(anything, pieceLengths, expectAll), { numRuns: 2000 });
  });

  test('what a client without its password may send', () => {
    const long = fc.constantFrom(16_384, 16_385).map((length) => encodeRequest(['ECHO', 'x'.repeat(length)]));
    const many = fc.constantFrom(10, 11).map((count) => encodeRequest(Array.from({ length: count }, () => 'x')));
    const any = fc.oneof(long, many, mutated(pipeline), mutated(fc.oneof(long, many)));
    fc.assert(
      fc.property(any, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 4 }), (input, lengths) => {
        const scanned = scanAll([input], { authenticated: false });
        expect(outcomeOf(scanAll(cut(input, lengths), { authenticated: false }))).toEqual(outcomeOf(scanned));
        expectRedis(scanned, input, false);
      }),
      { numRuns: 300 },
    );
  });
});

test('request_max_bytes holds for every request alike, however it comes', () => {
  const limit = 64;
  fc.assert(
    fc.property(fc.oneof(pipeline, mutated(pipeline)), pieceLengths, (input, lengths) => {
      const scanned = scanEveryWay(input, lengths, { bytesMax: limit });
      if (scanned.error !== `${PREFIX}request is larger than request_max_bytes (${limit})`) expectRedis(scanned, input);
      else expect(scanned.requests.map(hex)).toEqual(understand(input).requests.slice(0, scanned.requests.length).map(hex));
    }),
    { numRuns: 500 },
  );
});

test('memory around the pieces, and memory that was never written to, changes nothing', () => {
  const poisons = ['\n', '\r\n$1\r\n', '0', '*1\r\n', '\0', '"'].map(bytes);
  const { allocUnsafeSlow } = Buffer;
  let poison = poisons[0]!;
  vi.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => allocUnsafeSlow(size).fill(poison));
  const within = (piece: Buffer) => Buffer.concat([poison, piece, poison]).subarray(poison.length, poison.length + piece.length);
  fc.assert(
    fc.property(fc.oneof(pipeline, mutated(pipeline)), pieceLengths, (input, lengths) => {
      const expected = outcomeOf(scanAll([input]));
      for (poison of poisons) expect(outcomeOf(scanAll(cut(input, lengths).map(within)))).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

describe('a real redis-server', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis.stop());

  test('answers pipelines with faults as our understanding of them would be answered', async () => {
    const echo = fc.constantFrom('', 'a', 'two words', '\r\n', '*1\r\n').map((text) => encodeRequest(['ECHO', text]));
    const request = fc.oneof(echo, fc.constantFrom('*1\r\n$4\r\nPING\r\n', 'PING\r\n', 'ECHO "a b"\r\n', '\r\n').map(bytes));
    const requests = fc.array(request, { minLength: 1, maxLength: 4 }).map((all) => Buffer.concat(all));
    await fc.assert(
      fc.asyncProperty(mutated(requests), async (faulty) => {
        // Redis's search for the end of a line stops at a NUL.
        fc.pre(!faulty.includes(0));
        const scanned = scanAll([faulty]);
        // We say at once what Redis says at the end of the line.
        const input = Buffer.concat([faulty, bytes(scanned.error !== null && understand(faulty).error === null ? '\r\n' : '')]);
        fc.pre(!scanned.error?.includes('request_max_bytes') && !scanned.error?.includes("got '\\x"));
        expect(answers(scanned)).toBe(await askRedis(redis.port, input));
      }),
      { numRuns: 600 },
    );
  });
});

const NAMES: Readonly<Record<string, (args: readonly Buffer[]) => Buffer>> = {
  ping: ([text, ...more]) => (more.length > 0 ? wrongArity('ping') : text === undefined ? PONG : bulk(text)),
  echo: ([text, ...more]) => (text === undefined || more.length > 0 ? wrongArity('echo') : bulk(text)),
};

/** What Redis would send for these requests. */
function answers({ requests, error }: Scanned): string {
  const replies = requests.map(([name, ...args]) => {
    const known = NAMES[name!.toString('latin1').toLowerCase()];
    return known ? known(args).toString('latin1') : unknownCommand(name!, args);
  });
  return [...replies, ...(error === null ? [] : [`-ERR ${error}\r\n`])].join('');
}

function wrongArity(name: string): Buffer {
  return errorReply(`ERR wrong number of arguments for '${name}' command`);
}

function unknownCommand(name: Buffer, args: readonly Buffer[]): string {
  let shownArgs = '';
  for (const arg of args) {
    if (shownArgs.length >= 128) break;
    shownArgs += `'${arg.toString('latin1', 0, 128 - shownArgs.length)}' `;
  }
  const text = `unknown command '${name.toString('latin1', 0, 128)}', with args beginning with: ${shownArgs}`;
  return `-ERR ${text.replace(/[\r\n]/g, ' ')}\r\n`;
}

/** All that it sends until it closes; our side closes after the last byte. */
function askRedis(port: number, input: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(input));
    socket.setTimeout(10_000, () => socket.destroy(new Error('Redis neither answered nor closed')));
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
  });
}
