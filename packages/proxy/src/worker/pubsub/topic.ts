// What clients of this worker subscribe to: a channel, a pattern, or a shard channel. One object for all clients that have it, and one subscription
// of it on every master.
//
// A client joins `sessions` when its confirmation has gone out, not before: a message must not overtake it.

import type { Session } from '../session.ts';
import type { Subscriber } from './subscriber.ts';

/** The three families and their words, which are also what the server's messages and the confirmations begin with. */
export interface TopicKind {
  /** Where its topics stand in a list by kind. */
  readonly at: 0 | 1 | 2;
  readonly subscribe: string;
  readonly unsubscribe: string;
}

export const CHANNEL: TopicKind = { at: 0, subscribe: 'subscribe', unsubscribe: 'unsubscribe' };
export const PATTERN: TopicKind = { at: 1, subscribe: 'psubscribe', unsubscribe: 'punsubscribe' };
export const SHARD: TopicKind = { at: 2, subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe' };

export class Topic {
  readonly kind: TopicKind;
  readonly name: Buffer;
  /** Who gets its messages. */
  readonly sessions = new Set<Session>();
  /** How many SUBSCRIBEs for it are not confirmed yet. */
  joining = 0;
  /** Masters that have not confirmed it, and are expected to. */
  readonly awaited = new Set<Subscriber>();
  /** What a server answered that refused it; null when none did. */
  refusal: Buffer | null = null;
  #waiters: (() => void)[] = [];

  constructor(kind: TopicKind, name: Buffer) {
    this.kind = kind;
    this.name = name;
  }

  get isUsed(): boolean {
    return this.joining > 0 || this.sessions.size > 0;
  }

  /** Calls `done` once when nothing is awaited any more. */
  onSettled(done: () => void): void {
    this.#waiters.push(done);
  }

  /** `subscriber` has answered, or is not waited for any longer. */
  settle(subscriber: Subscriber): void {
    if (!this.awaited.delete(subscriber) || this.awaited.size > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done();
  }
}

/** A topic's name as the key of a map: one character per byte. */
export function topicId(name: Buffer): string {
  return name.toString('latin1');
}
