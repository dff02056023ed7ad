// A product without programs: the real filesystem coordinator in a scratch directory, real redis-servers, and a caller to operate with.

import { afterAll } from 'vitest';
import { scratchDir } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type Coordinator, type Op, openCoordinator } from '../../src/coordinator/index.ts';
import { asGroupId, asServerAddr, asSlot, CodisError, type ErrorCode, isCodisError } from '../../src/model/index.ts';
import { addServer, assignRange, type Caller, initSlots, listEvents, readTopology } from '../../src/operations/index.ts';

export const G1 = asGroupId(1);
export const G2 = asGroupId(2);
export const ACTOR = 'alice';

/** A coordinator of its own, with nothing in it; closed with the test file. */
export async function newCaller(): Promise<Caller> {
  const coordinator = openCoordinator({
    product_name: 'test',
    coordinator: 'filesystem',
    coordinator_dir: scratchDir('coordinator'),
    zk: [],
    zk_session_timeout: 5000,
  });
  afterAll(() => coordinator.close());
  await coordinator.ready(5000);
  return { coordinator, product: 'test', actor: ACTOR, password: '' };
}

/** As `newCaller`, with a slot table. */
export async function newProduct(): Promise<Caller> {
  const caller = await newCaller();
  await initSlots(caller, { force: false });
  return caller;
}

/** As `newProduct`, with one empty master per group and the slots 0-511 and 512-1023. */
export async function newCluster(): Promise<{ caller: Caller; a: RedisServer; b: RedisServer }> {
  const [caller, a, b] = await Promise.all([newProduct(), startRedis(), startRedis()]);
  await addServer(caller, { group: G1, addr: asServerAddr(a.addr), role: 'master', force: false });
  await addServer(caller, { group: G2, addr: asServerAddr(b.addr), role: 'master', force: false });
  await assignRange(caller, { first: asSlot(0), last: asSlot(511), owner: G1 });
  await assignRange(caller, { first: asSlot(512), last: asSlot(1023), owner: G2 });
  return { caller, a, b };
}

/** Everything that a refused operation must leave as it was. */
export async function snapshot(caller: Caller): Promise<{ topology: unknown; events: number }> {
  const events = (await listEvents(caller.coordinator)).length;
  try {
    return { topology: await readTopology(caller), events };
  } catch (error) {
    if (!isCodisError(error, 'CODIS_E_NOT_INITIALISED')) throw error;
    return { topology: null, events };
  }
}

/** Resolves to the error's code; fails when there is none, or when something was changed. */
export async function refusal(caller: Caller, operation: () => Promise<unknown>): Promise<ErrorCode> {
  const before = await snapshot(caller);
  let code: ErrorCode | undefined;
  try {
    await operation();
  } catch (error) {
    if (!isCodisError(error)) throw error;
    code = error.code;
  }
  if (code === undefined) throw new Error('the operation was not refused');
  const after = await snapshot(caller);
  if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error('the operation was refused, but it changed something');
  return code;
}

/** The same connection with another `commit`, to make it fail in ways a healthy coordinator does not. */
export function withCommit(coordinator: Coordinator, commit: Coordinator['commit']): Coordinator {
  return new Proxy(coordinator, {
    get: (target, key) => {
      if (key === 'commit') return commit;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The same connection, whose next `count` commits lose their answer; `made` says whether they are made all the same. */
export function losingAnswers(coordinator: Coordinator, { made, count = 1 }: { made: boolean; count?: number }): Coordinator {
  let left = count;
  return withCommit(coordinator, async (ops: readonly Op[]) => {
    if (left === 0) return coordinator.commit(ops);
    left--;
    if (made) await coordinator.commit(ops);
    throw new CodisError('CODIS_E_COORDINATOR_UNKNOWN', 'the connection broke in the middle of a commit');
  });
}
