// Goal: the values of all parts come in the order of the keys, byte for byte.
// Method: values of every kind dealt out at random over parts, merged, and compared with the array that one server would have sent.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeParts } from '../../src/worker/merge.ts';
import { recycle, SINK_CLIENT, takeRequest } from '../../src/worker/request.ts';
import type { Session } from '../../src/worker/session.ts';
import type { Parts } from '../../src/worker/split.ts';

const bulk = (value: Uint8Array): Buffer => Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);
const arrayOf = (elements: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from(`*${elements.length}\r\n`), ...elements]);

function partsOf(ofKey: readonly number[], count: number): Parts {
  const keyCounts = Array.from({ length: count }, (_, part) => ofKey.filter((each) => each === part).length);
  return { ofKey, keyCounts, bytes: keyCounts.map(() => 0), slots: keyCounts.map((_, part) => [part]) };
}

const repliesTo = ({ ofKey, keyCounts }: Parts, elements: readonly Buffer[]): Buffer[] =>
  keyCounts.map((_, part) => arrayOf(elements.filter((__, key) => ofKey[key] === part)));

/** `isNext`: it is this reply's turn. */
function merged(parts: Parts, replies: readonly Buffer[], isNext: boolean): Buffer {
  const request = takeRequest(null, SINK_CLIENT);
  const session = { head: isNext ? request : null } as Session;
  const reply = mergeParts('array', parts, request, session)(replies);
  recycle(request);
  return reply!;
}

describe('the values of all parts', () => {
  const element = fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 120 }).map(bulk) },
    fc.constantFrom('$-1\r\n', '_\r\n', '$0\r\n\r\n', ':12\r\n', '+OK\r\n', '*2\r\n$1\r\na\r\n_\r\n').map((text) => Buffer.from(text)),
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 9000 }).map((length) => bulk(Buffer.alloc(length, '\r\n$-1_'))) },
  );
  const dealt = fc
    .integer({ min: 1, max: 5 })
    .chain((count) => fc.tuple(fc.constant(count), fc.array(fc.tuple(element, fc.nat(count - 1)), { minLength: 1, maxLength: 120 })));

  test('come in the order of the keys', () => {
    fc.assert(
      fc.property(dealt, fc.boolean(), ([count, values], isNext) => {
        const elements = values.map(([value]) => value);
        const parts = partsOf(
          values.map(([, part]) => part),
          count,
        );
        expect(merged(parts, repliesTo(parts, elements), isNext).equals(arrayOf(elements))).toBe(true);
      }),
    );
  });

  test('are those of their command still when another was merged, while they wait for their turn', () => {
    const parts = partsOf([0, 1], 2);
    const [first, second] = ['a', 'b'].map((text) => repliesTo(parts, [bulk(Buffer.from(text)), bulk(Buffer.from(text))]));
    const waiting = merged(parts, first!, false);
    merged(parts, second!, true);
    merged(parts, second!, false);
    expect(waiting.toString()).toBe('*2\r\n$1\r\na\r\n$1\r\na\r\n');
  });

  test('are refused when a server answers with more or fewer than it was asked for, or with something else', () => {
    const parts = partsOf([0, 1, 0], 2);
    const value = bulk(Buffer.from('x'));
    for (const odd of [[value], [value, value, value], []].map(arrayOf).concat(Buffer.from('+OK\r\n'), Buffer.from('*-1\r\n'))) {
      expect(merged(parts, [odd, arrayOf([value])], true).toString()).toMatch(/^-ERR a server answered with another number of values/);
    }
  });

  test('give way to the first error', () => {
    const parts = partsOf([0, 1, 2], 3);
    const replies = [arrayOf([bulk(Buffer.from('x'))]), Buffer.from('-ERR one\r\n'), Buffer.from('-ERR two\r\n')];
    expect(merged(parts, replies, true).toString()).toBe('-ERR one\r\n');
  });
});
