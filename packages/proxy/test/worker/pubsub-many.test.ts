// Goal: thousands of subscribers cost a worker a handful of connections, which come with the first and go after the last of them.
// Method: a worker in this process with three real servers, and as many clients as are to be shown.

import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, stopAll } from '../../../../test/harness/process.ts';
import { encode } from '../../../../test/harness/raw-client.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

const CLIENTS = 2000;
const MASTERS = 3;

let servers: RedisServer[];
let worker: OneWorker;

beforeAll(async () => {
  servers = await Promise.all(Array.from({ length: MASTERS }, () => startRedis()));
});

beforeEach(async () => {
  worker = await startWorker(
    { backend_ping_period: 1, session_max_timeout: 1, backend_max_bufsize: 65_536, backend_connect_timeout_ms: 1000 },
    CLIENTS + 10,
  );
  worker.route(servers);
});

afterEach(() => worker.close());

afterAll(() => stopAll());

/** A subscriber that counts the bytes it gets. */
class Counter {
  readonly socket: Socket;
  bytes = 0;

  constructor(port: number, hello: boolean, ...channels: string[]) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
    });
    if (hello) this.socket.write(encode(['HELLO', 3]));
    this.socket.write(encode(['SUBSCRIBE', ...channels]));
  }
}

const connections = async (server: RedisServer) =>
  String(await server.client().client('LIST', 'TYPE', 'PUBSUB'))
    .split('\n')
    .filter((line) => line.includes('name=codis')).length;

test('2000 subscribers share one connection to each master, and all get every message once', async () => {
  const counters = Array.from({ length: CLIENTS }, (_, at) => new Counter(worker.port, at % 2 === 1, 'all', `own:${at}`));
  const publisher = new RawClient(worker.port);
  const publish = async (channel: string, text: string) => (await publisher.ask(encode(['PUBLISH', channel, text])))[0];
  await eventually(async () => (await servers[0]!.client().pubsub('NUMSUB', `own:${CLIENTS - 1}`))[1] === 1, {
    what: 'all to be subscribed',
  });
  await eventually(() => counters.every(({ bytes }) => bytes > 0), { what: 'the confirmations' });
  const settled = counters.map(({ bytes }) => bytes);
  for (let round = 0; round < 10; round++) expect(await publish('all', 'to everybody')).toBe(':1\r\n');
  const message = '*3\r\n$7\r\nmessage\r\n$3\r\nall\r\n$12\r\nto everybody\r\n'.length;
  await eventually(() => counters.every(({ bytes }, at) => bytes - (settled[at] ?? 0) >= 10 * message), {
    what: 'all messages',
    timeoutMs: 20_000,
  });
  expect(counters.every(({ bytes }, at) => bytes - (settled[at] ?? 0) === 10 * message)).toBe(true);
  expect(worker.report().backendConnections).toBeLessThanOrEqual(2 * MASTERS);
  for (const server of servers) expect(await connections(server)).toBe(1);

  for (const { socket } of counters) socket.destroy();
  await eventually(async () => (await servers[0]!.client().pubsub('CHANNELS')).length === 0, { what: 'all to be unsubscribed' });
  for (const server of servers) await eventually(async () => (await connections(server)) === 0, { what: 'the connections to be closed' });
  publisher.close();
});

test('a subscriber is not idle, however long nothing comes, and neither are its connections', async () => {
  const idle = new RawClient(worker.port);
  const subscriber = new RawClient(worker.port);
  await idle.ask('PING\r\n');
  await subscriber.ask('SUBSCRIBE c\r\n');
  const ids = async () =>
    Promise.all(
      servers.map((server) =>
        server
          .client()
          .client('LIST', 'TYPE', 'PUBSUB')
          .then((list) => /id=\d+/.exec(String(list))?.[0]),
      ),
    );
  const before = await ids();
  await eventually(() => idle.closed, { what: 'the idle client to be disconnected' });
  await eventually(async () => String(await servers[0]!.client().client('LIST', 'TYPE', 'PUBSUB')).includes('cmd=ping'), {
    what: 'a PING',
  });
  expect(await ids()).toEqual(before);
  expect(await servers[0]!.client().publish('c', 'x')).toBe(1);
  await eventually(() => subscriber.replies.length === 2, { what: 'the message' });
  expect(subscriber.closed).toBe(false);
});

test('more names than backend_max_bufsize holds are subscribed to at once, and anew when a server was lost', async () => {
  const [server] = servers;
  const admin = server!.client();
  const names = Array.from({ length: 4000 }, (_, at) => `${at}:${'x'.repeat(100)}`);
  const last = names.at(-1) ?? '';
  const isSubscribed = async () => (await admin.pubsub('NUMSUB', last))[1] === 1;
  const ids = async () => String(await admin.client('LIST', 'TYPE', 'PUBSUB')).match(/^id=\d+/gm);
  const subscriber = new RawClient(worker.port);
  const other = new RawClient(worker.port);
  await other.ask('SUBSCRIBE other\r\n');
  const before = await ids();
  expect((await subscriber.ask(encode(['SUBSCRIBE', ...names]), names.length)).at(-1)).toContain(`${last}\r\n:${names.length}\r\n`);
  expect(await isSubscribed()).toBe(true);
  expect(await ids()).toEqual(before);
  await admin.client('KILL', 'TYPE', 'PUBSUB');
  await eventually(isSubscribed, { what: 'everything to be subscribed to anew' });
  expect(await ids()).not.toEqual(before);
  await admin.publish('other', 'x');
  await eventually(() => other.replies.length === 2, { what: 'the message' });
  for (const client of [subscriber, other]) client.close();
});

test('what can’t be sent to a frozen server is bounded by backend_max_bufsize, and it is subscribed to when it is back', async () => {
  const frozen = servers[0]!;
  const client = new RawClient(worker.port);
  await client.ask('SUBSCRIBE first\r\n');
  const id = async () => /^id=\d+/m.exec(String(await frozen.client().client('LIST', 'TYPE', 'PUBSUB')))?.[0];
  const before = await id();
  frozen.child.signal('SIGSTOP');
  const name = 'n'.repeat(200_000);
  await eventually(
    async () => {
      await client.ask(Buffer.concat([encode(['SUBSCRIBE', name]), encode(['UNSUBSCRIBE', name])]), 2);
      return worker.report().backendConnections < MASTERS;
    },
    { what: 'the frozen server to be given up', timeoutMs: 15_000, everyMs: 0 },
  );
  frozen.child.signal('SIGCONT');
  await eventually(async () => (await frozen.client().pubsub('NUMSUB', 'first'))[1] === 1 && (await id()) !== before, {
    what: 'a new subscription',
  });
  client.close();
});
