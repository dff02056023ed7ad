import { asGroupId, asMigrationId, asServerAddr, emptyTopology, SLOT_COUNT, type SlotState } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { asPush, messageTopic } from '../../src/worker/pubsub/message.ts';
import { publishMaster } from '../../src/worker/pubsub/publisher.ts';
import { CHANNEL, PATTERN, SHARD } from '../../src/worker/pubsub/topic.ts';
import type { RouteTable } from '../../src/worker/route-table.ts';
import { emptyRouteTable } from '../../src/worker/route-table.ts';

const encoded = (...items: string[]) =>
  Buffer.from(`*${items.length}\r\n${items.map((item) => `$${item.length}\r\n${item}\r\n`).join('')}`);

describe('the topic of a message', () => {
  test.each([
    [CHANNEL, encoded('message', 'c', 'text'), 'c'],
    [CHANNEL, encoded('message', '', ''), ''],
    [CHANNEL, encoded('message', '\r\n$1\r\n', 'text'), '\r\n$1\r\n'],
    [PATTERN, encoded('pmessage', 'p*', 'pc', 'text'), 'p*'],
    [SHARD, encoded('smessage', 's', 'text'), 's'],
  ])('is what it was subscribed to by: %o', (kind, message, id) => {
    expect(messageTopic(message)).toEqual({ kind, id });
  });

  test.each([
    encoded('subscribe', 'c', '1'),
    encoded('pong', ''),
    Buffer.from('+PONG\r\n'),
    Buffer.from("-ERR unknown command 'ssubscribe'\r\n"),
  ])('is none for an answer: %s', (reply) => {
    expect(messageTopic(reply)).toBeNull();
  });

  test('is found once its name is there, in a message that is cut off', () => {
    const message = encoded('pmessage', 'pattern', 'c', 'text');
    const needed = message.indexOf('pattern') + 'pattern'.length;
    for (let end = 0; end < message.length; end++) {
      expect(messageTopic(message.subarray(0, end))).toEqual(end < needed ? null : { kind: PATTERN, id: 'pattern' });
    }
  });
});

test('RESP3’s form of a message differs in its first byte, and the other form stays as it was', () => {
  const message = encoded('message', 'c', 'text');
  expect(asPush(message).toString()).toBe(`>${message.toString().slice(1)}`);
  expect(message[0]).toBe(0x2a);
});

describe('where a channel is published', () => {
  const [a, b, none] = [asGroupId(1), asGroupId(2), asGroupId(3)];
  const tableOf = (state: SlotState): RouteTable => ({
    ...emptyRouteTable(),
    topology: {
      ...emptyTopology(),
      slots: Array.from({ length: SLOT_COUNT }, () => state),
      groups: [
        { id: a, servers: [{ addr: asServerAddr('a:1'), role: 'master' }] },
        { id: b, servers: [{ addr: asServerAddr('b:1'), role: 'master' }] },
        { id: none, servers: [{ addr: asServerAddr('c:1'), role: 'replica' }] },
      ],
    },
  });
  const migration = asMigrationId(1);

  test('is the master of the slot’s group, and of the group it leaves until a move is complete', () => {
    expect(publishMaster(tableOf({ kind: 'online', owner: a }), 7)).toBe('a:1');
    expect(publishMaster(tableOf({ kind: 'migrating', from: a, to: b, migration }), 7)).toBe('a:1');
    expect(publishMaster(tableOf({ kind: 'online', owner: b }), 7)).toBe('b:1');
  });

  test('is nowhere for a slot without an owner, a group without a master, and before there is a table', () => {
    expect(publishMaster(tableOf({ kind: 'offline' }), 7)).toBeNull();
    expect(publishMaster(tableOf({ kind: 'online', owner: none }), 7)).toBeNull();
    expect(publishMaster(tableOf({ kind: 'migrating', from: none, to: b, migration }), 7)).toBeNull();
    expect(publishMaster(emptyRouteTable(), 7)).toBeNull();
  });
});
