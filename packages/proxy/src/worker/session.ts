// One client: its connection, its state (database, name, password given), and the order of its requests.
//
//   head ▶ request ▶ request ▶ … ▶ tail       replies leave at the head only; later ones wait, stored, for their turn
//
// Backpressure: the client is not read from while any reason in `#paused` stands: too many requests under way, too many bytes waiting to be
// read by it, a server that takes no more, or too many requests waiting for slots in a move.

import type { Socket } from 'node:net';
import { errorReply } from '../resp/replies.ts';
import { FRAME, NEED, RequestScanner } from '../resp/request-scanner.ts';
import type { Backend } from './backend.ts';
import type { Held } from './held.ts';
import { Outlet, type OutletOwner } from './outlet.ts';
import { type Request, recycle, SINK_CLIENT, takeRequest } from './request.ts';
import type { Router } from './router.ts';

export const PAUSED_PIPELINE = 1;
export const PAUSED_OUTPUT = 2;
export const PAUSED_BACKEND = 4;
export const PAUSED_WAITING = 8;

/** Above this many bytes waiting for the client nothing more is read from it; below half of it reading goes on. */
const OUTPUT_BYTES_HIGH = 512 * 1024;

export interface SessionOptions {
  readonly pipelineMax: number;
  readonly bufferBytesMax: number;
  readonly requestBytesMax: number;
}

/** What a session asks of whoever made it. */
export interface SessionOwner {
  onSessionEnd(session: Session, reason: string): void;
}

export class Session implements OutletOwner {
  readonly id: number;
  readonly out: Outlet;
  readonly addr: string;
  readonly startedAt: number;
  head: Request | null = null;
  db = 0;
  name = '';
  libName = '';
  libVersion = '';
  /** Requests that wait for a hand-over, in order; null when there are none. */
  waiting: Held[] | null = null;
  /** Server connections out of common use that this client has something on: while it has, its requests for that server follow there. */
  pinned: Backend[] | null = null;
  /** By the coarse clock: last request, and last time the kernel took bytes for it (or none were waiting). */
  activeAt: number;
  progressAt: number;
  /** Name of the last command, for CLIENT INFO. */
  lastCommand = '';

  readonly #socket: Socket;
  readonly #scanner: RequestScanner;
  readonly #router: Router;
  readonly #owner: SessionOwner;
  readonly #options: SessionOptions;
  #tail: Request | null = null;
  #pending = 0;
  #storedBytes = 0;
  #paused = 0;
  #processing = false;
  /** No more input: the client sent QUIT, broke the protocol, or is being drained. What is under way is still answered. */
  #ending = false;
  /** The client has closed its half; what came before may still wait in the scanner while reading is paused. */
  #inputEnded = false;
  #ended = false;
  /** When everything was answered and our side of the connection closed, by the coarse clock; 0 before. */
  closingSince = 0;

  constructor(
    socket: Socket,
    init: { id: number; now: number; authenticated: boolean; options: SessionOptions; router: Router; owner: SessionOwner },
  ) {
    this.#socket = socket;
    this.id = init.id;
    this.addr = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.startedAt = init.now;
    this.activeAt = init.now;
    this.progressAt = init.now;
    this.#options = init.options;
    this.#router = init.router;
    this.#owner = init.owner;
    this.out = new Outlet(socket, this);
    this.#scanner = new RequestScanner(init.options.requestBytesMax);
    this.#scanner.authenticated = init.authenticated;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onInputEnd());
    socket.on('error', (error: Error) => this.destroy(error.message));
    socket.on('close', () => this.destroy('the client closed the connection'));
  }

  get ending(): boolean {
    return this.#ending;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Bytes of replies that wait: for the client to read, or for their turn. */
  get waitingBytes(): number {
    return this.out.bytes + this.#storedBytes;
  }

  /** Those of them that wait for their turn. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Bytes of a request that is not all there yet. */
  get inputBytes(): number {
    return this.#scanner.pendingBytes;
  }

  /** HOT PATH. Takes the next place in the order of replies. */
  enqueue(): Request {
    const request = takeRequest(this, SINK_CLIENT);
    request.db = this.db;
    if (this.#tail === null) this.head = request;
    else this.#tail.next = request;
    this.#tail = request;
    if (++this.#pending >= this.#options.pipelineMax) this.pause(PAUSED_PIPELINE);
    return request;
  }

  /** Answers the request just read, in its turn. */
  reply(reply: Buffer): void {
    if (this.head === null) {
      this.out.appendAll(reply);
      this.#pauseIfFull();
      return;
    }
    const request = this.enqueue();
    this.answer(request, reply);
  }

  /** Answers a request of this session that nobody else will answer. */
  answer(request: Request, reply: Buffer): void {
    request.stored = [reply];
    this.onStored(reply.length);
    this.onDone(request);
  }

  /** HOT PATH. The head's reply is being written by the caller, who calls `afterReplies` when it has. */
  popHead(): void {
    const request = this.head as Request;
    this.head = request.next;
    if (this.head === null) this.#tail = null;
    this.#pending--;
    recycle(request);
  }

  /** Replies have gone out at the head: stored ones may follow now, and reading may go on. */
  afterReplies(): void {
    while (this.head?.done) {
      this.#flushStored(this.head);
      this.popHead();
    }
    if (this.head !== null && this.head.stored !== null) {
      this.#flushStored(this.head);
      this.head.streaming = true;
    }
    if (this.#pending < this.#options.pipelineMax / 2) this.resume(PAUSED_PIPELINE);
    this.#pauseIfFull();
    if (this.#ending && this.head === null) this.#finish();
  }

  /** A request of this session is completely answered; its reply stands in `stored`. */
  onDone(request: Request): void {
    request.done = true;
    if (this.head === request) this.afterReplies();
  }

  /** `bytes` of a reply that is not at its turn were stored: meanwhile no more is asked for. Whoever reads it from a server must stop in time. */
  onStored(bytes: number): void {
    this.#storedBytes += bytes;
    this.#pauseIfFull();
  }

  /** As `onStored`, for a part of a reply that is merged and so can't go out in pieces. False when it is more than session_max_bufsize: then it is
   *  not counted, and must not be kept. */
  onPartStored(bytes: number): boolean {
    if (this.#storedBytes + bytes > this.#options.bufferBytesMax) return false;
    this.#storedBytes += bytes;
    return true;
  }

  /** Stored bytes that were merged or thrown away. */
  onUnstored(bytes: number): void {
    this.#storedBytes -= bytes;
  }

  /** True when this reason is new. */
  pause(reason: number): boolean {
    if ((this.#paused & reason) !== 0) return false;
    if (this.#paused === 0) this.#socket.pause();
    this.#paused |= reason;
    return true;
  }

  resume(reason: number): void {
    if ((this.#paused & reason) === 0) return;
    this.#paused &= ~reason;
    if (this.#paused !== 0 || this.#ended) return;
    this.#process();
    if (this.#paused === 0 && !this.#ending) this.#socket.resume();
  }

  onWritten(): void {
    this.progressAt = this.#router.now;
    if (this.out.bytes > OUTPUT_BYTES_HIGH / 2) return;
    if (this.waitingBytes <= OUTPUT_BYTES_HIGH / 2) this.resume(PAUSED_OUTPUT);
    if (this.pinned !== null) for (const backend of this.pinned) backend.resumeReading(this);
    if (this.#ending && this.head === null) this.#finish();
  }

  /** `backend` goes out of common use with something of this client on it: what follows for that server and database must not overtake that. */
  pin(backend: Backend): void {
    this.pinned ??= [];
    if (!this.pinned.includes(backend)) this.pinned.push(backend);
  }

  /** The pinned connection for this server and database, while this client still has something under way on it. */
  pinnedTo(server: Backend['server'], db: number): Backend | null {
    this.pinned = this.pinned?.filter((backend) => backend.owes(this)) ?? null;
    const found = this.pinned?.find((backend) => backend.server === server && backend.db === db) ?? null;
    if (this.pinned?.length === 0) this.pinned = null;
    return found;
  }

  /** Reads no more; closes when what is under way has been answered. */
  end(): void {
    if (this.#ending || this.#ended) return;
    this.#ending = true;
    if (this.head === null) this.#finish();
  }

  /** Closes at once; what is under way is answered to nobody. */
  destroy(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.out.close();
    this.#abandonRequests();
    if (this.pinned !== null) for (const backend of this.pinned) backend.forget(this);
    this.#owner.onSessionEnd(this, reason);
  }

  get authenticated(): boolean {
    return this.#scanner.authenticated;
  }

  set authenticated(value: boolean) {
    this.#scanner.authenticated = value;
  }

  #onData(chunk: Buffer): void {
    if (this.#ending || this.#ended) return;
    this.activeAt = this.#router.now;
    this.#router.stats.clientBytesIn += chunk.length;
    this.#scanner.feed(chunk);
    if (this.#paused === 0) this.#process();
  }

  #onInputEnd(): void {
    this.#inputEnded = true;
    if (this.#paused === 0) this.#process();
  }

  /** HOT PATH. Routes what has arrived until it is used up or the client is paused. */
  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    while (this.#paused === 0 && !this.#ending && !this.#ended) {
      const result = this.#scanner.next();
      if (result === FRAME) {
        this.#router.route(this, this.#scanner.frame);
        continue;
      }
      if (result === NEED) {
        if (this.#inputEnded) this.end();
        break;
      }
      this.reply(errorReply(`ERR ${this.#scanner.error}`));
      this.end();
    }
    this.#processing = false;
    this.#pauseIfFull();
  }

  #pauseIfFull(): void {
    if (this.waitingBytes > OUTPUT_BYTES_HIGH) this.pause(PAUSED_OUTPUT);
  }

  #flushStored(request: Request): void {
    if (request.stored === null) return;
    for (const piece of request.stored) {
      this.out.appendAll(piece);
      this.#storedBytes -= piece.length;
    }
    request.stored = null;
  }

  /** The client closes its side when it has read what is there; the worker's clock bounds how long that may take. */
  #finish(): void {
    if (this.out.bytes > 0 || this.closingSince > 0) return;
    this.closingSince = this.#router.now;
    this.#socket.end();
    this.#socket.resume();
  }

  #abandonRequests(): void {
    let request = this.head;
    this.head = null;
    this.#tail = null;
    while (request !== null) {
      const next = request.next;
      request.next = null;
      request.session = null;
      if (request.split !== null) request.split.abandon();
      if (request.done) recycle(request);
      request = next;
    }
    this.#router.forget(this);
  }
}
