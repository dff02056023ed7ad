// Writes to a socket without the stream that Node puts before it: that makes an object for each write and calls back in a tick of its own, which costs an unpipelined
// request as much as all that is done here for it. What the kernel takes at once, as it mostly does, is written by one call.
//
// Where Node does not let it (`stream-binding.ts`), sockets are written as ever.

import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type Binding, binding, type WriteRequest } from './stream-binding.ts';

/** A negative number is an error. */
interface Handle {
  writeBuffer(request: WriteRequest, buffer: Buffer): number;
  writev(request: WriteRequest, buffers: readonly Buffer[], areAllBuffers: true): number;
}

/** For the next write; one that the kernel did not take at once keeps it. */
let spare: WriteRequest | null = binding === null ? null : new binding.WriteWrap();

export class SocketWriter {
  readonly #socket: Socket;
  readonly #onTaken: () => void;

  /** `onTaken` is called when the kernel has taken what `write` could not write at once; never when the socket is lost before. */
  constructor(socket: Socket, onTaken: () => void) {
    this.#socket = socket;
    this.#onTaken = onTaken;
  }

  /** HOT PATH. Whether the kernel has taken all of it. If not, nothing else may be written, nor a byte of it changed, before `onTaken`. */
  write(buffer: Buffer): boolean {
    const handle = this.#handle();
    if (handle === null) return this.#writeAsEver([buffer]);
    return this.#began(handle.writeBuffer(spare as WriteRequest, buffer), buffer);
  }

  /** As `write`, of several. */
  writeAll(buffers: readonly Buffer[]): boolean {
    const handle = this.#handle();
    if (handle === null) return this.#writeAsEver(buffers);
    return this.#began(handle.writev(spare as WriteRequest, buffers, true), buffers);
  }

  #handle(): Handle | null {
    const { _handle: handle } = this.#socket as object as { _handle?: Partial<Handle> | null };
    return binding !== null && typeof handle?.writeBuffer === 'function' ? (handle as Handle) : null;
  }

  #began(status: number, written: Buffer | readonly Buffer[]): boolean {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding as Binding;
    if (status !== 0) {
      this.#fail(status);
      return false;
    }
    if (streamBaseState[kLastWriteWasAsync] === 0) return true;
    const request = spare as WriteRequest;
    request.written = written;
    request.oncomplete = this.#onComplete;
    spare = new WriteWrap();
    return false;
  }

  readonly #onComplete = (status: number): void => {
    if (this.#socket.destroyed) return;
    if (status < 0) this.#fail(status);
    else this.#onTaken();
  };

  #fail(status: number): void {
    this.#socket.destroy(new Error(`write ${getSystemErrorName(status)}`));
  }

  #writeAsEver(buffers: readonly Buffer[]): false {
    const socket = this.#socket;
    socket.cork();
    for (const [at, buffer] of buffers.entries()) {
      if (at < buffers.length - 1) socket.write(buffer);
      else
        socket.write(buffer, (error) => {
          if (!error) this.#onTaken();
        });
    }
    socket.uncork();
    return false;
  }
}
