// Goal: an inline command means to the proxy what it means to Redis.
// Method: lines of the characters that matter, written by hand and at random, are sent to a real redis-server as arguments of a script that
// returns them; its answer is the oracle.

import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { splitInline } from '../../src/resp/inline.ts';
import { array, bulk } from '../../src/resp/replies.ts';
import { ReplyScanner } from '../../src/resp/reply-scanner.ts';
import { bytes } from './scan.ts';

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

const UNBALANCED = '-ERR Protocol error: unbalanced quotes in request\r\n';

/** What Redis makes of the words of `line`: the array of them, or the error. */
function wordsByRedis(line: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port: redis.port, host: '127.0.0.1' });
    const scanner = new ReplyScanner();
    let reply = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error('Redis does not answer')));
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      const end = scanner.scan(chunk, 0, chunk.length);
      reply += chunk.toString('latin1', 0, end < 0 ? chunk.length : end);
      if (end < 0) return;
      socket.destroy();
      resolve(reply);
    });
    socket.write(Buffer.concat([bytes('EVAL "return ARGV" 0 '), line, bytes('\r\n')]));
  });
}

function wordsByUs(line: Buffer): string {
  const words = splitInline(line);
  return words === null ? UNBALANCED : array(words.map(bulk)).toString('latin1');
}

describe('a line is split as Redis splits it', () => {
  test.each([
    'hello',
    'a b  c\td',
    '""',
    "''",
    '"" \'\'',
    '"a b" \'c d\'',
    'a"b"',
    'a"b c"',
    '"a"b',
    "'a'b",
    '"a',
    "'a",
    '"a\\"b"',
    "'a\\'b'",
    "'a\\nb'",
    '"\\n\\r\\t\\b\\a"',
    '"\\x41\\x00\\xff\\xfF"',
    '"\\x4"',
    '"\\xg1"',
    '"\\x"',
    '"\\q\\\\"',
    'a\\nb',
    '\\x41',
    '\\"a\\"',
    '"a\\',
    "'a\\",
    'a\\',
    'a\x0bb',
    'a\x0cb',
    '\x0b\x0ca',
    '"a"\x0bb',
    "'a'\x0cb",
    'a\rb',
    '\xe9\xff\x80',
    '"\xe9"',
    '$1 *2',
    '"a""b"',
    '"a"\'b\'',
  ])('%j', async (line) => {
    expect(wordsByUs(bytes(line))).toBe(await wordsByRedis(bytes(line)));
  });

  test('whatever stands in it', async () => {
    const unit = fc.constantFrom(...'ab xn04F\\"\'\\"\' \t\x0b\x0c\r\xff');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 24 }), async (line) => {
        // A carriage return at the end belongs to the end of the line.
        const input = bytes(line.replace(/\r+$/, ''));
        expect(wordsByUs(input)).toBe(await wordsByRedis(input));
      }),
      { numRuns: 1500 },
    );
  });
});

test('quoting any bytes gives the same bytes', () => {
  const quote = (value: Uint8Array) => `"${Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }), (values) => {
      expect(splitInline(bytes(values.map(quote).join(' ')))).toEqual(values.map((value) => Buffer.from(value)));
    }),
  );
});
