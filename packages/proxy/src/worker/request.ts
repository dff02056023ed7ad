// One request on its way: from the moment its place in its session's order is taken until its reply has gone out. Objects are pooled, because there
// is one per command: `takeRequest` and `recycle` are the only ways to get and give back one.
//
// Two queues run through it: `next` is the session's (replies go out in that order), and the backend's ring (replies come in that order).

import type { HandOver } from './hand-over.ts';
import type { Session } from './session.ts';
import type { Split } from './split.ts';

/** Who takes the reply. */
export const SINK_CLIENT = 0;
/** A part of a split command. */
export const SINK_PART = 1;
/** A key being handed over; no client waits for this reply itself. */
export const SINK_HAND_OVER = 2;
/** The proxy's own PING. */
export const SINK_CHECK = 3;
export type Sink = typeof SINK_CLIENT | typeof SINK_PART | typeof SINK_HAND_OVER | typeof SINK_CHECK;

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
  /** The slot it is counted in flight for; -1: none, or those of `slots`. */
  slot = -1;
  slots: Uint16Array | null = null;
  split: Split | null = null;
  /** Which part of `split` it is. */
  part = 0;
  handOver: HandOver | null = null;
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
  request.split = null;
  request.handOver = null;
  if (free.length < FREE_MAX) free.push(request);
}
