// Telling Redis servers whom to replicate. Small steps that promotion and adding a server are made of.

import type { Redis } from 'ioredis';
import { parseAddr, type ServerAddr } from '../model/index.ts';
import { type ServerProbe, withRedis } from '../redis/probe.ts';

/** Makes `addr` a replica of `master`, dropping its own keys. Returns what the operator should know. Throws as `withRedis`. */
export function replicate(addr: ServerAddr, { master, password }: { master: ServerAddr; password: string }): Promise<string[]> {
  return withRedis(addr, { password }, async (redis) => {
    if (password !== '') await redis.config('SET', 'masterauth', password);
    const { host, port } = parseAddr(master);
    await redis.replicaof(host, port);
    return rememberConfig(addr, redis);
  });
}

/** Makes `addr` a master, keeping its keys. Throws as `withRedis`. */
export function stopReplicating(addr: ServerAddr, { password }: { password: string }): Promise<string[]> {
  return withRedis(addr, { password }, async (redis) => {
    await redis.replicaof('NO', 'ONE');
    return rememberConfig(addr, redis);
  });
}

/** Whether `server` is linked to `master`, by whatever name it knows it: while linked, both are in the same replication history. */
export function replicates(server: ServerProbe, master: ServerProbe): boolean {
  return server.master?.linkUp === true && server.replicationId === master.replicationId;
}

/** A role given by command is forgotten by the next restart unless it is written to redis.conf. */
async function rememberConfig(addr: ServerAddr, redis: Redis): Promise<string[]> {
  try {
    await redis.config('REWRITE');
    return [];
  } catch (error) {
    return [
      `${addr} could not write its role to its redis.conf (${(error as Error).message}); set replicaof there, or a restart forgets it`,
    ];
  }
}
