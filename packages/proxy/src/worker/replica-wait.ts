// WAIT and WAITAOF: asked of every master over a connection of its own. A connection waits for what was written by its own last command; a PING sent just
// before makes that everything the master has written, which what the client wrote over other connections is part of.

import { array, encodeRequest, errorReply, integer, NO_MASTERS } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { UnblockKind, Wait } from './blocking.ts';
import { firstError, Gather } from './gather.ts';
import { copyFrame } from './held.ts';
import { elementsOf, integerIn } from './merge.ts';
import { type Request, SINK_NOBODY, takeRequest } from './request.ts';
import type { Server } from './server.ts';
import type { WaitOptions } from './slot-wait.ts';
import { WaitingBackend } from './waiting-backend.ts';

const PING = encodeRequest(['PING']);
const NOT_COUNTED = errorReply('ERR a server answered with something else than the number of its replicas');

export class ReplicaWait implements Wait {
  readonly #options: WaitOptions;
  readonly #frame: Buffer;
  readonly #request: Request;
  /** Those that have not answered yet. */
  readonly #waiting = new Set<WaitingBackend>();
  #kind: UnblockKind | null = null;

  constructor(options: WaitOptions, frame: Frame) {
    this.#options = options;
    this.#frame = copyFrame(frame);
    this.#request = options.session.enqueue();
  }

  start(): void {
    const { router, session } = this.#options;
    const masters = router.masters();
    if (masters.length === 0) {
      this.#answer(NO_MASTERS);
      return;
    }
    const gather = new Gather(this.#request, session, masters.length, (replies) => {
      this.#answer(firstError(replies) ?? least(replies));
      return null;
    });
    const abandoned = this.#request.onAbandoned;
    this.#request.onAbandoned = () => {
      abandoned?.();
      this.#abandon();
    };
    for (const [at, master] of masters.entries()) this.#ask(master, gather.take(at));
  }

  /** It has nothing to do with slots. */
  onTable(): void {}

  tick(): void {
    if (this.#kind !== null) this.unblock(this.#kind);
  }

  unblock(kind: UnblockKind): void {
    this.#kind = kind;
    for (const waiting of this.#waiting) waiting.unblock(kind);
  }

  #ask(server: Server, request: Request): void {
    const { loans, session } = this.#options;
    const waiting = WaitingBackend.borrow(loans, { server, db: session.db, protocol: session.protocol });
    if (Buffer.isBuffer(waiting)) {
      request.stored = request.taker?.takes(request, waiting.length) ? [waiting] : null;
      request.taker?.onReply(request);
      return;
    }
    this.#waiting.add(waiting);
    const { backend } = waiting;
    backend.onIdle = () => {
      this.#waiting.delete(waiting);
      waiting.end(true);
    };
    backend.send(takeRequest(null, SINK_NOBODY), PING, 0, PING.length);
    backend.send(request, this.#frame, 0, this.#frame.length);
  }

  #abandon(): void {
    for (const { backend } of this.#waiting) backend.abandon('its client is gone');
    this.#options.onEnd();
  }

  #answer(reply: Buffer): void {
    this.#options.session.answer(this.#request, reply);
    this.#options.onEnd();
    this.#options.session.unblock();
  }
}

/** Of numbers, or of arrays of numbers place by place, the least. */
function least(replies: readonly Buffer[]): Buffer {
  const first = replies[0] as Buffer;
  if (first[0] === 0x3a) return integer(Math.min(...replies.map(integerIn)));
  if (first[0] !== 0x2a) return NOT_COUNTED;
  const rows = replies.map((reply) => elementsOf(reply).map(integerIn));
  const [row = []] = rows;
  return array(row.map((_, at) => integer(Math.min(...rows.map((values) => values[at] ?? 0)))));
}
