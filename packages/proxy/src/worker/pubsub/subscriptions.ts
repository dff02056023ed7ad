// What each client subscribes to, and (P|S)SUBSCRIBE and (P|S)UNSUBSCRIBE. A confirmation takes its place in the client's order of replies when every master
// that can be reached has subscribed: what is published after it arrives.
//
// Both wait until everything before them was answered (`inOrder`). So a RESP2 client, to which a message looks like a reply, gets none before its
// confirmation; and one client has at most one unconfirmed SUBSCRIBE.

import type { Command } from '../../commands/command.ts';
import { bulk, errorReply, integer, nil, type Protocol, push } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { arg } from '../local/args.ts';
import { MODE_SUBSCRIBED } from '../modes.ts';
import type { Session } from '../session.ts';
import type { Hub } from './hub.ts';
import { CHANNEL, PATTERN, SHARD, type Topic, type TopicKind, topicId } from './topic.ts';

/** What a topic costs beside its name. */
const TOPIC_BYTES = 256;
const NO_MASTERS = errorReply('ERR no group has a master yet; add one with: codis-config server add <group> <host:port> master');
const TOO_MANY = errorReply('ERR the names this client is subscribed to would exceed session_max_bufsize');

/** One client's topics by kind, by `topicId`. */
interface Subscribed {
  readonly topics: readonly [Map<string, Topic>, Map<string, Topic>, Map<string, Topic>];
  bytes: number;
}

export class Subscriptions {
  readonly #hub: Hub;
  readonly #bytesMax: number;
  readonly #of = new Map<Session, Subscribed>();

  constructor(hub: Hub, bytesMax: number) {
    this.#hub = hub;
    this.#bytesMax = bytesMax;
  }

  subscribe(session: Session, kind: TopicKind, command: Command, frame: Frame): Buffer | null {
    if (!session.inOrder(command, frame)) return null;
    if (!this.#hub.hasMasters) return NO_MASTERS;
    const own = this.#own(session);
    const added: Topic[] = [];
    const reply: Buffer[] = [];
    for (let at = 1; at < frame.argc; at++) {
      const topic = this.#add(own, kind, arg(frame, at));
      if (topic !== null) added.push(topic);
      if (own.bytes > this.#bytesMax) {
        for (const one of added) this.#remove(session, own, one);
        this.#updateMode(session, own);
        return TOO_MANY;
      }
      reply.push(confirmation(session.protocol, kind.subscribe, arg(frame, at), countOf(own, kind)));
    }
    this.#updateMode(session, own);
    return this.#confirm(session, own, added, Buffer.concat(reply));
  }

  unsubscribe(session: Session, kind: TopicKind, command: Command, frame: Frame): Buffer | null {
    if (!session.inOrder(command, frame)) return null;
    const own = this.#own(session);
    const topics = own.topics[kind.at];
    const names =
      frame.argc > 1 ? Array.from({ length: frame.argc - 1 }, (_, at) => arg(frame, at + 1)) : [...topics.values()].map(({ name }) => name);
    const reply = names.map((name) => {
      const topic = topics.get(topicId(name));
      if (topic !== undefined) this.#remove(session, own, topic);
      return confirmation(session.protocol, kind.unsubscribe, name, countOf(own, kind));
    });
    if (names.length === 0) reply.push(confirmation(session.protocol, kind.unsubscribe, null, countOf(own, kind)));
    this.#updateMode(session, own);
    return Buffer.concat(reply);
  }

  /** The client is gone, or says RESET. */
  drop(session: Session): void {
    const own = this.#of.get(session);
    if (own === undefined) return;
    for (const topics of own.topics) for (const topic of [...topics.values()]) this.#remove(session, own, topic);
    this.#updateMode(session, own);
  }

  #own(session: Session): Subscribed {
    let own = this.#of.get(session);
    if (own === undefined) {
      own = { topics: [new Map(), new Map(), new Map()], bytes: 0 };
      this.#of.set(session, own);
    }
    return own;
  }

  /** Null when the client has it already. */
  #add(own: Subscribed, kind: TopicKind, name: Buffer): Topic | null {
    const topics = own.topics[kind.at];
    const id = topicId(name);
    if (topics.has(id)) return null;
    const topic = this.#hub.topic(kind, Buffer.from(name));
    topic.joining++;
    topics.set(id, topic);
    own.bytes += name.length + TOPIC_BYTES;
    return topic;
  }

  #remove(session: Session, own: Subscribed, topic: Topic): void {
    own.topics[topic.kind.at].delete(topicId(topic.name));
    own.bytes -= topic.name.length + TOPIC_BYTES;
    if (!topic.sessions.delete(session)) topic.joining--;
    this.#hub.release(topic);
  }

  /** The reply, when all that was added is subscribed; else null, and the reply follows in its place. */
  #confirm(session: Session, own: Subscribed, added: readonly Topic[], reply: Buffer): Buffer | null {
    const awaited = added.filter((topic) => topic.awaited.size > 0);
    if (awaited.length === 0) return this.#join(session, own, added, reply);
    const request = session.enqueue();
    let left = awaited.length;
    for (const topic of awaited) {
      topic.onSettled(() => {
        if (--left === 0 && this.#of.get(session) === own) session.answer(request, this.#join(session, own, added, reply));
      });
    }
    return null;
  }

  /** From now on the client gets messages; unless a server refused one of the topics, then it has none of those it asked for. */
  #join(session: Session, own: Subscribed, added: readonly Topic[], reply: Buffer): Buffer {
    const refusal = added.map((topic) => topic.refusal).find((reply) => reply !== null);
    if (refusal) {
      for (const topic of added) this.#remove(session, own, topic);
      this.#updateMode(session, own);
      return refusal;
    }
    for (const topic of added) {
      topic.joining--;
      topic.sessions.add(session);
    }
    return reply;
  }

  #updateMode(session: Session, own: Subscribed): void {
    const [channels, patterns, shards] = own.topics;
    session.facts.sub = channels.size;
    session.facts.psub = patterns.size;
    session.facts.ssub = shards.size;
    if (channels.size + patterns.size + shards.size > 0) session.modes |= MODE_SUBSCRIBED;
    else {
      session.modes &= ~MODE_SUBSCRIBED;
      this.#of.delete(session);
    }
  }
}

/** As Redis counts: shard channels by themselves, channels and patterns together. */
function countOf({ topics }: Subscribed, kind: TopicKind): number {
  return kind === SHARD ? topics[SHARD.at].size : topics[CHANNEL.at].size + topics[PATTERN.at].size;
}

function confirmation(protocol: Protocol, word: string, name: Buffer | null, count: number): Buffer {
  return push(protocol, [bulk(word), name === null ? nil(protocol) : bulk(name), integer(count)]);
}
