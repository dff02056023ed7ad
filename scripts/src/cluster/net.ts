// Looking at ports of this machine: whether one is free, and whether what should listen there answers.

import { connect, createServer } from 'node:net';
import { parseAddr } from '@codis/config/model';

const ANSWER_TIMEOUT_MS = 1000;

/** Whether something could listen there now. */
export function isFree(addr: string): Promise<boolean> {
  const { host, port } = parseAddr(addr);
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, host, () => server.close(() => done(true)));
  });
}

/** A Redis that is up answers PING, or asks for a password; one that still loads its data does neither. */
export function redisAnswers(addr: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ ...parseAddr(addr), timeout: ANSWER_TIMEOUT_MS });
    let reply = '';
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString('latin1');
      if (reply.includes('\r\n')) end(reply.startsWith('+PONG') || reply.startsWith('-NOAUTH'));
    });
  });
}

/** The status of a GET; null when nobody answers. */
export async function httpStatus(addr: string, path: string): Promise<number | null> {
  try {
    const response = await fetch(`http://${addr}${path}`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // Not up yet, or gone: the caller asks again or says so.
    return null;
  }
}
