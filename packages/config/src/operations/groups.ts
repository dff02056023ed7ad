// Operations on groups as such. Their servers are servers.ts.

import {
  addGroup as add,
  CodisError,
  type GroupId,
  removeGroup as remove,
  type Server,
  type Topology,
  type VersionedTopology,
} from '../model/index.ts';
import type { Caller, Expecting } from './caller.ts';
import { changeTopology } from './commit.ts';
import { listMigrations } from './migrations.ts';

/** Throws CODIS_E_GROUP_EXISTS. */
export function addGroup(caller: Caller, request: Expecting & { group: GroupId }): Promise<VersionedTopology> {
  return changeTopology(caller, {
    ...request,
    action: 'group.add',
    object: `group ${request.group}`,
    told: (topology) => serversText(topology, request.group),
    change: (topology) => add(topology, request.group),
  });
}

/** Throws CODIS_E_UNKNOWN_GROUP, or CODIS_E_GROUP_IN_USE while it has slots or servers, or a running migration is to fill it. */
export async function removeGroup(caller: Caller, request: Expecting & { group: GroupId }): Promise<VersionedTopology> {
  for (const migration of await listMigrations(caller.coordinator)) {
    if (migration.state !== 'running' || migration.moves.every(({ to }) => to !== request.group)) continue;
    throw new CodisError('CODIS_E_GROUP_IN_USE', `migration ${migration.id} moves slots to group ${request.group}; cancel it first`);
  }
  return changeTopology(caller, {
    ...request,
    action: 'group.remove',
    object: `group ${request.group}`,
    told: (topology) => serversText(topology, request.group),
    change: (topology) => remove(topology, request.group),
  });
}

/** Who is in a group, for the audit log: `127.0.0.1:6379 master, 127.0.0.1:6380 replica`; `none`: there is no such group. */
export function serversText({ groups }: Topology, id: GroupId): string {
  const group = groups.find((one) => one.id === id);
  if (!group) return 'none';
  return group.servers.length === 0 ? 'no server' : group.servers.map(serverText).join(', ');
}

function serverText({ addr, role, zone, replicaReads }: Server): string {
  return `${addr} ${role}${zone === undefined ? '' : ` in zone ${zone}`}${replicaReads === false ? ' without reads' : ''}`;
}
