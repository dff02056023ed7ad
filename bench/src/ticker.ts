// Calls back several times a millisecond: timers of Node know whole milliseconds, which is long beside an answer of a proxy.
//
// A thread sleeps and wakes this one with a message; nothing is done when the one before was not taken yet.

import { Worker } from 'node:worker_threads';

const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const taken = new Int32Array(workerData.shared);
const never = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(never, 0, 0, workerData.everyMs);
  if (Atomics.exchange(taken, 0, 0) === 1) parentPort.postMessage(0);
}
`;

/** Until what it gives is called; not once more after that. */
export function everyMs(everyMs: number, call: () => void): () => void {
  const shared = new SharedArrayBuffer(4);
  const taken = new Int32Array(shared);
  Atomics.store(taken, 0, 1);
  const thread = new Worker(THREAD, { eval: true, workerData: { shared, everyMs } });
  const onMessage = () => {
    Atomics.store(taken, 0, 1);
    call();
  };
  thread.on('message', onMessage);
  return () => {
    // One may have been sent that did not come yet.
    thread.off('message', onMessage);
    void thread.terminate();
  };
}
