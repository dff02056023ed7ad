// CLIENT PAUSE: no request, or none that writes, is begun before a time or CLIENT UNPAUSE. A client's first request that has to wait is kept (`Session.postpone`),
// and nothing more of that client is looked at; it is still read from a little, so that its going away is seen. CLIENT itself always runs, so that a pause can be
// ended; at a Redis that is paused for ALL it waits too.

import type { Command } from '../commands/command.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { MODE_PAUSED } from './modes.ts';
import type { PeerTopics } from './peer-topics.ts';
import type { Session } from './session.ts';

export type Pause = PeerTopics['client|pause']['question'];

/** Without the flag `write`, but they may write, or what they do is written to replicas. Source: Redis 7's flag MAY_REPLICATE; EXEC for what it runs. */
const MAY_WRITE = new Set(['eval', 'evalsha', 'fcall', 'publish', 'spublish', 'pfcount', 'exec']);

export class Pauses {
  readonly #sessions: ReadonlySet<Session>;
  readonly #postponed = new Set<Session>();
  #until = 0;
  #writesOnly = false;

  constructor(sessions: ReadonlySet<Session>) {
    this.#sessions = sessions;
  }

  /** Mode bits of every session. */
  get modes(): number {
    return this.#until === 0 ? 0 : MODE_PAUSED;
  }

  /** What another worker must know to pause as long. */
  get pause(): Pause {
    return this.#until === 0 ? null : { leftMs: Math.max(0, this.#until - performance.now()), writesOnly: this.#writesOnly };
  }

  /** A pause during a pause makes it longer, or stricter, never less. Source: Redis 7, pauseClients(). */
  set(pause: Pause): void {
    if (pause === null) {
      this.#end();
      return;
    }
    this.#writesOnly = pause.writesOnly && (this.#until === 0 || this.#writesOnly);
    this.#until = Math.max(this.#until, performance.now() + pause.leftMs);
    for (const session of this.#sessions) session.modes |= MODE_PAUSED;
  }

  /** Keeps the request if it has to wait. */
  postpone(session: Session, command: Command, frame: Frame): boolean {
    if (command.name.startsWith('client|') || (this.#writesOnly && !writes(command))) return false;
    this.#postponed.add(session);
    session.postpone(command, frame);
    return true;
  }

  tick(): void {
    if (this.#until > 0 && performance.now() >= this.#until) this.#end();
  }

  forget(session: Session): void {
    this.#postponed.delete(session);
  }

  #end(): void {
    this.#until = 0;
    this.#writesOnly = false;
    for (const session of this.#sessions) session.modes &= ~MODE_PAUSED;
    const postponed = [...this.#postponed];
    this.#postponed.clear();
    for (const session of postponed) session.unblock();
  }
}

function writes(command: Command): boolean {
  return command.flags.includes('write') || MAY_WRITE.has(command.name);
}
