// Goal: no client and no server makes a proxy's memory grow without bound, and whoever misbehaves harms nobody else.
// Method: each limit set low, a client that runs into it, and beside it a healthy one whose replies must keep coming. Memory is what /status says.

import { appendFileSync } from 'node:fs';
import { slotOf } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';

const MB = 1024 * 1024;
const MAX_CLIENTS = 40;
const STALL_TIMEOUT_MS = 4000;
/** What a worker may need besides what it holds for clients: code, pools, garbage not yet collected. */
const SPARE_BYTES = 160 * MB;
/** Keys of group 1 and of group 2. */
const FIRST = keysWhere((slot) => slot <= 511);
const SECOND = keysWhere((slot) => slot > 511);

describe('limits of a proxy', () => {
  let cluster: Cluster;
  let proxy: ProxyProcess;
  const clients: RawClient[] = [];

  beforeAll(async () => {
    cluster = await startCluster({
      proxies: 1,
      settings: {
        max_clients: MAX_CLIENTS,
        session_max_pipeline: 1000,
        session_max_bufsize: 32 * MB,
        session_stall_timeout: STALL_TIMEOUT_MS / 1000,
        request_max_bytes: 160 * MB,
        backend_max_bufsize: 64 * MB,
      },
    });
    proxy = cluster.proxies[0]!;
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const [master] of cluster.servers) master?.child.signal('SIGCONT');
    await eventually(async () => (await worker()).clients === 0, { what: 'all clients to be gone' });
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  async function open(port = proxy.port): Promise<RawClient> {
    const client = await RawClient.open(port);
    clients.push(client);
    return client;
  }

  async function worker() {
    const { workers, workerRestarts } = await proxy.status();
    expect(workerRestarts).toBe(0);
    return workers[0]!;
  }

  /** Does `action` and gives the most memory the worker had meanwhile, over what it had before. */
  async function memoryWhile(action: () => Promise<void>): Promise<number> {
    const before = (await worker()).rssBytes;
    let most = 0;
    let done = false;
    const look = async () => {
      most = Math.max(most, (await worker()).rssBytes);
      return done;
    };
    const watching = eventually(look, { what: 'the end of what is watched', timeoutMs: 60_000, everyMs: 30 });
    await action().finally(() => {
      done = true;
    });
    await watching;
    return most - before;
  }

  /** Sends `bytes` again and again until the proxy has stopped taking it; the client does not read. Returns how many bytes went out. */
  async function flood(client: RawClient, bytes: Buffer, atMost: number): Promise<number> {
    client.pause();
    let sent = 0;
    let isStuck = false;
    while (!isStuck && sent < atMost) {
      client.send(bytes);
      sent += bytes.length;
      let progressAt = performance.now();
      let left = client.unsentBytes;
      await eventually(
        () => {
          if (client.unsentBytes < left) progressAt = performance.now();
          left = client.unsentBytes;
          isStuck = performance.now() - progressAt > 500;
          return left === 0 || isStuck;
        },
        { what: 'the proxy to take it or to stop reading' },
      );
    }
    return sent - client.unsentBytes;
  }

  test('a client too many is told max_clients and let go; the place of one that leaves is taken again', async () => {
    const all = await Promise.all(Array.from({ length: MAX_CLIENTS }, () => open()));
    await Promise.all(all.map((client) => client.ask('PING')));
    const extra = await open();
    expect((await extra.rest()).toString()).toBe('-ERR max number of clients reached (max_clients)\r\n');
    all[0]!.close();
    await eventually(async () => (await worker()).clients === MAX_CLIENTS - 1, { what: 'the place to be free' });
    expect(await (await open()).askText('PING')).toBe('+PONG\r\n');
    expect(await all[1]!.askText('PING')).toBe('+PONG\r\n');
  });

  test('a client that only sends is not read from when its replies pile up', async () => {
    const healthy = await open();
    let greedy = await open();
    await healthy.ask('SET', FIRST[0]!, 'x'.repeat(20_000));
    for (const request of [encode(['GET', FIRST[0]!]), encode(['ECHO', 'x'.repeat(1000)]), Buffer.from('COMMAND\r\n')]) {
      const grown = await memoryWhile(async () => {
        const taken = await flood(greedy, Buffer.concat(Array.from({ length: 2000 }, () => request)), 400 * MB);
        expect(taken, request.toString().slice(0, 20)).toBeLessThan(40 * MB);
        expect(await healthy.askText('PING')).toBe('+PONG\r\n');
      });
      expect(grown, request.toString().slice(0, 20)).toBeLessThan(SPARE_BYTES);
      greedy.close();
      greedy = await open();
    }
  });

  test('replies that wait behind a slow server’s are bounded too', async () => {
    const [greedy, healthy] = [await open(), await open()];
    const frozen = cluster.servers[1]![0]!;
    await greedy.ask('SET', SECOND[0]!, 'late');
    frozen.child.signal('SIGSTOP');
    greedy.command('GET', SECOND[0]!);
    const echo = encode(['ECHO', Buffer.alloc(500_000, 'e')]);
    const grown = await memoryWhile(async () => {
      for (let count = 0; count < 600; count++) greedy.send(echo);
      await stays(() => greedy.unsentBytes > 100 * MB);
      expect(await healthy.askText('PING')).toBe('+PONG\r\n');
    });
    expect(grown).toBeLessThan(SPARE_BYTES);
    frozen.child.signal('SIGCONT');
    expect((await greedy.reply()).toString()).toBe('$4\r\nlate\r\n');
    expect((await greedy.replies(600)).every((reply) => reply.length === 500_011)).toBe(true);
  });

  test('a client that reads, however deep its pipeline, gets every reply, far beyond session_max_bufsize', async () => {
    const client = await open();
    const size = 300_000;
    const keys = [...FIRST.slice(0, 20), ...SECOND.slice(0, 20)];
    for (const [at, key] of keys.entries()) await client.ask('SET', key, Buffer.alloc(size, 65 + at));
    const asked = Array.from({ length: 600 }, (_, at) => keys[(at * 7) % keys.length]!);
    const grown = await memoryWhile(async () => {
      client.send(Buffer.concat(asked.map((key) => encode(['GET', key]))));
      const replies = await client.replies(asked.length, 20_000);
      for (const [at, key] of asked.entries()) {
        const expected = Buffer.alloc(size, 65 + keys.indexOf(key));
        if (!replies[at]!.subarray(9, 9 + size).equals(expected)) expect.fail(`reply ${at} is not that of ${key}`);
      }
    });
    expect(grown).toBeLessThan(SPARE_BYTES);
  });

  test('a request larger than request_max_bytes is refused as soon as it says so', async () => {
    const client = await open();
    client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${160 * MB}\r\n`);
    expect((await client.rest()).toString()).toMatch(/^-ERR Protocol error: request is larger than request_max_bytes \(167772160\)\r\n$/);
  });

  test('a client that reads nothing is dropped after session_stall_timeout, and its server serves the others meanwhile', async () => {
    const [stalled, healthy] = [await open(), await open()];
    await healthy.ask('SET', FIRST[0]!, Buffer.alloc(20 * MB, 'v'));
    await healthy.ask('SET', FIRST[1]!, 'small');
    stalled.pause();
    const grown = await memoryWhile(async () => {
      for (let count = 0; count < 20; count++) stalled.command('GET', FIRST[0]!);
      await eventually(
        async () => {
          expect(await healthy.askText('GET', FIRST[1]!)).toBe('$5\r\nsmall\r\n');
          return (await worker()).clients === 1;
        },
        { what: 'the stalled client to be dropped', everyMs: 5 },
      );
    });
    expect(grown).toBeLessThan(SPARE_BYTES);
    stalled.resume();
    expect(await stalled.ended()).not.toBe(null);
    expect(stalled.receivedBytes).toBeLessThan(20 * 20 * MB);
  });

  test('a slow reader of a large value holds up nobody, and gets all of it', async () => {
    const [slow, healthy] = [await open(), await open()];
    const value = Buffer.alloc(100 * MB, 'slow and large ');
    expect((await healthy.ask('SET', FIRST[0]!, value)).toString()).toBe('+OK\r\n');
    await healthy.ask('SET', FIRST[1]!, 'small');
    slow.command('GET', FIRST[0]!);
    let asked = 0;
    const grown = await memoryWhile(async () => {
      const done = readSlowly(slow, value.length);
      for (; slow.receivedBytes < value.length; asked++) expect((await healthy.ask('GET', FIRST[1]!)).toString()).toBe('$5\r\nsmall\r\n');
      await done;
    });
    const reply = await slow.reply();
    expect(reply.length).toBe(value.length + 14);
    expect(reply.subarray(12, 12 + value.length).equals(value)).toBe(true);
    expect(grown).toBeLessThan(SPARE_BYTES);
    expect(asked).toBeGreaterThan(1);
  }, 90_000);

  test('requests that stand behind a large reply are answered though its client does not read', async () => {
    const [stalled, healthy] = [await open(), await open()];
    await healthy.ask('SET', FIRST[0]!, Buffer.alloc(60 * MB, 'v'));
    await healthy.ask('SET', FIRST[1]!, 'small');
    const server = cluster.servers[0]![0]!;
    const getsBefore = (await worker()).calls['get'] ?? 0;
    server.child.signal('SIGSTOP');
    stalled.pause();
    stalled.command('GET', FIRST[0]!);
    await eventually(async () => (await worker()).calls['get'] === getsBefore + 1, { what: 'the large request to be on its way' });
    for (let count = 0; count < 50; count++) healthy.command('GET', FIRST[1]!);
    await eventually(async () => (await worker()).calls['get'] === getsBefore + 51, { what: 'the small ones to be behind it' });
    const startedAt = performance.now();
    server.child.signal('SIGCONT');
    expect(new Set((await healthy.replies(50)).map(String))).toEqual(new Set(['$5\r\nsmall\r\n']));
    expect(performance.now() - startedAt).toBeLessThan(STALL_TIMEOUT_MS);
  });

  test('a server that hangs pauses who feeds it at backend_max_bufsize; the other group is served, and afterwards all goes on', async () => {
    const [feeder, healthy] = [await open(), await open()];
    const frozen = cluster.servers[1]![0]!;
    await feeder.ask('SET', SECOND[0]!, 'there');
    frozen.child.signal('SIGSTOP');
    const set = encode(['SET', SECOND[0]!, Buffer.alloc(MB, 's')]);
    const grown = await memoryWhile(async () => {
      for (let count = 0; count < 200; count++) feeder.send(set);
      await stays(() => feeder.unsentBytes > 100 * MB);
      for (let count = 0; count < 100; count++) expect(await healthy.askText('SET', FIRST[1]!, count)).toBe('+OK\r\n');
    });
    expect(grown).toBeLessThan(SPARE_BYTES);
    frozen.child.signal('SIGCONT');
    expect((await feeder.replies(200)).every((reply) => reply.toString() === '+OK\r\n')).toBe(true);
    expect((await healthy.ask('STRLEN', SECOND[0]!)).toString()).toBe(`:${MB}\r\n`);
  });

  test('a value that comes in small pieces arrives whole', async () => {
    const client = await open();
    const value = Buffer.from(Array.from({ length: MB }, (_, at) => (at * 31) & 255));
    const request = encode(['SET', FIRST[2]!, value]);
    for (let at = 0; at < request.length; at += 97) await client.sendAll(request.subarray(at, at + 97));
    expect((await client.reply()).toString()).toBe('+OK\r\n');
    const reply = await client.ask('GET', FIRST[2]!);
    expect(reply.subarray(10, 10 + value.length).equals(value)).toBe(true);
  });

  test('what a client sends for one key keeps its order when its connection is lent to a slow reader', async () => {
    const [slow, writer] = [await open(), await open()];
    const server = cluster.servers[0]![0]!;
    await writer.ask('SET', FIRST[0]!, Buffer.alloc(24 * MB, 'b'));
    for (let round = 0; round < 3; round++) {
      const before = await worker();
      server.child.signal('SIGSTOP');
      slow.pause();
      slow.command('GET', FIRST[0]!);
      writer.command('SET', FIRST[3]!, Buffer.alloc(60 * MB, 'f'));
      await eventually(async () => (await worker()).calls['set'] === before.calls['set']! + 1, {
        what: 'the first write to be on its way',
      });
      server.child.signal('SIGCONT');
      const comesIn = async () => (await worker()).backendBytesIn > before.backendBytesIn + 8 * MB;
      await eventually(comesIn, { what: 'the slow reader’s reply to pile up', everyMs: 1 });
      writer.command('SET', FIRST[3]!, `second ${round}`);
      expect((await writer.replies(2)).map(String)).toEqual(['+OK\r\n', '+OK\r\n']);
      expect(await writer.askText('GET', FIRST[3]!)).toBe(`$8\r\nsecond ${round}\r\n`);
      slow.resume();
      await slow.reply();
    }
  });

  test('a client that is idle for session_max_timeout is let go; one that asks stays', async () => {
    appendFileSync(cluster.configFile, 'session_max_timeout = 1\n');
    const { port } = await cluster.startProxy('proxy_idle');
    const [idle, busy] = [await open(port), await open(port)];
    await eventually(
      async () => {
        expect(await busy.askText('PING')).toBe('+PONG\r\n');
        return idle.ending !== null;
      },
      { what: 'the idle client to be let go', everyMs: 100 },
    );
  });
});

/** Holds that `state` becomes true and is still so half a second later: something that goes on without end is seen. */
async function stays(state: () => boolean): Promise<void> {
  let since = performance.now();
  await eventually(
    () => {
      if (!state()) since = performance.now();
      return performance.now() - since > 500;
    },
    { what: 'a state that stays' },
  );
}

/** Reads in small gulps until `bytes` have come. */
async function readSlowly(client: RawClient, bytes: number): Promise<void> {
  while (client.receivedBytes < bytes) {
    const before = client.receivedBytes;
    await eventually(() => client.receivedBytes > before, { what: `the slow reader to get on (${client.ending})`, everyMs: 1 });
    client.pause();
    await new Promise((next) => setImmediate(next));
    client.resume();
  }
}

function keysWhere(test: (slot: number) => boolean): string[] {
  return Array.from({ length: 200 }, (_, number) => `key:${number}`).filter((key) => test(slotOf(Buffer.from(key))));
}
