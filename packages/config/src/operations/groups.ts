// Operations on groups as such. Their servers are servers.ts.

import { addGroup as add, CodisError, type GroupId, removeGroup as remove, type VersionedTopology } from '../model/index.ts';
import type { Caller, Expecting } from './caller.ts';
import { changeTopology } from './commit.ts';
import { listMigrations } from './migrations.ts';

/** Throws CODIS_E_GROUP_EXISTS. */
export function addGroup(caller: Caller, request: Expecting & { group: GroupId }): Promise<VersionedTopology> {
  return changeTopology(caller, {
    ...request,
    action: 'group.add',
    object: `group ${request.group}`,
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
    change: (topology) => remove(topology, request.group),
  });
}
