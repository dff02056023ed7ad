// A real redis-server on a free port of 127.0.0.1, without persistence unless asked for.

import { Redis } from 'ioredis';
import { type Child, eventually, freePort, scratchDir, start } from './process.ts';

interface ClientOptions {
  readonly db?: number;
  readonly password?: string;
}

export interface RedisServer {
  readonly port: number;
  readonly addr: string;
  readonly child: Child;
  /** A new client, closed with the server. */
  client(options?: ClientOptions): Redis;
  stop(): Promise<void>;
}

/** Starts one and waits until it answers; `config` is redis.conf's words, `port` fixes the port (to restart one where it was). */
export async function startRedis(
  options: { port?: number; config?: Record<string, string>; replicaOf?: RedisServer } = {},
): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const config: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
    dir: scratchDir('redis'),
    ...(options.replicaOf ? { replicaof: `127.0.0.1 ${options.replicaOf.port}`, 'repl-diskless-sync-delay': '0' } : {}),
    'repl-diskless-sync-delay': '0',
    ...options.config,
  };
  const args = Object.entries(config).flatMap(([key, value]) =>
    key === 'replicaof' ? [`--${key}`, ...value.split(' ')] : [`--${key}`, value],
  );
  const child = start('redis-server', args, { name: `redis-${port}` });
  const clients: Redis[] = [];
  const client = (extra: ClientOptions = {}) => {
    const redis = new Redis({
      host: '127.0.0.1',
      port,
      protocol: 2,
      maxRetriesPerRequest: 0,
      disableClientInfo: true,
      retryStrategy: () => 50,
      ...extra,
    });
    redis.on('error', () => undefined);
    clients.push(redis);
    return redis;
  };
  const probe = client(config['requirepass'] ? { password: config['requirepass'] } : {});
  await eventually(async () => (await probe.ping()) === 'PONG', { what: `redis-server on ${port}: ${child.output().slice(-500)}` });
  return {
    port,
    addr: `127.0.0.1:${port}`,
    child,
    client,
    stop: async () => {
      for (const redis of clients) redis.disconnect();
      await child.stop();
    },
  };
}
