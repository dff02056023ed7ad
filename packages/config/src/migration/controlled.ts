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

/** What the name of every connection of a controller begins with. */
export const CONTROLLER_CLIENT_NAME = 'codis-controller';

/** Makes the names different, also of connections of one term. */
let connections = 0;

/** For who only looks: a server that takes longer to answer hangs. */
export const LOOK_TIMEOUT_MS = 3000;
/** Longer than any hand-over may take. */
const COMMAND_TIMEOUT_MS = 120_000;

export interface Controlled {
  readonly redis: Redis;
  close(): void;
}

/** A connection to `addr` that no connection of an earlier controller, nor one that this controller gave up, outlives. It ends when this controller is deposed. Throws as
 *  `connectRedis`, and what the server or the coordinator throws. */
export async function openControlled(office: Office, addr: ServerAddr, commandTimeoutMs = COMMAND_TIMEOUT_MS): Promise<Controlled> {
  const { inUse } = office.memory;
  const redis = await connectRedis(addr, { password: office.settings.product_auth, commandTimeoutMs });
  const name = `${CONTROLLER_CLIENT_NAME}:${office.term.number}:${++connections}`;
  const cutOff = () => redis.disconnect();
  const close = () => {
    inUse.delete(name);
    office.signal.removeEventListener('abort', cutOff);
    redis.disconnect();
  };
  inUse.add(name);
  office.signal.addEventListener('abort', cutOff);
  try {
    office.signal.throwIfAborted();
    await redis.client('SETNAME', name);
    await killClients(redis, (other) => other.startsWith(CONTROLLER_CLIENT_NAME) && !inUse.has(other));
    await commitInTerm(office.coordinator, office.term, []);
    return { redis, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Runs `use` on such a connection, and closes it. Throws as `openControlled`, what `use` throws, and CODIS_E_SERVER_UNREACHABLE for a connection that broke. */
export async function withControlled<T>(
  office: Office,
  addr: ServerAddr,
  use: (redis: Redis) => Promise<T>,
  commandTimeoutMs?: number,
): Promise<T> {
  let controlled: Controlled | null = null;
  try {
    controlled = await openControlled(office, addr, commandTimeoutMs);
    return await use(controlled.redis);
  } catch (error) {
    throw explained(addr, error);
  } finally {
    controlled?.close();
  }
}
