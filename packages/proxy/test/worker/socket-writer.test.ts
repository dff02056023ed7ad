// Goal: what is written arrives, and whoever writes is told when the kernel has taken it: at once, later, or never.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { SocketWriter } from '../../src/worker/socket-writer.ts';

const LARGE_BYTES = 20 * 1024 * 1024;

let listener: Server;
let ours: Socket;
let theirs: Socket;
let errors: string[];
let taken: number;
let writer: SocketWriter;

beforeEach(async () => {
  listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  ours = connect(listener.address() as { port: number });
  [, [theirs]] = await Promise.all([once(ours, 'connect'), accepted]);
  errors = [];
  taken = 0;
  ours.on('error', ({ message }) => errors.push(message));
  theirs.on('error', () => undefined);
  writer = new SocketWriter(ours, () => taken++);
});

afterEach(() => {
  for (const socket of [ours, theirs]) socket.destroy();
  listener.close();
});

/** As `once`, but errors don't count. */
const closing = (socket: Socket): Promise<unknown> => new Promise((done) => socket.once('close', done));

function received(): () => string {
  const chunks: Buffer[] = [];
  theirs.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

test('what the kernel takes at once is written by then', async () => {
  const text = received();
  expect(writer.write(Buffer.from('one,'))).toBe(true);
  expect(writer.writeAll(['two,', 'three'].map((each) => Buffer.from(each)))).toBe(true);
  await eventually(() => text() === 'one,two,three', { what: 'all to arrive' });
  expect(taken).toBe(0);
  expect(ours.bytesWritten).toBe(13);
});

test.each([1, 3])('what it does not take at once is told of once, in %i pieces', async (count) => {
  const text = received();
  theirs.pause();
  const pieces = Array.from({ length: count }, (_, at) => Buffer.alloc(LARGE_BYTES, `${at}`));
  expect(count === 1 ? writer.write(pieces[0] as Buffer) : writer.writeAll(pieces)).toBe(false);
  expect(taken).toBe(0);
  theirs.resume();
  await eventually(() => taken > 0, { what: 'the kernel to take it' });
  expect(writer.write(Buffer.from('end'))).toBe(true);
  await eventually(() => text().endsWith('end'), { what: 'all to arrive' });
  expect(text() === `${pieces.map(String).join('')}end`).toBe(true);
  expect(taken).toBe(1);
});

test('the half that was closed comes behind what was written', async () => {
  const text = received();
  theirs.pause();
  expect(writer.write(Buffer.alloc(LARGE_BYTES, 'x'))).toBe(false);
  ours.end();
  const ended = once(theirs, 'end');
  theirs.resume();
  await ended;
  expect(text().length).toBe(LARGE_BYTES);
});

test('a socket that is lost says so, and nobody is told that anything was taken', async () => {
  theirs.pause();
  expect(writer.write(Buffer.alloc(LARGE_BYTES))).toBe(false);
  const closed = closing(ours);
  theirs.resetAndDestroy();
  await closed;
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatch(/ECONNRESET|EPIPE/);
  expect(writer.write(Buffer.from('more'))).toBe(false);
  await new Promise((done) => setImmediate(done));
  expect([errors.length, taken]).toEqual([1, 0]);
});

test('a write that fails at once is an error of the socket', async () => {
  ours.pause();
  const gone = closing(theirs);
  theirs.resetAndDestroy();
  await gone;
  const closed = closing(ours);
  await eventually(() => !writer.write(Buffer.from('x')), { what: 'a write to fail' });
  await closed;
  expect(errors[0]).toMatch(/ECONNRESET|EPIPE/);
  expect(taken).toBe(0);
});

test('one that is destroyed tells nobody', async () => {
  theirs.pause();
  expect(writer.write(Buffer.alloc(LARGE_BYTES))).toBe(false);
  const closed = closing(ours);
  ours.destroy();
  await closed;
  await new Promise((done) => setImmediate(done));
  expect([errors, taken]).toEqual([[], 0]);
});

test('what has no handle of that kind is written as ever', async () => {
  const stream = new PassThrough();
  const plain = new SocketWriter(stream as unknown as Socket, () => taken++);
  expect(plain.write(Buffer.from('one,'))).toBe(false);
  await eventually(() => taken === 1, { what: 'it to be taken' });
  expect(plain.writeAll(['two,', 'three'].map((each) => Buffer.from(each)))).toBe(false);
  await eventually(() => taken === 2, { what: 'it to be taken' });
  expect(String(stream.read())).toBe('one,two,three');
});
