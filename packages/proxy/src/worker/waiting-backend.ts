// A connection that is lent to a client while it waits, and how that wait is ended at the server: CLIENT UNBLOCK, over the connection that all share.
//
// Invariant: it is nobody else's before each CLIENT UNBLOCK that names it was answered; else that might end the wait of the next one.

import { encodeRequest, errorReply, type Protocol } from '../resp/replies.ts';
import type { Backend } from './backend.ts';
import type { UnblockKind } from './blocking.ts';
import { asking } from './claim.ts';
import type { Loans } from './loans.ts';
import type { Server } from './server.ts';

export class WaitingBackend {
  readonly backend: Backend;
  readonly #loans: Loans;
  /** CLIENT UNBLOCK is under way. */
  #unblocking = false;
  /** Whether the loan was ended, and how: null while it lasts. */
  #ended: { readonly clean: boolean } | null = null;

  private constructor(backend: Backend, loans: Loans) {
    this.backend = backend;
    this.#loans = loans;
  }

  /** The connection, or the error that says why there is none. */
  static borrow(loans: Loans, what: { server: Server; db: number; protocol: Protocol }): WaitingBackend | Buffer {
    const backend = loans.borrow(what.server, what.db, what.protocol);
    if (Buffer.isBuffer(backend)) return backend;
    backend.patient = true;
    return new WaitingBackend(backend, loans);
  }

  /** Has the server end the wait; its answer then comes on the connection. To be called again until it does: what waits may not have arrived there yet. */
  unblock(kind: UnblockKind): void {
    const { backend } = this;
    if (this.#unblocking || backend.isClosed) return;
    // Not sent yet; or the server is so old that only this ends a wait.
    if (!backend.isReady || backend.clientId === 0) {
      backend.abandon('the wait was ended');
      return;
    }
    const shared = backend.server.backend(0, 2);
    if (shared === null) return;
    this.#unblocking = true;
    const bytes = encodeRequest(['CLIENT', 'UNBLOCK', String(backend.clientId), kind]);
    const request = asking((reply) => {
      this.#unblocking = false;
      const refused = reply[0] === 0x2d && !shared.isClosed;
      if (refused) backend.abandon(`it does not end waits: ${errorReply(reply.toString('utf8').trim()).toString()}`);
      if (this.#ended !== null) this.#loans.end(backend, this.#ended.clean);
    });
    shared.send(request, bytes, 0, bytes.length);
  }

  /** As Loans.end. */
  end(clean: boolean): void {
    this.backend.onIdle = null;
    this.backend.patient = false;
    this.#ended = { clean };
    if (!this.#unblocking) this.#loans.end(this.backend, clean);
  }
}
