// Goal: whatever is sent in one go, however it is cut, is answered in the order it was sent, with the bytes that one Redis gives.
// Method: the same bytes go to a plain Redis and through a proxy over two groups, and all that comes back is compared. Then with what one Redis never
// has: all slots move to and fro under the writers, and a group freezes and dies in the middle of a pipeline.

import type { MigrationsView } from '@codis/config/api';
import { slotOf } from '@codis/config/model';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

type Words = readonly (string | number)[];

const DEEP = 10_000;
const DATABASES = [0, 5, 15];
const KEYS = Array.from({ length: 40 }, (_, number) => `key:${number}`);
const KINDS: readonly ((key: (at: number) => string, at: number) => Words)[] = [
  (key, at) => ['SET', key(at), `value ${at}\r\n`],
  (key, at) => ['APPEND', key(at), `,${at}`],
  (key, at) => ['GET', key(at + 1)],
  (key, at) => ['INCR', key(at)],
  (key, at) => ['RPUSH', `${key(at)}:list`, at, at + 1],
  (key, at) => ['LRANGE', `${key(at - 1)}:list`, -20, -1],
  (key, at) => ['MSET', key(at), at, key(at + 3), at, key(at + 5), ''],
  (key, at) => ['MGET', ...Array.from({ length: 1 + (at % 12) }, (_, more) => key(at + more))],
  (key, at) => ['DEL', key(at), key(at + 1)],
  (key, at) => ['EXISTS', key(at), key(at), key(at + 2)],
  (key, at) => ['LPUSH', key(at), 'wrong type'],
  (key, at) => ['GET', key(at), 'too much'],
  (_, at) => ['PING', at],
  (_, at) => ['NOSUCH', at],
  (_, at) => ['SELECT', 16 + at],
];
const CLIENTS = 50;
const WRITERS = 8;

describe('a pipeline', () => {
  let cluster: Cluster;
  let plain: RedisServer;
  let proxy: ProxyProcess;
  let direct: RawClient;
  let proxied: RawClient;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    const settings = { migration_batch_slots: 256, slot_hold_timeout_ms: 10_000 };
    [cluster, plain] = await Promise.all([startCluster({ proxies: 1, groups: 2, settings }), startRedis()]);
    proxy = cluster.proxies[0]!;
  });

  beforeEach(async () => {
    [direct, proxied] = await Promise.all([open(plain.port), open()]);
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  afterAll(async () => {
    await cluster.stop();
    await plain.stop();
    await stopAll();
  });

  async function open(port = proxy.port): Promise<RawClient> {
    const client = await RawClient.open(port);
    clients.push(client);
    return client;
  }

  /** Sends `bytes` in `pieces`, each when the kernel has taken the one before, and gives the replies. */
  async function inPieces(client: RawClient, bytes: Buffer, pieces: readonly number[], replyCount: number): Promise<Buffer[]> {
    const replies = client.replies(replyCount, 30_000);
    let at = 0;
    for (let piece = 0; at < bytes.length; piece++) {
      const size = pieces[piece % pieces.length]!;
      await client.sendAll(bytes.subarray(at, at + size));
      at += size;
    }
    return replies;
  }

  async function expectSame(commands: readonly Words[], pieces: readonly number[] = [Number.POSITIVE_INFINITY]): Promise<void> {
    const bytes = Buffer.concat(commands.map(encode));
    const [expected, found] = await Promise.all([
      inPieces(direct, bytes, [bytes.length], commands.length),
      inPieces(proxied, bytes, pieces, commands.length),
    ]);
    const differences = commands.flatMap((words, at) =>
      expected[at]!.equals(found[at]!) ? [] : [`${at} ${words.join(' ')}: ${String(expected[at])} and ${String(found[at])}`],
    );
    expect(differences.slice(0, 10)).toEqual([]);
  }

  test(`of ${DEEP} commands for both groups and several databases gives the replies of one Redis, in order`, async () => {
    const commands = mixedCommands('deep', DEEP);
    expect(new Set(commands.flatMap(([name, key]) => (name === 'GET' ? [groupOf(String(key))] : [])))).toEqual(new Set([1, 2]));
    await expectSame(commands);
  });

  test('of every length is answered whole while replies are read late', async () => {
    for (const length of [1, 2, 3, 100, 1000]) await expectSame(mixedCommands(`length${length}`, length));
    const commands = Array.from({ length: DEEP }, (_, number) => ['ECHO', `${number}`.padEnd(500, '.')]);
    proxied.pause();
    for (const command of commands) proxied.command(...command);
    proxied.resume();
    expect(Buffer.concat(await proxied.replies(DEEP)).equals(Buffer.concat(commands.map(([, text]) => bulk(text!))))).toBe(true);
  });

  test('that comes byte by byte is answered as one that comes at once', async () => {
    await expectSame(mixedCommands('bytes', 150), [1]);
  });

  test('that comes in any pieces is answered as one that comes at once', async () => {
    let run = 0;
    const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })), {
      minLength: 1,
      maxLength: 50,
    });
    const sameInPieces = fc.asyncProperty(pieces, (sizes) => expectSame(mixedCommands(`pieces${run++}`, 1500), [...sizes, 1000]));
    await fc.assert(sameInPieces, { numRuns: 12, interruptAfterTimeLimit: 12_000 });
  });

  test(`of each of ${CLIENTS} clients at once is answered to that client, in its order`, async () => {
    const many = await Promise.all(Array.from({ length: CLIENTS }, () => open()));
    const commands = many.map((_, client) => ownCommands(client, 300));
    for (const [at, client] of many.entries()) client.send(Buffer.concat(commands[at]!.map(encode)));
    const found = await Promise.all(many.map((client, at) => client.replies(commands[at]!.length)));
    direct.send(Buffer.concat(commands.flat().map(encode)));
    for (const replies of found) expect(replies).toEqual(await direct.replies(replies.length));
  });

  async function moveSlots(first: number, last: number, group: number): Promise<void> {
    await cluster.cliOk('slot', 'migrate', String(first), String(last), String(group));
    const isDone = async () => {
      const { migrations } = await cluster.ask<MigrationsView>('GET', '/migrations');
      return migrations.at(-1)!.state === 'done';
    };
    await eventually(isDone, { what: `slots ${first} to ${last} to be in group ${group}`, timeoutMs: 20_000, everyMs: 50 });
  }

  test('of writes to one key keeps their order while all slots move to and fro', async () => {
    let isMoving = true;
    const push = async (writer: number) => {
      const client = await open();
      const lists = [0, 1, 2].map((list) => `order:${writer}:${list}`);
      let count = 0;
      while (isMoving) {
        const numbers = Array.from({ length: 20 }, () => ++count);
        client.send(Buffer.concat(numbers.flatMap((number) => lists.map((key) => encode(['RPUSH', key, number])))));
        expect(String(Buffer.concat(await client.replies(60)))).toBe(numbers.map((number) => `:${number}\r\n`.repeat(3)).join(''));
      }
      return { lists, count };
    };
    const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => push(writer)));
    const moving = moveSlots(0, 511, 2)
      .then(() => moveSlots(0, 1023, 1))
      .then(() => moveSlots(512, 1023, 2))
      .finally(() => {
        isMoving = false;
      });
    const [written] = await Promise.all([writing, moving]);
    for (const { lists, count } of written) {
      const ascending = `*${count}\r\n${Array.from({ length: count }, (_, at) => String(bulk(`${at + 1}`))).join('')}`;
      for (const key of lists) expect((await proxied.askText('LRANGE', key, 0, -1)) === ascending, key).toBe(true);
    }
    const worker = (await proxy.status()).workers[0]!;
    // Of three lists each; some are swept before they are asked for.
    expect(worker.handOvers).toBeGreaterThan(WRITERS);
    expect(worker.held).toBeGreaterThan(0);
  }, 60_000);

  test('over a group that dies fails for the keys of that group only, each in its place', async () => {
    const master = cluster.servers[1]![0]!;
    const mine = KEYS.map((key) => `dead:${key}`);
    const commands = mine.flatMap((key, at): Words[] => [
      ['SET', key, 'value'],
      ['PING', at],
      ['GET', key],
      ['EXISTS', key, mine.at(at - 1)!],
    ]);
    const bytes = Buffer.concat(commands.map(encode));
    const answer: Readonly<Record<string, RegExp>> = { SET: /^\+OK\r\n$/, GET: /^\$5\r\nvalue\r\n$/, EXISTS: /^:[12]\r\n$/ };
    const check = (replies: readonly Buffer[], error: RegExp) => {
      for (const [at, [name, ...args]] of commands.entries()) {
        const reply = String(replies[at]);
        if (name === 'PING') expect(reply).toBe(String(bulk(String(args[0]))));
        else expect(reply).toMatch(args.some((arg) => mine.includes(String(arg)) && groupOf(String(arg)) === 2) ? error : answer[name!]!);
      }
    };
    master.child.signal('SIGSTOP');
    proxied.send(bytes);
    await eventually(async () => ((await proxy.status()).workers[0]!.calls['ping'] ?? 0) > 0, { what: 'the pipeline to be under way' });
    await master.stop();
    check(await proxied.replies(commands.length), /^-ERR server \S+ can't be reached \(.+\), before it answered: .* is unknown\r\n$/);

    proxied.send(bytes);
    check(await proxied.replies(commands.length), /^-ERR server \S+ can't be reached \(.+\), so the command was not sent\r\n$/);
    const living = mine.filter((key) => groupOf(key) === 1);
    expect(await proxied.askText('EXISTS', ...living)).toBe(`:${living.length}\r\n`);
    expect(await proxied.askText('EXISTS', ...KEYS)).toMatch(/^-ERR server \S+ can't be reached/);

    cluster.servers[1]![0] = await startRedis({ port: master.port });
    await eventually(async () => (await proxied.askText('EXISTS', ...KEYS)).startsWith(':'), { what: 'the group to be used again' });
  });
});

/** Commands of many kinds for few keys, so that each reply depends on what came before; changes databases on the way. New keys for each `salt`. */
function mixedCommands(salt: string, count: number): Words[] {
  const commands: Words[] = [];
  const key = (at: number) => `${KEYS[(at * 7 + Math.floor(at / 11)) % KEYS.length]}:${salt}`;
  for (let at = 0; at < count; at++) {
    const kind = KINDS[(at * 13 + Math.floor(at / 97)) % KINDS.length]!;
    commands.push(at % 50 === 0 ? ['SELECT', DATABASES[(at / 50) % DATABASES.length]!] : kind(key, at));
  }
  return commands;
}

/** What client `number` sends, for keys that only it uses. */
function ownCommands(number: number, count: number): Words[] {
  return Array.from({ length: count }, (_, at): Words => {
    const key = `own:${number}:${at % 9}`;
    if (at % 4 === 0) return ['APPEND', key, `${number},`];
    if (at % 4 === 1) return ['GET', key];
    if (at % 4 === 2) return ['MGET', key, `own:${number}:${(at + 1) % 9}`, `own:${number}:none`];
    return ['STRLEN', `own:${number}:${(at * 5) % 9}`];
  });
}

function groupOf(key: string): number {
  return slotOf(Buffer.from(key)) <= 511 ? 1 : 2;
}

function bulk(text: string): Buffer {
  return Buffer.from(`$${text.length}\r\n${text}\r\n`);
}
