// One request on its way: from the moment its place in its session's order is taken until its reply has gone out. Objects are pooled, because there
// is one per command: `takeRequest` and `recycle` are the only ways to get and give back one.
//
// Two queues run through it: `next` is the session's (replies go out in that order), and the backend's ring (replies come in that order).

import type { Command } from '../commands/command.ts';
import { NOWHERE } from './recent-input.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';

/** Who takes the reply: the client, as it comes. */
export const SINK_CLIENT = 0;
/** The request's `taker`, when it is there as a whole. */
export const SINK_TAKER = 1;
/** Nobody: the proxy's own PING, and whatever only its being carried out matters of. */
export const SINK_NOBODY = 2;
/** Nobody, though it has its place in its session's order: the client has said CLIENT REPLY OFF. */
export const SINK_MUTED = 3;
/** The client, unless the reply is an error: that goes to the taker first. */
export const SINK_SCREENED = 4;
export type Sink = typeof SINK_CLIENT | typeof SINK_TAKER | typeof SINK_NOBODY | typeof SINK_MUTED | typeof SINK_SCREENED;

/** Gets whole replies that are no client's as they stand: a part of a split command, a key that was handed over. */
export interface ReplyTaker {
  /** The request whose turn comes with what this taker makes of its replies; null when no client waits. */
  readonly parent: Request | null;
  /** Whether `bytes` more of the reply to `request` may be kept; what is not is thrown away, and the taker says so in the end. */
  takes(request: Request, bytes: number): boolean;
  /** The whole reply stands in `request.stored` (null when it was not kept). The taker recycles the request. */
  onReply(request: Request): void;
  /** Its replies are kept by `takePiece`, and it gives them back. */
  readonly givesBack?: boolean;
  /** What was kept of the reply to `request` is not wanted: the rest won't come. */
  drop?(request: Request): void;
}

export class Request {
  sink: Sink = SINK_CLIENT;
  /** Null once the client is gone: the reply is thrown away. */
  session: Session | null = null;
  /** The next one in the session's order. */
  next: Request | null = null;
  /** The whole reply is here (in `stored`), waiting for its turn. */
  done = false;
  /** A part of the reply went out already: from here on only the rest of it may follow. */
  streaming = false;
  stored: Buffer[] | null = null;
  db = 0;
  /** What the client asked for, when it was read (`micros`), and where it stands in the recent input: for whoever measures. Of a client's own request only. */
  command: Command | null = null;
  readAt = 0;
  inputAt = NOWHERE;
  /** Microseconds that it was held for a slot in a move. */
  heldMicros = 0;
  /** The client wants no reply. */
  muted = false;
  /** The slot it is counted in flight for; -1: none, or those of `slots`. */
  slot = -1;
  slots: readonly number[] | null = null;
  /** For SINK_TAKER: who gets the reply. */
  taker: ReplyTaker | null = null;
  /** Which of the taker's requests it is, from 0. */
  part = 0;
  /** Sends it over a connection of its own once its slot and keys are at `home`; null for the shared connection. It is counted in flight by then. */
  sender: ((home: Server) => void) | null = null;
  /** Called when the client goes away before it was answered; null when nobody needs to know. */
  onAbandoned: (() => void) | null = null;
}

const free: Request[] = [];
const FREE_MAX = 16_384;

/** HOT PATH. */
export function takeRequest(session: Session | null, sink: Sink): Request {
  const request = free.pop() ?? new Request();
  request.session = session;
  request.sink = sink;
  return request;
}

/** Gives it back; nobody may hold it any more: not its session's queue, not a backend's ring, not a slot's. */
export function recycle(request: Request): void {
  request.session = null;
  request.next = null;
  request.done = false;
  request.streaming = false;
  request.stored = null;
  request.slot = -1;
  request.slots = null;
  request.taker = null;
  request.sender = null;
  request.onAbandoned = null;
  request.heldMicros = 0;
  request.muted = false;
  if (free.length < FREE_MAX) free.push(request);
}
