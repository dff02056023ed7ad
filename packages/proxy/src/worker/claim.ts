// Who takes what comes back for a request of the proxy's own kind: a refusal while its slot is in a move, or one reply of a server.

import { type ReplyTaker, type Request, recycle, SINK_TAKER, takeRequest } from './request.ts';

/** Hears of a request that its slot's move keeps from being sent. */
export class Claim implements ReplyTaker {
  readonly parent = null;
  readonly #onRefused: (reply: Buffer) => void;

  constructor(onRefused: (reply: Buffer) => void) {
    this.#onRefused = onRefused;
  }

  takes(): boolean {
    return true;
  }

  onReply(request: Request): void {
    const reply = Buffer.concat(request.stored ?? []);
    request.stored = null;
    request.taker = null;
    this.#onRefused(reply);
  }
}

/** Of a reply that nobody passes on, as much as says what it is. */
const REPLY_BYTES_MAX = 64 * 1024;

/** A request whose reply is for the proxy; `onReply` gets the beginning of it. */
export function asking(onReply: (reply: Buffer) => void): Request {
  const request = takeRequest(null, SINK_TAKER);
  let bytes = 0;
  request.taker = {
    parent: null,
    takes: (_, more) => {
      bytes += more;
      return bytes <= REPLY_BYTES_MAX;
    },
    onReply: () => {
      const reply = Buffer.concat(request.stored ?? []);
      recycle(request);
      onReply(reply);
    },
  };
  return request;
}
