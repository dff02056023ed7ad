// Making a replica its group's master, without losing a write when the old master still lives.
//
//   old lives:  pause writes at old ─▶ candidate catches up ─▶ candidate: REPLICAOF NO ONE ─▶ old: REPLICAOF candidate ─┐
//   old is gone:                                               candidate: REPLICAOF NO ONE ────────────────────────────┴▶ topology ─▶ the others
//
// Invariant: when the topology names the new master, the old one refuses writes or is gone; no acknowledgement of proxies is needed.
// Running it again after a failure half-way finishes it: every step looks at what is there.

import {
  CodisError,
  type Group,
  type GroupId,
  masterOf,
  parseAddr,
  promoteServer as promoteInTopology,
  requireGroup,
  type ServerAddr,
} from '../model/index.ts';
import { probe, probeServer, type ServerProbe, withRedis } from '../redis/probe.ts';
import { type Caller, checkExpected } from './caller.ts';
import { changeTopology, readTopology } from './commit.ts';
import { replicate, replicates, stopReplicating } from './replication.ts';
import type { ServerChange, ServerRequest } from './servers.ts';

/** How long the candidate may take to catch up with the paused master. */
const CATCH_UP_MS = 3000;
/** Longer than everything that happens while writes are paused; the pause ends by itself should this process die. */
const PAUSE_MS = 10_000;
const POLL_MS = 10;

type Request = ServerRequest & { readonly force: boolean };

/** Makes a server of the group its master and the others its replicas. `force` promotes one that may lack writes.
 *  Throws CODIS_E_UNKNOWN_GROUP, CODIS_E_UNKNOWN_SERVER, CODIS_E_SERVER_UNREACHABLE, CODIS_E_NOT_REDIS, CODIS_E_SERVER_WRONG_ROLE or CODIS_E_TIMEOUT. */
export async function promoteServer(caller: Caller, request: Request): Promise<ServerChange> {
  const { epoch, topology } = await readTopology(caller);
  checkExpected(epoch, request);
  promoteInTopology(topology, request);
  const group = requireGroup(topology, request.group);
  const candidate = await probeServer(request.addr, caller);
  const others = await probeOthers(caller, group, request.addr);
  const old = others.find(({ addr }) => addr === masterOf(group)) ?? null;
  if (!request.force) checkCandidate(candidate, { old, others, group: group.id });
  if (!caller.dryRun) await switchRoles(caller, { candidate, old, mayLoseWrites: request.force });
  const changed = await changeTopology(caller, {
    ...request,
    action: 'server.promote',
    object: `server ${request.addr} of group ${request.group}`,
    change: (current) => promoteInTopology(current, request),
    told: (current) => `master ${masterOf(requireGroup(current, request.group)) ?? 'none'}`,
  });
  return { ...changed, notes: await followMaster(caller, requireGroup(changed.topology, request.group), request.addr) };
}

/** Those that can be asked; one that can't is gone for now, and is told when it is back (the caller's note says so). */
async function probeOthers(caller: Caller, group: Group, candidate: ServerAddr): Promise<ServerProbe[]> {
  const addrs = group.servers.map(({ addr }) => addr).filter((addr) => addr !== candidate);
  const probes = await Promise.allSettled(addrs.map((addr) => probeServer(addr, caller)));
  return probes.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
}

/** Refuses a candidate that would lose what clients were told is written. */
function checkCandidate(candidate: ServerProbe, beside: Beside): void {
  const why = whyNotPromote(candidate, beside);
  if (why === null) return;
  throw new CodisError(
    'CODIS_E_SERVER_WRONG_ROLE',
    `${candidate.addr} ${why}, so promoting it could lose writes; --force does it all the same`,
  );
}

/** The servers of its group beside a candidate; `old`: the master of now, null when it can't be asked. */
export interface Beside {
  readonly old: ServerProbe | null;
  readonly others: readonly ServerProbe[];
  readonly group: GroupId;
}

/** Why promoting a candidate could lose writes; null when it can't. */
export function whyNotPromote(candidate: ServerProbe, { old, others, group }: Beside): string | null {
  if (old && !old.master && !replicates(candidate, old)) {
    return `is not an up-to-date replica of ${old.addr}, the living master of group ${group}`;
  }
  if (old) return null;
  if (candidate.master?.syncing) return 'holds half a copy only';
  if (!candidate.master && candidate.keysCount === 0) return 'is no replica and holds no keys';
  const ahead = others.find((other) => other.replicationId === candidate.replicationId && other.offset > candidate.offset);
  return ahead ? `has read less of the old master (offset ${candidate.offset}) than ${ahead.addr} (offset ${ahead.offset})` : null;
}

async function switchRoles(
  caller: Caller,
  { candidate, old, mayLoseWrites }: { candidate: ServerProbe; old: ServerProbe | null; mayLoseWrites: boolean },
): Promise<void> {
  const oldTakesWrites = old !== null && !old.master;
  if (!oldTakesWrites) {
    if (candidate.master) await stopReplicating(candidate.addr, caller);
    return;
  }
  if (candidate.master && (replicates(candidate, old) || !mayLoseWrites)) return handOver(caller, { candidate, old });
  if (candidate.master) await stopReplicating(candidate.addr, caller);
  await replicate(old.addr, { master: candidate.addr, password: caller.password });
}

/** The old master stops taking writes, and stays so: from the pause it goes into being a replica. On any failure before that it goes on as it was. */
function handOver(caller: Caller, { candidate, old }: { candidate: ServerProbe; old: ServerProbe }): Promise<void> {
  return withRedis(old.addr, caller, async (redis) => {
    await redis.call('CLIENT', 'PAUSE', PAUSE_MS, 'WRITE');
    try {
      const { offset } = await probe(old.addr, redis, caller.product);
      await catchUp(caller, { candidate: candidate.addr, old: old.addr, offset });
      await stopReplicating(candidate.addr, caller);
      if (caller.password !== '') await redis.config('SET', 'masterauth', caller.password);
      const { host, port } = parseAddr(candidate.addr);
      await redis.replicaof(host, port);
    } finally {
      await redis.call('CLIENT', 'UNPAUSE');
    }
  });
}

async function catchUp(
  caller: Caller,
  { candidate, old, offset }: { candidate: ServerAddr; old: ServerAddr; offset: number },
): Promise<void> {
  const deadline = performance.now() + CATCH_UP_MS;
  await withRedis(candidate, caller, async (redis) => {
    for (;;) {
      const seen = (await probe(candidate, redis, caller.product)).offset;
      if (seen >= offset) return;
      if (performance.now() >= deadline) {
        throw new CodisError(
          'CODIS_E_TIMEOUT',
          `${candidate} is ${offset - seen} bytes behind ${old} and did not catch up in ${CATCH_UP_MS} ms; nothing was changed`,
        );
      }
      await new Promise((next) => setTimeout(next, POLL_MS));
    }
  });
}

/** Best effort, after the fact: what it could not do is returned in words. */
async function followMaster(caller: Caller, group: Group, master: ServerAddr): Promise<string[]> {
  const followers = group.servers.filter(({ addr }) => addr !== master);
  const notes = await Promise.all(
    followers.map(({ addr }) =>
      replicate(addr, { master, password: caller.password }).catch((error: unknown) => [
        `${addr} could not be made a replica of ${master}: ${error instanceof Error ? error.message : String(error)}; promote ${master} again when it is back`,
      ]),
    ),
  );
  return notes.flat();
}
