// Goal: MONITOR shows every command of every client of the proxy once, in Redis's format, and costs nobody else anything.
// Method: three workers in this process in front of one server; the lines compared with those of a plain Redis that is sent the same.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { RawClient } from './one-worker.ts';
import { type SeveralWorkers, startWorkers } from './several-workers.ts';

let redis: RedisServer;
let proxy: SeveralWorkers;
const clients: RawClient[] = [];

beforeAll(async () => {
  redis = await startRedis();
  proxy = await startWorkers(3, redis, { session_max_bufsize: 1_048_576 });
});

afterEach(() => {
  for (const each of clients.splice(0)) each.close();
});

afterAll(async () => {
  proxy.close();
  await redis.stop();
});

function client(at: number): RawClient {
  const raw = proxy.client(at);
  clients.push(raw);
  return raw;
}

/** The lines a monitor got, without time and address. */
const shown = (monitor: RawClient): string[] =>
  monitor.replies.filter((line) => /^\+\d+\.\d{6} \[/.test(line)).map((line) => line.replace(/^\S+ \[(\d+) \S+\]/, '$1').trimEnd());

test('shows what clients of all workers send, as Redis shows it', async () => {
  const script = [
    ['SET', 'a', 'x\r\n\t"\\\x01\x07é'],
    ['get', 'a'],
    ['AUTH', 'secret'],
    ['AUTH', 'user', 'secret'],
    ['HELLO', '2', 'AUTH', 'user', 'secret', 'SETNAME', 'x'],
    ['CLIENT', 'SETNAME', 'me'],
    ['CONFIG', 'GET', 'x'],
    ['NOSUCH', 'a'],
    ['GET'],
    ['EVAL', 'return 1', '1', 'a'],
    ['PING'],
  ];
  const other = await startRedis();
  const plainMonitor = new RawClient(other.port);
  const plain = new RawClient(other.port);
  clients.push(plainMonitor, plain);
  await plainMonitor.ask('MONITOR\r\n');
  for (const args of script) await plain.ask(encodeRequest(args.map((arg) => Buffer.from(arg, 'latin1'))));
  await eventually(() => shown(plainMonitor).at(-1) === '0 "PING"', { what: 'the lines of Redis' });
  const monitor = client(0);
  expect(await monitor.ask('MONITOR\r\n')).toEqual(['+OK\r\n']);
  for (const at of [0, 1, 2]) {
    const from = shown(monitor).length;
    const sender = client(at);
    for (const args of script) await sender.ask(encodeRequest(args.map((arg) => Buffer.from(arg, 'latin1'))));
    await eventually(() => shown(monitor).length >= from + shown(plainMonitor).length, { what: `the lines of worker ${at}` });
    expect(shown(monitor).slice(from)).toEqual(shown(plainMonitor));
  }
  await other.stop();
  const [line] = monitor.replies.slice(1);
  expect(line).toMatch(/^\+\d{10}\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "a" /);
});

test('shows a client’s own commands too, behind their replies; a monitor may not touch keys', async () => {
  const monitor = client(1);
  await monitor.ask('MONITOR\r\n');
  const replies = await monitor.ask('PING\r\nGET a\r\nSET a 1\r\nSELECT 1\r\n', 5);
  expect(replies[0]).toBe('+PONG\r\n');
  expect(replies.filter((reply) => reply.startsWith('-'))).toEqual([
    "-ERR Replica can't interact with the keyspace\r\n",
    "-ERR Replica can't interact with the keyspace\r\n",
  ]);
  await eventually(() => shown(monitor).length === 2, { what: 'both lines' });
});

test('every monitor sees every command once', async () => {
  const monitors = [0, 0, 1, 2].map(client);
  for (const monitor of monitors) await monitor.ask('MONITOR\r\n');
  const senders = [0, 1, 2].map(client);
  await Promise.all(senders.map((sender, at) => sender.ask(`ECHO ${at}:0\r\nECHO ${at}:1\r\nECHO ${at}:2\r\n`, 3)));
  const echoes = (monitor: RawClient) => shown(monitor).filter((line) => line.includes('ECHO'));
  await eventually(() => monitors.every((monitor) => echoes(monitor).length === 9), { what: 'nine lines each' });
  for (const monitor of monitors) {
    for (const at of [0, 1, 2]) {
      const own = echoes(monitor).filter((line) => line.includes(`"${at}:`));
      expect(own).toEqual([0, 1, 2].map((number) => `0 "ECHO" "${at}:${number}"`));
    }
  }
});

test('ends with RESET, QUIT and the client’s going away; then nobody is shown anything', async () => {
  const [a, b, c] = [client(0), client(1), client(2)];
  for (const monitor of [a, b, c]) await monitor.ask('MONITOR\r\n');
  expect(await a.ask('RESET\r\n')).toContain('+RESET\r\n');
  b.socket.write('QUIT\r\n');
  c.close();
  await eventually(() => b.closed, { what: 'QUIT to close the connection' });
  const sender = client(1);
  await sender.ask('PING\r\n');
  await eventually(async () => !(await sender.ask('CLIENT LIST\r\n'))[0]!.includes('flags=O'), { what: 'no monitor to be left' });
  expect(shown(a).filter((line) => line.includes('PING'))).toEqual([]);
});

test('one that does not read is dropped, and nobody else is', async () => {
  const monitor = client(0);
  const other = client(0);
  await monitor.ask('MONITOR\r\n');
  monitor.socket.pause();
  const value = 'x'.repeat(50_000);
  const echo = encodeRequest(['ECHO', value]);
  await eventually(
    async () => {
      await client(1).ask(Buffer.concat(Array.from({ length: 20 }, () => echo)), 20);
      return !(await other.ask('CLIENT LIST\r\n'))[0]!.includes('flags=O');
    },
    { what: 'the monitor to be dropped', timeoutMs: 20_000 },
  );
  expect(await other.ask('PING\r\n')).toEqual(['+PONG\r\n']);
});

test('a huge argument is shown in part', async () => {
  const monitor = client(2);
  await monitor.ask('MONITOR\r\n');
  await client(2).ask(encodeRequest(['ECHO', Buffer.alloc(100_000, 'x')]));
  await eventually(() => shown(monitor).length === 1, { what: 'the line' });
  expect(shown(monitor)[0]).toMatch(/^0 "ECHO" "x{65536}\.\.\. \(34464 more bytes\)"$/);
});

test('reaches a worker that starts while somebody monitors, and ends when the monitor’s worker dies', async () => {
  const own = await startWorkers(2, redis);
  const monitor = own.client(0);
  await monitor.ask('MONITOR\r\n');
  own.kill(1);
  await own.add();
  const sender = own.client(2);
  await eventually(
    async () => {
      await sender.ask('ECHO hello\r\n');
      return shown(monitor).includes('0 "ECHO" "hello"');
    },
    { what: 'a line of the new worker' },
  );
  own.kill(0);
  expect(await sender.ask('PING\r\n')).toEqual(['+PONG\r\n']);
  own.close();
});

test('one that can’t be shown everything is dropped; what could not be passed on is not kept', async () => {
  const own = await startWorkers(2, redis);
  const monitor = own.client(0);
  const sender = own.client(1);
  await monitor.ask('MONITOR\r\n');
  const echo = encodeRequest(['ECHO', Buffer.alloc(60_000, 'x')]);
  await sender.ask('ECHO first\r\n');
  await eventually(() => shown(monitor).length === 1, { what: 'the first line' });
  own.members[0]!.hangs = true;
  for (let round = 0; round < 8; round++) await sender.ask(Buffer.concat(Array.from({ length: 50 }, () => echo)), 50);
  own.members[0]!.hangs = false;
  await eventually(
    async () => {
      await sender.ask('ECHO last\r\n');
      return monitor.closed;
    },
    { what: 'the monitor to be dropped' },
  );
  const next = own.client(0);
  await next.ask('MONITOR\r\n');
  await sender.ask('ECHO again\r\n');
  await eventually(() => shown(next).at(-1) === '0 "ECHO" "again"', { what: 'another monitor to be shown lines' });
  own.close();
});
