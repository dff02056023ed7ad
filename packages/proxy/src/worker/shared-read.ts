// All sockets of a worker are read into one buffer. Node would allocate 64 KB for each read, outside of the heap: with values of 1 MB, getting that memory and
// collecting it took half of a worker's time.
//
// Invariant: what was read is there until the call that it is given to returns. Who keeps any of it copies it.

import { Socket } from 'node:net';
import { arena, readInto } from './arena.ts';
import { binding } from './stream-binding.ts';
import { beginReading, endReading } from './turn.ts';

/** Gets what was read: the first `length` bytes of `buf`; and when (`micros`). */
export type Take = (buf: Buffer, length: number, at: number) => void;

interface SharedRead {
  readonly buffer: Buffer;
  readonly callback: (length: number) => boolean;
}

/** The option `onread` of a socket to be: `take` gets what is read. */
export function sharedRead(take: Take): SharedRead {
  return {
    buffer: readInto,
    callback: (length) => {
      give(take, arena, length);
      return true;
    },
  };
}

/** HOT PATH. */
function give(take: Take, buf: Buffer, length: number): void {
  const at = beginReading();
  take(buf, length, at);
  endReading(at);
}

/** Of a connection: called for each read. What it is told stands in `streamBaseState`. */
interface Handle {
  onread?: (this: Handle, bytes: unknown) => unknown;
}

/** A socket that was accepted, as one whose reads `take` gets: use what is returned instead. A server has no option `onread` (Node 20 to 24), so the connection
 *  goes over to a socket that has; where Node no longer lets it, it is read as ever. */
export function withSharedRead(socket: Socket, take: Take): Socket {
  const accepted: { _handle?: Handle | null } = socket as object;
  const handle = accepted._handle;
  if (!handle) return socket.on('data', (chunk: Buffer) => give(take, chunk, chunk.length));
  accepted._handle = null;
  socket.destroy();
  const options: object = { handle, allowHalfOpen: socket.allowHalfOpen, onread: sharedRead(take) };
  const shared = new Socket(options);
  readPast(handle, take);
  return shared;
}

/** What was read goes to `take` past the stream, which looks at each read for timeouts and options that are not used here. Ends and errors are the stream's. */
function readPast(handle: Handle, take: Take): void {
  const { onread } = handle;
  if (binding === null || typeof onread !== 'function') return;
  const { streamBaseState, kReadBytesOrError } = binding;
  handle.onread = function onRead(bytes) {
    const length = streamBaseState[kReadBytesOrError] as number;
    if (length <= 0) return onread.call(this, bytes);
    give(take, arena, length);
    return undefined;
  };
}
