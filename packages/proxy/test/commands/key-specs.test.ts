// Goal: the proxy finds exactly the keys that Redis finds, for a key missed is a key read or written in the wrong group.
// Method: a real redis-server's COMMAND GETKEYS is the oracle for many invocations, good and bad. Where we differ on purpose, the row says why.

import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { findCommand } from '../../src/commands/command.ts';
import { extractKeys, KEYS_BAD, KEYS_BLOCKING, KEYS_OK, KEYS_PATTERN, type KeysResult, keyArgs } from '../../src/commands/key-specs.ts';
import { argOf, frameOf } from './frames.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
});

afterAll(() => server.stop());

/** The words of an invocation; `""` is the empty one. */
const wordsOf = (invocation: string): string[] => invocation.split(' ').map((word) => (word === '""' ? '' : word));

function keysByUs(invocation: string): { result: KeysResult; keys: string[] } {
  const frame = frameOf(wordsOf(invocation));
  const found = findCommand(frame.buf, frame.args[0]!, frame.args[1]!);
  const command = (frame.argc > 1 && found?.subcommands?.get(argOf(frame, 1).toString().toLowerCase())) || found;
  if (command === undefined) throw new Error(`${invocation}: no such command`);
  const result = extractKeys(command.keys, frame);
  return { result, keys: Array.from(keyArgs.list.subarray(0, keyArgs.count), (at) => argOf(frame, at).toString()) };
}

async function keysByRedis(invocation: string): Promise<string[] | 'none'> {
  try {
    const keys = (await redis.call('COMMAND', 'GETKEYS', ...wordsOf(invocation))) as string[];
    return keys.length === 0 ? 'none' : keys;
  } catch (error) {
    if (/Invalid arguments|no key arguments|Invalid number of arguments/.test((error as Error).message)) return 'none';
    throw error;
  }
}

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const GOOD = lines(`
  GET k
  get k
  GET ""
  SET k v
  SET k v EX 10 NX GET
  SETNX k v
  SETEX k 10 v
  APPEND k v
  INCRBYFLOAT k 1.5
  GETRANGE k 0 -1
  GETEX k PERSIST
  MGET a
  MGET a b c a
  MSET a 1
  MSET a 1 b 2 c 3
  MSETNX a 1 b 2
  DEL a
  DEL a b c
  UNLINK a b
  EXISTS a a a
  TOUCH a b
  TYPE k
  DUMP k
  RESTORE k 0 payload REPLACE
  COPY a b
  COPY a b DB 3 REPLACE
  MOVE k 3
  RENAME a b
  RENAMENX a b
  EXPIRE k 10 NX
  PEXPIREAT k 10
  OBJECT ENCODING k
  object freq k
  OBJECT REFCOUNT k
  MEMORY USAGE k
  MEMORY USAGE k SAMPLES 5
  SETBIT k 1 1
  BITCOUNT k 0 -1 BIT
  BITFIELD k GET u8 0
  BITFIELD_RO k GET u8 0
  BITOP AND dest a b c
  BITOP NOT dest a
  BITPOS k 1
  LCS a b LEN
  LPUSH k a b c
  RPOP k 3
  LINSERT k BEFORE a b
  LMOVE a b LEFT RIGHT
  RPOPLPUSH a b
  LPOS k v RANK 1
  LMPOP 1 a LEFT
  LMPOP 3 a b c LEFT COUNT 2
  LMPOP 2 LEFT RIGHT LEFT
  BLMPOP 0 2 a b LEFT
  BLPOP a 0
  BLPOP a b c 0
  BRPOP a b 5
  BLMOVE a b LEFT RIGHT 0
  BRPOPLPUSH a b 0
  SADD k a b
  SMOVE a b m
  SINTER a b c
  SINTERSTORE dest a b
  SINTERCARD 1 a
  SINTERCARD 2 a b LIMIT 5
  SUNION a
  SUNIONSTORE dest a b c
  SDIFF a b
  SDIFFSTORE dest a
  SMISMEMBER k a b
  SSCAN k 0 MATCH *
  ZADD k 1 a 2 b
  ZADD k NX GT CH 1 a
  ZRANGE k 0 -1 WITHSCORES
  ZRANGESTORE dest src 0 -1
  ZUNION 2 a b WEIGHTS 1 2 AGGREGATE SUM
  ZINTER 1 a
  ZINTERCARD 2 a b LIMIT 1
  ZDIFF 3 a b c WITHSCORES
  ZUNIONSTORE dest 2 a b
  ZUNIONSTORE dest 1 a WEIGHTS 2
  ZUNIONSTORE dest 2 a b AGGREGATE MAX
  ZINTERSTORE dest 3 a b c
  ZDIFFSTORE dest 2 a b
  ZMPOP 1 a MIN
  ZMPOP 2 a MIN
  ZMPOP 2 a b MAX COUNT 3
  BZMPOP 0 2 a b MIN
  BZPOPMIN a b 0
  BZPOPMAX a 0
  ZRANGEBYSCORE k -inf +inf LIMIT 0 1
  HSET k f v g w
  HGETALL k
  HMGET k f g
  HRANDFIELD k 2 WITHVALUES
  HSCAN k 0 COUNT 10
  PFADD k a b
  PFCOUNT a b c
  PFMERGE dest a b
  PFDEBUG GETREG k
  GEOADD k 1 1 m
  GEODIST k a b
  GEOPOS k a b
  GEOSEARCH k FROMMEMBER m BYRADIUS 1 m ASC
  GEOSEARCHSTORE dest src FROMMEMBER m BYRADIUS 1 m ASC
  GEORADIUS k 1 1 1 m
  GEORADIUS k 1 1 1 m WITHCOORD COUNT 3 ANY ASC
  GEORADIUS k 1 1 1 m STORE
  GEORADIUS k 1 1 1 m STORE dest
  GEORADIUS k 1 1 1 m ASC COUNT 2 STOREDIST dest
  GEORADIUS k 1 1 1 m STORE STORE
  GEORADIUS_RO k 1 1 1 m ASC
  GEORADIUSBYMEMBER k m 1 m
  GEORADIUSBYMEMBER k m 1 m STORE dest
  GEORADIUSBYMEMBER k m 1 km DESC STOREDIST dest
  GEORADIUSBYMEMBER_RO k m 1 m
  SORT k
  SORT k LIMIT 0 5 DESC ALPHA
  SORT k STORE
  SORT k STORE dest
  SORT k BY nosort GET # STORE dest
  SORT k STORE one STORE two
  SORT k LIMIT STORE STORE STORE dest
  SORT k GET STORE STORE dest
  SORT k by store store dest
  SORT_RO k
  SORT_RO k LIMIT 0 5
  XADD k * f v
  XADD k NOMKSTREAM MAXLEN ~ 10 * f v
  XLEN k
  XRANGE k - + COUNT 1
  XACK k g 1-1
  XCLAIM k g c 0 1-1
  XAUTOCLAIM k g c 0 0
  XPENDING k g
  XSETID k 1-1
  XTRIM k MAXLEN 10
  XGROUP CREATE k g $ MKSTREAM
  xgroup destroy k g
  XGROUP SETID k g 0
  XGROUP CREATECONSUMER k g c
  XGROUP DELCONSUMER k g c
  XINFO STREAM k FULL
  XINFO GROUPS k
  XINFO CONSUMERS k g
  XREAD STREAMS a 0
  XREAD STREAMS a b 0 0
  XREAD COUNT 5 STREAMS a b c 0 0 0
  xread count 1 streams streams streams
  XREADGROUP GROUP g c STREAMS a >
  XREADGROUP GROUP g c COUNT 1 NOACK STREAMS a b > >
  XREADGROUP COUNT 1 GROUP g c STREAMS a >
  XREADGROUP NOACK COUNT 1 GROUP g c STREAMS a >
  XREADGROUP GROUP STREAMS STREAMS STREAMS a >
  XREADGROUP GROUP g STREAMS STREAMS a >
  XREADGROUP GROUP g block STREAMS a b 0 0
  EVAL return 1 a
  EVAL return 2 a b arg
  EVAL return 3 a b a
  EVAL_RO return 1 a
  EVALSHA abcd 2 a b x y z
  EVALSHA_RO abcd 1 a
  FCALL f 1 a
  FCALL f 2 a b arg
  FCALL_RO f 1 a
  WATCH a b
`);

test('there are enough of them', () => {
  expect(GOOD.length).toBeGreaterThanOrEqual(150);
});

test.each(GOOD)('%s', async (invocation) => {
  const expected = await keysByRedis(invocation);
  expect(expected).not.toBe('none');
  expect(keysByUs(invocation)).toEqual({ result: KEYS_OK, keys: expected });
});

/** Redis finds no keys in these; what we find, if anything, is refused too. */
const BAD = lines(`
  ZUNIONSTORE dest 0 a
  ZUNIONSTORE dest -1 a
  ZUNIONSTORE dest x a
  ZUNIONSTORE dest 3 a b
  ZUNIONSTORE dest 999999999 a
  ZUNIONSTORE dest 9999999999 a
  ZUNIONSTORE dest 99999999999999999999 a
  ZUNIONSTORE dest "" a
  ZUNION 2 a
  ZINTER 0 a
  ZINTERCARD 999999999 a
  ZDIFF 2 a
  LMPOP 0 a LEFT
  LMPOP 9 a LEFT
  SINTERCARD 0 a
  SINTERCARD 3 a b
  SINTERCARD 999999999 a
  EVAL return 0
  EVAL return 0 a b
  EVAL return 1
  EVAL return 2 a
  EVAL return -1 a
  EVAL return 999999999 a
  EVAL return x a
  EVALSHA abcd 5 a
  FCALL f 2 a
  FCALL f 0
  BZMPOP 0 3 a MIN
  BLMPOP 0 999999999 a LEFT
  XREAD a b c
  XREAD COUNT 1 BLOCK
  XREAD COUNT 1 STREAMS
  XREADGROUP GROUP g c COUNT 1 a >
  PING hello
  SCAN 0
  SUBSCRIBE a
  PUBLISH a b
`);

test.each(BAD)('%s has no keys to be found', async (invocation) => {
  const { result, keys } = keysByUs(invocation);
  if (result === KEYS_OK) expect(keys).toEqual(REFUSED_BY_THE_SERVER.get(invocation) ?? []);
  else expect(result).toBe(KEYS_BAD);
  expect(await keysByRedis(invocation)).toBe('none');
});

/** Forwarded to the group of the destination, which refuses the command in its own words. */
const REFUSED_BY_THE_SERVER = new Map([['ZUNIONSTORE dest 0 a', ['dest']]]);

describe('on purpose different from COMMAND GETKEYS', () => {
  const DIFFERENT: readonly (readonly [
    invocation: string,
    why: string,
    theirs: readonly string[] | 'none',
    ours: ReturnType<typeof keysByUs>,
  ])[] = [
    ['XREAD BLOCK 0 STREAMS a 0', 'it blocks', ['a'], { result: KEYS_BLOCKING, keys: ['a'] }],
    ['XREAD COUNT 1 block 0 STREAMS a b 0 0', 'it blocks', ['a', 'b'], { result: KEYS_BLOCKING, keys: ['a', 'b'] }],
    ['XREADGROUP GROUP g c BLOCK 0 STREAMS a >', 'it blocks', ['a'], { result: KEYS_BLOCKING, keys: ['a'] }],
    ['XREADGROUP BLOCK 0 GROUP g c STREAMS a >', 'it blocks, and says so first', ['a'], { result: KEYS_BLOCKING, keys: ['a'] }],
    ['XREADGROUP COUNT 1 BLOCK 5 NOACK GROUP g c STREAMS a >', 'it blocks', ['a'], { result: KEYS_BLOCKING, keys: ['a'] }],
    ['SORT k BY w_*', 'BY reads keys named by values', ['k'], { result: KEYS_PATTERN, keys: ['k'] }],
    ['SORT k GET w_* STORE dest', 'so does GET', ['k', 'dest'], { result: KEYS_PATTERN, keys: ['k', 'dest'] }],
    ['SORT k GET # GET h_*->f', 'of a hash too', ['k'], { result: KEYS_PATTERN, keys: ['k'] }],
    ['SORT_RO k BY w_*', 'read only as well', ['k'], { result: KEYS_PATTERN, keys: ['k'] }],
    ['SORT {k} BY w{k}_*', 'a tag keeps them in the slot of the key', ['{k}'], { result: KEYS_OK, keys: ['{k}'] }],
    [
      'GEORADIUS k 1 1 1 m STORE one STOREDIST two',
      'the later one holds when it runs',
      ['k', 'one', 'two'],
      { result: KEYS_OK, keys: ['k', 'two'] },
    ],
    ['GEORADIUS k 1 1 1 m storedist one store two', 'the same', ['k', 'two', 'one'], { result: KEYS_OK, keys: ['k', 'two'] }],
    ['PFMERGE dest', 'it runs, without sources', 'none', { result: KEYS_OK, keys: ['dest'] }],
    ['XREAD COUNT STREAMS STREAMS a 0', 'as Redis reads it when it runs', ['STREAMS'], { result: KEYS_OK, keys: ['a'] }],
    ['XREADGROUP COUNT 1 GROUP STREAMS c STREAMS a >', 'the same', ['c', 'STREAMS'], { result: KEYS_OK, keys: ['a'] }],
    ['XREAD FOO STREAMS a 0', 'an unknown option is a syntax error', ['a'], { result: KEYS_BAD, keys: [] }],
    ['XREADGROUP GROUP g c FOO STREAMS a >', 'the same', ['a'], { result: KEYS_BAD, keys: [] }],
    ['XREADGROUP GROUP g c STREAMS a b >', 'unbalanced', ['a'], { result: KEYS_BAD, keys: [] }],
    ['EVAL return 4294967297 a', 'Redis takes 32 bits of it here and refuses it when it runs', ['a'], { result: KEYS_BAD, keys: [] }],
    ['EVAL return +1 a', 'Redis refuses such a number when it runs', ['a'], { result: KEYS_BAD, keys: [] }],
    ['EVAL return 1x a', 'the same', ['a'], { result: KEYS_BAD, keys: [] }],
    ['MSET a 1 b', 'the router refuses it for its number of arguments', ['a', 'b'], { result: KEYS_OK, keys: ['a', 'b'] }],
    ['SORT_RO k STORE dest', 'Redis refuses it when it runs', ['k'], { result: KEYS_OK, keys: ['k', 'dest'] }],
  ];

  test.each(DIFFERENT)('%s: %s', async (invocation, _why, theirs, ours) => {
    expect(await keysByRedis(invocation)).toEqual(theirs);
    expect(keysByUs(invocation)).toEqual(ours);
  });
});

test('Redis takes the options of XREADGROUP in any order', async () => {
  await redis.call('XGROUP', 'CREATE', 'stream', 'STREAMS', '0', 'MKSTREAM');
  await redis.call('XADD', 'stream', '1-1', 'f', 'v');
  const invocation = 'XREADGROUP COUNT 1 BLOCK 1 NOACK GROUP STREAMS BLOCK STREAMS stream >';
  const [name = '', ...args] = wordsOf(invocation);
  expect(await redis.call(name, ...args)).toEqual([['stream', [['1-1', ['f', 'v']]]]]);
  expect(keysByUs(invocation)).toEqual({ result: KEYS_BLOCKING, keys: ['stream'] });
});

describe('commands that this Redis does not know', () => {
  test.each([
    ['MSETEX 2 a 1 b 2 EX 10', ['a', 'b']],
    ['SUNIONCARD 2 a b', ['a', 'b']],
    ['SDIFFCARD 1 a', ['a']],
    ['XREADGROUP GROUP g c CLAIM 100 STREAMS a >', ['a']],
    ['HGETEX k EX 10 FIELDS 1 f', ['k']],
    ['LMOVEM a b LEFT RIGHT 2', ['a', 'b']],
  ])('%s', (invocation, keys) => {
    expect(keysByUs(invocation)).toEqual({ result: KEYS_OK, keys });
  });

  test('a count of pairs is held against the arguments there are', () => {
    expect(keysByUs('MSETEX 2 a 1 b').result).toBe(KEYS_BAD);
    expect(keysByUs('MSETEX 500000000 a 1 b 2').result).toBe(KEYS_BAD);
  });
});

test('a hundred thousand keys are all found, and later requests find theirs', () => {
  const keys = Array.from({ length: 100_000 }, (_, at) => `k${at}`);
  expect(keysByUs(`DEL ${keys.join(' ')}`)).toEqual({ result: KEYS_OK, keys });
  expect(keyArgs.list.length).toBeGreaterThanOrEqual(keys.length);
  expect(keysByUs('MGET a b')).toEqual({ result: KEYS_OK, keys: ['a', 'b'] });
  expect(keyArgs.list).toHaveLength(1024);
});

test('binary keys stay where they are', () => {
  const frame = frameOf(['ZUNIONSTORE', Buffer.from([0, 255]), '1', Buffer.from('\r\n$1\r\n')]);
  const command = findCommand(frame.buf, frame.args[0]!, frame.args[1]!)!;
  expect(extractKeys(command.keys, frame)).toBe(KEYS_OK);
  expect([...keyArgs.list.subarray(0, keyArgs.count)]).toEqual([1, 3]);
});
