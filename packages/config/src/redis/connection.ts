// Control-plane connections to Redis servers: probing, scanning, handing over. Never the data path.
//
// Every ioredis option that could hide a failure is off: no offline queue, no resending, no reconnecting. A connection that fails is closed and the
// caller decides; a command whose reply did not come in time closes it too, for its pipeline would be off by one from then on.

import { Redis } from 'ioredis';
import { CodisError, parseAddr, type ServerAddr } from '../model/index.ts';

export interface ConnectOptions {
  /** Empty for none. */
  readonly password: string;
  readonly connectTimeoutMs?: number;
  /** How long one command may take. */
  readonly commandTimeoutMs?: number;
  readonly db?: number;
}

/** A connected, authenticated client; the caller calls `disconnect()`. Throws CODIS_E_SERVER_UNREACHABLE, or CODIS_E_NOT_REDIS when what
 *  listens there does not answer PING as Redis does (a wrong password included). */
export async function connectRedis(addr: ServerAddr, options: ConnectOptions): Promise<Redis> {
  const redis = new Redis({
    ...parseAddr(addr),
    ...(options.password === '' ? {} : { password: options.password }),
    db: options.db ?? 0,
    protocol: 2,
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    connectTimeout: options.connectTimeoutMs ?? 2000,
    commandTimeout: options.commandTimeoutMs ?? 5000,
    retryStrategy: () => null,
  });
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  try {
    await redis.connect();
    const pong = await redis.ping();
    if (pong !== 'PONG') throw new Error(`it answered PING with ${JSON.stringify(pong)}`);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw connectError(addr, lastError ?? (error as Error));
  }
}

function connectError(addr: ServerAddr, cause: Error): CodisError {
  if ('code' in cause || /ETIMEDOUT|Connection is closed|timed out/.test(cause.message)) {
    return new CodisError('CODIS_E_SERVER_UNREACHABLE', `${addr} can't be reached: ${cause.message}`, { cause });
  }
  return new CodisError('CODIS_E_NOT_REDIS', `${addr} is not a Redis this product can use: ${cause.message}`, { cause });
}
