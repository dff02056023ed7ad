// Goal: a connection is used only when the server has let us in, knows our name, and is not fenced against the table we hold (DESIGN §3).
// Method: bytes in, verdict out, whole and at every split; then once with a real redis-server.

import { connect } from 'node:net';
import { fenceKey, isCodisError } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { Handshake, type HandshakeResult } from '../../src/worker/handshake.ts';
import { bytes, bytewise, everySplit, scanAll } from '../resp/scan.ts';

interface Given {
  readonly password?: string;
  readonly epoch?: number | (() => number);
  readonly db?: number;
  readonly protocol?: 2 | 3;
}

const NAME = 'codis-proxy:proxy_1:1.2';

function handshake({ password = '', epoch = 7, db = 3, protocol = 2 }: Given = {}): Handshake {
  const now = typeof epoch === 'number' ? () => epoch : epoch;
  return new Handshake({ product: 'demo', clientName: NAME, password, db, protocol, epoch: now });
}

/** The first verdict that is not `more`, if `pieces` lead to one. */
function verdict(pieces: readonly Buffer[], given: Given = {}): HandshakeResult {
  const shake = handshake(given);
  let result: HandshakeResult = { kind: 'more' };
  for (const piece of pieces) {
    if (result.kind !== 'more') break;
    result = shake.feed(piece);
  }
  return result;
}

const INFO_TEXT = '# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:c0de\r\n';
const INFO = `$${INFO_TEXT.length}\r\n${INFO_TEXT}\r\n`;
const fence = (epoch: number | string) => `$${String(epoch).length}\r\n${epoch}\r\n`;
const answers = (first: string) => `+OK\r\n${first}+OK\r\n:12\r\n${INFO}`;

describe('what is sent', () => {
  test('names the connection, reads the fence, selects the database and asks for the version', () => {
    const { requests } = scanAll([handshake().request]);
    expect(requests.map((args) => args.map(String))).toEqual([
      ['CLIENT', 'SETNAME', NAME],
      ['GET', fenceKey('demo')],
      ['SELECT', '3'],
      ['CLIENT', 'ID'],
      ['INFO', 'server'],
    ]);
  });

  test('begins with the password when there is one', () => {
    const { requests } = scanAll([handshake({ password: 'se cret\r\n' }).request]);
    expect(requests[0]?.map(String)).toEqual(['AUTH', 'se cret\r\n']);
    expect(requests).toHaveLength(6);
  });

  test('asks for RESP3 where that is wanted, after the password', () => {
    const { requests } = scanAll([handshake({ password: 'p', protocol: 3 }).request]);
    expect(requests.slice(0, 3).map((args) => args.map(String))).toEqual([
      ['AUTH', 'p'],
      ['HELLO', '3'],
      ['CLIENT', 'SETNAME', NAME],
    ]);
  });
});

describe('the verdict', () => {
  const OK = { kind: 'ok', version: '7.0.15', runId: 'c0de', clientId: 12 };
  const behind = (epoch: number, at: number) => ({
    kind: 'failed',
    behind: true,
    reason: `this proxy's slot table is behind: it holds epoch ${epoch}, the server is fenced below ${at}`,
  });
  const refused = (error: string) => ({ kind: 'failed', behind: false, reason: `it answered the handshake with ${error}` });

  const CASES: readonly (readonly [title: string, received: string, given: Given, expected: object])[] = [
    ['without a fence', answers('$-1\r\n'), {}, OK],
    ['with the password', `+OK\r\n${answers('$-1\r\n')}`, { password: 'p' }, OK],
    ['of an older fence', answers(fence(6)), {}, OK],
    ['of a fence at our own epoch', answers(fence(7)), {}, OK],
    ['of a newer fence', answers(fence(8)), {}, behind(7, 8)],
    ['of a fence before we saw any table', answers(fence(0)), { epoch: -1 }, behind(-1, 0)],
    ['of a fence compared as a number', answers(fence(10)), { epoch: 9 }, behind(9, 10)],
    ['of a fence compared as a number the other way', answers(fence(9)), { epoch: 10 }, OK],
    [
      'of a server that is loading',
      '-LOADING Redis is loading the dataset in memory\r\n',
      {},
      refused('LOADING Redis is loading the dataset in memory'),
    ],
    ['of a server that is loading when the fence is read', '+OK\r\n-LOADING x\r\n', {}, refused('LOADING x')],
    ['of a server that wants a password', '-NOAUTH Authentication required.\r\n', {}, refused('NOAUTH Authentication required.')],
    ['of a wrong password', '-WRONGPASS no\r\n', { password: 'p' }, refused('WRONGPASS no')],
    ['of a fence of another type', '+OK\r\n-WRONGTYPE no\r\n', {}, refused('WRONGTYPE no')],
    ['of a database that is not there', '+OK\r\n$-1\r\n-ERR DB index is out of range\r\n', {}, refused('ERR DB index is out of range')],
    [
      'of a server that does not say its version',
      '+OK\r\n$-1\r\n+OK\r\n:1\r\n$0\r\n\r\n',
      {},
      { kind: 'ok', version: '', runId: '', clientId: 1 },
    ],
    ['of a server without CLIENT ID', `+OK\r\n$-1\r\n+OK\r\n-ERR unknown\r\n${INFO}`, {}, { ...OK, clientId: 0 }],
    ['in RESP3', `%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n${answers('_\r\n')}`, { protocol: 3 }, OK],
    [
      'of a server without RESP3',
      '-NOPROTO no\r\n',
      { protocol: 3 },
      { kind: 'failed', behind: false, reason: 'it does not speak RESP3, which Redis 6 and newer do: NOPROTO no' },
    ],
    ['of a server without INFO', '+OK\r\n$-1\r\n+OK\r\n:1\r\n-NOPERM no\r\n', {}, refused('NOPERM no')],
  ];

  describe.each(CASES)('%s', (_, received, given, expected) => {
    const input = bytes(received);

    test('is the same in one piece, byte by byte and at every split', () => {
      expect(verdict([input], given)).toEqual(expected);
      expect(verdict(bytewise(input), given)).toEqual(expected);
      for (const pieces of everySplit(input)) expect(verdict(pieces, given)).toEqual(expected);
    });

    test('waits for the last byte', () => {
      const needed = expected === OK || received.startsWith('-') ? input.length : 0;
      for (let end = 0; end < needed; end++) expect(verdict([input.subarray(0, end)], given)).toEqual({ kind: 'more' });
    });
  });

  test('goes by the epoch held when the fence is read, not when the connection was opened', () => {
    let epoch = 7;
    const shake = handshake({ epoch: () => epoch });
    expect(shake.feed(bytes('+OK\r\n$1\r\n'))).toEqual({ kind: 'more' });
    epoch = 8;
    expect(shake.feed(bytes(`8\r\n+OK\r\n:12\r\n${INFO}`))).toEqual(OK);
  });

  test.each(['', 'x', '8x', '1e3', '-1', '0x1'])('of a fence that holds %j is that it can’t be trusted', (text) => {
    expect(verdict([bytes(answers(fence(text)))], { epoch: 2000 })).toEqual({
      kind: 'failed',
      behind: false,
      reason: `${fenceKey('demo')} in its database 0 is no epoch but ${JSON.stringify(text)}`,
    });
  });

  test.each(['HTTP/1.1 400 Bad Request\r\n', 'SSH-2.0-x\r\n', '\0\0\0'])('of what is not Redis is an error: %j', (text) => {
    let thrown: unknown;
    try {
      verdict([bytes(text)]);
    } catch (error) {
      thrown = error;
    }
    expect(isCodisError(thrown, 'CODIS_E_NOT_REDIS')).toBe(true);
  });

  test('of a server that never comes to an end is a failure, not a full memory', () => {
    const shake = handshake();
    const piece = Buffer.alloc(64 * 1024, 'x');
    let result = shake.feed(bytes('$1000000000\r\n'));
    for (let at = 0; at < 100 && result.kind === 'more'; at++) result = shake.feed(piece);
    expect(result).toEqual({ kind: 'failed', behind: false, reason: 'its answer to the handshake is larger than 1048576 bytes' });
  });
});

describe('with a real Redis', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis({ config: { requirepass: 'secret' } });
  });

  afterAll(() => redis.stop());

  function meet(given: Given): Promise<HandshakeResult> {
    return new Promise((resolve, reject) => {
      const shake = handshake(given);
      const socket = connect({ port: redis.port, host: '127.0.0.1' }, () => socket.write(shake.request));
      socket.setTimeout(10_000, () => socket.destroy(new Error('no verdict')));
      socket.on('error', reject);
      socket.on('data', (chunk: Buffer) => {
        const result = shake.feed(chunk);
        if (result.kind === 'more') return;
        socket.destroy();
        resolve(result);
      });
    });
  }

  test('it succeeds', async () => {
    expect(await meet({ password: 'secret' })).toEqual({
      kind: 'ok',
      version: '7.0.15',
      runId: expect.stringMatching(/^[0-9a-f]{40}$/),
      clientId: expect.any(Number),
    });
  });

  test('it meets a fence', async () => {
    const client = redis.client({ password: 'secret' });
    await client.set(fenceKey('demo'), '8');
    expect(await meet({ password: 'secret' })).toMatchObject({ kind: 'failed', behind: true });
    expect(await meet({ password: 'secret', epoch: 8 })).toMatchObject({ kind: 'ok' });
    await client.del(fenceKey('demo'));
  });

  test('it is refused without the password', async () => {
    expect(await meet({})).toEqual({
      kind: 'failed',
      behind: false,
      reason: 'it answered the handshake with NOAUTH Authentication required.',
    });
    expect(await meet({ password: 'wrong' })).toMatchObject({ kind: 'failed', behind: false });
  });
});
