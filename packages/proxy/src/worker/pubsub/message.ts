// The messages of a server to its subscribers, in RESP2: arrays of three shapes, told apart by how they begin. What is in them is not decoded but for
// the name of the topic; RESP3's form of a message differs in its first byte alone.

import { CHANNEL, PATTERN, SHARD, type TopicKind } from './topic.ts';

const SHAPES: readonly (readonly [TopicKind, Buffer])[] = [
  [CHANNEL, Buffer.from('*3\r\n$7\r\nmessage\r\n$')],
  [PATTERN, Buffer.from('*4\r\n$8\r\npmessage\r\n$')],
  [SHARD, Buffer.from('*3\r\n$8\r\nsmessage\r\n$')],
];
const LF = 10;
const PUSH = 0x3e;

/** What a message was subscribed to by. */
export interface MessageTopic {
  readonly kind: TopicKind;
  /** As `topicId` makes it. */
  readonly id: string;
}

/** Reads the beginning of `reply`, of which the end may be missing; null when it is no message, or its topic's name is not all there. */
export function messageTopic(reply: Buffer): MessageTopic | null {
  for (const [kind, shape] of SHAPES) {
    if (reply.length < shape.length || reply.compare(shape, 0, shape.length, 0, shape.length) !== 0) continue;
    const start = reply.indexOf(LF, shape.length) + 1;
    const end = start + Number(reply.toString('latin1', shape.length, start - 2));
    return start > 0 && end <= reply.length ? { kind, id: reply.toString('latin1', start, end) } : null;
  }
  return null;
}

/** The same message for RESP3. */
export function asPush(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  copy[0] = PUSH;
  return copy;
}
