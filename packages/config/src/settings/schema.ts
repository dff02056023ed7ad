// Every configuration key, declared once: type, range, default and what it means. Types, validation, `--help`, config.ini and
// docs/config.md all come from this table (and a test holds them together).
//
// Codis's keys keep Codis's names and units. Keys that Codis did not have end in their unit.

/** Which programs read a key. `config` is the codis-config CLI. */
export type Program = 'proxy' | 'dashboard' | 'config';

interface Base {
  /** One or two sentences: what it is, its unit, what follows from a change. */
  readonly about: string;
  readonly programs: readonly Program[];
  /** The section of config.ini and docs/config.md it stands in. */
  readonly section: string;
  /** Where Codis has it: which release; absent for a key of our own. */
  readonly codis?: '2' | '3';
  /** Never shown in logs, status pages or `--help` output. */
  readonly secret?: boolean;
}
export interface StringSetting extends Base {
  readonly type: 'string';
  readonly default: string;
  /** What a value must match; `patternAbout` says it in words. */
  readonly pattern?: RegExp;
  readonly patternAbout?: string;
}
export interface EnumSetting extends Base {
  readonly type: 'enum';
  readonly values: readonly string[];
  readonly default: string;
}
export interface IntegerSetting extends Base {
  readonly type: 'integer';
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}
/** `host:port`. */
export interface AddressSetting extends Base {
  readonly type: 'address';
  readonly default: string;
}
/** `host:port,host:port…`. */
export interface AddressesSetting extends Base {
  readonly type: 'addresses';
  readonly default: readonly string[];
}
/** Addresses and networks of machines, `10.0.0.7,fd00::/8`; may be none. */
export interface NetworksSetting extends Base {
  readonly type: 'networks';
  readonly default: readonly string[];
}
/** `auto`, or a whole number. */
export interface AutoIntegerSetting extends Base {
  readonly type: 'auto-integer';
  readonly default: 'auto' | number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}
export type Setting =
  | StringSetting
  | EnumSetting
  | IntegerSetting
  | AddressSetting
  | AddressesSetting
  | NetworksSetting
  | AutoIntegerSetting;

const ALL = ['proxy', 'dashboard', 'config'] as const;
const SERVERS = ['proxy', 'dashboard'] as const;

export const SETTINGS = {
  product_name: {
    type: 'string',
    default: 'demo',
    pattern: /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/,
    patternAbout: '1 to 64 of A-Z a-z 0-9 _ . -',
    about: 'Name of the cluster. Several products can share one coordinator; everything is kept under /codis/<product_name>.',
    programs: ALL,
    section: 'Cluster',
    codis: '3',
  },
  coordinator: {
    type: 'enum',
    values: ['filesystem', 'zookeeper'],
    default: 'filesystem',
    about: 'Where the slot table is kept: filesystem (a directory; all programs on one machine) or zookeeper (production).',
    programs: ALL,
    section: 'Cluster',
    codis: '2',
  },
  coordinator_dir: {
    type: 'string',
    default: 'data/coordinator',
    about: 'Directory of the filesystem coordinator. A relative path starts at the folder of this file. Must be on a local disk.',
    programs: ALL,
    section: 'Cluster',
  },
  zk: {
    type: 'addresses',
    default: ['localhost:2181'],
    about: 'ZooKeeper servers, host:port separated by commas.',
    programs: ALL,
    section: 'Cluster',
    codis: '2',
  },
  zk_session_timeout: {
    type: 'integer',
    default: 30_000,
    min: 1000,
    max: 600_000,
    unit: 'milliseconds',
    about:
      'How long a program may be silent before the coordinator (ZooKeeper or filesystem) counts it as gone. A killed dashboard is replaced after this long.',
    programs: ALL,
    section: 'Cluster',
    codis: '2',
  },
  product_auth: {
    type: 'string',
    default: '',
    secret: true,
    about: 'Password of the Redis servers (requirepass, and masterauth for replicas). Empty: none.',
    programs: SERVERS,
    section: 'Cluster',
    codis: '3',
  },
  dashboard_addr: {
    type: 'address',
    default: '127.0.0.1:18087',
    about:
      'Where the dashboard listens, and where codis-config finds it. An address that other machines can reach needs dashboard_auth = on.',
    programs: ['dashboard', 'config'],
    section: 'Dashboard',
    codis: '2',
  },
  dashboard_auth: {
    type: 'enum',
    values: ['off', 'on'],
    default: 'off',
    about:
      'Whether one has to log in, or give a token, to use the dashboard. Off: who can connect can do everything. The first start with on makes the user admin and prints its password, once.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  dashboard_read_only: {
    type: 'enum',
    values: ['off', 'on'],
    default: 'off',
    about: 'On: this dashboard shows everything and refuses every change, whoever asks.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  dashboard_trusted_proxies: {
    type: 'networks',
    default: [],
    about:
      'Reverse proxies in front of the dashboard, whose word is taken for where a call comes from (X-Forwarded-For) and whether it came by TLS (X-Forwarded-Proto). Empty: nobody’s, so behind a proxy all callers share its address, and with it the limit of logins.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  dashboard_key_names: {
    type: 'enum',
    values: ['viewer', 'operator', 'admin'],
    default: 'viewer',
    about:
      'From which role on one sees the names of keys that are hot, big, slow or misplaced. Others see a mark in their place, the same for the same key until this dashboard ends.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  alert_webhook: {
    type: 'string',
    default: '',
    pattern: /^(https?:\/\/[^\s]+)?$/,
    patternAbout: 'a URL that begins with http:// or https://, or empty',
    about:
      'Where the elected dashboard POSTs alerts when they fire and when they are over: to an Alertmanager (a URL that ends in /api/v2/alerts), or in the form of Alertmanager’s webhooks. Not those that are silenced. Empty: nowhere.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  migration_batch_slots: {
    type: 'integer',
    default: 1024,
    min: 1,
    max: 1024,
    unit: 'slots',
    about:
      'How many slots of one source and target are locked and moved together. A batch costs two scans of the source; a cancelled migration still moves the batches it has begun.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  big_key_bytes: {
    type: 'integer',
    default: 4_194_304,
    min: 1,
    max: 549_755_813_888,
    unit: 'bytes',
    about:
      'A key that takes this much memory moves in pieces: nobody else waits for it, it is read meanwhile, and writes to it wait. Smaller ones move in one step, which blocks their server.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  big_key_elements: {
    type: 'integer',
    default: 50_000,
    min: 1,
    max: 4_294_967_296,
    unit: 'elements',
    about: 'A hash, set or sorted set of this many elements moves in pieces too, however little memory it takes.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  slot_lock_lease_ms: {
    type: 'integer',
    default: 90,
    min: 50,
    max: 60_000,
    unit: 'milliseconds',
    about:
      'How long a slot may stay locked at the start of its move, which is what requests for it wait, before the lock is rolled back and tried later with fewer slots.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  proxy_lost_timeout: {
    type: 'integer',
    default: 10,
    min: 1,
    max: 3600,
    unit: 'seconds',
    about: 'How long a proxy may be without a session before a slot move fences it off and goes on without it.',
    programs: ['dashboard'],
    section: 'Dashboard',
  },
  proxy_id: {
    type: 'string',
    default: 'proxy_1',
    pattern: /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/,
    patternAbout: '1 to 64 of A-Z a-z 0-9 _ . -',
    about: 'Name of this proxy in the product; each proxy needs its own (--proxy-id).',
    programs: ['proxy'],
    section: 'Proxy',
    codis: '2',
  },
  proxy_addr: {
    type: 'address',
    default: '127.0.0.1:19000',
    about: 'Where Redis clients connect to this proxy.',
    programs: ['proxy'],
    section: 'Proxy',
    codis: '3',
  },
  proxy_announce_addr: {
    type: 'string',
    default: '',
    pattern: /^([^\s:,[\]]+:\d{1,5}|\[[0-9a-fA-F:.]+\]:\d{1,5})?$/,
    patternAbout: 'host:port, or empty for proxy_addr',
    about:
      'The address this proxy registers: where the dashboard and cluster-aware clients find it. Empty for proxy_addr; needed where clients reach the proxy at another address than it listens on (0.0.0.0, a container).',
    programs: ['proxy'],
    section: 'Proxy',
  },
  admin_addr: {
    type: 'address',
    default: '127.0.0.1:11080',
    about: 'Where this proxy serves /healthz, /readyz, /status and /metrics over HTTP.',
    programs: ['proxy'],
    section: 'Proxy',
    codis: '3',
  },
  proxy_start: {
    type: 'enum',
    values: ['online', 'offline'],
    default: 'online',
    about:
      'What a proxy that registers for the first time wants to be: online serves at once; offline waits for "codis-config proxy online", as Codis 2 did.',
    programs: ['proxy'],
    section: 'Proxy',
  },
  workers: {
    type: 'auto-integer',
    default: 'auto',
    min: 1,
    max: 256,
    unit: 'processes',
    about: 'Worker processes of a proxy. auto is one per core.',
    programs: ['proxy'],
    section: 'Proxy',
  },
  worker_stall_timeout: {
    type: 'integer',
    default: 10,
    min: 0,
    max: 3600,
    unit: 'seconds',
    about:
      'A worker that stands still for this long (frozen, or busy without an end) is killed and replaced, for it holds up slot moves as well as its own clients. 0: never, for who debugs it.',
    programs: ['proxy'],
    section: 'Proxy',
  },
  session_auth: {
    type: 'string',
    default: '',
    secret: true,
    about: 'Password that clients must give with AUTH. Empty: none.',
    programs: ['proxy'],
    section: 'Clients',
    codis: '3',
  },
  session_max_timeout: {
    type: 'integer',
    default: 0,
    min: 0,
    max: 31_536_000,
    unit: 'seconds',
    about: 'A client that is idle this long is disconnected. 0: never, as Redis by default.',
    programs: ['proxy'],
    section: 'Clients',
    codis: '2',
  },
  session_max_pipeline: {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    about:
      'How many requests of one client may be under way; past it the proxy stops reading from that client until replies have gone out. What is under way of one client, others have to wait for at the servers, and more than this makes nobody faster.',
    programs: ['proxy'],
    section: 'Clients',
    codis: '2',
  },
  session_max_bufsize: {
    type: 'integer',
    default: 67_108_864,
    min: 65_536,
    max: 4_294_967_296,
    unit: 'bytes',
    about:
      'How many bytes of replies may wait for one client. Past it a client that reads slowly is waited for, and one that does not read at all is dropped.',
    programs: ['proxy'],
    section: 'Clients',
    codis: '2',
  },
  session_stall_timeout: {
    type: 'integer',
    default: 30,
    min: 1,
    max: 3600,
    unit: 'seconds',
    about: 'A client that has replies waiting and does not take the next 256 KB of them (or the rest) within this time is disconnected.',
    programs: ['proxy'],
    section: 'Clients',
  },
  request_max_bytes: {
    type: 'integer',
    default: 536_870_912,
    min: 65_536,
    max: 536_870_912,
    unit: 'bytes',
    about: 'Largest request; a larger one is refused with an error and its connection closed.',
    programs: ['proxy'],
    section: 'Clients',
  },
  max_clients: {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'clients',
    about: 'Clients per proxy (proxy_max_clients in Codis 3 was 1000); one more gets an error and is closed.',
    programs: ['proxy'],
    section: 'Clients',
  },
  backend_ping_period: {
    type: 'integer',
    default: 5,
    min: 1,
    max: 3600,
    unit: 'seconds',
    about: 'A connection to a Redis that was idle this long is checked with PING.',
    programs: ['proxy'],
    section: 'Backends',
    codis: '2',
  },
  backend_connect_timeout_ms: {
    type: 'integer',
    default: 2000,
    min: 50,
    max: 60_000,
    unit: 'milliseconds',
    about: 'How long connecting to a Redis may take, handshake included.',
    programs: ['proxy'],
    section: 'Backends',
  },
  backend_recv_timeout: {
    type: 'integer',
    default: 30,
    min: 1,
    max: 3600,
    unit: 'seconds',
    about: 'A Redis that has requests to answer and sends nothing for this long is counted as hung; its clients get an error.',
    programs: ['proxy'],
    section: 'Backends',
    codis: '3',
  },
  backend_max_bufsize: {
    type: 'integer',
    default: 67_108_864,
    min: 65_536,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'How many bytes may wait for one Redis connection; past it the clients that feed it are not read from until it has drained.',
    programs: ['proxy'],
    section: 'Backends',
  },
  slot_hold_timeout_ms: {
    type: 'integer',
    default: 1000,
    min: 10,
    max: 60_000,
    unit: 'milliseconds',
    about: 'How long a request may wait for a locked slot, or for its key to be handed over, before it is answered -TRYAGAIN.',
    programs: ['proxy'],
    section: 'Backends',
  },
  slot_hold_max_bytes: {
    type: 'integer',
    default: 67_108_864,
    min: 65_536,
    max: 4_294_967_296,
    unit: 'bytes',
    about: 'How many bytes of requests a worker may hold for slots in a move; past it further ones are answered -TRYAGAIN.',
    programs: ['proxy'],
    section: 'Backends',
  },
  slowlog_log_slower_than: {
    type: 'integer',
    default: 10_000,
    min: -1,
    max: 2_147_483_646,
    unit: 'microseconds',
    about:
      'A request that takes at least this long in the proxy, waiting for the server included, is kept for SLOWLOG GET. 0: all; -1: none.',
    programs: ['proxy'],
    section: 'Logging',
  },
  slowlog_max_len: {
    type: 'integer',
    default: 128,
    min: 0,
    max: 100_000,
    unit: 'entries',
    about: 'How many entries SLOWLOG keeps; the oldest go first.',
    programs: ['proxy'],
    section: 'Logging',
  },
  latency_monitor_threshold_ms: {
    type: 'integer',
    default: 100,
    min: 0,
    max: 3_600_000,
    unit: 'milliseconds',
    about:
      'What makes clients wait at least this long is kept for LATENCY LATEST: slow commands, holds for moves, a worker that stood still. 0: nothing.',
    programs: ['proxy'],
    section: 'Logging',
  },
  log_level: {
    type: 'enum',
    values: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    about: 'What is logged; one JSON object per line on standard error.',
    programs: SERVERS,
    section: 'Logging',
    codis: '3',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

type ValueOf<S> = S extends { type: 'integer' }
  ? number
  : S extends { type: 'auto-integer' }
    ? 'auto' | number
    : S extends { type: 'addresses' | 'networks' }
      ? readonly string[]
      : S extends { type: 'enum'; values: readonly (infer V)[] }
        ? V
        : string;

/** All keys with their values; what a program starts from. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> };
