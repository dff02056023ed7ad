// Bytes that are almost right: what the fuzzers make of valid input. Every mutation is a value, so that fast-check can shrink it.

import fc from 'fast-check';
import { bytes } from './scan.ts';

/** What matters to a parser, put where it does not belong. */
const TOKENS: readonly string[] = [
  '\r\n',
  '\r',
  '\n',
  '\r\n\r\n',
  '\0',
  '\x7f',
  '\xff',
  ' ',
  '\t',
  '"',
  "'",
  '\\x0a',
  '-',
  '+',
  '-1',
  '0',
  '9',
  '*',
  '$',
  '*0\r\n',
  '*1\r\n',
  '$0\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*2147483648\r\n',
  '$536870913\r\n',
  '$9223372036854775808\r\n',
  '99999999999999999999',
  '$?\r\n',
  ';1\r\nx\r\n',
  '.\r\n',
  '_\r\n',
  '#t\r\n',
  ',inf\r\n',
  '%1\r\n',
  '|1\r\n',
  '>2\r\n',
  '~1\r\n',
  '=4\r\n',
  '(1\r\n',
  '!0\r\n',
];

/** A place in the input as a share of its length, so that it stays where it was while the input shrinks. */
type Place = number;
const place = fc.integer({ min: 0, max: 9999 });
const at = (input: Buffer, share: Place): number => Math.floor((input.length * share) / 10_000);

type Mutation = (input: Buffer, other: Buffer) => Buffer;

const concat = (...parts: Buffer[]): Buffer => Buffer.concat(parts);

const flip = fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([where, mask]): Mutation => {
  return (input) => {
    const flipped = Buffer.from(input);
    const position = at(input, where);
    if (position < flipped.length) flipped[position] = (flipped[position] ?? 0) ^ mask;
    return flipped;
  };
});

const insert = fc.tuple(place, fc.constantFrom(...TOKENS).map(bytes)).map(([where, token]): Mutation => {
  return (input) => concat(input.subarray(0, at(input, where)), token, input.subarray(at(input, where)));
});

const range = fc.tuple(place, fc.integer({ min: 1, max: 12 }));

const remove = range.map(([where, length]): Mutation => {
  return (input) => concat(input.subarray(0, at(input, where)), input.subarray(at(input, where) + length));
});

const truncate = place.map(
  (where): Mutation =>
    (input) =>
      input.subarray(0, at(input, where)),
);

const repeat = fc.tuple(range, place).map(([[from, length], to]): Mutation => {
  return (input) => {
    const piece = input.subarray(at(input, from), at(input, from) + length);
    return concat(input.subarray(0, at(input, to)), piece, input.subarray(at(input, to)));
  };
});

/** The beginning of one and the end of the other. */
const splice = fc.tuple(place, place).map(([end, begin]): Mutation => {
  return (input, other) => concat(input.subarray(0, at(input, end)), other.subarray(at(other, begin)));
});

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(flip, insert, remove, truncate, repeat, splice);

/** `valid` with one to five faults. */
export function mutated(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(valid, valid, fc.array(mutation, { minLength: 1, maxLength: 5 }))
    .map(([input, other, mutations]) => mutations.reduce((bytesSoFar, mutate) => mutate(bytesSoFar, other), input));
}

/** Lengths of the pieces that input is cut into, in turn. */
export const pieceLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
