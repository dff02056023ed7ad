// The replies of several requests that were sent for one request of a client: kept until all are there, then made into the one reply. How they are
// merged is the caller's; here is who waits for whom, and how much may wait.
//
// Invariant: bytes kept here are counted at the session (`onPartStored`) until the whole is answered, so that no client makes the proxy keep more
// than session_max_bufsize.

import { errorReply } from '../resp/replies.ts';
import { givePiece } from './arena.ts';
import { type ReplyTaker, type Request, recycle, SINK_TAKER, takeRequest } from './request.ts';
import type { Session } from './session.ts';

export const TOO_LARGE = errorReply(
  'ERR the replies of several groups are merged in memory, and here they exceed session_max_bufsize; ask for fewer keys at once',
);

/** Makes one reply out of all, in the order of the requests; null when it goes on asking and will answer the parent by itself. */
export type Merge = (replies: readonly Buffer[]) => Buffer | null;

export class Gather implements ReplyTaker {
  readonly parent: Request;
  readonly givesBack: boolean;
  readonly #session: Session;
  readonly #merge: Merge;
  readonly #replies: Buffer[];
  #left: number;
  #storedBytes = 0;
  #abandoned = false;
  #tooLarge = false;

  /** `parent` is the client's request, in its session's order; `count` is how many requests will be made with `take`. `givesBack`: nothing that `merge` gives
   *  is, or has, a part of the replies. */
  constructor(parent: Request, session: Session, count: number, merge: Merge, givesBack = false) {
    this.parent = parent;
    this.givesBack = givesBack;
    this.#session = session;
    this.#merge = merge;
    this.#left = count;
    this.#replies = new Array<Buffer>(count);
    parent.onAbandoned = () => {
      this.#abandoned = true;
    };
  }

  /** Request number `part`, to be sent. */
  take(part: number): Request {
    const request = takeRequest(this.#session, SINK_TAKER);
    request.db = this.parent.db;
    request.taker = this;
    request.part = part;
    return request;
  }

  /** Once they exceed session_max_bufsize nothing of this command is kept: its reply will say so. */
  takes(request: Request, bytes: number): boolean {
    if (!this.#tooLarge && this.#session.onPartStored(bytes)) return true;
    this.#tooLarge = true;
    this.drop(request);
    return false;
  }

  drop(request: Request): void {
    const stored = request.stored ?? [];
    this.#session.onUnstored(lengthOf(stored));
    this.#giveBack(stored);
    request.stored = null;
  }

  onReply(request: Request): void {
    const stored = request.stored ?? [];
    const reply = stored.length === 1 ? (stored[0] as Buffer) : Buffer.concat(stored);
    if (stored.length > 1) this.#giveBack(stored);
    this.#replies[request.part] = reply;
    this.#storedBytes += reply.length;
    recycle(request);
    if (--this.#left > 0) return;
    this.#session.onUnstored(this.#storedBytes);
    const merged = this.#tooLarge || this.#abandoned ? TOO_LARGE : this.#merge(this.#replies);
    this.#giveBack(this.#replies);
    if (merged !== null && !this.#abandoned) this.#session.answer(this.parent, merged);
  }

  #giveBack(pieces: readonly Buffer[]): void {
    if (this.givesBack) for (const piece of pieces) givePiece(piece);
  }
}

/** The first reply that is an error; undefined when there is none. */
export function firstError(replies: readonly Buffer[]): Buffer | undefined {
  for (let part = 0; part < replies.length; part++) if (replies[part]?.[0] === 0x2d) return replies[part];
  return undefined;
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
