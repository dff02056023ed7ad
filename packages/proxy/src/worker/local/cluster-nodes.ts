// The proxies of a product as the nodes of a Redis Cluster: each live one a master with an equal share of the slots. Pure.
//
// A share is one run of slots, in the order of the proxies' ids, so every proxy tells the same but for the addresses below. As any proxy serves any key,
// a client that goes by an older list is not wrong, and MOVED is never said.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { parseAddr } from '@codis/config/model';
import type { LiveProxy } from '../../ipc.ts';
import { CLUSTER_SLOT_COUNT } from './cluster-slot.ts';

export interface ClusterNode {
  /** 40 hexadecimal digits, the same for a proxy id for ever. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** The proxy that was asked. */
  readonly myself: boolean;
  /** First and last slot; null for none. */
  readonly slots: readonly [first: number, last: number] | null;
}

export interface ClusterView {
  readonly product: string;
  /** Those that serve clients, by what they registered. */
  readonly proxies: readonly LiveProxy[];
  /** The proxy that is asked. It is listed without slots when it is not among the live ones: it has its own reasons to lose its clients. */
  readonly self: LiveProxy;
  /** `host:port` by which the client who asks has reached it. */
  readonly reachedAt: string;
}

export function clusterNodes(view: ClusterView): ClusterNode[] {
  const { self } = view;
  const others = view.proxies.filter(({ id, addr }) => id !== self.id && !isAnyHost(parseAddr(addr).host));
  const alone = others.length === 0;
  const owners = alone || view.proxies.some(({ id }) => id === self.id) ? [self, ...others] : others;
  owners.sort((a, b) => (a.id < b.id ? -1 : 1));
  const nodes = owners.map((proxy, at) => nodeOf(view, proxy, share(at, owners.length)));
  return owners.includes(self) ? nodes : [...nodes, nodeOf(view, self, null)];
}

/** Part number `at` of the slots in `count` equal parts; null where there are more parts than slots. */
function share(at: number, count: number): readonly [number, number] | null {
  const first = Math.floor((at * CLUSTER_SLOT_COUNT) / count);
  const last = Math.floor(((at + 1) * CLUSTER_SLOT_COUNT) / count) - 1;
  return last < first ? null : [first, last];
}

function nodeOf(view: ClusterView, proxy: LiveProxy, slots: ClusterNode['slots']): ClusterNode {
  const myself = proxy === view.self;
  const { host, port } = parseAddr(proxy.addr);
  return { id: nodeId(view.product, proxy.id), host: myself && isAnyHost(host) ? hostOf(view.reachedAt) : host, port, myself, slots };
}

export function nodeId(product: string, proxyId: string): string {
  return createHash('sha1').update(`codis-proxy:${product}:${proxyId}`).digest('hex');
}

/** In Redis 7.2 and newer a master and its replicas share one; here a node has its own. */
export function shardId(product: string, proxyId: string): string {
  return createHash('sha1').update(`codis-shard:${product}:${proxyId}`).digest('hex');
}

/** Whether a proxy that registered this host listens everywhere, which is not an address to connect to. */
export function isAnyHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** The host of `address:port` as a socket tells it; an IPv4 address that came in over IPv6 as IPv4. */
function hostOf(reachedAt: string): string {
  const host = reachedAt.slice(0, reachedAt.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const inner = host.replace(/^::ffff:/i, '');
  return isIP(inner) === 4 ? inner : host;
}
