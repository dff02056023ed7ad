// The raw primitive that a move is measured against: a bare loop that pipelines MIGRATE of keys known beforehand. Requests are made before the clock starts, and
// nothing is scanned, checked or counted: no mover of keys can be faster on stock Redis.

import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeCommand } from './keys.ts';

/** Requests under way: enough that the source never waits for this process. */
const UNDER_WAY_MAX = 8;
const TIMEOUT_MS = '30000';
const OK_BYTES = '+OK\r\n'.length;

export function migrateRequests(keys: readonly string[], { to, batch }: { to: number; batch: number }): Buffer[] {
  const requests: Buffer[] = [];
  for (let at = 0; at < keys.length; at += batch) {
    requests.push(encodeCommand(['MIGRATE', '127.0.0.1', String(to), '', '0', TIMEOUT_MS, 'KEYS', ...keys.slice(at, at + batch)]));
  }
  return requests;
}

/** Moves `keys` from one server to the other; gives milliseconds. Rejects when one reply is not OK. */
export async function moveBare(keys: readonly string[], { from, to, batch }: { from: number; to: number; batch: number }): Promise<number> {
  const requests = migrateRequests(keys, { to, batch });
  const socket = connect({ port: from, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const startedMs = performance.now();
  try {
    await new Promise<void>((done, failed) => {
      let sent = 0;
      let replyBytes = 0;
      const send = () => {
        while (sent < requests.length && sent - replyBytes / OK_BYTES < UNDER_WAY_MAX) socket.write(requests[sent++] as Buffer);
      };
      socket.on('error', failed);
      socket.on('data', (reply: Buffer) => {
        if (/[-N]/.test(reply.toString('latin1'))) failed(new Error(`MIGRATE was answered with ${reply.toString('latin1')}`));
        replyBytes += reply.length;
        if (replyBytes === requests.length * OK_BYTES) done();
        else send();
      });
      send();
    });
    return performance.now() - startedMs;
  } finally {
    socket.destroy();
  }
}
