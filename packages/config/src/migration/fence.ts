// Fencing: making sure that a proxy which can't be asked no longer runs anything at a group, with nothing but stock Redis (DESIGN §3).
//
//   1. the marker, a reserved key on the group's master, is raised to the epoch of the lock to come;
//   2. the proxy's connections are killed on all servers of the group.
//
// A proxy names a connection first, then reads the marker, and uses the connection only at an epoch not below it. So a connection that read the old
// marker has its name by the time of step 2, and one that was named too late for step 2 reads the new marker. Either way, after a fence at
// epoch e nothing runs there that was routed by an older table.
//
// Invariant: the marker only goes up, as the epochs of one coordinator do.

import type { Redis } from 'ioredis';
import {
  asEpoch,
  CodisError,
  type Epoch,
  fenceKey,
  type Group,
  masterOf,
  type ProxyId,
  proxyOfClientName,
  type ServerAddr,
} from '../model/index.ts';
import { withRedis } from '../redis/probe.ts';
import { killClients } from './clients.ts';
import { isServerTrouble } from './server-trouble.ts';

/** KEYS[1]: the marker. ARGV[1]: the epoch. Replies 1 when it was raised, 0 when it stood as high already. */
const RAISE_SCRIPT = `
if tonumber(redis.call('GET', KEYS[1]) or -1) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
`.trim();

const LOWER_SCRIPT = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) end
`.trim();

export interface FenceRequest {
  readonly product: string;
  readonly password: string;
  readonly group: Group;
  readonly proxies: readonly ProxyId[];
  /** What a connection must be at to be used from now on. */
  readonly epoch: Epoch;
}

export interface FenceResult {
  /** False when the marker stood there already. */
  readonly raised: boolean;
  readonly killedCount: number;
  /** Replicas that could not be asked. A proxy has no business there: they run no writes, and one that is promoted gets its marker anew. */
  readonly unreachable: readonly ServerAddr[];
}

/** Fences `proxies` off `group`. Throws CODIS_E_NO_MASTER, CODIS_E_SERVER_UNREACHABLE or CODIS_E_NOT_REDIS when the master can't be asked: then they are
 *  not fenced. Safe to repeat. */
export async function fence(request: FenceRequest): Promise<FenceResult> {
  const { group, password } = request;
  const master = requireMasterOf(group);
  const ids = new Set<string>(request.proxies);
  const kill = (redis: Redis) => killClients(redis, (name) => ids.has(proxyOfClientName(name)?.id ?? ''));
  const onMaster = await withRedis(master, { password }, async (redis) => {
    const raised = await raise(redis, request);
    return { raised, killedCount: await kill(redis) };
  });
  const unreachable: ServerAddr[] = [];
  let killedCount = onMaster.killedCount;
  for (const { addr, role } of group.servers) {
    if (role === 'master') continue;
    try {
      killedCount += await withRedis(addr, { password }, kill);
    } catch (error) {
      if (!isServerTrouble(error)) throw error;
      unreachable.push(addr);
    }
  }
  return { raised: onMaster.raised, killedCount, unreachable };
}

/** Puts a marker back that a failover or a restart lost; whoever came in meanwhile is cut off. Returns whether it had to. */
export async function reassertFence(request: FenceRequest): Promise<boolean> {
  const master = requireMasterOf(request.group);
  const lost = await withRedis(master, { password: request.password }, (redis) => raise(redis, request));
  if (lost) await fence(request);
  return lost;
}

/** The marker on the group's master; null when there is none. Throws as `fence`. */
export async function readFence({ product, password, group }: Omit<FenceRequest, 'proxies' | 'epoch'>): Promise<Epoch | null> {
  const value = await withRedis(requireMasterOf(group), { password }, (redis) => redis.get(fenceKey(product)));
  return value !== null && /^\d{1,15}$/.test(value) ? asEpoch(Number(value)) : null;
}

/** Sets a marker `from` back to `to`. Only for one that this coordinator can't have set: its epochs begin anew when it is made anew. */
export async function lowerFence(
  { product, password, group }: Omit<FenceRequest, 'proxies' | 'epoch'>,
  { from, to }: { from: Epoch; to: Epoch },
): Promise<void> {
  await withRedis(requireMasterOf(group), { password }, (redis) => redis.eval(LOWER_SCRIPT, 1, fenceKey(product), from, to));
}

async function raise(redis: Redis, { product, epoch }: FenceRequest): Promise<boolean> {
  return (await redis.eval(RAISE_SCRIPT, 1, fenceKey(product), epoch)) === 1;
}

function requireMasterOf(group: Group): ServerAddr {
  const master = masterOf(group);
  if (!master) throw new CodisError('CODIS_E_NO_MASTER', `group ${group.id} has no master, so nobody can be fenced off it`);
  return master;
}
