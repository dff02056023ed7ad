// Goal: a request whose keys can't be found gets the error that Redis gives it. Method: a real redis-server is the oracle.

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { findCommand } from '../../src/commands/command.ts';
import { keysError } from '../../src/commands/key-errors.ts';
import { extractKeys, KEYS_BAD, KEYS_OK, keyArgs } from '../../src/commands/key-specs.ts';
import { frameOf } from './frames.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
  await redis.call(
    'FUNCTION',
    'LOAD',
    "#!lua name=l\nredis.register_function{function_name='f', callback=function() end, flags={'no-writes'}}",
  );
});

afterAll(() => server.stop());

function errorByUs(words: readonly string[]): string {
  const frame = frameOf(words);
  const command = findCommand(frame.buf, frame.args[0]!, frame.args[1]!)!;
  const result = extractKeys(command.keys, frame);
  expect(result === KEYS_BAD || (result === KEYS_OK && keyArgs.count === 0)).toBe(true);
  return keysError(command, frame, result).toString();
}

async function errorByRedis([name = '', ...args]: readonly string[]): Promise<string> {
  return redis.call(name, ...args).then(
    (reply) => `a reply: ${JSON.stringify(reply)}`,
    (error: Error) => `-${error.message}\r\n`,
  );
}

const NUMBERS = ['0', '-1', '9', '+1', '1x', 'words', '', '9223372036854775807', '9223372036854775808', '-9223372036854775809', '1e3'];
const COUNTED = [
  'FCALL f N a',
  'FCALL_RO f N a',
  'ZUNION N a',
  'ZINTER N a',
  'ZDIFF N a',
  'ZINTERCARD N a',
  'SINTERCARD N a',
  'LMPOP N a LEFT',
  'ZMPOP N a MIN',
  'BLMPOP 1 N a LEFT',
  'BZMPOP 1 N a MIN',
  'EVALSHA short N a',
  'EVALSHA_RO ffffffffffffffffffffffffffffffffffffffff N a',
];

test.each(COUNTED)('%s: a number of keys that is none, none positive, or too large', async (line) => {
  for (const number of NUMBERS) {
    if (number === '0' && /^(?:EVAL|FCALL)/.test(line)) continue;
    const words = line.split(' ').map((word) => (word === 'N' ? number : word));
    expect(errorByUs(words), words.join(' ')).toBe(await errorByRedis(words));
  }
});

test.each([
  'EVAL script 2 a',
  'EVAL script words a',
  'EVAL_RO script -5 a',
  'ZUNIONSTORE dest 5 a b',
  'ZINTERSTORE dest 5 a b',
  'BLMPOP 1 5 a LEFT',
  'BLMPOP -1 0 a LEFT',
  'BZMPOP 1e1 0 a MIN',
  'BZMPOP words 0 a MIN',
  'XREAD STREAMS a b 0',
  'XREAD COUNT 1 NOSUCH STREAMS a 0',
  'XREAD COUNT words STREAMS a b 0',
  'XREAD BLOCK words STREAMS a b 0',
  'XREAD BLOCK -1 STREAMS a b 0',
  'XREAD COUNT 1 BLOCK',
  'XREAD COUNT 1 STREAMS',
  'XREAD GROUP g me NOSUCH a 0',
  'XREAD NOACK NOSUCH a',
  'XREADGROUP GROUP g me NOACK STREAMS a b 0',
  'XREADGROUP GROUP g me STREAMSS a 0 0',
  'XREADGROUP COUNT 1 BLOCK 1 NOACK NOACK',
])('%s', async (line) => {
  expect(errorByUs(line.split(' '))).toBe(await errorByRedis(line.split(' ')));
});

test('a script without keys is no error of Redis’s, and says who minds', () => {
  expect(errorByUs(['EVAL', 'return 1', '0'])).toMatch(/^-ERR 'eval' without a key can't go through the proxy/);
});
