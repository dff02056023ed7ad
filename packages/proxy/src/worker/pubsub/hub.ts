// All that the clients of this worker subscribe to, and the connections that hear of it: one per master, each subscribed to everything. So a slot that
// moves silences nobody, and what a server says of its own keys (keyspace notifications) is heard from every one. A message arrives once, because it is
// published to one master only (publish.ts).
//
// A topic stays subscribed as long as one client has it. The connections close when for a while there was none.

import { invariant, type ServerAddr } from '@codis/config/model';
import type { BackendOptions } from '../backend.ts';
import { asPush, type MessageTopic } from './message.ts';
import { Subscriber, type SubscriberOwner } from './subscriber.ts';
import { Topic, type TopicKind, topicId } from './topic.ts';

/** How long the connections outlive the last subscription. */
const LINGER_MS = 5000;

export class Hub implements SubscriberOwner {
  readonly #options: BackendOptions;
  readonly #topics: readonly Map<string, Topic>[] = [new Map(), new Map(), new Map()];
  readonly #subscribers = new Map<ServerAddr, Subscriber>();
  #masters: readonly ServerAddr[] = [];
  /** Since when there is no topic, by the coarse clock. */
  #emptySince = 0;

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  get connectionCount(): number {
    let count = 0;
    for (const subscriber of this.#subscribers.values()) if (subscriber.isOpen) count++;
    return count;
  }

  get hasMasters(): boolean {
    return this.#masters.length > 0;
  }

  /** The masters of a newer table. One that is gone is left at once: as a replica it would repeat what its master says. */
  onMasters(masters: readonly ServerAddr[]): void {
    this.#masters = masters;
    for (const [addr, subscriber] of this.#subscribers) if (!masters.includes(addr)) this.#leave(addr, subscriber);
    if (!this.#isEmpty()) this.#listen();
  }

  /** The topic of that name, subscribed to from now on; `release` it when nobody came to have it. */
  topic(kind: TopicKind, name: Buffer): Topic {
    const topics = this.#topicsOf(kind);
    const found = topics.get(topicId(name));
    if (found !== undefined) return found;
    this.#listen();
    const topic = new Topic(kind, name);
    topics.set(topicId(name), topic);
    for (const subscriber of this.#subscribers.values()) {
      if (subscriber.isReachable) topic.awaited.add(subscriber);
      if (subscriber.isReady) subscriber.subscribe(topic);
    }
    return topic;
  }

  /** Unsubscribes from a topic that nobody uses any more. */
  release(topic: Topic): void {
    if (topic.isUsed || !this.#topicsOf(topic.kind).delete(topicId(topic.name))) return;
    for (const subscriber of this.#subscribers.values()) if (subscriber.isReady) subscriber.unsubscribe(topic);
    if (this.#isEmpty()) this.#emptySince = this.#options.clock.now;
  }

  tick(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.tick();
    if (this.#subscribers.size > 0 && this.#isEmpty() && this.#options.clock.now - this.#emptySince > LINGER_MS) this.close();
  }

  close(): void {
    for (const [addr, subscriber] of this.#subscribers) this.#leave(addr, subscriber);
  }

  onReady(subscriber: Subscriber): void {
    for (const topics of this.#topics) {
      for (const topic of topics.values()) {
        topic.awaited.add(subscriber);
        subscriber.subscribe(topic);
      }
    }
  }

  onUnreachable(subscriber: Subscriber): void {
    for (const topics of this.#topics) for (const topic of [...topics.values()]) topic.onUnreachable(subscriber);
  }

  onSubscribed(subscriber: Subscriber, topic: Topic, refusal: Buffer | null): void {
    topic.onAnswer(subscriber, refusal);
  }

  /** One message, encoded once for each version of the protocol, to all who have the topic. */
  onMessage({ kind, id }: MessageTopic, message: Buffer): void {
    const topic = this.#topicsOf(kind).get(id);
    if (topic === undefined) return;
    let asPushed: Buffer | null = null;
    for (const session of topic.sessions) {
      if (session.protocol === 2) session.push(message);
      else {
        asPushed ??= asPush(message);
        session.push(asPushed);
      }
    }
  }

  onTooLarge({ kind, id }: MessageTopic): void {
    const topic = this.#topicsOf(kind).get(id);
    if (topic !== undefined) for (const session of topic.sessions) session.destroy('a message for it exceeds session_max_bufsize');
  }

  #topicsOf(kind: TopicKind): Map<string, Topic> {
    const topics = this.#topics[kind.at];
    invariant(topics !== undefined, 'there is a map for each kind of topic');
    return topics;
  }

  #isEmpty(): boolean {
    return this.#topics.every(({ size }) => size === 0);
  }

  #listen(): void {
    for (const addr of this.#masters) {
      if (this.#subscribers.has(addr)) continue;
      const subscriber = new Subscriber(addr, this.#options, this);
      this.#subscribers.set(addr, subscriber);
      for (const topics of this.#topics) for (const topic of topics.values()) topic.awaited.add(subscriber);
    }
  }

  #leave(addr: ServerAddr, subscriber: Subscriber): void {
    this.#subscribers.delete(addr);
    subscriber.close();
  }
}
