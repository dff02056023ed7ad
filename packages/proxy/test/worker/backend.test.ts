// Goal: a server that breaks the protocol costs its connection and nothing that was answered before: no reply is lost, none goes to another request.
// Method: a scripted server that answers the handshake as Redis does, and then what the test says.

import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, stopAll } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { type OneWorker, RawClient, startWorker } from './one-worker.ts';

const HANDSHAKE = '+OK\r\n$-1\r\n+OK\r\n:7\r\n$21\r\nredis_version:7.0.15\r\n\r\n';
const GET = encodeRequest(['GET', 'k']);

let server: Server;
let worker: OneWorker;
let client: RawClient;
/** What the server sends when it has received that many GETs on a connection. */
let answers: { after: number; bytes: string; close?: boolean }[];
let connections: number;

beforeEach(async () => {
  answers = [];
  connections = 0;
  const port = await freePort();
  server = createServer((socket) => {
    connections++;
    serve(socket);
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  worker = await startWorker();
  worker.route([{ addr: `127.0.0.1:${port}` } as RedisServer]);
  client = new RawClient(worker.port);
});

afterEach(async () => {
  client.close();
  worker.close();
  server.close();
  await stopAll();
});

function serve(socket: Socket): void {
  let received = '';
  let handshaken = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    if (!handshaken && received.includes('INFO')) {
      handshaken = true;
      received = '';
      socket.write(HANDSHAKE);
      return;
    }
    const gets = received.split('GET').length - 1;
    const [next] = answers;
    if (!handshaken || next === undefined || gets < next.after) return;
    answers.shift();
    received = '';
    if (next.close) socket.end(next.bytes);
    else socket.write(next.bytes);
  });
}

describe('a server that breaks the protocol', () => {
  test('after good replies: those arrive, what follows gets an error, and the next connection is as good as new', async () => {
    answers = [
      { after: 3, bytes: '$1\r\na\r\n$1\r\nb\r\nrubbish' },
      { after: 1, bytes: '$1\r\nd\r\n' },
    ];
    const replies = await client.ask(Buffer.concat([GET, GET, GET]), 3);
    expect(replies).toEqual([
      '$1\r\na\r\n',
      '$1\r\nb\r\n',
      expect.stringMatching(/^-ERR server .*not RESP.*whether the command was carried out is unknown/),
    ]);
    const again = await retried();
    expect(again).toBe('$1\r\nd\r\n');
    expect(connections).toBe(2);
  });

  test('with a reply that nobody asked for: the one that was asked for arrives', async () => {
    answers = [
      { after: 1, bytes: '$1\r\na\r\n+OK\r\n' },
      { after: 1, bytes: '$1\r\nb\r\n' },
    ];
    expect(await client.ask(GET)).toEqual(['$1\r\na\r\n']);
    expect(await retried()).toBe('$1\r\nb\r\n');
  });

  test('by closing in the middle of a reply: its client is cut off rather than given half', async () => {
    answers = [{ after: 1, bytes: '$10\r\nhalf', close: true }];
    expect(await client.ask(GET)).toEqual([]);
    expect(client.closed).toBe(true);
  });
});

/** A server that failed is left alone for some milliseconds: until then commands answer that they were not sent. */
async function retried(): Promise<string> {
  for (;;) {
    const [reply = ''] = await client.ask(GET);
    if (!reply.includes('was not sent')) return reply;
  }
}
