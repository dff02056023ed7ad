// The connection that a worker is being given. node:cluster accepts it, sends it to the worker, and closes its own copy when the worker says that it has it; of a
// worker that dies before, it keeps the copy open for good (Node 20 to 24), and its client would wait for as long as it likes to.

import type { ChildProcess } from 'node:child_process';

interface Closable {
  close(): void;
}

/** What follows the message: a connection, if one goes with it. */
type Send = (this: ChildProcess, message: unknown, ...others: readonly unknown[]) => boolean;

/** Watches what is sent to `child`, which is given one connection at a time and the next when it has that. Gives what is to be called when it has died: the connection
 *  is closed, because nobody knows how much of what came over it the worker has done. */
export function watchUntaken(child: ChildProcess): () => void {
  let given: Closable | null = null;
  const owner = child as { send: Send };
  const { send } = owner;
  owner.send = function sendAndRemember(message, ...others) {
    const [handle] = others;
    if (isClosable(handle)) given = handle;
    return send.call(this, message, ...others);
  };
  // One that the worker has had was closed by node:cluster; closing it again does nothing.
  return () => given?.close();
}

const isClosable = (value: unknown): value is Closable =>
  typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
