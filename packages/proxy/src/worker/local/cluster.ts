// CLUSTER: what a cluster-aware client asks to find the nodes, answered so that it finds the live proxies and spreads over them (cluster-nodes.ts).
// The keys of a slot are looked for in cluster-wide/slot-keys.ts.
// What would change a cluster is refused (commands/classes.ts): slots and groups are changed with codis-config.

import { isIP } from 'node:net';
import type { LiveProxy } from '../../ipc.ts';
import * as replies from '../../resp/replies.ts';
import { array, bulk, errorReply, integer, map, type Protocol, verbatim } from '../../resp/replies.ts';
import type { Session } from '../session.ts';
import { arg, text } from './args.ts';
import { type ClusterNode, clusterNodes, nodeId, shardId } from './cluster-nodes.ts';
import { CLUSTER_SLOT_COUNT, clusterSlotOf } from './cluster-slot.ts';
import type { Handler, Handlers } from './local-commands.ts';

export interface ClusterContext {
  readonly product: string;
  readonly epoch: () => number;
  /** This proxy, by the address it registers. */
  readonly self: LiveProxy;
  readonly proxies: () => readonly LiveProxy[];
}

export function clusterCommands(context: ClusterContext): Handlers {
  const { self, product } = context;
  const nodes = (session: Session) => clusterNodes({ product, proxies: context.proxies(), self, reachedAt: session.localAddr });
  const epoch = () => Math.max(0, context.epoch());
  /** Subcommands that name a node. */
  const about = (reply: (session: Session) => Buffer): Handler => {
    return (session, frame) => {
      const given = text(frame, 2);
      return nodes(session).some(({ id }) => id === given) ? reply(session) : errorReply(`ERR Unknown node ${given}`);
    };
  };
  const replicas = about(() => replies.EMPTY_ARRAY);
  return [
    ['cluster|slots', (session) => slotsReply(nodes(session), session.protocol)],
    ['cluster|shards', (session) => shardsReply(nodes(session), session.protocol)],
    ['cluster|nodes', (session) => verbatim(session.protocol, nodesText(nodes(session), epoch()))],
    ['cluster|info', (session) => verbatim(session.protocol, infoText(nodes(session), epoch()))],
    ['cluster|myid', () => bulk(nodeId(product, self.id))],
    ['cluster|myshardid', () => bulk(shardId(product, self.id))],
    ['cluster|keyslot', (_, frame) => integer(clusterSlotOf(arg(frame, 2)))],
    ['cluster|count-failure-reports', about(() => integer(0))],
    ['cluster|replicas', replicas],
    ['cluster|slaves', replicas],
    ['cluster|links', () => replies.EMPTY_ARRAY],
    ['cluster|help', () => HELP],
    // Said before a command that was redirected with ASK, which never happens here; Redis Cluster takes it from anyone.
    ['asking', () => replies.OK],
  ];
}

/** One entry per run of slots: first, last, and its node as endpoint, port, id, and further names (none). */
function slotsReply(nodes: readonly ClusterNode[], protocol: Protocol): Buffer {
  return array(
    nodes.flatMap(({ id, host, port, slots }) =>
      slots === null
        ? []
        : [array([integer(slots[0]), integer(slots[1]), array([bulk(host), integer(port), bulk(id), map(protocol, [])])])],
    ),
  );
}

function shardsReply(nodes: readonly ClusterNode[], protocol: Protocol): Buffer {
  return array(
    nodes.map((node) =>
      map(protocol, [
        [bulk('slots'), array(node.slots === null ? [] : node.slots.map(integer))],
        [bulk('nodes'), array([shardNode(node, protocol)])],
      ]),
    ),
  );
}

/** In the order of Redis 7; a host that is a name stands for the address too, which is the client's to look up. */
function shardNode({ id, host, port }: ClusterNode, protocol: Protocol): Buffer {
  const hostname: [Buffer, Buffer][] = isIP(host) === 0 ? [[bulk('hostname'), bulk(host)]] : [];
  return map(protocol, [
    [bulk('id'), bulk(id)],
    [bulk('port'), integer(port)],
    [bulk('ip'), bulk(host)],
    [bulk('endpoint'), bulk(host)],
    ...hostname,
    [bulk('role'), bulk('master')],
    [bulk('replication-offset'), integer(0)],
    [bulk('health'), bulk('online')],
  ]);
}

/** A line per node. Proxies have no bus between them, so its port is 0. */
function nodesText(nodes: readonly ClusterNode[], epoch: number): string {
  const now = Date.now();
  const line = ({ id, host, port, myself, slots }: ClusterNode) => {
    const range = slots === null ? '' : slots[0] === slots[1] ? ` ${slots[0]}` : ` ${slots[0]}-${slots[1]}`;
    return `${id} ${host}:${port}@0 ${myself ? 'myself,master' : 'master'} - 0 ${myself ? 0 : now} ${epoch} connected${range}\n`;
  };
  return nodes.map(line).join('');
}

function infoText(nodes: readonly ClusterNode[], epoch: number): string {
  const facts: readonly (readonly [string, string | number])[] = [
    ['cluster_state', 'ok'],
    ['cluster_slots_assigned', CLUSTER_SLOT_COUNT],
    ['cluster_slots_ok', CLUSTER_SLOT_COUNT],
    ['cluster_slots_pfail', 0],
    ['cluster_slots_fail', 0],
    ['cluster_known_nodes', nodes.length],
    ['cluster_size', nodes.filter(({ slots }) => slots !== null).length],
    ['cluster_current_epoch', epoch],
    ['cluster_my_epoch', epoch],
    ['cluster_stats_messages_sent', 0],
    ['cluster_stats_messages_received', 0],
    ['total_cluster_links_buffer_limit_exceeded', 0],
  ];
  return facts.map(([name, value]) => `${name}:${value}\r\n`).join('');
}

const HELP = array(
  [
    'CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
    'COUNT-FAILURE-REPORTS <node-id>',
    '    Return number of failure reports for <node-id>.',
    'COUNTKEYSINSLOT <slot>',
    '    Return the number of keys in <slot>.',
    'GETKEYSINSLOT <slot> <count>',
    '    Return key names in a slot.',
    'INFO',
    '    Return information about the cluster.',
    'KEYSLOT <key>',
    '    Return the hash slot for <key>.',
    'MYID',
    '    Return the node id.',
    'MYSHARDID',
    "    Return the node's shard id.",
    'NODES',
    '    Return cluster configuration seen by node. Output format:',
    '    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...',
    'REPLICAS <node-id>',
    '    Return <node-id> replicas.',
    'SLOTS',
    '    Return information about slots range mappings. Each range is made of:',
    '    start, end, master and replicas IP addresses, ports and ids',
    'SHARDS',
    '    Return information about slot range mappings and the nodes associated with them.',
    'LINKS',
    '    Return information about all network links between this node and its peers.',
    '    Output format is an array where each array element is a map containing attributes of a link',
    'HELP',
    '    Prints this help.',
  ].map((line) => Buffer.from(`+${line}\r\n`)),
);
