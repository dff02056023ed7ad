// The controller's connections to Redis servers. A hand-over that reaches a server late (from a controller that froze, or over a connection given up)
// would take a key away from a slot that has come back there, so before anything is decided at a server, whatever controllers still have under way there
// is cut off.
//
// Invariant: a connection is used only when its process was seen to be elected after it was opened. One that was opened before the newest election is
// killed by the newest controller; one opened later finds the term over.

import type { Redis } from 'ioredis';
import type { ServerAddr } from '../model/index.ts';
import { connectRedis } from '../redis/connection.ts';
import { killClients } from './clients.ts';
import { commitInTerm } from './election.ts';
import { explained } from './server-trouble.ts';
import type { Office } from './turn.ts';

/** Name of every connection of a controller. */
export const CONTROLLER_CLIENT_NAME = 'codis-controller';

/** Longer than any hand-over may take. */
const COMMAND_TIMEOUT_MS = 120_000;

/** Runs `use` on a connection to `addr` that no other controller's connection outlives, and closes it, also when this controller is deposed.
 *  Throws as `connectRedis`, what `use` throws, and CODIS_E_SERVER_UNREACHABLE for a connection that broke. */
export async function withControlled<T>(office: Office, addr: ServerAddr, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = await connectRedis(addr, { password: office.settings.product_auth, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const cutOff = () => redis.disconnect();
  office.signal.addEventListener('abort', cutOff);
  try {
    await redis.client('SETNAME', CONTROLLER_CLIENT_NAME);
    await killClients(redis, (name) => name === CONTROLLER_CLIENT_NAME);
    await commitInTerm(office.coordinator, office.term, []);
    return await use(redis);
  } catch (error) {
    throw explained(addr, error);
  } finally {
    office.signal.removeEventListener('abort', cutOff);
    redis.disconnect();
  }
}
