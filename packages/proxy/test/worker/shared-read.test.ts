import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { withSharedRead } from '../../src/worker/shared-read.ts';

let listener: Server;
let chunks: Buffer[];
let texts: string[];
let clients: Socket[];

const take = (buf: Buffer, length: number): void => {
  chunks.push(buf.subarray(0, length));
  texts.push(buf.toString('utf8', 0, length));
};

beforeEach(async () => {
  chunks = [];
  texts = [];
  clients = [];
  listener = createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
});

afterEach(() => {
  for (const client of clients) client.destroy();
  listener.close();
});

/** A connection: our side, read as the worker reads it, and the client's. */
async function pair(): Promise<[Socket, Socket]> {
  const accepted = new Promise<Socket>((done) => {
    listener.once('connection', (socket) => done(withSharedRead(socket, take)));
  });
  const client = connect(listener.address() as { port: number });
  clients.push(client);
  return [await accepted, client];
}

async function say(client: Socket, text: string): Promise<void> {
  const before = texts.length;
  client.write(text);
  await eventually(() => texts.length > before, { what: `${text} to arrive` });
}

test('sockets that were accepted are read into one buffer', async () => {
  const [, first] = await pair();
  const [, second] = await pair();
  await say(first, 'one');
  await say(second, 'two');
  await say(first, 'three');
  expect(texts).toEqual(['one', 'two', 'three']);
  for (const chunk of chunks) expect(chunk.buffer).toBe(chunks[0]?.buffer);
  expect(chunks[0]?.toString()).toBe('thr');
});

test('they can be paused, and are answered after their client has closed its half', async () => {
  const [ours, client] = await pair();
  await say(client, 'one');
  ours.pause();
  client.end('two');
  await say((await pair())[1], 'another');
  expect(texts).toEqual(['one', 'another']);
  const ended = once(ours, 'end');
  ours.resume();
  await ended;
  expect(texts).toEqual(['one', 'another', 'two']);
  const answered = once(client, 'data') as Promise<[Buffer]>;
  ours.end('bye');
  expect((await answered)[0].toString()).toBe('bye');
});

test('they tell when the client has cut the connection, after what it said', async () => {
  const [ours, client] = await pair();
  const closed = new Promise((done) => {
    ours.once('close', done);
  });
  const errors: string[] = [];
  ours.on('error', (error: Error & { code?: string }) => errors.push(error.code ?? error.message));
  await say(client, 'last words');
  client.resetAndDestroy();
  await closed;
  expect(texts).toEqual(['last words']);
  expect(errors).toEqual(['ECONNRESET']);
});

test('their listener closes when they have', async () => {
  const [ours, client] = await pair();
  const closed = once(listener, 'close');
  listener.close();
  const gone = once(client, 'close');
  client.resume();
  ours.destroy();
  await Promise.all([closed, gone]);
  expect(ours.destroyed).toBe(true);
});

test('what has no handle to hand over is read as ever', () => {
  const stream = new PassThrough();
  withSharedRead(stream as unknown as Socket, take);
  stream.write('one');
  return eventually(() => texts.length === 1, { what: 'what was written' });
});
