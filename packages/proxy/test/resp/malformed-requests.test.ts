// Goal: whoever speaks the protocol badly is told so in Redis's own words, and what Redis accepts is accepted.
// Method: the same bytes go to a real redis-server, whole and then closed, and through our scanner; what Redis sends back is the oracle.
// The table follows Redis's tests/unit/protocol.tcl. Where we differ on purpose, the row says why.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { array, bulk, errorReply, PONG } from '../../src/resp/replies.ts';
import { bytes, bytewise, type ScanOptions, scanAll } from './scan.ts';

let redis: RedisServer;
let locked: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
  locked = await startRedis({ config: { requirepass: 'secret' } });
});

afterAll(async () => {
  await Promise.all([redis.stop(), locked.stop()]);
});

const PING = '*1\r\n$4\r\nPING\r\n';
const echo = (text: string): string => `*2\r\n$4\r\nECHO\r\n$${text.length}\r\n${text}\r\n`;

/** All that Redis sends back until it closes; our side closes after the last byte. */
async function askRedis(server: RedisServer, input: Buffer): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await askOnce(server, input);
    } catch (error) {
      // It closes with some of the input unread, and the reset that this makes can overtake its answer.
      if (tries === 10 || !['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

function askOnce(server: RedisServer, input: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect({ port: server.port, host: '127.0.0.1' }, () => socket.end(input));
    socket.setTimeout(10_000, () => socket.destroy(new Error('Redis neither answered nor closed')));
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')));
  });
}

/** What a session would send back: only PING, ECHO and EVAL 'return ARGV' are understood. */
function askScanner(pieces: Iterable<Buffer>, options: ScanOptions = {}): string {
  const { requests, error } = scanAll(pieces, options);
  const replies = requests.map(([name, ...args]) => {
    const command = name?.toString('latin1').toUpperCase();
    if (command === 'PING' && args.length === 0) return PONG;
    if (command === 'ECHO' && args.length === 1) return bulk(args[0]!);
    if (command === 'EVAL') return array(args.slice(2).map(bulk));
    throw new Error(`the table sent ${requests.map(String).join(', ')}`);
  });
  return Buffer.concat(error === null ? replies : [...replies, errorReply(`ERR ${error}`)]).toString('latin1');
}

/** Answered by both alike; PING and ECHO around them show what still works. */
const SAME: readonly (readonly [title: string, input: string])[] = [
  ['an empty query', '\r\n'],
  ['empty lines before a request', `\r\n\n \r\n${PING}`],
  ['a line of a carriage return alone', `\r\r\n${PING}`],
  ['an empty array', `*0\r\n${PING}`],
  ['a negative count of arguments', `*-10\r\n${PING}`],
  ['a count of minus one', `*-1\r\n${PING}`],
  ['a count far below zero', `*-3000000000\r\n${PING}`],
  ['a count of minus zero', `*-0\r\n${PING}`],
  ['a count of two zeros', `*00\r\n${PING}`],
  ['a count with a leading zero', `*01\r\n$4\r\nPING\r\n`],
  ['a count with a plus', '*+1\r\n$4\r\nPING\r\n'],
  ['a count with a space before it', '* 1\r\n$4\r\nPING\r\n'],
  ['a count with a space behind it', '*1 \r\n$4\r\nPING\r\n'],
  ['a count that is no number', '*blahblah\r\n$4\r\nPING\r\n'],
  ['a count with a letter in it', '*1x\r\n$4\r\nPING\r\n'],
  ['a count that is missing', `*\r\n${PING}`],
  ['a count that is only a minus', `*-\r\n${PING}`],
  ['a count with two minuses', `*--1\r\n${PING}`],
  ['a count with a fraction', `*1.0\r\n${PING}`],
  ['a count out of range', `*3000000000\r\n${PING}`],
  ['a count of -2^63', `*-9223372036854775808\r\n${PING}`],
  ['a count of -2^63 - 1', `*-9223372036854775809\r\n${PING}`],
  ['a count of 2^31', `*2147483648\r\n${PING}`],
  ['a count of more than a million', '*1048577\r\n$4\r\nPING\r\n'],
  ['a count beyond 64 bits', `*99999999999999999999\r\n${PING}`],
  ['a count of 40 digits', `*${'1'.repeat(40)}\r\n${PING}`],
  ['a count that ends with another byte after its carriage return', `*1\rX$4\r\nPING\r\n${PING}`],
  ['a count that is cut off', '*1'],
  ['a wrong payload header', '*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n'],
  ['an array within the array', '*1\r\n*1\r\n$4\r\nPING\r\n'],
  ['an integer for an argument', '*1\r\n:1\r\n'],
  ['a simple string for an argument', '*1\r\n+PING\r\n'],
  ['an empty line for an argument', '*1\r\n\r\n'],
  ['a line feed for an argument', '*1\r\n\n\r\n'],
  ['a line for an argument', '*1\r\nPING\r\n'],
  ['a length that is no number', '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n'],
  ['a negative length', '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n'],
  ['a length of minus one', '*2\r\n$4\r\nECHO\r\n$-1\r\n'],
  ['a length of minus zero', '*2\r\n$4\r\nECHO\r\n$-0\r\n\r\n'],
  ['a length out of range', '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n'],
  ['a length beyond 64 bits', '*2\r\n$4\r\nECHO\r\n$99999999999999999999\r\n'],
  ['a length with a leading zero', '*1\r\n$04\r\nPING\r\n'],
  ['a length with a plus', '*1\r\n$+4\r\nPING\r\n'],
  ['a length with spaces', '*1\r\n$ 4\r\nPING\r\n'],
  ['a length that is missing', '*2\r\n$4\r\nECHO\r\n$\r\n\r\n'],
  ['an argument longer than its length', `*2\r\n$4\r\nECHO\r\n$2\r\nabcd\r\n${PING}`],
  ['an argument that ends without CRLF', `*1\r\n$4\r\nPINGxx${PING}`],
  ['an empty argument', echo('')],
  ['a request cut off in an argument', `${PING}*2\r\n$4\r\nECHO\r\n$10\r\nabc`],
  ['an inline command', 'PING\r\n'],
  ['an inline command with spaces around it', '   PING   \r\n'],
  ['an inline command with tabs', '\tECHO\thello\t\r\n'],
  ['an inline command with a line feed alone', 'PING\nPING\n'],
  ['an inline command with a carriage return within', 'ECHO\rhello\r\n'],
  ['an inline command that is cut off', 'PIN'],
  ['unbalanced double quotes', `ECHO "hello\r\n${PING}`],
  ['unbalanced single quotes', `ECHO 'hello\r\n${PING}`],
  ['a quote closed in the middle of a word', `ECHO "hel"lo\r\n${PING}`],
  ['unbalanced quotes after good requests', `${PING}${echo('a')}"""\r\n${PING}`],
  ['an array after an inline command', `PING\r\n${PING}PING\r\n`],
  ['a line that begins with a space and a star', ` ECHO *1\r\n${PING}`],
  ['an inline line far too long', `${'x'.repeat(200_000)}`],
];

test.each(SAME)('%s', async (_, input) => {
  const expected = await askRedis(redis, bytes(input));
  expect(askScanner([bytes(input)])).toBe(expected);
  if (input.length < 1000) expect(askScanner(bytewise(bytes(input)))).toBe(expected);
});

describe('before the password is given', () => {
  test.each([
    ['ten arguments', '*10\r\n'],
    ['eleven arguments', '*11\r\n'],
    ['an argument of 16384 bytes', '*1\r\n$16384\r\n'],
    ['an argument of 16385 bytes', '*1\r\n$16385\r\n'],
    ['a million arguments', '*1000000\r\n'],
    ['a count out of range', '*3000000000\r\n'],
    ['a length out of range', '*1\r\n$2000000000\r\n'],
  ])('%s', async (_, input) => {
    expect(askScanner([bytes(input)], { authenticated: false })).toBe(await askRedis(locked, bytes(input)));
  });
});

describe('on purpose different from Redis 7', () => {
  const DIFFERENT: readonly (readonly [title: string, why: string, input: string, theirs: string, ours: string])[] = [
    [
      'more arguments than request_max_bytes can hold',
      'Redis waits for all of them; ours is 64 MB here, and an argument takes 6 bytes at least',
      '*2147483647\r\n',
      '',
      '-ERR Protocol error: request is larger than request_max_bytes (67108864)\r\n',
    ],
    [
      'a count that never ends',
      'Redis waits for 64 KiB of it; more than 32 digits are no number already',
      `*${'1'.repeat(40)}`,
      '',
      '-ERR Protocol error: invalid multibulk length\r\n',
    ],
    [
      'a count with a letter, cut off behind it',
      'Redis waits for the end of the line; it can only be wrong',
      '*1x',
      '',
      '-ERR Protocol error: invalid multibulk length\r\n',
    ],
    [
      'an unprintable byte for a $',
      'ours is shown in hexadecimal, so that it can be read',
      '*1\r\n\xff1\r\n',
      "-ERR Protocol error: expected '$', got '\xff'\r\n",
      "-ERR Protocol error: expected '$', got '\\xff'\r\n",
    ],
    [
      'a NUL byte in an inline command',
      'Redis does not see the end of such a line and waits; ours ends the words at the NUL',
      'PING\0x\r\n',
      '',
      '+PONG\r\n',
    ],
  ];

  test.each(DIFFERENT)('%s: %s', async (_title, _why, input, theirs, ours) => {
    expect(await askRedis(redis, bytes(input))).toBe(theirs);
    expect(askScanner([bytes(input)])).toBe(ours);
  });
});
