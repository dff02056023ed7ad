import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as replies from '../../src/resp/replies.ts';
import { ReplyScanner } from '../../src/resp/reply-scanner.ts';
import { bytes, scanAll } from './scan.ts';

const FIXED = Object.entries(replies).filter((entry): entry is [string, Buffer] => Buffer.isBuffer(entry[1]));

test.each(FIXED)('%s is one reply of one line', (_, reply) => {
  expect(new ReplyScanner().scan(reply, 0, reply.length)).toBe(reply.length);
  expect(reply.toString()).toMatch(/^[+$*:-][^\r\n]*\r\n$/);
});

describe('an error', () => {
  test('is always one line, whatever is in its text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const reply = replies.errorReply(text);
        expect(reply.indexOf('\r')).toBe(reply.length - 2);
        expect(reply.indexOf('\n')).toBe(reply.length - 1);
        expect(new ReplyScanner().scan(reply, 0, reply.length)).toBe(reply.length);
      }),
    );
  });

  test('shows control characters as spaces', () => {
    expect(replies.errorReply('ERR a\r\n+OK\x1b\0\x7f').toString()).toBe('-ERR a  +OK   \r\n');
  });
});

test('a bulk string has the length of its bytes, not of its characters', () => {
  expect(replies.bulk('é').toString()).toBe('$2\r\né\r\n');
  expect(replies.bulk('')).toEqual(bytes('$0\r\n\r\n'));
  expect(replies.bulk(Buffer.from([0, 255]))).toEqual(bytes('$2\r\n\x00\xff\r\n'));
});

test('a request is what the scanner reads back', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 20 }), (values) => {
      const args = values.map((value) => Buffer.from(value));
      expect(scanAll([replies.encodeRequest(args)]).requests).toEqual([args]);
    }),
  );
});
