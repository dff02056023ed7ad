// Connections that are lent to one client alone, while it blocks, watches keys or has a transaction carried out: how many there may be, and their end.
//
// Invariant: each loan is ended once, by who has borrowed; also when the connection closed meanwhile.

import { errorReply, type Protocol } from '../resp/replies.ts';
import type { Backend } from './backend.ts';
import type { Server } from './server.ts';

/** Of one worker, over all servers. A Redis takes 10,000 clients unless told otherwise. */
export const LOANS_MAX = 4096;
const TOO_MANY = errorReply(
  `ERR ${LOANS_MAX} clients of this worker have connections of their own already, to block or for a transaction; try again later`,
);

export class Loans {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A connection to `server`, or the error that says why there is none; then nothing was sent. */
  borrow(server: Server, db: number, protocol: Protocol): Backend | Buffer {
    if (this.#count >= LOANS_MAX) return TOO_MANY;
    const backend = server.lend(db, protocol);
    if (backend === null)
      return errorReply(`ERR server ${server.addr} can't be reached (${server.lastError}), so the command was not sent`);
    this.#count++;
    return backend;
  }

  /** Ends a loan; `clean` unless something may still happen to the connection, or it is not in the state that it was lent in. */
  end(backend: Backend, clean: boolean): void {
    this.#count--;
    backend.onIdle = null;
    if (clean) backend.server.giveBack(backend);
    else backend.closeWhenIdle();
  }

  /** As `end`, when what is under way has been answered. */
  endWhenIdle(backend: Backend): void {
    if (backend.isClosed || backend.pending === 0) this.end(backend, true);
    else backend.onIdle = () => this.end(backend, true);
  }
}
