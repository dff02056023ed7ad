// MULTI EXEC DISCARD WATCH UNWATCH. What is queued is kept here, checked as Redis checks it, and sent with EXEC in one piece (execution.ts), so a
// transaction that is being typed holds no connection and no slot.
//
//   (WATCH) ──▶ MULTI ──command──▶ QUEUED … ──▶ EXEC      all keys, the watched ones too, are in one slot
//
// WATCH needs a connection of the session's own to the home of the slot, which keeps it until EXEC. When the slot gets another home, or is locked, the
// watch is broken: EXEC answers nil, as when a key was touched.
//
// Invariant: a watch that stays open is not in flight. It can't do harm: the server is only told to forget it.

import { invariant } from '@codis/config/model';
import { type Command, commandNamed } from '../commands/command.ts';
import { extractKeys, keyArgs } from '../commands/key-specs.ts';
import { readsByPattern } from '../commands/sort-patterns.ts';
import { CROSSSLOT, EMPTY_ARRAY, EXECABORT, encodeRequest, errorReply, nilArray, OK, QUEUED } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Backend } from './backend.ts';
import { Claim } from './claim.ts';
import { Execution } from './execution.ts';
import { copyFrame } from './held.ts';
import type { InFlight } from './in-flight.ts';
import type { Loans } from './loans.ts';
import type { Handlers } from './local/local-commands.ts';
import { MODE_TRANSACTION } from './modes.ts';
import { whyNotQueued } from './queueing.ts';
import { type Request, SINK_NOBODY, takeRequest } from './request.ts';
import type { RouteTable } from './route-table.ts';
import type { Router } from './router.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';

/** Of one transaction; its bytes are bounded by session_max_bufsize. */
export const QUEUED_COMMANDS_MAX = 65_536;
const UNWATCH = encodeRequest(['UNWATCH']);
const WATCH_COMMAND = commandNamed('watch');
const EXEC_COMMAND = commandNamed('exec');
const NESTED = errorReply('ERR MULTI calls can not be nested');
const WATCH_INSIDE = errorReply('ERR WATCH inside MULTI is not allowed');
const EXEC_WITHOUT = errorReply('ERR EXEC without MULTI');
const DISCARD_WITHOUT = errorReply('ERR DISCARD without MULTI');
const WATCH_ELSEWHERE = errorReply(
  'ERR keys are watched in another database or version of the protocol; the proxy takes EXEC, DISCARD or UNWATCH before SELECT or HELLO',
);
const TOO_LARGE = errorReply(
  `ERR a transaction through the proxy has at most ${QUEUED_COMMANDS_MAX} commands, and session_max_bufsize bytes`,
);

/** What one session has watched and queued. */
export class Transaction {
  /** Of all its keys; -1 before there is one. */
  slot = -1;
  /** The connection that watches; null when none does (any more). */
  watch: Backend | null = null;
  /** What was watched may have changed unseen. */
  broken = false;
  /** The requests since MULTI, as they came; null before MULTI. */
  queued: Buffer[] | null = null;
  readonly keys: Buffer[] = [];
  bytes = 0;
  /** A command was refused: EXEC will be too. */
  aborted = false;
  /** MOVE, COPY to another database or SORT with a pattern is among them. */
  needsWholeSlot = false;
  /** Those of the queued requests that run scripts or functions, which must be at the server by then. */
  readonly scripts: { readonly command: Command; readonly frame: Buffer }[] = [];
}

interface Options {
  readonly router: Router;
  readonly loans: Loans;
  readonly inFlight: InFlight;
  readonly bytesMax: number;
}

export class Transactions {
  readonly #options: Options;
  readonly #watching = new Set<Transaction>();

  constructor(options: Options) {
    this.#options = options;
  }

  handlers(): Handlers {
    return [
      ['multi', (session) => this.#multi(session)],
      ['exec', (session, frame) => this.#exec(session, frame)],
      ['discard', (session) => this.#discard(session)],
      ['watch', (session, frame) => this.#watch(session, frame)],
      ['unwatch', (session) => this.#unwatch(session)],
    ];
  }

  /** For a session after MULTI: true when the request was queued or refused; false when it is to be carried out at once. */
  queue(session: Session, command: Command, frame: Frame): boolean {
    if (AT_ONCE.has(command.name)) return false;
    const { router, bytesMax } = this.#options;
    const transaction = session.transaction;
    invariant(transaction !== null && transaction.queued !== null, 'a session in a transaction has one');
    const { queued } = transaction;
    const refusal = whyNotQueued(router, transaction.slot, command, frame);
    const bytes = frame.end - frame.start;
    if (Buffer.isBuffer(refusal)) router.reject(session, refusal);
    else if (command.class.kind === 'script' && router.scripts.mustWait(session, command, frame)) return true;
    else if (queued.length >= QUEUED_COMMANDS_MAX || transaction.bytes + bytes > bytesMax) router.reject(session, TOO_LARGE);
    else {
      // Of a transaction that can't be carried out nothing needs to be kept.
      if (!transaction.aborted) keep(transaction, queued, refusal, command, frame);
      session.facts.multi++;
      session.reply(QUEUED);
    }
    return true;
  }

  /** A request was refused while the session is in a transaction: EXEC will be refused, or was. Returns what to answer. */
  onRejected(session: Session, reply: Buffer): Buffer {
    const transaction = session.transaction;
    if (transaction === null) return reply;
    transaction.aborted = true;
    transaction.queued = [];
    if (session.command === EXEC_COMMAND) this.end(session);
    return reply;
  }

  /** Breaks the watches on slots that are not where they were. */
  onTable(table: RouteTable): void {
    for (const transaction of this.#watching) {
      if (transaction.watch?.server !== table.home[transaction.slot]) this.#break(transaction);
    }
  }

  /** The session has no transaction any more, and watches nothing. */
  end(session: Session): void {
    const transaction = this.#take(session);
    if (transaction !== null) this.#release(transaction);
  }

  #multi(session: Session): Buffer {
    session.transaction ??= new Transaction();
    if (session.transaction.queued !== null) return NESTED;
    session.transaction.queued = [];
    session.modes |= MODE_TRANSACTION;
    session.facts.multi = 0;
    return OK;
  }

  #discard(session: Session): Buffer {
    if ((session.modes & MODE_TRANSACTION) === 0) return DISCARD_WITHOUT;
    this.end(session);
    return OK;
  }

  #unwatch(session: Session): Buffer {
    this.end(session);
    return OK;
  }

  #exec(session: Session, frame: Frame): Buffer | null {
    if ((session.modes & MODE_TRANSACTION) === 0) return EXEC_WITHOUT;
    if (!session.inOrder(EXEC_COMMAND, frame)) return null;
    const transaction = this.#take(session);
    if (transaction === null) return EXEC_WITHOUT;
    const { watch } = transaction;
    const reply = this.#atOnce(session, transaction, watch);
    if (reply !== null) {
      this.#release(transaction);
      return reply;
    }
    // Until it is sent a newer table may still break its watch.
    if (watch !== null) this.#watching.add(transaction);
    new Execution({
      ...this.#options,
      session,
      transaction,
      isBroken: () => this.#isBroken(transaction),
      release: () => this.#release(transaction),
    }).start();
    session.afterAll();
    return null;
  }

  /** What EXEC answers without anything being sent; null when it is to be carried out. */
  #atOnce(session: Session, transaction: Transaction, watch: Backend | null): Buffer | null {
    if (transaction.aborted) return EXECABORT;
    if (this.#isBroken(transaction)) return nilArray(session.protocol);
    if (watch === null) return transaction.queued?.length === 0 ? EMPTY_ARRAY : null;
    return isFor(watch, session) ? null : WATCH_ELSEWHERE;
  }

  #watch(session: Session, frame: Frame): Buffer | null {
    if ((session.modes & MODE_TRANSACTION) !== 0) return WATCH_INSIDE;
    const slot = this.#options.router.slotFor(WATCH_COMMAND, frame);
    if (Buffer.isBuffer(slot)) return slot;
    if (session.transaction !== null && session.transaction.slot >= 0 && session.transaction.slot !== slot) return CROSSSLOT;
    if (!session.inOrder(WATCH_COMMAND, frame)) return null;
    session.transaction ??= new Transaction();
    const { transaction } = session;
    if (transaction.watch !== null && !isFor(transaction.watch, session)) return WATCH_ELSEWHERE;
    if (this.#isBroken(transaction)) return OK;
    const request = session.enqueue();
    const bytes = copyFrame(frame);
    request.taker = new Claim((reply) => session.answer(request, reply));
    request.sender = (home) => this.#sendWatch(session, transaction, { request, home, bytes });
    this.#options.router.dispatcher.claim(request, slot, WATCH_COMMAND, frame);
    session.afterAll();
    return null;
  }

  #sendWatch(session: Session, transaction: Transaction, what: { request: Request; home: Server; bytes: Buffer }): void {
    const { request, home, bytes } = what;
    const { loans } = this.#options;
    const backend = transaction.watch ?? loans.borrow(home, session.db, session.protocol);
    if (Buffer.isBuffer(backend)) {
      this.#settle(request, backend);
      return;
    }
    transaction.watch = backend;
    transaction.slot = request.slot;
    this.#watching.add(transaction);
    if (this.#isBroken(transaction) || backend.server !== home) {
      this.#break(transaction);
      this.#settle(request, OK);
      return;
    }
    request.taker = null;
    backend.send(request, bytes, 0, bytes.length);
  }

  /** Answers a request that was claimed and is not sent. */
  #settle(request: Request, reply: Buffer): void {
    this.#options.inFlight.leave(request);
    request.slot = -1;
    request.session?.answer(request, reply);
  }

  #isBroken(transaction: Transaction): boolean {
    return transaction.broken || (transaction.watch?.isClosed ?? false);
  }

  #break(transaction: Transaction): void {
    transaction.broken = true;
    this.#release(transaction);
  }

  #take(session: Session): Transaction | null {
    const { transaction } = session;
    session.transaction = null;
    session.modes &= ~MODE_TRANSACTION;
    session.facts.multi = -1;
    return transaction;
  }

  /** The server forgets what it watches for this transaction, and the connection is free again. */
  #release(transaction: Transaction): void {
    const { watch } = transaction;
    this.#watching.delete(transaction);
    transaction.watch = null;
    if (watch === null) return;
    if (!watch.isClosed) watch.send(takeRequest(null, SINK_NOBODY), UNWATCH, 0, UNWATCH.length);
    this.#options.loans.endWhenIdle(watch);
  }
}

/** Redis carries these out also after MULTI: server.c, processCommand(). */
const AT_ONCE: ReadonlySet<string> = new Set(['multi', 'exec', 'discard', 'watch', 'quit', 'reset']);

function isFor(watch: Backend, session: Session): boolean {
  return watch.db === session.db && watch.protocol === session.protocol;
}

/** `slot`: of the command's keys, which `extractKeys` found; -1 when it has none. */
function keep(transaction: Transaction, queued: Buffer[], slot: number, command: Command, frame: Frame): void {
  const bytes = copyFrame(frame);
  queued.push(bytes);
  transaction.bytes += bytes.length;
  if (command.class.kind === 'script') transaction.scripts.push({ command, frame: bytes });
  if (command.name === 'move' || command.name === 'copy' || readsByPattern(command, frame)) transaction.needsWholeSlot = true;
  if (slot < 0) return;
  transaction.slot = slot;
  extractKeys(command.keys, frame);
  for (let key = 0; key < keyArgs.count; key++) {
    const arg = (keyArgs.list[key] as number) * 2;
    const start = (frame.args[arg] as number) - frame.start;
    transaction.keys.push(bytes.subarray(start, start + (frame.args[arg + 1] as number) - (frame.args[arg] as number)));
  }
}
