// SLOWLOG of all servers of a topology. Looks only.

import type { Redis } from 'ioredis';
import { type GroupId, type ServerAddr, slotOf } from '../model/index.ts';
import { withRedis } from '../redis/probe.ts';
import type { Caller } from './caller.ts';
import { readTopology } from './commit.ts';

/** How many entries a server is asked for. */
const ENTRIES_MAX = 128;

export interface ServerSlowEntry {
  readonly addr: ServerAddr;
  readonly group: GroupId;
  readonly id: number;
  /** Unix seconds, by the server's clock. */
  readonly time: number;
  readonly micros: number;
  readonly args: readonly Buffer[];
  /** Which of them is the first key; null when there is none. */
  readonly key: Buffer | null;
  readonly slot: number | null;
  readonly client: string;
}

/** `notes`: who could not be asked. Throws CODIS_E_NOT_INITIALISED. */
export async function readSlowLogs(caller: Caller): Promise<{ entries: ServerSlowEntry[]; notes: string[] }> {
  const { topology } = await readTopology(caller);
  const notes: string[] = [];
  const servers = topology.groups.flatMap(({ id, servers: all }) => all.map(({ addr }) => ({ group: id, addr })));
  const entries = await Promise.all(
    servers.map(async ({ group, addr }) => {
      try {
        return await withRedis(addr, caller, (redis) => readOne(redis, { group, addr }));
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error || error.name === 'ReplyError')) throw error;
        notes.push(`${addr} could not be asked for its slow log: ${error.message}`);
        return [];
      }
    }),
  );
  return { entries: entries.flat(), notes };
}

type Raw = [id: number, time: number, micros: number, args: Buffer[], client?: Buffer];

async function readOne(redis: Redis, at: { group: GroupId; addr: ServerAddr }): Promise<ServerSlowEntry[]> {
  const raw = (await redis.callBuffer('SLOWLOG', 'GET', ENTRIES_MAX)) as unknown as Raw[];
  const pipeline = redis.pipeline();
  for (const [, , , args] of raw) pipeline.callBuffer('COMMAND', 'GETKEYS', ...args);
  const keys = raw.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  return raw.map(([id, time, micros, args, client], index) => {
    const [error, found] = keys[index] ?? [null, null];
    const key = error === null && Array.isArray(found) && Buffer.isBuffer(found[0]) ? found[0] : null;
    return { ...at, id, time, micros, args, key, slot: key && slotOf(key), client: client?.toString('latin1') ?? '' };
  });
}
