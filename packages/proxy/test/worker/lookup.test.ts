// Commands that the proxy's table doesn't have. The servers know some by other names (rename-command), so COMMAND INFO describes them as it would a module's,
// and they do what they always do; one server pretends to know others.

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually, freePort, scratchDir } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { array, bulk, integer, nil } from '../../src/resp/replies.ts';
import { FRAME, RequestScanner } from '../../src/resp/request-scanner.ts';
import { NAME_BYTES_MAX } from '../../src/worker/lookup.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

const GROUPS = 2;
const RENAMED = {
  SET: 'mod.set',
  LMPOP: 'mod.lmpop',
  BLPOP: 'mod.bpop',
  XINFO: 'mod.info',
  XREAD: 'mod.read',
  SORT: 'mod.sort',
  SUBSCRIBE: 'mod.subscribe',
  LOLWUT: 'mod.art',
  DEBUG: 'mod.debug',
};
const keys = Array.from({ length: GROUPS }, (_, group) =>
  Array.from({ length: 100 }, (_, at) => `k${at}`).find((key) => slotOf(Buffer.from(key)) % GROUPS === group),
) as [string, string];

describe('over real servers', () => {
  let servers: RedisServer[] = [];
  let worker: OneWorker;
  let client: Redis;
  let raw: RawClient;
  const asked = async () => {
    const stats = await Promise.all(servers.map((server) => server.client().info('commandstats')));
    return stats.map((text) => Number(/cmdstat_command\|info:calls=(\d+)/.exec(text)?.[1] ?? 0));
  };

  beforeAll(async () => {
    const include = join(scratchDir('redis'), 'renamed.conf');
    writeFileSync(
      include,
      Object.entries(RENAMED)
        .map(([from, to]) => `rename-command ${from} ${to}\n`)
        .join(''),
    );
    servers = await Promise.all(Array.from({ length: GROUPS }, () => startRedis({ config: { include } })));
    worker = await startWorker();
    worker.route(servers);
    client = worker.client();
    raw = new RawClient(worker.port);
  });

  afterAll(async () => {
    raw?.close();
    worker?.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  beforeEach(() => Promise.all(servers.map((server) => server.client().flushall())));

  test('goes to the server of its key', async () => {
    for (const key of keys) expect(await client.call('mod.set', key, 'x')).toBe('OK');
    for (const [at, key] of keys.entries()) expect(await servers[at]?.client().get(key)).toBe('x');
  });

  test('is asked about once, in any case', async () => {
    await client.call('mod.set', keys[0], 'x');
    const before = await asked();
    for (const name of ['MOD.SET', 'Mod.Set', 'mod.set']) await client.call(name, keys[0], 'x');
    expect(await asked()).toEqual(before);
  });

  test('nothing overtakes it while the servers are asked', async () => {
    const fresh = await startWorker();
    fresh.route(servers);
    const pipelined = new RawClient(fresh.port);
    const replies = await pipelined.ask(`DEL ${keys[0]}\r\nmod.set ${keys[0]} a\r\nAPPEND ${keys[0]} b\r\nGET ${keys[0]}\r\n`, 4);
    expect(replies.slice(1)).toEqual(['+OK\r\n', ':2\r\n', '$2\r\nab\r\n']);
    pipelined.close();
    fresh.close();
  });

  test('its number of arguments is checked as Redis does, by the name it was called', async () => {
    await expect(client.call('mod.set', keys[0])).rejects.toThrow("ERR wrong number of arguments for 'mod.set' command");
  });

  test('keys whose number stands in an argument are found', async () => {
    await client.rpush(keys[0], 'a', 'b');
    expect(await client.call('mod.lmpop', 1, keys[0], 'LEFT')).toEqual([keys[0], ['a']]);
    await expect(client.call('mod.lmpop', 2, keys[0], keys[1], 'LEFT')).rejects.toThrow('CROSSSLOT');
    await expect(client.call('mod.lmpop', 9, keys[0], 'LEFT')).rejects.toThrow('ERR syntax error');
  });

  test('subcommands are found with it', async () => {
    await client.xadd(keys[1], '*', 'a', 'b');
    expect(await client.call('mod.info', 'STREAM', keys[1])).toContain('last-generated-id');
    await expect(client.call('mod.info', 'nosuch', keys[1])).rejects.toThrow("ERR unknown subcommand 'nosuch'. Try MOD.INFO HELP.");
    await expect(client.call('mod.info')).rejects.toThrow("ERR wrong number of arguments for 'mod.info' command");
  });

  test('what blocks waits on a connection of its own', async () => {
    await client.del(keys[1]);
    const popped = worker.client().call('mod.bpop', keys[1], 0);
    await eventually(async () => /blocked_clients:1/.test((await servers[1]?.client().info('clients')) as string), { what: 'it to block' });
    expect(await client.get(keys[1])).toBeNull();
    await client.rpush(keys[1], 'here');
    expect(await popped).toEqual([keys[1], 'here']);
  });

  test('in a transaction it is queued like any other', async () => {
    const replies = await raw.ask(`MULTI\r\nmod.set ${keys[0]} t\r\nGET ${keys[0]}\r\nEXEC\r\n`, 4);
    expect(replies.at(-1)).toBe('*2\r\n+OK\r\n$1\r\nt\r\n');
  });

  test.each([
    ['mod.sort', 'its server does not tell where all of its keys stand; connect to a server'],
    ['mod.subscribe', 'the proxy does not know what it does with channels; connect to a server'],
    ['mod.art', 'it has no keys, which would say where it is to run; connect to a server'],
    ['mod.debug', 'it is about one server; connect to that server'],
  ])('%s is refused, and told why', async (name, why) => {
    await expect(client.call(name, 'x', 'y')).rejects.toThrow(`ERR '${name}' is refused by the proxy: ${why}`);
  });

  test('a name that no server knows gets Redis’s own words, and is not asked for again at once', async () => {
    const unknown = () => raw.ask('nosuch.cmd a b\r\n');
    const [first] = await unknown();
    expect(first).toBe("-ERR unknown command 'nosuch.cmd', with args beginning with: 'a' 'b' \r\n");
    const before = await asked();
    expect(await unknown()).toEqual([first]);
    expect(await asked()).toEqual(before);
  });

  test('a name longer than any is never asked for, one as long as may be is', async () => {
    const before = await asked();
    await raw.ask(`${'x'.repeat(NAME_BYTES_MAX + 1)}\r\n`);
    await raw.ask('a|b\r\n');
    expect(await asked()).toEqual(before);
    await raw.ask(`${'x'.repeat(NAME_BYTES_MAX)}\r\n`);
    expect(await asked()).toEqual(before.map((calls) => calls + 1));
  });

  test('who has not given the password has nothing looked up', async () => {
    const closed = await startWorker({ session_auth: 'secret' });
    closed.route(servers);
    const stranger = new RawClient(closed.port);
    const before = await asked();
    expect((await stranger.ask('mod.set a b\r\n'))[0]).toContain('unknown command');
    expect(await asked()).toEqual(before);
    expect(await stranger.ask(`AUTH secret\r\nmod.set ${keys[0]} b\r\n`, 2)).toEqual(['+OK\r\n', '+OK\r\n']);
    stranger.close();
    closed.close();
  });

  test('a command of the table that the servers don’t know gets their error', async () => {
    await expect(client.set(keys[0], 'x')).rejects.toThrow("ERR unknown command 'set'");
  });
});

describe('over a server that describes commands of its own', () => {
  let server: Server | null = null;
  let worker: OneWorker | null = null;

  afterEach(() => {
    worker?.close();
    server?.close();
  });

  /** `info`: what it says to COMMAND INFO; null for no answer at all. */
  async function start(info: Buffer | null): Promise<{ raw: RawClient; calls: string[] }> {
    const port = await freePort();
    const calls: string[] = [];
    server = createServer((socket) => {
      const scanner = new RequestScanner(1 << 20);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        scanner.feed(chunk);
        while (scanner.next() === FRAME) {
          const { buf, args, argc } = scanner.frame;
          const words = Array.from({ length: argc }, (_, at) => buf.toString('latin1', args[at * 2], args[at * 2 + 1]));
          const reply = answer(words, info);
          if (words[0]?.startsWith('my.')) calls.push(words.join(' '));
          if (reply !== null) socket.write(reply);
        }
      });
    }).listen(port, '127.0.0.1');
    worker = await startWorker();
    worker.route([{ addr: `127.0.0.1:${port}` }]);
    return { raw: new RawClient(worker.port), calls };
  }

  function answer([name, sub]: readonly string[], info: Buffer | null): Buffer | null {
    if (name === 'COMMAND') return info;
    if (name === 'GET') return nil(2);
    if (name === 'CLIENT' && sub === 'ID') return integer(1);
    if (name === 'INFO') return bulk('redis_version:9.9.9\r\n');
    return Buffer.from('+OK\r\n');
  }

  const texts = (...items: string[]) => array(items.map(bulk));
  const entry = (flags: readonly string[], positions: readonly number[], ...more: readonly Buffer[]) =>
    array([array([bulk('my.cmd'), integer(-2), texts(...flags), ...positions.map(integer), ...more])]);

  test('a server before Redis 7 tells first, last and step', async () => {
    const { raw, calls } = await start(entry(['write'], [1, -1, 2]));
    expect(await raw.ask('my.cmd {a}1 x {a}2 y\r\n')).toEqual(['+OK\r\n']);
    expect(await raw.ask('my.cmd {a}1 x {b}2 y\r\n')).toEqual(["-CROSSSLOT Keys in request don't hash to the same slot\r\n"]);
    expect(calls).toEqual(['my.cmd {a}1 x {a}2 y']);
    raw.close();
  });

  test('keys that move with the arguments are not guessed', async () => {
    const { raw, calls } = await start(entry(['write', 'movablekeys'], [1, 1, 1]));
    expect((await raw.ask('my.cmd a\r\n'))[0]).toContain('does not tell where all of its keys stand');
    expect(calls).toEqual([]);
    raw.close();
  });

  test('keys behind a word are found', async () => {
    const spec = array([
      bulk('flags'),
      texts('RO', 'access'),
      bulk('begin_search'),
      array([bulk('type'), bulk('keyword'), bulk('spec'), array([bulk('keyword'), bulk('STREAMS'), bulk('startfrom'), integer(1)])]),
      bulk('find_keys'),
      array([
        bulk('type'),
        bulk('range'),
        bulk('spec'),
        array([bulk('lastkey'), integer(-1), bulk('keystep'), integer(1), bulk('limit'), integer(2)]),
      ]),
    ]);
    const { raw, calls } = await start(entry(['readonly', 'movablekeys'], [0, 0, 0], texts(), texts(), array([spec])));
    expect(await raw.ask('my.cmd COUNT 1 streams {a}1 {a}2 0 0\r\n')).toEqual(['+OK\r\n']);
    expect((await raw.ask('my.cmd COUNT 1 streams {a}1 {b}2 0 0\r\n'))[0]).toContain('CROSSSLOT');
    expect((await raw.ask('my.cmd COUNT 1\r\n'))[0]).toContain("'my.cmd' without a key can't go through the proxy");
    expect(calls).toHaveLength(1);
    raw.close();
  });

  test.each([
    ['no array at all', Buffer.from('+OK\r\n')],
    ['an entry that is none', array([array([bulk('my.cmd')])])],
    ['nothing', array([])],
  ])('what makes no sense counts as unknown: %s', async (_, info) => {
    const { raw, calls } = await start(info);
    expect((await raw.ask('my.cmd a\r\n'))[0]).toContain("unknown command 'my.cmd'");
    expect(calls).toEqual([]);
    raw.close();
  });

  test('a server that answers with an error is quoted', async () => {
    const { raw } = await start(Buffer.from('-NOPERM this user may not\r\n'));
    expect((await raw.ask('my.cmd a\r\n'))[0]).toBe(
      "-ERR the proxy does not know 'my.cmd', and could not look it up (NOPERM this user may not), so it was not sent\r\n",
    );
    raw.close();
  });

  test('a server that does not answer is waited for two seconds, and no other client waits with it', async () => {
    const { raw } = await start(null);
    const other = new RawClient(worker?.port as number);
    const waiting = raw.ask('my.cmd a\r\n');
    expect(await other.ask('PING\r\n')).toEqual(['+PONG\r\n']);
    expect((await waiting)[0]).toContain('no server answered in time');
    raw.close();
    other.close();
  });

  test('an answer of any length does no harm', async () => {
    const { raw } = await start(array([bulk('x'.repeat(200_000))]));
    expect((await raw.ask('my.cmd a\r\n'))[0]).toContain('a server said too much of it');
    raw.close();
  });
});
