// One question to a server over a connection of its own, for when it is busy with a script: what goes over the shared connections waits behind that script, and
// of a handshake a busy server takes AUTH and HELLO only, so nothing else is said. It must not be used for anything that touches keys: the fence is not read.

import { connect } from 'node:net';
import { CodisError, parseAddr, type ServerAddr } from '@codis/config/model';
import { encodeRequest, errorReply, type Protocol } from '../../resp/replies.ts';
import { ReplyScanner } from '../../resp/reply-scanner.ts';

export interface AsideOptions {
  /** product_auth; empty for none. */
  readonly password: string;
  readonly timeoutMs: number;
}

/** Replies to what may be asked this way are short. */
const REPLY_BYTES_MAX = 1024 * 1024;

/** Calls `done` once, not from within, with the server's reply or an error that says why there is none. */
export function askAside(
  addr: ServerAddr,
  question: { request: Buffer; protocol: Protocol },
  options: AsideOptions,
  done: (reply: Buffer) => void,
): void {
  const before = [
    ...(options.password === '' ? [] : [encodeRequest(['AUTH', options.password])]),
    ...(question.protocol === 3 ? [encodeRequest(['HELLO', '3'])] : []),
  ];
  const socket = connect({ ...parseAddr(addr), noDelay: true });
  const scanner = new ReplyScanner();
  let skip = before.length;
  let received: Buffer = Buffer.alloc(0);
  let ended = false;
  const end = (reply: Buffer) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    socket.destroy();
    done(reply);
  };
  const fail = (why: string) => end(errorReply(`ERR server ${addr} can't be reached (${why}), so it was not asked`));
  const timer = setTimeout(() => fail(`no answer within ${options.timeoutMs} ms`), options.timeoutMs);
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length > REPLY_BYTES_MAX) fail('its answer is too long');
    for (let from = received.length - chunk.length; !ended; ) {
      const next = scanner.scan(received, from, received.length);
      if (next < 0) return;
      const reply = received.subarray(0, next);
      if (skip === 0 || reply[0] === 0x2d) {
        end(Buffer.from(reply));
        return;
      }
      skip--;
      received = received.subarray(next);
      from = 0;
    }
  };
  socket.on('connect', () => socket.write(Buffer.concat([...before, question.request])));
  socket.on('error', (error: Error) => fail(error.message));
  socket.on('close', () => fail('it closed the connection'));
  socket.on('data', (chunk: Buffer) => {
    try {
      onData(chunk);
    } catch (error) {
      if (!(error instanceof CodisError)) throw error;
      fail(error.message);
    }
  });
}
