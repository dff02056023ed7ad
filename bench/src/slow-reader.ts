// A client that asks for one large value and reads it no faster than it likes.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeCommand } from './keys.ts';

const STEP_MS = 20;

/** Until all of it has been read. Rejects for an error reply, and when the connection ends before. */
export async function readSlowly(
  { port, key, bytes }: { port: number; key: string; bytes: number },
  bytesPerSecond: number,
): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  const startedMs = performance.now();
  const replyBytes = `$${bytes}\r\n`.length + bytes + 2;
  let seen = 0;
  let failure: Error | null = null;
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => {
    failure ??= new Error(`the connection ended after ${seen} of ${replyBytes} bytes`);
  });
  socket.on('data', (piece: Buffer) => {
    if (seen === 0 && piece[0] !== 0x24) failure = new Error(`answered ${piece.toString('latin1', 0, 200)}`);
    seen += piece.length;
    if (seen > allowed()) socket.pause();
  });
  const allowed = () => ((performance.now() - startedMs) / 1000) * bytesPerSecond;
  socket.write(encodeCommand(['GET', key]));
  while (seen < replyBytes && failure === null) {
    await delay(STEP_MS);
    if (seen <= allowed()) socket.resume();
  }
  socket.removeAllListeners('close').destroy();
  if (failure !== null) throw failure;
}
