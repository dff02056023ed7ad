// What the proxy does with each command: its class. Most follow from Redis's own flags; this file lists the rest, and why.

/** `slot`: forwarded to the group of its keys, which must share a slot. `split`: taken apart by group and merged. `blocking`: as `slot`, on a connection of
 *  its own while it waits. `script`: as `slot`, after the server was given the script or function if it lacks it. `masters`: sent to the masters of all
 *  groups, merged by meaning. `any`: sent to one master, for all would answer alike. `transaction`, `pubsub`: over connections of their own. `local`: the
 *  proxy's own business. `later`: needs machinery that is not there yet. `refused`: never through a proxy. */
export type CommandClass =
  | { readonly kind: 'slot' }
  | { readonly kind: 'split'; readonly merge: 'sum' | 'array' | 'ok' }
  | { readonly kind: 'blocking' }
  | { readonly kind: 'script' }
  | { readonly kind: 'masters' }
  | { readonly kind: 'any' }
  | { readonly kind: 'transaction' }
  | { readonly kind: 'pubsub' }
  | { readonly kind: 'local' }
  | { readonly kind: 'later'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

const SLOT: CommandClass = { kind: 'slot' };
const LOCAL: CommandClass = { kind: 'local' };
const MASTERS: CommandClass = { kind: 'masters' };
const ANY: CommandClass = { kind: 'any' };
const later = (why: string): CommandClass => ({ kind: 'later', why });
export const refused = (why: string): CommandClass => ({ kind: 'refused', why });

const SCRIPT: CommandClass = { kind: 'script' };
const BLOCKING: CommandClass = { kind: 'blocking' };
const TRANSACTION: CommandClass = { kind: 'transaction' };
const PUBSUB: CommandClass = { kind: 'pubsub' };
const CONNECTION_STATE = later('commands that leave something behind on their connection are not supported yet');
const SERVER = refused('it is about one server; connect to that server');
const USERS = refused('proxies know one user; session_auth in config.ini sets the clients’ password');
const TOPOLOGY = refused('replication is managed by the dashboard: see codis-config server --help');

const CLUSTER_SLOTS = refused('the proxies are one cluster without slots of their own; data is moved with: codis-config slot --help');
const CLUSTER_NODES = refused('proxies join and leave by starting and stopping; see codis-config proxy --help');

/** What would change a Redis Cluster, and what only its own nodes say to each other. */
const CLUSTER_CHANGES: Readonly<Record<string, CommandClass>> = {
  'cluster|addslots': CLUSTER_SLOTS,
  'cluster|addslotsrange': CLUSTER_SLOTS,
  'cluster|delslots': CLUSTER_SLOTS,
  'cluster|delslotsrange': CLUSTER_SLOTS,
  'cluster|flushslots': CLUSTER_SLOTS,
  'cluster|migration': CLUSTER_SLOTS,
  'cluster|setslot': CLUSTER_SLOTS,
  'cluster|syncslots': CLUSTER_SLOTS,
  'cluster|slot-stats': CLUSTER_SLOTS,
  'cluster|bumpepoch': CLUSTER_NODES,
  'cluster|forget': CLUSTER_NODES,
  'cluster|meet': CLUSTER_NODES,
  'cluster|reset': CLUSTER_NODES,
  'cluster|saveconfig': CLUSTER_NODES,
  'cluster|set-config-epoch': CLUSTER_NODES,
  'cluster|failover': TOPOLOGY,
  'cluster|replicate': TOPOLOGY,
};

/** Commands whose class does not follow from their flags. */
export const CLASSES: Readonly<Record<string, CommandClass>> = {
  del: { kind: 'split', merge: 'sum' },
  unlink: { kind: 'split', merge: 'sum' },
  exists: { kind: 'split', merge: 'sum' },
  touch: { kind: 'split', merge: 'sum' },
  mget: { kind: 'split', merge: 'array' },
  mset: { kind: 'split', merge: 'ok' },

  ping: LOCAL,
  echo: LOCAL,
  select: LOCAL,
  quit: LOCAL,
  time: LOCAL,
  info: LOCAL,
  auth: LOCAL,
  hello: LOCAL,
  reset: LOCAL,
  command: ANY,
  object: ANY,
  memory: ANY,
  'memory|purge': MASTERS,
  'memory|doctor': MASTERS,
  'memory|malloc-stats': MASTERS,
  'memory|stats': MASTERS,
  xinfo: ANY,
  xgroup: ANY,
  'module|help': ANY,
  'module|list': ANY,
  client: LOCAL,
  role: LOCAL,
  lolwut: LOCAL,
  lastsave: LOCAL,

  // A stream read blocks only when it says BLOCK, which the key extractor sees.
  xread: SLOT,
  xreadgroup: SLOT,

  // What HIMPORT PREPARE says holds for the connection it was said on.
  himport: CONNECTION_STATE,
  'himport|set': CONNECTION_STATE,

  multi: TRANSACTION,
  exec: TRANSACTION,
  discard: TRANSACTION,
  watch: TRANSACTION,
  unwatch: TRANSACTION,
  wait: BLOCKING,
  waitaof: BLOCKING,

  scan: MASTERS,
  keys: MASTERS,
  dbsize: MASTERS,
  randomkey: MASTERS,
  flushall: MASTERS,
  flushdb: MASTERS,
  swapdb: MASTERS,
  script: MASTERS,
  function: MASTERS,
  eval: SCRIPT,
  eval_ro: SCRIPT,
  evalsha: SCRIPT,
  evalsha_ro: SCRIPT,
  fcall: SCRIPT,
  fcall_ro: SCRIPT,
  config: MASTERS,
  'config|help': ANY,
  'config|get': MASTERS,
  'config|set': MASTERS,
  'config|resetstat': MASTERS,
  'config|rewrite': MASTERS,
  latency: LOCAL,
  slowlog: LOCAL,
  monitor: LOCAL,
  readonly: LOCAL,
  readwrite: LOCAL,
  cluster: LOCAL,
  ...CLUSTER_CHANGES,
  asking: LOCAL,
  pubsub: PUBSUB,
  acl: USERS,
  'acl|cat': ANY,
  'acl|genpass': ANY,
  'acl|help': ANY,
  'acl|whoami': ANY,
  module: SERVER,
  debug: SERVER,
  save: SERVER,
  bgsave: SERVER,
  bgrewriteaof: SERVER,
  shutdown: refused('stop the proxy or the server itself'),
  failover: TOPOLOGY,
  replicaof: TOPOLOGY,
  slaveof: TOPOLOGY,
  migrate: refused('slots are moved with: codis-config slot migrate'),
  'restore-asking': refused('it belongs to Redis Cluster'),
};

/** The class that follows from Redis's flags; a subcommand without keys has its parent's. */
export function classOf(facts: { flags: readonly string[]; hasKeys: boolean; parent: CommandClass | undefined }): CommandClass {
  if (facts.flags.includes('pubsub')) return PUBSUB;
  if (facts.flags.includes('blocking')) return BLOCKING;
  if (facts.hasKeys) return SLOT;
  if (facts.parent) return facts.parent;
  return facts.flags.includes('admin') ? SERVER : later('the proxy does not know how to route it');
}
