// One client that waits for keys of one slot.
//
//   routed ──▶ (asked for the ends of its streams) ──▶ waits at the home of the slot ──reply──▶ answered
//     ▲                                                      │ the slot gets another home, or is locked: CLIENT UNBLOCK
//     └────────────── parked while it is locked ◀── -UNBLOCKED
//
// The server gives one reply on the connection: what was waited for, which goes to the client whatever happened meanwhile, or -UNBLOCKED, and then nothing
// was taken and the wait goes on at the new home for the time that is left.
//
// Invariant: it is in flight for its slot from when it is sent until that reply is here, also when its client has gone: no element leaves a list unseen
// after the slot was handed on.

import type { Command } from '../commands/command.ts';
import { encodeRequest, nilArray } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Backend } from './backend.ts';
import type { BlockingOptions, UnblockKind, Wait } from './blocking.ts';
import { asking, Claim } from './claim.ts';
import { copyFrame, reframe } from './held.ts';
import { type ReplyTaker, type Request, SINK_CLIENT, SINK_MUTED, SINK_SCREENED } from './request.ts';
import { LOCKED, type RouteTable } from './route-table.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { replaceArgs, streamEnds, waitMs, withWaitMs } from './wait-frames.ts';
import { WaitingBackend } from './waiting-backend.ts';

export interface WaitOptions extends BlockingOptions {
  readonly session: Session;
  readonly onEnd: () => void;
}

/** After what may pass (a replica that is to become master, a key that could not be handed over) a wait is tried again so much later. */
const RETRY_MS = 500;
const UNBLOCKED = Buffer.from('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
const STREAM_GONE = Buffer.from('-UNBLOCKED the stream key no longer exists\r\n');

type State =
  /** The router has it: its slot is locked, or keys are being handed over. */
  | 'routing'
  /** Its streams' ends are asked for. */
  | 'asking'
  | 'waiting'
  /** It was unblocked; its slot is locked, or it is tried again later. */
  | 'parked'
  | 'ended';

export class SlotWait implements Wait, ReplyTaker {
  readonly parent = null;
  readonly #options: WaitOptions;
  readonly #command: Command;
  readonly #slot: number;
  readonly #request: Request;
  /** When the time it was given is over. */
  readonly #deadline: number;
  #frame: Buffer;
  #state: State = 'routing';
  #waiting: WaitingBackend | null = null;
  /** It was unblocked before: it has been waiting, and goes on. */
  #again = false;
  #retryAt = 0;
  /** The wait at this server shall end: the slot is elsewhere, the client gone, or CLIENT UNBLOCK was said. */
  #ending = false;
  #gone = false;
  #kind: UnblockKind | null = null;

  constructor(options: WaitOptions, what: { command: Command; frame: Frame; slot: number }) {
    this.#options = options;
    this.#command = what.command;
    this.#slot = what.slot;
    this.#deadline = performance.now() + waitMs(what.command.name, what.frame);
    this.#frame = copyFrame(what.frame);
    this.#request = options.session.enqueue();
    this.#request.onAbandoned = () => this.#abandon();
  }

  start(): void {
    this.#route();
  }

  onTable(table: RouteTable): void {
    if (this.#state === 'waiting' && table.home[this.#slot] !== this.#waiting?.backend.server) this.#endThere();
    else if (this.#state === 'parked') this.#retryAt = 0;
  }

  tick(): void {
    if (this.#state === 'waiting' && this.#ending) this.#endThere();
    if (this.#state !== 'parked') return;
    const now = performance.now();
    if (now >= this.#deadline) this.#answer(nilArray(this.#options.session.protocol));
    else if (now >= this.#retryAt) this.#route();
  }

  unblock(kind: UnblockKind): void {
    this.#kind ??= kind;
    if (this.#state === 'parked') this.#answer(this.#unblocked());
    else if (this.#state === 'waiting') this.#endThere();
  }

  takes(): boolean {
    return true;
  }

  /** The reply is an error; what else there may be streams to the client. */
  onReply(request: Request): void {
    const reply = Buffer.concat(request.stored ?? []);
    request.stored = null;
    this.#letGo();
    if (this.#gone) this.#end();
    else if (!isUnblocked(reply)) this.#onError(reply);
    else if (this.#kind !== null) this.#answer(this.#unblocked());
    else this.#goOn(true);
  }

  /** The wait was ended by the proxy or by a server that is no master any more: it goes on. One that no server has looked at yet may find what it waits for, or an
   *  error, also when its time is over. */
  #goOn(seen: boolean): void {
    this.#again ||= seen;
    const left = this.#deadline - performance.now();
    if (left <= 0 && this.#again) {
      this.#answer(nilArray(this.#options.session.protocol));
      return;
    }
    this.#frame = withWaitMs(this.#command.name, this.#frame, left);
    this.#route();
  }

  #route(): void {
    const { router } = this.#options;
    if (this.#again && router.table.kind[this.#slot] === LOCKED) {
      this.#park(Number.POSITIVE_INFINITY);
      return;
    }
    this.#state = 'routing';
    this.#ending = false;
    this.#request.sink = this.#request.muted ? SINK_MUTED : SINK_CLIENT;
    this.#request.taker = new Claim((reply) => this.#onError(reply));
    this.#request.sender = (home) => this.#onHome(home);
    router.dispatcher.claim(this.#request, this.#slot, this.#command, reframe(this.#frame));
  }

  #park(retryMs: number): void {
    this.#state = 'parked';
    this.#retryAt = performance.now() + retryMs;
  }

  /** A client that has been waiting goes on when the error is one that passes; others get it. */
  #onError(reply: Buffer): void {
    if (this.#again && PASSING.test(reply.toString('latin1', 0, 16))) this.#park(RETRY_MS);
    else this.#answer(reply);
  }

  /** Its keys are at `home`, where it may wait; it counts as in flight. */
  #onHome(home: Server): void {
    const { loans, session } = this.#options;
    const { db } = this.#request;
    const what = { server: home, db, protocol: session.protocol };
    const waiting = this.#kind === null ? WaitingBackend.borrow(loans, what) : this.#unblocked();
    if (Buffer.isBuffer(waiting)) {
      this.#leave();
      this.#onError(waiting);
      return;
    }
    this.#waiting = waiting;
    const { backend } = waiting;
    const ends = streamEnds(this.#command.name, reframe(this.#frame));
    if (ends.length === 0) this.#send(backend);
    else this.#askEnds(backend, ends);
  }

  /** `$` is the end of the stream as it is now, not as it is when the wait goes on elsewhere. */
  #askEnds(backend: Backend, ends: ReturnType<typeof streamEnds>): void {
    this.#state = 'asking';
    const ids = new Map<number, string>();
    let left = ends.length;
    let error: Buffer | null = null;
    for (const { key, at } of ends) {
      const bytes = encodeRequest(['XINFO', 'STREAM', key]);
      const request = asking((reply) => {
        const id = endOfStream(reply);
        if (id === null) error ??= reply;
        else ids.set(at, id);
        if (--left === 0) this.#onEnds(backend, ids, error);
      });
      backend.send(request, bytes, 0, bytes.length);
    }
  }

  #onEnds(backend: Backend, ids: ReadonlyMap<number, string>, error: Buffer | null): void {
    if (this.#state !== 'asking') return;
    const moved = this.#options.router.table.home[this.#slot] !== backend.server;
    if (error === null && !moved && this.#kind === null) {
      this.#frame = replaceArgs(reframe(this.#frame), ids);
      this.#send(backend);
      return;
    }
    this.#leave();
    this.#letGo();
    if (error !== null) this.#answer(error);
    else if (this.#kind !== null) this.#answer(this.#unblocked());
    else {
      this.#frame = replaceArgs(reframe(this.#frame), ids);
      this.#goOn(false);
    }
  }

  #send(backend: Backend): void {
    const request = this.#request;
    this.#state = 'waiting';
    request.taker = request.muted ? null : this;
    if (!request.muted) request.sink = SINK_SCREENED;
    backend.onIdle = () => this.#onIdle();
    backend.send(request, this.#frame, 0, this.#frame.length);
    if (this.#options.router.table.home[this.#slot] !== backend.server) this.#endThere();
  }

  /** The reply went to the client, or to nobody. */
  #onIdle(): void {
    this.#letGo();
    this.#end();
  }

  /** Makes the server answer; until it does `tick` says it again. */
  #endThere(): void {
    const { backend } = this.#waiting ?? {};
    this.#ending = true;
    if (backend === undefined) return;
    if (!backend.isReady) this.#request.taker = new Claim(() => this.#onUnsent());
    this.#waiting?.unblock('error');
  }

  /** The connection was still being opened. */
  #onUnsent(): void {
    this.#letGo();
    if (this.#gone) this.#end();
    else if (this.#kind !== null) this.#answer(this.#unblocked());
    else this.#goOn(false);
  }

  #abandon(): void {
    this.#gone = true;
    const { backend } = this.#waiting ?? {};
    if (this.#state === 'waiting' && backend !== undefined) {
      backend.patient = false;
      this.#endThere();
      return;
    }
    if (this.#state === 'asking') {
      this.#leave();
      backend?.abandon('its client is gone');
      this.#letGo();
    }
    this.#end();
  }

  /** What is claimed and was not sent is not in flight any more. */
  #leave(): void {
    this.#options.inFlight.leave(this.#request);
    this.#request.slot = -1;
  }

  #letGo(): void {
    this.#waiting?.end(this.#state === 'waiting');
    this.#waiting = null;
  }

  #unblocked(): Buffer {
    return this.#kind === 'error' ? UNBLOCKED : nilArray(this.#options.session.protocol);
  }

  #answer(reply: Buffer): void {
    this.#request.taker = null;
    this.#options.session.answer(this.#request, reply);
    this.#end();
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#options.onEnd();
    this.#options.session.unblock();
  }
}

/** Where a stream ends, from XINFO STREAM; one that is not there ends where all begin. Null for another error: `$` stays, and its reader gets it again. */
function endOfStream(reply: Buffer): string | null {
  const text = reply.toString('latin1');
  if (text.startsWith('-ERR no such key')) return '0-0';
  return /last-generated-id\r\n\$\d+\r\n(\d+-\d+)\r\n/.exec(text)?.[1] ?? null;
}

/** Not so when the key of the stream is gone: keys stay in their group as long as a client waits there, so somebody has deleted it. */
function isUnblocked(reply: Buffer): boolean {
  return reply.toString('latin1', 0, 11) === '-UNBLOCKED ' && !reply.equals(STREAM_GONE);
}

const PASSING = /^-(TRYAGAIN|READONLY|LOADING) /;
