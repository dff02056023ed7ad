// What differs from a plain Redis, per command and per class: the data of docs/commands.md. A difference that a client may notice stands here, one sentence
// each; test/differential is what finds them.

import type { CommandClass } from './classes.ts';

/** What happens with the commands of a class, for who reads it in the docs. */
export interface ClassText {
  /** A few words, as they stand in the table. */
  readonly name: string;
  readonly what: string;
  /** What differs for all of them. */
  readonly differs: string;
}

export const CLASS_TEXTS: Readonly<Record<Exclude<CommandClass['kind'], 'later'>, ClassText>> = {
  slot: {
    name: 'one slot',
    what: 'Sent to the group that has the slot of its keys; the reply is that server’s, byte for byte.',
    differs:
      'Keys in different slots are `-CROSSSLOT`, as in Redis Cluster; give them one `{tag}`. While the slot is being moved the command may wait, at most `slot_hold_timeout_ms`, and is then `-TRYAGAIN`.',
  },
  split: {
    name: 'taken apart',
    what: 'Keys may be in any slots: each group gets its part, all at once, and the replies are put together in the order of the keys.',
    differs: 'Over several groups it is not atomic, and a part may fail where another succeeded; then the first error is the reply.',
  },
  blocking: {
    name: 'may wait',
    what: 'As one slot, over a connection of the client’s own while it waits. When the slot moves, the wait goes on at its new home for the time that is left.',
    differs:
      'As one slot. When the server is lost while it waits, the reply is an error. Of several clients that wait for one key, the first is served first; when the slot has moved meanwhile they may have changed places.',
  },
  script: {
    name: 'script',
    what: 'As one slot, by the keys that it declares; without keys, on one master. A server that does not know the script or function yet is given it first.',
    differs: 'A script must declare every key it uses, and all of them are in one slot.',
  },
  masters: {
    name: 'all groups',
    what: 'Asked of the masters of all groups; the replies become one.',
    differs: 'It is not one moment in time over all groups. A group whose master can’t be reached makes it an error.',
  },
  any: {
    name: 'any server',
    what: 'Asked of one master, whichever: it is about Redis itself, and all would answer alike.',
    differs: 'Nothing.',
  },
  transaction: {
    name: 'transaction',
    what: 'Commands are queued in the proxy, checked as Redis checks them, and sent with EXEC in one piece to the group of their slot.',
    differs:
      'All keys of a transaction, the watched ones too, are in one slot. Commands about the connection, about other clients or about all groups can’t be queued.',
  },
  pubsub: {
    name: 'Pub/Sub',
    what: 'Messages reach subscribers at all proxies, whichever group they are published in; so do keyspace notifications.',
    differs:
      'Order holds per channel and publisher, but for the moment when a channel’s slot has arrived at another group. A proxy that lost a server subscribes again by itself; what was published there meanwhile is lost. A client’s own message may come before or after the reply to its PUBLISH. Subscribing can’t be part of a transaction.',
  },
  local: {
    name: 'the proxy',
    what: 'Answered by the proxy, in Redis’s format.',
    differs: 'It is about the proxy and its clients, not about a server.',
  },
  refused: {
    name: 'refused',
    what: 'Answered with an error that says why, and which tool to use instead. No server sees it.',
    differs: 'All.',
  },
};

const NOT_ATOMIC = 'Not atomic when its keys are in several groups.';
const OTHER_DATABASE =
  'While the slot of its key is being moved, a command that names another database waits until the move is over, and is `-TRYAGAIN` after `slot_hold_timeout_ms`.';
const FLUSH = 'Not one moment in time over all groups: a write of another client that meets it half-way may survive or not.';
const EVERY_SERVER = 'Says of each master what it says, one after the other.';
const PATTERNS =
  'Patterns after BY and GET must have a `{tag}` before their `*` that puts all keys they make into the slot of the key. While that slot is being moved such a command waits until the move is over, and is `-TRYAGAIN` after `slot_hold_timeout_ms`.';
const OWN_CLIENTS = 'It is about the clients of this proxy.';
const ACCEPTED = 'Accepted; the proxy evicts no clients and touches no keys, so it changes nothing.';
const LISTENERS = 'Counts each worker of a proxy that listens once, however many clients it has.';
const PUBLISHED = `${LISTENERS} An error when the group of the channel’s slot has no master.`;
const UNLISTED = 'A channel that nobody is subscribed to any more may be listed for a moment.';
const NEW_IDLE_TIME = 'Starts anew for a key that has moved to another group.';

/** Sentences about single commands, by name (`parent|child` for a subcommand). What holds for a parent holds for its subcommands. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  auth: 'There is one user, `default`, whose password is `session_auth`.',
  'client|id': 'Ids count over all workers of this proxy; two proxies give the same ids.',
  'client|info':
    'Fields about memory that the proxy has no number for are 0; `lib-name` and `lib-ver` stand at the end, as since Redis 7.2.',
  'client|kill': OWN_CLIENTS,
  'client|list': OWN_CLIENTS,
  'client|no-evict': ACCEPTED,
  'client|no-touch': ACCEPTED,
  'client|pause': 'Pauses the clients of this proxy. CLIENT itself goes on, so that a pause for all can be ended. WRITE holds every EXEC.',
  'client|setinfo': 'Known here already, as since Redis 7.2.',
  'client|tracking':
    'Turning it on is refused: connections to the servers are shared, so the proxy can’t know whose keys were changed. `OFF` is answered as by Redis.',
  'client|unblock': OWN_CLIENTS,
  'client|unpause': OWN_CLIENTS,
  cluster:
    'A plain Redis is no cluster and answers errors; the proxies answer as a Redis Cluster whose nodes are the live proxies, each with an equal share of the 16384 hash slots. Any proxy serves any key, so there is no `-MOVED`.',
  'cluster|countkeysinslot': 'Counted by a scan of all groups: slow.',
  'cluster|getkeysinslot': 'Found by a scan of all groups: slow.',
  'config|get': 'What the first master that answers has; masters may differ. Passwords of the servers are shown empty.',
  'config|resetstat': 'At all masters, and the proxy’s own.',
  'config|rewrite': 'At all masters.',
  'config|set':
    'At all masters; an error names those that took it where they disagree. Replicas keep their own. Addresses, passwords and what else would lock the proxies out can’t be set.',
  copy: OTHER_DATABASE,
  dbsize: 'Counts keys on both sides while slots are being moved, and keys left in a group that does not have their slot.',
  del: NOT_ATOMIC,
  exec: 'Nil also when the slot of the watched keys was locked or moved since WATCH: the keys may have changed unseen.',
  exists: 'Not one moment in time when its keys are in several groups.',
  flushall: FLUSH,
  flushdb: FLUSH,
  hello: 'The version is that of the oldest server; mode is always `standalone`, role `master`. The id is the proxy’s.',
  info: 'Clients, commands and CPU are the proxy’s; memory, persistence and keys those of the masters of all groups, added up. Replicas are counted, not listed. Fields about how a server was built, its event loop and its I/O threads are left out. A `# Proxy` section says more; see operations.md.',
  keys: 'The keys of all groups in memory at once, at most `session_max_bufsize`. `-TRYAGAIN` when slots are moved to and fro all the while.',
  lastsave: 'The earliest of all masters.',
  latency:
    'About the time in the proxy, over all its workers. Events: `event-loop` (a worker stood still), `command`, `move-hold`, each from `latency_monitor_threshold_ms`. Buckets of HISTOGRAM are powers of two.',
  lolwut: 'The version alone, without a picture.',
  'memory|doctor': EVERY_SERVER,
  'memory|malloc-stats': EVERY_SERVER,
  'memory|purge': 'At all masters.',
  'memory|stats': 'Bytes and counts of all masters added up; ratios and means are the largest.',
  mget: 'Not one moment in time when its keys are in several groups.',
  monitor:
    'Shows what comes through this proxy, through any of its workers. Commands in a transaction are shown when they are sent; what scripts call is not. An argument is shown up to 64 KB. A monitor that would miss something is disconnected.',
  move: OTHER_DATABASE,
  mset: NOT_ATOMIC,
  'object|freq': NEW_IDLE_TIME,
  'object|idletime': NEW_IDLE_TIME,
  publish: PUBLISHED,
  'pubsub|channels': UNLISTED,
  'pubsub|numsub': LISTENERS,
  'pubsub|shardchannels': UNLISTED,
  'pubsub|shardnumsub': LISTENERS,
  randomkey: 'A group in proportion to its keys, then a key of it.',
  readonly:
    'Accepted, where a plain Redis refuses it: reads are answered by a replica of the group, one for each client, if it can be reached; they may be older than what this client read before.',
  readwrite: 'Accepted, where a plain Redis refuses it.',
  role: 'Always a master without replicas.',
  scan: 'A cursor means something to the proxies only; it is good at all of them. COUNT is for one group. A key may come twice when slots are moved meanwhile; none is missed. A database with more than 2 billion keys at one server can’t be scanned.',
  select: 'Databases 0 to 15, whatever the servers are configured for. Not in a transaction.',
  slowlog:
    'The proxy’s own: times count from the request’s arrival to its reply. `SLOWLOG GET count STAGES` adds a seventh field, where they went: in the proxy, held for a slot in a move, at the server. Of a transaction nothing is logged.',
  sort: PATTERNS,
  sort_ro: PATTERNS,
  spublish: PUBLISHED,
  swapdb: 'Not one moment in time over all groups; `-TRYAGAIN` while slots are being moved.',
  time: 'The clock of the proxy’s machine.',
  touch: NOT_ATOMIC,
  unlink: NOT_ATOMIC,
  watch: 'All watched keys are in one slot and one database; SELECT and HELLO come before it.',
  xread: 'With BLOCK it waits on a connection of the client’s own, as the other commands that may wait.',
  xreadgroup: 'With BLOCK it waits on a connection of the client’s own, as the other commands that may wait.',
};
