// Connections as a Redis server lists them, and cutting them off there. Cutting is what makes "it no longer acts" true of a process that can't be
// asked: once its connections are gone, what it had sent but the server had not run is gone with them.

import type { Redis } from 'ioredis';
import { CodisError } from '../model/index.ts';

const ROUNDS_MAX = 10;

/** Kills every connection to `redis` whose client name passes `named`, except the one that asks. Returns how many there were. Throws CODIS_E_TIMEOUT
 *  when one of those first seen outlives many attempts. Connections that come in the meantime are not its business. */
export async function killClients(redis: Redis, named: (name: string) => boolean): Promise<number> {
  const self = await redis.client('ID');
  const doomed = (await clientsNamed(redis, named)).filter((id) => id !== String(self));
  let left = doomed;
  for (let round = 0; left.length > 0; round++) {
    if (round === ROUNDS_MAX) throw new CodisError('CODIS_E_TIMEOUT', `${left.length} connections could not be killed`);
    for (const id of left) await redis.client('KILL', 'ID', id);
    const alive = new Set(await clientsNamed(redis, named));
    left = left.filter((id) => alive.has(id));
  }
  return doomed.length;
}

async function clientsNamed(redis: Redis, named: (name: string) => boolean): Promise<string[]> {
  const list = String(await redis.client('LIST'));
  const ids: string[] = [];
  for (const line of list.split('\n')) {
    const id = /(?:^| )id=(\d+)/.exec(line)?.[1];
    const name = /(?:^| )name=(\S*)/.exec(line)?.[1];
    if (id !== undefined && name !== undefined && named(name)) ids.push(id);
  }
  return ids;
}
