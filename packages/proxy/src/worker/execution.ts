// One EXEC on its way: its keys are brought to where they belong, then MULTI, the commands and EXEC go out in one piece over a connection of their own.
// Only EXEC's reply is of interest: a command that the server would not queue makes it say EXECABORT.

import { commandNamed } from '../commands/command.ts';
import { encodeRequest, errorReply, MOVE_WHOLE_SLOT, NO_MASTERS, nilArray } from '../resp/replies.ts';
import type { Backend } from './backend.ts';
import { Claim } from './claim.ts';
import { reframe } from './held.ts';
import type { InFlight } from './in-flight.ts';
import type { Loans } from './loans.ts';
import { type Request, SINK_NOBODY, takeRequest } from './request.ts';
import { MIGRATING } from './route-table.ts';
import type { Router } from './router.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import type { Transaction } from './transaction.ts';

const MULTI = encodeRequest(['MULTI']);
const EXEC = encodeRequest(['EXEC']);
/** Its keys are all of its arguments, so it stands for the keys of a transaction. */
const WATCH_COMMAND = commandNamed('watch');

interface Options {
  readonly router: Router;
  readonly loans: Loans;
  readonly inFlight: InFlight;
  readonly session: Session;
  readonly transaction: Transaction;
  readonly isBroken: () => boolean;
  /** Nothing will be sent: ends the watch. */
  readonly release: () => void;
}

export class Execution {
  readonly #options: Options;
  readonly #request: Request;

  constructor(options: Options) {
    this.#options = options;
    this.#request = options.session.enqueue();
  }

  start(): void {
    const { router, transaction } = this.#options;
    const request = this.#request;
    request.onAbandoned = () => this.#options.release();
    if (transaction.slot < 0) {
      const master = router.masters()[0];
      if (master === undefined) this.#giveUp(NO_MASTERS);
      else this.#send(master);
      return;
    }
    request.taker = new Claim((reply) => this.#giveUp(discarded(reply)));
    request.sender = (home) => this.#send(home);
    router.dispatcher.claim(request, transaction.slot, WATCH_COMMAND, reframe(encodeRequest(['WATCH', ...transaction.keys])));
  }

  #send(home: Server): void {
    const { transaction, router, session, loans } = this.#options;
    const { watch } = transaction;
    if (this.#options.isBroken() || (watch !== null && watch.server !== home)) {
      this.#giveUp(nilArray(session.protocol));
      return;
    }
    if (transaction.needsWholeSlot && router.table.kind[transaction.slot] === MIGRATING) {
      this.#giveUp(discarded(MOVE_WHOLE_SLOT));
      return;
    }
    const backend = watch ?? loans.borrow(home, session.db, session.protocol);
    if (Buffer.isBuffer(backend)) this.#giveUp(discarded(backend));
    else this.#transmit(backend, transaction.queued ?? []);
  }

  #transmit(backend: Backend, commands: readonly Buffer[]): void {
    const request = this.#request;
    const { transaction, loans, router } = this.#options;
    // EXEC ends the watch; what is on the connection now is this and nothing else.
    transaction.watch = null;
    this.#options.release();
    request.taker = null;
    request.onAbandoned = null;
    router.scripts.prepareAll(backend, transaction.scripts);
    unasked(backend, MULTI);
    for (const command of commands) unasked(backend, command);
    backend.send(request, EXEC, 0, EXEC.length);
    loans.endWhenIdle(backend);
  }

  #giveUp(reply: Buffer): void {
    const { inFlight, session } = this.#options;
    const request = this.#request;
    inFlight.leave(request);
    request.slot = -1;
    request.taker = null;
    request.onAbandoned = null;
    this.#options.release();
    session.answer(request, reply);
  }
}

function unasked(backend: Backend, bytes: Buffer): void {
  backend.send(takeRequest(null, SINK_NOBODY), bytes, 0, bytes.length);
}

/** The same error, which says that the transaction is over. */
function discarded(reply: Buffer): Buffer {
  return errorReply(`${reply.toString('utf8').slice(1).trim()}; the transaction was discarded`);
}
