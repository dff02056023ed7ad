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
  /** What servers answered that refused it. */
  readonly #refusals = new Map<Subscriber, Buffer>();
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

  /** What a server that refused it answered; null when none did. */
  get refusal(): Buffer | null {
    for (const refusal of this.#refusals.values()) return refusal;
    return null;
  }

  /** `subscriber` has an answer: an error, or null when it is subscribed. */
  onAnswer(subscriber: Subscriber, refusal: Buffer | null): void {
    if (refusal === null) this.#refusals.delete(subscriber);
    else this.#refusals.set(subscriber, refusal);
    this.#settle(subscriber);
  }

  /** `subscriber` is not waited for any longer. */
  onUnreachable(subscriber: Subscriber): void {
    this.#refusals.delete(subscriber);
    this.#settle(subscriber);
  }

  #settle(subscriber: Subscriber): void {
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
