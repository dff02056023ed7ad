// A node as ZooKeeper returns it, and as the contract shows it.

import type { Stat } from 'node-zookeeper-client';
import type { Entry, SessionId } from '../coordinator.ts';

/** A node at one moment. */
export interface Node {
  readonly data: Buffer;
  readonly version: number;
  readonly owner: SessionId | null;
  /** The transaction that created this incarnation. */
  readonly createdBy: bigint;
}

export function asNode(data: Buffer | undefined, stat: Stat): Node {
  const owner = stat.ephemeralOwner.readBigInt64BE(0);
  return {
    data: data ?? Buffer.alloc(0),
    version: stat.version,
    owner: owner === 0n ? null : asSessionId(stat.ephemeralOwner),
    createdBy: stat.czxid.readBigInt64BE(0),
  };
}

/** Each caller gets bytes of its own. */
export function entryOf(node: Node | null): Entry | null {
  return node && { data: Buffer.from(node.data), version: node.version, owner: node.owner };
}

/** The bytes are compared too: a server that comes back empty counts its transactions anew. */
export function sameNode(a: Node | null, b: Node | null): boolean {
  if (a === null || b === null) return a === b;
  return a.createdBy === b.createdBy && a.version === b.version && a.data.equals(b.data);
}

/** As ZooKeeper's own tools print it. */
export function asSessionId(id: Buffer): SessionId {
  return `0x${id.readBigUInt64BE(0).toString(16)}`;
}
