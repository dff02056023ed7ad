// Replies as a Redis may send them, RESP2 and RESP3, at random; and a decoder of its own for what they are: small, recursive, strict, over a
// whole buffer. It shares nothing with the scanner.

import fc from 'fast-check';
import { bytes } from './scan.ts';

const lineText = fc.string({ unit: fc.constantFrom(...'abc $*+-:_%|~>'), maxLength: 12 });
const blob = fc.string({ unit: fc.constantFrom(...'ab\r\n*$1\0\xff'), maxLength: 20 });

const scalar2 = fc.oneof(
  lineText.map((text) => `+${text}\r\n`),
  lineText.map((text) => `-${text}\r\n`),
  fc.integer().map((value) => `:${value}\r\n`),
  blob.map((text) => `$${text.length}\r\n${text}\r\n`),
  fc.constantFrom('$-1\r\n', '*-1\r\n', '*0\r\n'),
);

const scalar3 = fc.oneof(
  scalar2,
  fc.constantFrom('_\r\n', '#t\r\n', '#f\r\n', ',inf\r\n', ',-inf\r\n', ',nan\r\n', '%0\r\n', '~0\r\n'),
  fc.double().map((value) => `,${value}\r\n`),
  fc.bigInt().map((value) => `(${value}\r\n`),
  blob.map((text) => `!${text.length}\r\n${text}\r\n`),
  blob.map((text) => `=${text.length + 4}\r\ntxt:${text}\r\n`),
);

const items = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 5 });

/** One reply of RESP2. */
export const { resp2 } = fc.letrec<{ resp2: string }>((tie) => ({
  resp2: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar2,
    items(tie('resp2')).map((all) => `*${all.length}\r\n${all.join('')}`),
  ),
}));

/** One reply of RESP3: every type that Redis has, attributes and pushes too, in each other. */
export const { resp3 } = fc.letrec<{ resp3: string }>((tie) => ({
  resp3: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar3,
    fc.tuple(fc.constantFrom('*', '~', '>'), items(tie('resp3'))).map(([type, all]) => `${type}${all.length}\r\n${all.join('')}`),
    items(fc.tuple(tie('resp3'), tie('resp3'))).map((all) => `%${all.length}\r\n${all.flat().join('')}`),
    fc
      .tuple(items(fc.tuple(tie('resp3'), tie('resp3'))), tie('resp3'))
      .map(([all, value]) => `|${all.length}\r\n${all.flat().join('')}${value}`),
  ),
}));

/** Several replies, one behind the other. */
export const stream = (reply: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc.array(reply, { minLength: 1, maxLength: 6 }).map((replies) => bytes(replies.join('')));

/** What the bytes from `at` on are: a reply that ends at `end`, the beginning of one, or nothing that any Redis sends. */
export type Decoded = { readonly kind: 'whole'; readonly end: number } | { readonly kind: 'more' } | { readonly kind: 'bad' };

const MORE: Decoded = { kind: 'more' };
const BAD: Decoded = { kind: 'bad' };

const RESP3_TYPES = '+-:_,#($=!*~>%|';

/** Lenient in one thing: a line of text may end with a line feed alone, as what stands in it is nobody's business here. */
export function decode(buf: Buffer, at: number, types = RESP3_TYPES): Decoded {
  if (at >= buf.length) return MORE;
  const type = String.fromCharCode(buf[at] ?? 0);
  if (!types.includes(type)) return BAD;
  const lf = buf.indexOf('\n', at);
  const next = lf + 1;
  if ('+-:_,#('.includes(type)) return lf < 0 ? MORE : { kind: 'whole', end: next };
  const header = buf.toString('latin1', at + 1, lf < 0 ? buf.length : lf);
  if (lf < 0) return /^-?\d*\r?$/.test(header) ? MORE : BAD;
  const length = /^-?\d+\r$/.test(header) ? Number(header) : Number.POSITIVE_INFINITY;
  if (!Number.isSafeInteger(length)) return BAD;
  if (length < 0 || header.startsWith('-')) return { kind: 'whole', end: next };
  if (!'$=!'.includes(type)) return decodeItems(buf, next, itemCount(type, length), types);
  return next + length + 2 <= buf.length ? { kind: 'whole', end: next + length + 2 } : MORE;
}

function itemCount(type: string, length: number): number {
  if (type === '%') return length * 2;
  return type === '|' ? length * 2 + 1 : length;
}

function decodeItems(buf: Buffer, from: number, count: number, types: string): Decoded {
  let end = from;
  for (let item = 0; item < count; item++) {
    const decoded = decode(buf, end, types);
    if (decoded.kind !== 'whole') return decoded;
    end = decoded.end;
  }
  return { kind: 'whole', end };
}
