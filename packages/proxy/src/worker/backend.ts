// One connection to one Redis, for one database and one version of the protocol: shared by all clients of a worker, or lent to one of them. Requests go
// out in the order they come, replies come back in that order, and each reply is passed on to whoever waits for it without being decoded.
//
//   connecting ──handshake──▶ ready ──▶ closed          requests that come while connecting wait in the outlet
//
// The handshake names the connection, reads the fence and selects the database (DESIGN §3): a connection is used only if the table this worker
// holds is at least as new as the fence, so a proxy that was cut off can't write to a group that lost a slot meanwhile.
//
// Invariant: the ring holds exactly the requests that were sent (or gathered) and have no whole reply yet.

import { connect, type Socket } from 'node:net';
import { CodisError, parseAddr } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import { encodeRequest, errorReply, type Protocol } from '../resp/replies.ts';
import { ReplyScanner } from '../resp/reply-scanner.ts';
import { takePiece } from './arena.ts';
import type { Clock } from './clock.ts';
import { Handshake } from './handshake.ts';
import type { InFlight } from './in-flight.ts';
import { Outlet, type OutletOwner } from './outlet.ts';
import { type Request, recycle, SINK_CLIENT, SINK_MUTED, SINK_NOBODY, SINK_SCREENED, SINK_TAKER, takeRequest } from './request.ts';
import { Ring } from './ring.ts';
import { SendMarks } from './send-marks.ts';
import type { Server } from './server.ts';
import { PAUSED_BACKEND, type Session } from './session.ts';
import { sharedRead } from './shared-read.ts';
import type { Stats } from './stats.ts';
import { micros } from './timings.ts';

export interface BackendOptions {
  readonly clock: Clock;
  readonly inFlight: InFlight;
  readonly stats: Stats;
  readonly product: string;
  readonly clientName: string;
  /** product_auth; empty for none. */
  readonly password: string;
  readonly connectTimeoutMs: number;
  readonly recvTimeoutMs: number;
  readonly pingPeriodMs: number;
  readonly bufferBytesMax: number;
  /** Replies waiting for one client: up to here they are taken from the server though others wait behind them. */
  readonly sessionBytesMax: number;
  /** The epoch this worker routes by. */
  readonly epoch: () => number;
  /** A fence newer than that was met: the primary should look for a newer table. */
  readonly onBehind: () => void;
  /** A server answers that did not before, or for the first time. */
  readonly onServerUp?: () => void;
  /** A connection is given up, and its server may yet carry out what is under way on it for these slots (and lanes). */
  readonly onGivenUp?: (backend: Backend, slots: ReadonlySet<number>) => void;
}

/** A client with more than this waiting is a slow reader: what feeds it is lent to it alone, and read no faster than it reads. */
const SLOW_READER_BYTES = 1024 * 1024;
/** How long requests of others may be held up behind a reply that its client reads too slowly; then that client is dropped. */
const HELD_UP_MS = 1000;
const PING = encodeRequest(['PING']);

export class Backend implements OutletOwner {
  readonly server: Server;
  readonly db: number;
  readonly protocol: Protocol;
  /** Of the table that this worker routed by when it was opened: no fence is against it. */
  readonly epoch: number;
  /** What CLIENT ID says of this connection at the server; 0 before the handshake, and where the server doesn't know CLIENT ID. */
  clientId = 0;
  /** Which process answers there: new with every start of a server. Empty before the handshake. */
  runId = '';
  /** Where it comes from, `host:port`, unless something between changes that. */
  localAddr = '';
  /** It waits for as long as it takes: a blocking command is on it. */
  patient = false;
  /** Told when nothing is under way on it any more, also because it closed: for who has borrowed it. */
  onIdle: (() => void) | null = null;
  readonly #options: BackendOptions;
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #ring = new Ring();
  readonly #scanner = new ReplyScanner();
  #handshake: Handshake | null;
  #closed = false;
  #closing = false;
  /** The client that reads too slowly for this connection to be read; null while it is. */
  #pausedFor: Session | null = null;
  /** Since when it was not read though others wait, by the coarse clock; 0 while that is not so. */
  #heldUpSince = 0;
  readonly #sendMarks = new SendMarks();
  /** Once it is out of common use: how many requests each client has on it. */
  #owed: Map<Session, number> | null = null;
  /** Sessions that are not read from because this connection takes no more. */
  #feeders: Session[] = [];
  /** When something last came, or the first request after a pause was sent. */
  #activeAt: number;

  constructor(server: Server, db: number, protocol: Protocol, options: BackendOptions) {
    this.server = server;
    this.db = db;
    this.protocol = protocol;
    this.#options = options;
    this.#activeAt = options.clock.now;
    this.#socket = connect({
      ...parseAddr(server.addr),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      onread: sharedRead((buf, length, at) => this.#onData(buf, length, at)),
    });
    this.#outlet = new Outlet(this.#socket, this);
    this.#outlet.held = true;
    this.#outlet.onFlush = (late) => this.#sendMarks.onFlush(this.#ring.next, late);
    // Requests wait for the handshake that were routed by this table, though a newer one may be there when the fence's answer is.
    this.epoch = options.epoch();
    this.#handshake = new Handshake({ ...options, db, protocol, epoch: () => this.epoch });
    this.#socket.on('connect', () => this.#socket.write(this.#handshake?.request ?? PING));
    this.#socket.on('error', (error: Error) => this.fail(error.message));
    this.#socket.on('close', () => this.fail('it closed the connection'));
  }

  /** Whether the server has what was sent; before, the handshake is still under way. */
  get isReady(): boolean {
    return this.#handshake === null;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** How many requests on it have no whole reply yet. */
  get pending(): number {
    return this.#ring.length;
  }

  /** Whether `session` waits for replies of this connection, which is out of common use. */
  owes(session: Session): boolean {
    return this.#owed?.has(session) ?? false;
  }

  /** A client is gone: nobody waits for it any more. */
  forget(session: Session): void {
    this.#owed?.delete(session);
    this.resumeReading(session);
  }

  /** HOT PATH. Sends the bytes [start, end) of `frame` for `request`; the reply goes to the request's sink. `isLarge`: see Frame; the buffer
   *  is given back. */
  send(request: Request, frame: Buffer, start: number, end: number, isLarge = false): void {
    if (this.#closed) {
      this.#answer(request, this.#lost('it was closed', false));
      return;
    }
    if (this.#ring.length === 0) this.#activeAt = this.#options.clock.now;
    this.#ring.push(request);
    if (this.#owed !== null && request.session !== null) {
      this.#owe(this.#owed, request.session, 1);
      if (request.session === this.#pausedFor) this.resumeReading(request.session);
    }
    if (isLarge) this.#outlet.appendLarge(frame, start, end);
    else this.#outlet.append(frame, start, end);
    if (this.#outlet.bytes > this.#options.bufferBytesMax && request.session !== null) this.#pauseFeeder(request.session);
  }

  /** Backpressure has ended: those who feed this connection may go on. */
  onWritten(): void {
    if (this.#feeders.length === 0 || this.#outlet.bytes > this.#options.bufferBytesMax / 2) return;
    const feeders = this.#feeders;
    this.#feeders = [];
    for (const session of feeders) session.resume(PAUSED_BACKEND);
  }

  /** Once a second: gives up a server that answers nothing, and asks an idle one whether it is there. */
  tick(): void {
    this.#checkHeldUp();
    const idle = this.#options.clock.now - this.#activeAt;
    if (this.#handshake !== null) {
      if (idle > this.#options.connectTimeoutMs)
        this.fail(`no answer within backend_connect_timeout_ms (${this.#options.connectTimeoutMs})`);
    } else if (this.#ring.length > 0) {
      if (idle > this.#options.recvTimeoutMs && this.#pausedFor === null && !this.patient)
        this.fail(`no answer within backend_recv_timeout (${this.#options.recvTimeoutMs / 1000} s)`);
    } else if (idle > this.#options.pingPeriodMs) {
      this.send(takeRequest(null, SINK_NOBODY), PING, 0, PING.length);
    }
  }

  /** A client that this connection was paused for has read on, or waits for it now, or is gone. */
  resumeReading(session: Session): void {
    if (session !== this.#pausedFor || this.#closed || (this.owes(session) && this.#isTooMuch(session))) return;
    this.#pausedFor = null;
    this.#activeAt = this.#options.clock.now;
    this.#socket.resume();
  }

  closeWhenIdle(): void {
    this.#closing = true;
    if (this.#ring.length === 0) this.#close();
  }

  /** Closes the connection; every request on it is answered with an error that says whether it may have been carried out. */
  fail(reason: string): void {
    if (this.#closed) return;
    this.server.onClosed(this, true, reason);
    this.#cut(reason);
  }

  /** Closes it with something under way, which is no fault of the server's. */
  abandon(reason: string): void {
    if (this.#closed) return;
    this.server.onClosed(this, false, '');
    this.#cut(reason);
  }

  #cut(reason: string): void {
    const reply = this.#lost(reason, this.isReady);
    if (this.isReady && this.#ring.length > 0) this.#options.onGivenUp?.(this, this.#slotsUnderWay());
    this.#end();
    while (this.#ring.length > 0) this.#answer(this.#ring.shift(), reply);
    for (const session of this.#feeders) session.resume(PAUSED_BACKEND);
    this.onIdle?.();
  }

  #slotsUnderWay(): ReadonlySet<number> {
    const slots = new Set<number>();
    for (let at = 0; at < this.#ring.length; at++) {
      const request = this.#ring.at(at);
      if (request.slot >= 0) slots.add(request.slot);
      else if (request.slots !== null) for (const slot of request.slots) slots.add(slot);
    }
    return slots;
  }

  #addrOfSocket(): string {
    const { localAddress = '', localPort = 0, localFamily } = this.#socket;
    return localFamily === 'IPv6' ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
  }

  #close(): void {
    if (this.#closed) return;
    this.#end();
    this.server.onClosed(this, false, '');
  }

  #end(): void {
    this.#closed = true;
    this.#owed?.clear();
    this.#outlet.close();
    this.#socket.destroy();
  }

  #lost(reason: string, sent: boolean): Buffer {
    const what = sent ? 'before it answered: whether the command was carried out is unknown' : 'so the command was not sent';
    return errorReply(`ERR server ${this.server.addr} can't be reached (${reason}), ${what}`);
  }

  #answer(request: Request, reply: Buffer): void {
    if (request.streaming) {
      request.session?.destroy('the server was lost in the middle of a reply');
      this.#finish(request);
      if (request.session === null) recycle(request);
      return;
    }
    if (request.stored !== null) request.taker?.drop?.(request);
    request.stored = null;
    this.#deliver(request, reply, 0, reply.length, micros(), true);
  }

  #pauseFeeder(session: Session): void {
    if (session.pause(PAUSED_BACKEND)) this.#feeders.push(session);
  }

  #onData(buf: Buffer, length: number, at: number): void {
    this.#activeAt = this.#options.clock.now;
    this.#options.stats.backendBytesIn += length;
    try {
      if (this.#handshake !== null) this.#onHandshake(this.#handshake, buf.subarray(0, length));
      else this.#onReplies(buf, length, at);
    } catch (error) {
      if (!(error instanceof CodisError)) throw error;
      this.fail(error.message);
    }
  }

  #onHandshake(handshake: Handshake, chunk: Buffer): void {
    const result = handshake.feed(chunk);
    if (result.kind === 'more') return;
    if (result.kind === 'failed') {
      if (result.behind) this.#options.onBehind();
      this.fail(result.reason);
      return;
    }
    this.#handshake = null;
    this.clientId = result.clientId;
    this.runId = result.runId;
    this.localAddr = this.#addrOfSocket();
    this.server.onReady(result.version);
    this.#outlet.held = false;
    this.#outlet.flush(true);
    if (this.#closing && this.#ring.length === 0) this.#close();
  }

  /** HOT PATH: runs once per read. Consecutive replies for one client are copied as one run. Throws CODIS_E_NOT_REDIS at bytes that are no reply to
   *  anything; the replies before them have gone out then. */
  #onReplies(chunk: Buffer, end: number, now: number): void {
    const { timings } = this.#options.stats;
    // Replies that came together to requests for one command that came together are timed together.
    let command: Command | null = null;
    let readAt = 0;
    let count = 0;
    let isSlow = false;
    let runSession: Session | null = null;
    let runStart = 0;
    let pos = 0;
    try {
      while (pos < end) {
        if (this.#ring.length === 0) throw new CodisError('CODIS_E_NOT_REDIS', 'it sent a reply that nobody asked for');
        const next = this.#scanner.scan(chunk, pos, end);
        if (next < 0) break;
        const request = this.#ring.shift();
        const session = request.session;
        if (this.#owed !== null && session !== null) this.#owe(this.#owed, session, -1);
        const inRun = request.sink === SINK_CLIENT && session !== null && session.head === request;
        if (runSession !== null && (!inRun || session !== runSession)) {
          this.#endRun(runSession, chunk, runStart, pos);
          runSession = null;
        }
        if (inRun) {
          if (runSession === null) {
            runSession = session;
            runStart = pos;
          }
          this.#options.inFlight.leave(request);
          if (this.#scanner.firstByte === 0x2d) this.#onError(request, chunk, pos);
          if (request.command !== command || request.readAt !== readAt) {
            if (command !== null) this.#timed(command, now - readAt, count);
            command = request.command;
            readAt = request.readAt;
            count = 0;
            isSlow = timings.isSlow(now - readAt);
          }
          count++;
          if (isSlow && timings.looks()) timings.onSlow(request, now, this.#sendMarks.sentAt((this.#ring.first - 1) | 0));
          session.popHead();
          if (session.head !== null && (session.head.done || session.head.stored !== null)) {
            this.#endRun(session, chunk, runStart, next);
            runSession = null;
          }
        } else this.#deliver(request, chunk, pos, next, now);
        pos = next;
      }
    } finally {
      if (command !== null) this.#timed(command, now - readAt, count);
      if (runSession !== null) this.#endRun(runSession, chunk, runStart, pos);
    }
    if (pos < end) this.#partial(this.#ring.peek(), chunk, pos, end);
    if (this.onIdle !== null && this.#ring.length === 0) this.onIdle();
    if (this.#closing && this.#ring.length === 0) this.#close();
  }

  /** HOT PATH. */
  #timed(command: Command, took: number, count: number): void {
    this.#options.stats.timings.add(command, took, count);
    this.server.latency.add(took, count);
  }

  #endRun(session: Session, chunk: Buffer, start: number, end: number): void {
    session.out.append(chunk, start, end);
    session.afterReplies();
    this.#slowDown(session);
  }

  /** A reply has begun and not ended: the client whose turn it is gets what is there. */
  #partial(request: Request, chunk: Buffer, start: number, end: number): void {
    if (request.sink === SINK_SCREENED) this.#screen(request, this.#scanner.firstByte === 0x2d);
    const session = request.session;
    if (request.sink === SINK_NOBODY || request.sink === SINK_MUTED || (request.sink === SINK_CLIENT && session === null)) return;
    if (session !== null && request.sink === SINK_CLIENT && session.head === request) {
      request.streaming = true;
      session.out.append(chunk, start, end);
      this.#slowDown(session);
      return;
    }
    this.#store(request, chunk, start, end);
  }

  /** A whole reply, or the rest of one, for anybody but the client whose turn it is. */
  #deliver(request: Request, buf: Buffer, start: number, end: number, now: number, isError = this.#scanner.firstByte === 0x2d): void {
    if (request.sink === SINK_SCREENED) this.#screen(request, isError);
    if (isError) this.#onError(request, request.stored?.[0] ?? buf, request.stored === null ? start : 0);
    if (request.sink === SINK_NOBODY || (request.sink !== SINK_TAKER && request.session === null)) {
      this.#finish(request);
      recycle(request);
      return;
    }
    const { timings } = this.#options.stats;
    if (request.sink !== SINK_TAKER) {
      // How long a blocked client waits is nobody's slowness.
      if (request.session?.isBlocked) request.readAt = now;
      else if (request.command !== null) this.server.latency.add(now - request.readAt, 1);
      if (timings.done(request, now)) timings.onSlow(request, now, this.#sendMarks.sentAt((this.#ring.first - 1) | 0));
    }
    if (!request.muted) this.#store(request, buf, start, end);
    this.#finish(request);
    if (request.taker !== null) request.taker.onReply(request);
    else request.session?.onDone(request);
  }

  #screen(request: Request, isError: boolean): void {
    request.sink = isError ? SINK_TAKER : SINK_CLIENT;
    if (!isError) request.taker = null;
  }

  /** `reply`: where the reply begins, as far as it is still here. */
  #onError(request: Request, reply: Uint8Array, start: number): void {
    this.#options.stats.onError(reply, start);
    if (request.sink !== SINK_TAKER) this.#options.stats.timings.onFailed(request.command);
  }

  #finish(request: Request): void {
    this.#options.inFlight.leave(request);
    request.slot = -1;
    request.slots = null;
  }

  /** Keeps what can't go out to its client yet; that of a client that waits for too much is read no further. */
  #store(request: Request, buf: Buffer, start: number, end: number): void {
    const session = request.session;
    if (request.taker !== null && !request.taker.takes(request, end - start)) return;
    const piece = request.taker?.givesBack ? takePiece(buf, start, end) : Buffer.from(buf.subarray(start, end));
    if (request.stored === null) request.stored = [piece];
    else request.stored.push(piece);
    if (session === null || request.sink === SINK_TAKER) return;
    session.onStored(piece.length);
    this.#slowDown(session);
  }

  /** When too much waits for `session`, this connection is taken out of common use, and not read while only that client's replies are on it or far
   *  too much waits. Who has something on it stays on it until that is answered. */
  #slowDown(session: Session): void {
    if (this.#closed || !this.#isTooMuch(session)) return;
    this.server.detach(this);
    this.#closing = true;
    this.#owed ??= this.#countOwed();
    if (this.#pausedFor !== null || !this.owes(session)) return;
    if (this.#othersWait(session)) {
      if (session.waitingBytes < this.#options.sessionBytesMax) return;
      if (session.out.bytes <= SLOW_READER_BYTES) {
        session.destroy('replies that waited for their turn exceeded session_max_bufsize while other clients waited behind them');
        return;
      }
      if (this.#heldUpSince === 0) this.#heldUpSince = this.#options.clock.now;
    }
    this.#pausedFor = session;
    this.#socket.pause();
  }

  #checkHeldUp(): void {
    const session = this.#pausedFor;
    if (this.#heldUpSince === 0 || session === null || this.#options.clock.now - this.#heldUpSince < HELD_UP_MS) return;
    this.#heldUpSince = 0;
    if (this.#othersWait(session)) session.destroy('it read more than session_max_bufsize too slowly, and other clients waited behind it');
  }

  /** More waits for the client than it reads at once: in its output, or stored until another server answers what comes first. */
  #isTooMuch(session: Session): boolean {
    if (session.out.bytes > SLOW_READER_BYTES) return true;
    return session.storedBytes > SLOW_READER_BYTES && !this.#hasHead(session);
  }

  /** Whether the reply whose turn it is will come, whole or in part, over this connection. */
  #hasHead(session: Session): boolean {
    const head = session.head;
    for (let at = 0; at < this.#ring.length; at++) {
      const request = this.#ring.at(at);
      if (request === head || (request.taker !== null && request.taker.parent === head)) return true;
    }
    return false;
  }

  #countOwed(): Map<Session, number> {
    const owed = new Map<Session, number>();
    for (let at = 0; at < this.#ring.length; at++) {
      const { session } = this.#ring.at(at);
      if (session === null) continue;
      this.#owe(owed, session, 1);
      session.pin(this);
    }
    return owed;
  }

  #owe(owed: Map<Session, number>, session: Session, by: 1 | -1): void {
    const count = (owed.get(session) ?? 0) + by;
    if (count > 0) owed.set(session, count);
    else owed.delete(session);
  }

  #othersWait(session: Session): boolean {
    for (let at = 0; at < this.#ring.length; at++) if (this.#ring.at(at).session !== session) return true;
    return false;
  }
}
