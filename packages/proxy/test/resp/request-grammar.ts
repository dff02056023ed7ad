// Requests as clients send them, at random; and what Redis 7 makes of any bytes, written down a second time from networking.c: over a whole buffer,
// with no thought of speed. It shares with the scanner only how an inline line is split, which inline.test.ts compares with a real Redis.

import fc from 'fast-check';
import { splitInline } from '../../src/resp/inline.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { bytes } from './scan.ts';

const arg = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value)),
  fc.constantFrom('', 'PING', 'ECHO', '*1\r\n', '$-1\r\n', '\r\n', '{tag}').map(bytes),
);
const array = fc.array(arg, { minLength: 1, maxLength: 6 }).map(encodeRequest);
const word = fc.string({ unit: fc.constantFrom(...'abPING019-:{}"\'\\'), minLength: 1, maxLength: 8 });
const inline = fc
  .tuple(fc.array(word, { maxLength: 4 }), fc.constantFrom('\r\n', '\n'))
  .map(([words, end]) => bytes(words.join(' ') + end));
const nothing = fc.constantFrom('\r\n', '\n', ' \r\n', '*0\r\n', '*-1\r\n').map(bytes);

/** A pipeline of requests, most of them arrays. */
export const pipeline: fc.Arbitrary<Buffer> = fc
  .array(fc.oneof({ weight: 5, arbitrary: array }, { weight: 2, arbitrary: inline }, { weight: 1, arbitrary: nothing }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((requests) => Buffer.concat(requests));

export interface Understood {
  readonly requests: Buffer[][];
  /** Without `Protocol error: `; null when all is well, or more has to come. */
  readonly error: string | null;
  /** Bytes of a request that is not all there. */
  readonly pendingBytes: number;
}

interface Step {
  readonly at: number;
  readonly args?: Buffer[];
}
type Outcome = Step | 'more' | { readonly error: string };

const INLINE_BYTES_MAX = 65_536;
const INT_MAX = 2_147_483_647n;
const BULK_MAX = 536_870_912n;
const INT64_MAX = 2n ** 63n - 1n;

/** What Redis understands of `input`; a client that has not given its password may send little. */
export function understand(input: Buffer, authenticated = true): Understood {
  const requests: Buffer[][] = [];
  let at = 0;
  while (at < input.length) {
    const outcome = input[at] === 0x2a ? readArray(input, at, authenticated) : readInline(input, at);
    if (outcome === 'more') break;
    if ('error' in outcome) return { requests, error: outcome.error, pendingBytes: input.length - at };
    at = outcome.at;
    if (outcome.args) requests.push(outcome.args);
  }
  return { requests, error: null, pendingBytes: input.length - at };
}

function readInline(input: Buffer, from: number): Outcome {
  const lf = input.indexOf('\n', from);
  const end = lf < 0 ? input.length : lf;
  if (end - from > INLINE_BYTES_MAX) return { error: 'too big inline request' };
  if (lf < 0) return 'more';
  const line = input.subarray(from, lf > from && input[lf - 1] === 13 ? lf - 1 : lf);
  const args = splitInline(line);
  if (args === null) return { error: 'unbalanced quotes in request' };
  return args.length === 0 ? { at: lf + 1 } : { at: lf + 1, args };
}

function readArray(input: Buffer, from: number, authenticated: boolean): Outcome {
  const count = readNumber(input, from);
  if (count === 'more') return 'more';
  if (count.value === null || count.value > INT_MAX) return { error: 'invalid multibulk length' };
  if (count.value > 10n && !authenticated) return { error: 'unauthenticated multibulk length' };
  if (count.value <= 0n) return { at: count.at };
  const args: Buffer[] = [];
  let at = count.at;
  while (BigInt(args.length) < count.value) {
    const length = readNumber(input, at);
    if (length === 'more') return 'more';
    const type = String.fromCharCode(input[at] ?? 0);
    if (type !== '$') return { error: `expected '$', got '${type}'` };
    if (length.value === null || length.value < 0n || length.value > BULK_MAX) return { error: 'invalid bulk length' };
    if (length.value > 16_384n && !authenticated) return { error: 'unauthenticated bulk length' };
    const end = length.at + Number(length.value);
    if (end + 2 > input.length) return 'more';
    args.push(input.subarray(length.at, end));
    at = end + 2;
  }
  return { at, args };
}

/** A type, a number of 64 bits and the two bytes that end it; `value` is null for what is no number. The second of the two is not looked at. */
function readNumber(input: Buffer, from: number): 'more' | { value: bigint | null; at: number } {
  const cr = input.indexOf('\r', from);
  if (cr < 0 || cr + 1 >= input.length) return 'more';
  const text = input.toString('latin1', from + 1, cr);
  const value = /^(?:0|-?[1-9]\d*)$/.test(text) ? BigInt(text) : null;
  const isInt64 = value !== null && value <= INT64_MAX && value >= -INT64_MAX - 1n;
  return { value: isInt64 ? value : null, at: cr + 2 };
}
