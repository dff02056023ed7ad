// The target of a lane as the controller sees it: whether it answers, and whether its replicas have what it has.

import type { Redis } from 'ioredis';
import { CodisError, type Group, masterOf, PUT_CALLS, PUT_SCRIPT, parseAddr, type ServerAddr } from '../model/index.ts';
import { connectRedis } from '../redis/connection.ts';
import { type EncodedArgs, encodeArgs, sendPrepared } from '../redis/prepared.ts';
import { type Controlled, openControlled } from './controlled.ts';
import { explained } from './server-trouble.ts';
import { countOwnCalls, type Office } from './turn.ts';

/** A target that takes longer to answer is left alone for a while. */
const ANSWER_MS = 500;
/** What it has just taken keys says as much as an answer. */
const ANSWERED_FOR_MS = 50;
/** How long replicas may take to have a batch. */
const REPLICAS_MS = 5000;
/** How long it may take to put a batch. */
const PUT_MS = 3000;

const PUT = encodeArgs([PUT_SCRIPT]);

export interface Target {
  readonly addr: ServerAddr;
  /** For what is not urgent. */
  readonly redis: Redis;
  /** Throws CODIS_E_SERVER_UNREACHABLE unless it answers now, or did so just now. */
  check(): Promise<void>;
  /** It took keys. */
  answered(): void;
  /** Runs PUT_SCRIPT, with `args`, over a connection that whoever sweeps next cuts off. Throws what it answers, and CODIS_E_SERVER_UNREACHABLE when it does not; then it may have run,
   *  or do so until it is cut off. */
  put(args: readonly EncodedArgs[]): Promise<void>;
  /** Until all its replicas have all that it has now. Throws CODIS_E_TIMEOUT when they take too long. */
  replicated(): Promise<void>;
}

/** Throws as `connectRedis`, and CODIS_E_NO_MASTER. */
export async function withTarget<T>(office: Office, group: Group, use: (target: Target) => Promise<T>): Promise<T> {
  const { settings } = office;
  const addr = masterOf(group);
  if (addr === undefined) throw new CodisError('CODIS_E_NO_MASTER', `group ${group.id} has no master`);
  const connect = (commandTimeoutMs: number) => connectRedis(addr, { password: settings.product_auth, commandTimeoutMs });
  const [asked, waited] = await Promise.all([connect(ANSWER_MS), connect(2 * REPLICAS_MS)]);
  let putting: Promise<Controlled> | null = null;
  const put = async (args: readonly EncodedArgs[]) => {
    putting ??= openControlled(office, addr, PUT_MS);
    const { redis } = await putting;
    await sendPrepared(redis, 'eval', [PUT, ...args]);
    countOwnCalls(office, parseAddr(addr), PUT_CALLS);
  };
  let answeredAtMs = Number.NEGATIVE_INFINITY;
  try {
    return await use({
      addr,
      redis: waited,
      answered: () => {
        answeredAtMs = performance.now();
      },
      check: async () => {
        if (performance.now() - answeredAtMs < ANSWERED_FOR_MS) return;
        await asked.ping().catch((error: unknown) => {
          throw explained(addr, error);
        });
      },
      put: (args) =>
        put(args).catch((error: unknown) => {
          throw explained(addr, error);
        }),
      replicated: () => replicated(waited, group),
    });
  } finally {
    asked.disconnect();
    waited.disconnect();
    await closeOpened(putting);
  }
}

/** What failed to open is closed. */
async function closeOpened(opening: Promise<Controlled> | null): Promise<void> {
  const opened = await opening?.catch(() => null);
  opened?.close();
}

/** WAIT is about what its connection wrote last; PING makes that everything the master has. */
async function replicated(redis: Redis, { id, servers }: Group): Promise<void> {
  const wanted = servers.length - 1;
  await redis.ping();
  const confirmed = await redis.wait(wanted, REPLICAS_MS);
  if (confirmed >= wanted) return;
  throw new CodisError(
    'CODIS_E_TIMEOUT',
    `${wanted - confirmed} of ${wanted} replicas of group ${id} did not confirm within ${REPLICAS_MS / 1000} s what they are to have before the source deletes it`,
  );
}
