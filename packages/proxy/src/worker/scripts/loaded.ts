// Which scripts one server is known to have, as far as its present connections tell: a server that restarted has lost them, and its connections with them.
//
// Invariant: `has` is true for a connection only if the script is there before anything that is sent over that connection now. What was sent to be loaded over one
// connection may overtake, or be overtaken by, what goes over another: so until the server has confirmed it, it counts for the one connection alone.

import type { Backend } from '../backend.ts';
import { type ReplyTaker, type Request, recycle, SINK_CLIENT } from '../request.ts';

/** Past this many all are forgotten, and loaded again when they are needed. */
const LOADED_MAX = 100_000;
const NOSCRIPT = Buffer.from('-NOSCRIPT');

/** Also takes the errors that scripts are answered with: one that is not there refutes what was believed. */
export class Loaded implements ReplyTaker {
  readonly parent = null;
  readonly #confirmed = new Set<string>();
  #sent = new WeakMap<Backend, Set<string>>();

  has(backend: Backend, name: string): boolean {
    return this.#confirmed.has(name) || this.#sent.get(backend)?.has(name) === true;
  }

  /** Whether it is there for whichever connection. */
  isConfirmed(name: string): boolean {
    return this.#confirmed.has(name);
  }

  /** It was sent over `backend`, and what follows there finds it. */
  onSent(backend: Backend, name: string): void {
    const sent = this.#sent.get(backend);
    if (sent === undefined) this.#sent.set(backend, new Set([name]));
    else sent.add(name);
  }

  /** The server has said that it has it. */
  confirm(name: string): void {
    if (this.#confirmed.size >= LOADED_MAX) this.#confirmed.clear();
    this.#confirmed.add(name);
  }

  clear(): void {
    this.#confirmed.clear();
    this.#sent = new WeakMap();
  }

  takes(): boolean {
    return true;
  }

  onReply(request: Request): void {
    const reply = Buffer.concat(request.stored ?? []);
    if (reply.subarray(0, NOSCRIPT.length).equals(NOSCRIPT)) this.clear();
    request.stored = null;
    request.taker = null;
    request.sink = SINK_CLIENT;
    if (request.session === null) recycle(request);
    else request.session.answer(request, reply);
  }
}
