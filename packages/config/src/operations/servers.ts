// Operations on the servers of a group. Each looks at the Redis itself before it believes what it is told, and leaves topology and Redis
// as they were when it refuses. Promotion is promotion.ts.
//
// Invariant: one Redis stands in the topology once, under one address. Two names of one server would make a move from it to itself.

import {
  addServer as addToTopology,
  CodisError,
  type GroupId,
  type Role,
  removeServer as removeFromTopology,
  requireGroup,
  requireMaster,
  type ServerAddr,
  type ServerSettings,
  setServer as setInTopology,
  type Topology,
  type VersionedTopology,
} from '../model/index.ts';
import { probeServer, type ServerProbe } from '../redis/probe.ts';
import { type Caller, checkExpected, type Expecting } from './caller.ts';
import { changeTopology, commitAudited, readTopology } from './commit.ts';
import { serversText } from './groups.ts';
import { replicate, replicates } from './replication.ts';

/** A server and the group it is, or shall be, in. */
export interface ServerRequest extends Expecting {
  readonly group: GroupId;
  readonly addr: ServerAddr;
}

/** The topology after the change, and what the operator should know besides. */
export interface ServerChange extends VersionedTopology {
  readonly notes: readonly string[];
}

/** Adds a server; a replica is made one, of the group's master. `force` takes a master with keys as it is, and drops the keys of a replica.
 *  Throws as `addServer` of the model, and CODIS_E_SERVER_UNREACHABLE, CODIS_E_NOT_REDIS, CODIS_E_SERVER_WRONG_ROLE or CODIS_E_SERVER_NOT_EMPTY. */
export async function addServer(
  caller: Caller,
  request: ServerRequest & { role: Role; force: boolean; zone?: string },
): Promise<ServerChange> {
  const { topology } = await readTopology(caller);
  addToTopology(topology, request);
  const server = await probeServer(request.addr, caller);
  await checkNotKnown(caller, topology, server);
  const notes = request.role === 'master' ? checkMaster(server, request) : await makeReplica(caller, { topology, server, request });
  const changed = await changeTopology(caller, {
    ...request,
    action: 'server.add',
    object: `server ${request.addr} → group ${request.group} as ${request.role}`,
    told: (current) => serversText(current, request.group),
    change: (current) => addToTopology(current, request),
  });
  return { ...changed, notes };
}

/** Two addresses of one process (localhost and 127.0.0.1) are told by its run id; a server that can't be asked now is no obstacle. */
async function checkNotKnown(caller: Caller, topology: Topology, server: ServerProbe): Promise<void> {
  const known = topology.groups.flatMap(({ id, servers }) => servers.map(({ addr }) => ({ id, addr })));
  const probes = await Promise.allSettled(known.map(({ addr }) => probeServer(addr, caller)));
  for (const [index, { id, addr }] of known.entries()) {
    const probed = probes[index];
    if (probed?.status !== 'fulfilled' || probed.value.runId !== server.runId) continue;
    throw new CodisError('CODIS_E_SERVER_EXISTS', `${server.addr} is the same Redis as ${addr}, which is in group ${id} already`);
  }
}

function checkMaster(server: ServerProbe, { addr, group, force }: ServerRequest & { force: boolean }): string[] {
  if (server.master) {
    throw new CodisError(
      'CODIS_E_SERVER_WRONG_ROLE',
      `${addr} is a replica of ${server.master.addr}, so it can't be the master of group ${group}; add that one instead`,
    );
  }
  if (server.keysCount === 0) return [];
  if (!force) {
    throw new CodisError(
      'CODIS_E_SERVER_NOT_EMPTY',
      `${addr} holds ${server.keysCount} keys; with --force it is taken as it is, and clients see those keys whose slots group ${group} owns`,
    );
  }
  return [`${addr} was taken with its ${server.keysCount} keys; clients see those whose slots group ${group} owns`];
}

async function makeReplica(
  caller: Caller,
  { topology, server, request }: { topology: Topology; server: ServerProbe; request: ServerRequest & { force: boolean } },
): Promise<string[]> {
  const master = await probeMaster(caller, requireMaster(topology, request.group), request);
  if (replicates(server, master)) return [];
  if (server.replicasCount > 0) {
    throw new CodisError(
      'CODIS_E_SERVER_WRONG_ROLE',
      `${server.addr} has ${server.replicasCount} replicas of its own; make those replicate ${master.addr} first`,
    );
  }
  if (server.keysCount > 0 && server.master?.addr !== master.addr && !request.force) {
    throw new CodisError(
      'CODIS_E_SERVER_NOT_EMPTY',
      `${server.addr} holds ${server.keysCount} keys, which becoming a replica of ${master.addr} would drop; --force drops them`,
    );
  }
  if (caller.dryRun) return [];
  return replicate(server.addr, { master: master.addr, password: caller.password });
}

/** Has a replica of the group follow the group's master, whatever it does now. `force` also when keys of its own get lost. Throws CODIS_E_UNKNOWN_GROUP, CODIS_E_UNKNOWN_SERVER, CODIS_E_SERVER_IN_USE for
 *  the master itself, and as `addServer`. */
export async function replicateServer(caller: Caller, request: ServerRequest & { force: boolean }): Promise<ServerChange> {
  const current = await readTopology(caller);
  checkExpected(current.epoch, request);
  const { servers } = requireGroup(current.topology, request.group);
  const known = servers.find(({ addr }) => addr === request.addr);
  if (!known) throw new CodisError('CODIS_E_UNKNOWN_SERVER', `${request.addr} is not in group ${request.group}`);
  if (known.role === 'master') {
    throw new CodisError(
      'CODIS_E_SERVER_IN_USE',
      `${request.addr} is the master of group ${request.group}; promote another one, then it follows that`,
    );
  }
  const server = await probeServer(request.addr, caller);
  const notes = await makeReplica(caller, { topology: current.topology, server, request });
  await commitAudited(caller, async () => ({
    ops: [],
    event: {
      action: 'server.replicate',
      object: `server ${request.addr} of group ${request.group}`,
      epoch: null,
      before: server.master ? `replica of ${server.master.addr}` : 'master',
      after: `replica of ${requireMaster(current.topology, request.group)}`,
    },
    value: undefined,
  }));
  return { ...current, notes };
}

/** A replica is given to a master that can be reached and is one: else the new one would copy nothing, or run in a circle. */
async function probeMaster(caller: Caller, addr: ServerAddr, request: ServerRequest): Promise<ServerProbe> {
  const master = await probeServer(addr, caller);
  if (!master.master) return master;
  throw new CodisError(
    'CODIS_E_SERVER_WRONG_ROLE',
    `${addr}, the master of group ${request.group}, is itself a replica of ${master.master.addr}; mend that before adding ${request.addr}`,
  );
}

/** What an operator says of a server that is there; the Redis itself is not asked. Without an event and a new epoch when it is so already. Throws as `setServer` of the model. */
export async function setServer(
  caller: Caller,
  { settings, ...request }: ServerRequest & { settings: ServerSettings },
): Promise<ServerChange> {
  let isSo = false;
  const changed = await changeTopology(caller, {
    ...request,
    action: 'server.set',
    object: `server ${request.addr} of group ${request.group}`,
    told: (current) => settingsText(current, request),
    change: (current) => {
      const topology = setInTopology(current, request, settings);
      isSo = topology === current;
      return topology;
    },
  });
  return { ...changed, notes: isSo ? [`nothing was changed: ${request.addr} has ${settingsText(changed.topology, request)} already`] : [] };
}

function settingsText(topology: Topology, { group, addr }: ServerRequest): string {
  const server = requireGroup(topology, group).servers.find((other) => other.addr === addr);
  return `zone ${server?.zone ?? 'none'}, replica reads ${server?.replicaReads === false ? 'off' : 'on'}`;
}

/** Takes a server out of its group; the Redis itself is left as it is. Throws as `removeServer` of the model. */
export async function removeServer(caller: Caller, request: ServerRequest): Promise<ServerChange> {
  const changed = await changeTopology(caller, {
    ...request,
    action: 'server.remove',
    object: `server ${request.addr} of group ${request.group}`,
    told: (current) => serversText(current, request.group),
    change: (current) => removeFromTopology(current, request),
  });
  return { ...changed, notes: [`${request.addr} itself was left as it is: a replica goes on replicating until it is told or stopped`] };
}
