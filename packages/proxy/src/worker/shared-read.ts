// All sockets of a worker are read into one buffer. Node would allocate 64 KB for each read, outside of the heap: with values of 1 MB, getting that memory and
// collecting it took half of a worker's time.
//
// Invariant: what was read is there until the call that it is given to returns. Who keeps any of it copies it.

import { Socket } from 'node:net';

const buffer = Buffer.allocUnsafeSlow(64 * 1024);

interface SharedRead {
  readonly buffer: Buffer;
  readonly callback: (length: number) => boolean;
}

/** The option `onread` of a socket to be: `take` gets what is read. */
export function sharedRead(take: (chunk: Buffer) => void): SharedRead {
  return {
    buffer,
    callback: (length) => {
      take(buffer.subarray(0, length));
      return true;
    },
  };
}

/** A socket that was accepted, as one whose reads `take` gets: use what is returned instead. A server has no option `onread` (Node 20 to 24), so the connection
 *  goes over to a socket that has; where Node no longer lets it, it is read as ever. */
export function withSharedRead(socket: Socket, take: (chunk: Buffer) => void): Socket {
  const accepted: { _handle?: object | null } = socket as object;
  const handle = accepted._handle;
  if (!handle) return socket.on('data', take);
  accepted._handle = null;
  socket.destroy();
  const options: object = { handle, allowHalfOpen: socket.allowHalfOpen, onread: sharedRead(take) };
  return new Socket(options);
}
