// One client: its connection, its state (database, name, password given), and the order of its requests.
//
//   head ▶ request ▶ request ▶ … ▶ tail       replies leave at the head only; later ones wait, stored, for their turn
//
// Backpressure: no more than a little is read ahead from the client while any reason in `#paused` stands: too many requests under way, too many bytes
// waiting to be read by it, a server that takes no more, or too many requests waiting for slots in a move.
//
// Order: what a client sends takes effect in that order as far as it can tell. Requests under way at one time all go by the same database and version of the
// protocol, so those for one server share a connection there; whoever changes that, or needs a connection of its own, waits for the replies first
// (`inOrder`, `afterAll`).

import type { Socket } from 'node:net';
import type { Command } from '../commands/command.ts';
import { errorReply, type Protocol } from '../resp/replies.ts';
import { FRAME, type Frame, NEED, RequestScanner } from '../resp/request-scanner.ts';
import type { Backend } from './backend.ts';
import { copyFrame, type Held, reframe } from './held.ts';
import { MODE_REPLY_SKIP, MODES_MUTE, MODES_OF_PROXY } from './modes.ts';
import { Outlet, type OutletOwner } from './outlet.ts';
import { NOWHERE, PIECE_BYTES_MAX } from './recent-input.ts';
import { type Request, recycle, SINK_CLIENT, SINK_MUTED, takeRequest } from './request.ts';
import type { Router } from './router.ts';
import { withSharedRead } from './shared-read.ts';
import { micros } from './timings.ts';
import type { Transaction } from './transaction.ts';

export const PAUSED_PIPELINE = 1;
export const PAUSED_OUTPUT = 2;
export const PAUSED_BACKEND = 4;
export const PAUSED_WAITING = 8;
/** What comes next may go on only when everything before it was answered. */
const PAUSED_ORDER = 16;
/** A blocking command waits. The client is still read from, to see it go away. */
const PAUSED_BLOCKED = 32;
/** Somebody is asked about the request that comes next. */
const PAUSED_ASKING = 64;

/** What a paused client may send ahead before it is not read from any more; while it is, it is seen to go away. */
const AHEAD_BYTES_MAX = 16 * 1024;
const AHEAD_BYTES_MAX_BLOCKED = 64 * 1024;

/** Above this many bytes waiting for the client nothing more is read from it; below half of it reading goes on. */
const OUTPUT_BYTES_HIGH = 512 * 1024;

export interface SessionOptions {
  readonly pipelineMax: number;
  readonly bufferBytesMax: number;
  readonly requestBytesMax: number;
}

/** Kept by who knows: subscriptions by kind, commands queued after MULTI (-1 outside), what CLIENT NO-EVICT and NO-TOUCH said. */
export interface SessionFacts {
  sub: number;
  psub: number;
  ssub: number;
  multi: number;
  noEvict: boolean;
  noTouch: boolean;
}

/** A request that waits: until everything before it was answered, while the clients are paused, or until somebody has told what must be known of it. */
type Deferred =
  | { readonly command: Command; readonly frame: Buffer; readonly why: 'order' | 'postponed' }
  | { readonly command: Command | null; readonly frame: Buffer; readonly why: 'kept' };

/** What a session asks of whoever made it. */
export interface SessionOwner {
  onSessionEnd(session: Session, reason: string): void;
}

export class Session implements OutletOwner {
  readonly id: number;
  readonly out: Outlet;
  readonly addr: string;
  /** The address it connected to. */
  readonly localAddr: string;
  readonly startedAt: number;
  head: Request | null = null;
  db = 0;
  protocol: Protocol = 2;
  /** MODE_… (modes.ts): 0 for most. */
  modes = 0;
  name = '';
  libName = '';
  libVersion = '';
  /** From the first WATCH or MULTI to EXEC. */
  transaction: Transaction | null = null;
  /** Requests that wait for a hand-over, in order; null when there are none. */
  waiting: Held[] | null = null;
  /** Server connections out of common use that this client has something on: while it has, its requests for that server follow there. */
  pinned: Backend[] | null = null;
  /** By the coarse clock: last request, and last time the kernel took bytes for it (or none were waiting). */
  activeAt: number;
  progressAt: number;
  /** What CLIENT LIST says of it beside that. */
  readonly facts: SessionFacts = { sub: 0, psub: 0, ssub: 0, multi: -1, noEvict: false, noTouch: false };
  /** So far; and how many there were at two moments a few seconds ago (busiest-clients.ts). */
  requests = 0;
  readonly marks = { older: 0, newer: 0 };
  /** The last command, for CLIENT INFO. */
  command: Command | null = null;
  /** When the bytes that are being looked at were read (`micros`). */
  readAt = 0;

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
  /** A request that waits until everything before it was answered. */
  #deferred: Deferred | null = null;
  /** The request that is being routed; null between requests, when its bytes may be gone. */
  #routed: Frame | null = null;
  /** The bytes that are being looked at, if all of them are in the recent input, and where. */
  #input: Buffer | null = null;
  #inputAt = NOWHERE;
  /** The blocking command that waits: how long it does is nobody's slowness. */
  #waiting: Request | null = null;
  /** What came unasked while a reply was going out in pieces. */
  #pushes: Buffer[] = [];
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
    this.#socket = withSharedRead(socket, (buf, length, at) => this.#onData(buf, length, at));
    this.id = init.id;
    this.addr = `${this.#socket.remoteAddress ?? '?'}:${this.#socket.remotePort ?? 0}`;
    this.localAddr = `${this.#socket.localAddress ?? '?'}:${this.#socket.localPort ?? 0}`;
    this.startedAt = init.now;
    this.activeAt = init.now;
    this.progressAt = init.now;
    this.#options = init.options;
    this.#router = init.router;
    this.#owner = init.owner;
    this.out = new Outlet(this.#socket, this);
    this.#scanner = new RequestScanner(init.options.requestBytesMax);
    this.#scanner.authenticated = init.authenticated;
    this.#socket.on('end', () => this.#onInputEnd());
    this.#socket.on('error', (error: Error) => this.destroy(error.message));
    this.#socket.on('close', () => this.destroy('the client closed the connection'));
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

  /** Bytes sent to the client so far. */
  get bytesOut(): number {
    return this.#socket.bytesWritten;
  }

  /** Bytes of a request that is not all there yet. */
  get inputBytes(): number {
    return this.#scanner.pendingBytes;
  }

  /** HOT PATH. Takes the next place in the order of replies. */
  enqueue(): Request {
    const request = takeRequest(this, SINK_CLIENT);
    request.db = this.db;
    request.command = this.command;
    request.readAt = this.readAt;
    const frame = this.#routed;
    if (frame === null) request.inputAt = NOWHERE;
    else request.inputAt = frame.buf === this.#input ? this.#inputAt + frame.start : this.#keepInput(frame);
    if ((this.modes & MODES_MUTE) !== 0) this.#mute(request);
    if (this.#tail === null) this.head = request;
    else this.#tail.next = request;
    this.#tail = request;
    if (++this.#pending >= this.#options.pipelineMax) this.pause(PAUSED_PIPELINE);
    return request;
  }

  /** Answers the request just read, in its turn. */
  reply(reply: Buffer): void {
    if (this.head === null && (this.modes & MODES_MUTE) === 0) {
      this.out.appendAll(reply);
      this.#pauseIfFull();
      return;
    }
    const request = this.enqueue();
    request.command = null;
    this.answer(request, reply);
  }

  /** Sends what the client did not ask for just now (a message, a line of MONITOR): at once, but not into the middle of a reply. A client that reads
   *  too slowly for what comes to it is dropped, as Redis does (client-output-buffer-limit pubsub). */
  push(bytes: Buffer): void {
    if (this.#ended) return;
    if (this.head?.streaming) {
      this.#pushes.push(bytes);
      this.#storedBytes += bytes.length;
    } else this.out.appendAll(bytes);
    if (this.waitingBytes > this.#options.bufferBytesMax) this.destroy('it reads its messages too slowly: they exceed session_max_bufsize');
  }

  /** SELECT: what comes now is about database `db`. */
  select(db: number): void {
    if (db === this.db) return;
    this.db = db;
    this.afterAll();
  }

  /** HELLO: replies from now on are in this version of the protocol. */
  speak(protocol: Protocol): void {
    if (protocol === this.protocol) return;
    this.protocol = protocol;
    this.afterAll();
  }

  /** Nothing of this client is looked at until everything so far was answered. */
  afterAll(): void {
    if (this.head !== null) this.pause(PAUSED_ORDER);
  }

  /** RESET: as a new client, but for its id and what it said of its library. */
  reset(authenticated: boolean): void {
    this.#router.endTransaction(this);
    this.select(0);
    this.speak(2);
    this.name = '';
    this.modes &= MODES_OF_PROXY;
    this.authenticated = authenticated;
  }

  /** Whether everything before this request was answered, so that it may go its own way now. If not it is kept, and `route`d again by then; nothing else of
   *  this client is looked at meanwhile. */
  inOrder(command: Command, frame: Frame): boolean {
    if (this.head === null) return true;
    this.#deferred = { command, frame: copyFrame(frame), why: 'order' };
    this.pause(PAUSED_ORDER);
    return false;
  }

  /** CLIENT PAUSE: this request is kept until `unblock`, and its modes are looked at anew then; nothing else of this client is looked at meanwhile. */
  postpone(command: Command, frame: Frame): void {
    this.#deferred = { command, frame: copyFrame(frame), why: 'postponed' };
    this.#paused |= PAUSED_BLOCKED;
  }

  /** Somebody must be asked before this request can be routed: it is kept until `goOn`, which must not be called from within, and routed again by then; nothing
   *  else of this client is looked at meanwhile. `command` is null when it is the command itself that is asked about. */
  keep(command: Command | null, frame: Frame): void {
    this.#deferred = { command, frame: copyFrame(frame), why: 'kept' };
    this.pause(PAUSED_ASKING);
  }

  goOn(): void {
    this.resume(PAUSED_ASKING);
  }

  /** A blocking command has been sent: nothing else of this client is looked at before `unblock`. A client that goes away meanwhile is dropped at once. */
  block(): void {
    this.#waiting = this.#tail;
    this.#paused |= PAUSED_BLOCKED;
  }

  unblock(): void {
    this.resume(PAUSED_BLOCKED);
  }

  get isBlocked(): boolean {
    return (this.#paused & PAUSED_BLOCKED) !== 0;
  }

  /** Answers a request of this session that nobody else will answer. */
  answer(request: Request, reply: Buffer): void {
    const { timings } = this.#router.stats;
    if (request === this.#waiting) {
      request.readAt = micros();
      this.#waiting = null;
    }
    if (request.command !== null) timings.answered(request, reply[0] === 0x2d);
    if (!request.muted) {
      request.stored = [reply];
      this.onStored(reply.length);
    }
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
    if (this.#pushes.length > 0) this.#flushPushes();
    if (this.#pending < this.#options.pipelineMax / 2) this.resume(PAUSED_PIPELINE);
    if (this.head === null) this.resume(PAUSED_ORDER);
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
    this.#paused |= reason;
    return true;
  }

  resume(reason: number): void {
    if ((this.#paused & reason) === 0) return;
    this.#paused &= ~reason;
    if (this.#ended) return;
    if (this.#paused === PAUSED_BLOCKED && !this.#ending) this.#socket.resume();
    if (this.#paused !== 0) return;
    this.#process();
    if ((this.#paused & ~PAUSED_BLOCKED) === 0 && !this.#ending) this.#socket.resume();
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

  /** The pinned connection for this server and database in this client's protocol, while this client still has something under way on it. */
  pinnedTo(server: Backend['server'], db: number): Backend | null {
    this.pinned = this.pinned?.filter((backend) => backend.owes(this)) ?? null;
    const found =
      this.pinned?.find((backend) => backend.server === server && backend.db === db && backend.protocol === this.protocol) ?? null;
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

  #onData(buf: Buffer, length: number, at: number): void {
    if (this.#ending || this.#ended) return;
    this.activeAt = this.#router.now;
    // Of what still waits, the time stays when that was read.
    if (this.#paused === 0 || this.#scanner.pendingBytes === 0) this.readAt = at;
    this.#router.stats.clientBytesIn += length;
    this.#input = null;
    if (length <= PIECE_BYTES_MAX && this.#scanner.pendingBytes === 0) {
      this.#input = buf;
      this.#inputAt = this.#router.stats.timings.input.add(buf, 0, length);
    }
    this.#scanner.feed(buf, length);
    if (this.#paused === 0) this.#process();
    else if (this.#scanner.pendingBytes > (this.#paused === PAUSED_BLOCKED ? AHEAD_BYTES_MAX_BLOCKED : AHEAD_BYTES_MAX))
      this.#socket.pause();
    if (this.#scanner.pendingBytes > 0 && !this.#ending && !this.#ended) this.#keepRest(length);
  }

  /** What was not looked at is kept, for where it was read to is read into again. */
  #keepRest(end: number): void {
    const rest = this.#scanner.keep();
    if (rest === null || this.#input === null) return;
    this.#input = rest;
    this.#inputAt += end - this.#scanner.pendingBytes;
  }

  #onInputEnd(): void {
    this.#inputEnded = true;
    if (this.isBlocked) this.destroy('the client closed the connection while it was blocked');
    else if (this.#paused === 0) this.#process();
  }

  /** HOT PATH. Routes what has arrived until it is used up or the client is paused. */
  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    if (this.#deferred !== null) this.#processDeferred(this.#deferred);
    this.#routed = this.#scanner.frame;
    while (this.#paused === 0 && !this.#ending && !this.#ended) {
      const result = this.#scanner.next();
      if (result === FRAME) {
        this.#router.route(this, this.#scanner.frame);
        continue;
      }
      if (result === NEED) {
        this.#input = null;
        if (this.#inputEnded) this.end();
        break;
      }
      this.reply(errorReply(`ERR ${this.#scanner.error}`));
      this.end();
    }
    this.#routed = null;
    this.#processing = false;
    this.#pauseIfFull();
  }

  #processDeferred({ command, frame: bytes, why }: Deferred): void {
    this.#deferred = null;
    const frame = reframe(bytes);
    this.#routed = frame;
    if (why === 'kept') this.#router.routeKept(this, command, frame);
    else if (why === 'postponed') {
      this.readAt = micros();
      this.#router.routePostponed(this, command, frame);
    } else this.#router.routeDeferred(this, command, frame);
  }

  /** Of a request that is not there as it came in one short read (or that came inline), the beginning is kept. */
  #keepInput({ buf, start, end }: Frame): number {
    return this.#router.stats.timings.input.addBeginning(buf, start, end);
  }

  #mute(request: Request): void {
    this.modes &= ~MODE_REPLY_SKIP;
    request.sink = SINK_MUTED;
    request.muted = true;
  }

  #flushPushes(): void {
    if (this.head?.streaming) return;
    const pushes = this.#pushes;
    this.#pushes = [];
    for (const bytes of pushes) {
      this.#storedBytes -= bytes.length;
      this.out.appendAll(bytes);
    }
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
      if (request.onAbandoned !== null) request.onAbandoned();
      if (request.done) recycle(request);
      request = next;
    }
    this.#router.forget(this);
  }
}
