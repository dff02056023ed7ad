// What a Redis says of itself, read before the topology trusts it: its role, its master, its keys. Decides nothing; operations do.
//
// Invariant: a ServerProbe is only made of a real, stand-alone redis-server. Anything else that listens there (an HTTP server, a proxy, a
// sentinel, a cluster node, something silent) is CODIS_E_NOT_REDIS, so nothing but Redis ever gets into a topology.

import type { Redis } from 'ioredis';
import { CodisError, fenceKey, isCodisError, type Role, type ServerAddr } from '../model/index.ts';
import { connectRedis } from './connection.ts';

/** One moment of one server. */
export interface ServerProbe {
  readonly addr: ServerAddr;
  readonly version: string;
  /** New with every start of the process: two addresses with one run id are one server. */
  readonly runId: string;
  /** The role it really has, whatever the topology says. */
  readonly role: Role;
  /** Whom it replicates, null for a master. */
  readonly master: MasterLink | null;
  readonly replicasCount: number;
  /** By `host:port` of each replica as this server sees it: how long ago it last heard of it, in seconds. */
  readonly heardAgo: ReadonlyMap<string, number>;
  /** The replication history it is in: a replica takes it over from its master. */
  readonly replicationId: string;
  /** Position in the replication stream: of what a master wrote, or a replica has read. */
  readonly offset: number;
  /** In database order; databases without keys are not in it. */
  readonly databases: readonly { readonly db: number; readonly keysCount: number }[];
  /** Over all databases. */
  readonly keysCount: number;
  readonly usedMemoryBytes: number;
  /** 0: no limit. */
  readonly maxMemoryBytes: number;
  /** By its own, short, average. */
  readonly opsPerSecond: number;
  readonly uptimeSeconds: number;
  /** Its time of day, Unix milliseconds; null when it does not say (Redis 6). */
  readonly clockMs: number | null;
}

interface MasterLink {
  /** `host:port` as the replica was told it, which may be another spelling than the topology's. */
  readonly addr: string;
  readonly linkUp: boolean;
  /** A full copy is being received: until it is complete the replica's data is not usable. */
  readonly syncing: boolean;
  /** How much of it has arrived; null while none is received. `totalBytes` is null when the master sends it as it makes it. */
  readonly sync: { readonly readBytes: number; readonly totalBytes: number | null } | null;
}

/** How long a probe may take; `timeoutMs` bounds connecting and each command. */
export interface ProbeOptions {
  readonly password: string;
  /** Whose fence marker is not counted as a key. */
  readonly product: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 2000;

/** Throws CODIS_E_SERVER_UNREACHABLE or CODIS_E_NOT_REDIS. */
export function probeServer(addr: ServerAddr, options: ProbeOptions): Promise<ServerProbe> {
  return withRedis(addr, options, (redis) => probe(addr, redis, options.product));
}

/** Runs `use` on a fresh connection and closes it. Throws as `connectRedis`, but tells silence from refusal: what takes the connection
 *  and never answers is CODIS_E_NOT_REDIS. Errors of `use` pass, but for a connection that broke: CODIS_E_SERVER_UNREACHABLE. */
export async function withRedis<T>(
  addr: ServerAddr,
  options: Omit<ProbeOptions, 'product'>,
  use: (redis: Redis) => Promise<T>,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const redis = await connectRedis(addr, { password: options.password, connectTimeoutMs: timeoutMs, commandTimeoutMs: timeoutMs }).catch(
    (error: unknown) => {
      throw stranger(addr, error);
    },
  );
  try {
    return await use(redis);
  } catch (error) {
    throw broken(addr, error);
  } finally {
    redis.disconnect();
  }
}

/** Reads INFO on a connection the caller has. The product's fence marker is not counted as a key, where the connection is in database 0. */
export async function probe(addr: ServerAddr, redis: Redis, product: string): Promise<ServerProbe> {
  const info = parseInfo(await redis.info());
  checkKind(addr, info);
  const databases = databasesOf(info, await countMarkers(redis, info, product));
  return {
    addr,
    version: info.get('redis_version') ?? '',
    runId: info.get('run_id') ?? '',
    role: info.get('role') === 'slave' ? 'replica' : 'master',
    master: masterLinkOf(info),
    replicationId: info.get('master_replid') ?? '',
    replicasCount: numberOf(info, 'connected_slaves'),
    heardAgo: heardAgoOf(info),
    offset: numberOf(info, info.get('role') === 'slave' ? 'slave_repl_offset' : 'master_repl_offset'),
    databases,
    keysCount: databases.reduce((sum, { keysCount }) => sum + keysCount, 0),
    usedMemoryBytes: numberOf(info, 'used_memory'),
    maxMemoryBytes: numberOf(info, 'maxmemory'),
    opsPerSecond: numberOf(info, 'instantaneous_ops_per_sec'),
    uptimeSeconds: numberOf(info, 'uptime_in_seconds'),
    clockMs: info.has('server_time_usec') ? numberOf(info, 'server_time_usec') / 1000 : null,
  };
}

/** The `key:value` lines of an INFO reply. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}

function checkKind(addr: ServerAddr, info: ReadonlyMap<string, string>): void {
  const refuse = (why: string) => new CodisError('CODIS_E_NOT_REDIS', `${addr} ${why}`);
  if (info.has('proxy_id')) throw refuse('is a codis-proxy; give the address of a redis-server');
  if (!info.has('redis_version') || !info.has('run_id') || !info.has('role')) {
    throw refuse('answers, but its INFO is not that of a redis-server (another proxy?); give the address of the Redis itself');
  }
  const mode = info.get('redis_mode') ?? 'standalone';
  if (mode === 'sentinel') throw refuse('is a Redis Sentinel; give the address of the Redis that it watches');
  if (mode === 'cluster' || info.get('cluster_enabled') === '1') {
    throw refuse('runs in cluster mode; start it with cluster-enabled no');
  }
}

function masterLinkOf(info: ReadonlyMap<string, string>): MasterLink | null {
  if (info.get('role') !== 'slave') return null;
  const host = info.get('master_host') ?? '';
  const syncing = info.get('master_sync_in_progress') === '1';
  const totalBytes = numberOf(info, 'master_sync_total_bytes');
  return {
    addr: `${host.includes(':') ? `[${host}]` : host}:${info.get('master_port') ?? ''}`,
    linkUp: info.get('master_link_status') === 'up',
    syncing,
    sync: syncing ? { readBytes: numberOf(info, 'master_sync_read_bytes'), totalBytes: totalBytes > 0 ? totalBytes : null } : null,
  };
}

/** `slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=1`; a lag below 0: not heard of yet. */
function heardAgoOf(info: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const heard = new Map<string, number>();
  for (const [key, value] of info) {
    if (!/^slave\d+$/.test(key)) continue;
    const [, ip = '', port = '', lag = '-1'] = /^ip=([^,]*),port=(\d+),.*\blag=(-?\d+)/.exec(value) ?? [];
    if (Number(lag) >= 0) heard.set(`${ip.includes(':') ? `[${ip}]` : ip}:${port}`, Number(lag));
  }
  return heard;
}

/** A server that is loading its data answers nothing but INFO. */
async function countMarkers(redis: Redis, info: ReadonlyMap<string, string>, product: string): Promise<number> {
  return info.get('loading') === '1' || info.get('async_loading') === '1' ? 0 : redis.exists(fenceKey(product));
}

function databasesOf(info: ReadonlyMap<string, string>, markersCount: number): { db: number; keysCount: number }[] {
  const databases: { db: number; keysCount: number }[] = [];
  for (const [key, value] of info) {
    const db = /^db(\d+)$/.exec(key)?.[1];
    const keys = /^keys=(\d+)/.exec(value)?.[1];
    if (db === undefined || keys === undefined) continue;
    const keysCount = Number(keys) - (db === '0' ? markersCount : 0);
    if (keysCount > 0) databases.push({ db: Number(db), keysCount });
  }
  return databases.sort((a, b) => a.db - b.db);
}

function numberOf(info: ReadonlyMap<string, string>, key: string): number {
  const value = Number(info.get(key));
  return Number.isFinite(value) ? value : 0;
}

/** Says what a failed connection tells about who listens: nobody, somebody silent, or somebody who speaks another protocol. */
function stranger(addr: ServerAddr, error: unknown): unknown {
  if (!isCodisError(error) || !(error.cause instanceof Error)) return error;
  if (error.cause.message === 'Command timed out') {
    return new CodisError('CODIS_E_NOT_REDIS', `${addr} takes connections but does not answer PING: it is not a Redis, or it hangs`, {
      cause: error,
    });
  }
  if (!error.cause.message.startsWith('Unknown RESP type')) return error;
  return new CodisError('CODIS_E_NOT_REDIS', `${addr} answers, but not as a Redis does; is it a web server?`, { cause: error });
}

function broken(addr: ServerAddr, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CodisError || error.name === 'ReplyError') return error;
  if (!('code' in error) && !/timed out|Connection is closed|isn't writeable/.test(error.message)) return error;
  return new CodisError('CODIS_E_SERVER_UNREACHABLE', `${addr} stopped answering: ${error.message}`, { cause: error });
}
