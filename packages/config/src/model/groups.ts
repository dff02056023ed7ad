// Changes to groups and their servers, as functions from topology to topology. They know what the topology says only;
// what a Redis says of itself is probed by operations before these are called.

import { CodisError } from './errors.ts';
import type { GroupId, ServerAddr, Slot } from './ids.ts';
import {
  findGroup,
  type Group,
  groupOfServer,
  groupsIn,
  masterOf,
  type Role,
  requireGroup,
  type Server,
  type Topology,
  zoneProblem,
} from './topology.ts';

/** Throws CODIS_E_GROUP_EXISTS. */
export function addGroup(topology: Topology, id: GroupId): Topology {
  if (findGroup(topology, id)) throw new CodisError('CODIS_E_GROUP_EXISTS', `group ${id} exists already`);
  return { ...topology, groups: [...topology.groups, { id, servers: [] }].sort((a, b) => a.id - b.id) };
}

/** Throws CODIS_E_UNKNOWN_GROUP, or CODIS_E_GROUP_IN_USE while a slot or a server is left in it. */
export function removeGroup(topology: Topology, id: GroupId): Topology {
  const group = requireGroup(topology, id);
  const slot = firstSlotNaming(topology, id);
  if (slot !== undefined) {
    throw new CodisError(
      'CODIS_E_GROUP_IN_USE',
      `group ${id} still has slots (slot ${slot} for one); drain it first with: codis-config plan drain ${id}`,
    );
  }
  if (group.servers.length > 0) throw new CodisError('CODIS_E_GROUP_IN_USE', `group ${id} still has ${group.servers.length} servers`);
  return { ...topology, groups: topology.groups.filter((other) => other.id !== id) };
}

/** Adds a server, and its group when that does not exist (as Codis 2.0 did). Throws CODIS_E_SERVER_EXISTS, CODIS_E_MASTER_EXISTS,
 *  CODIS_E_NO_MASTER for a replica of nothing, or CODIS_E_BAD_REQUEST for what is no zone. */
export function addServer(topology: Topology, server: { group: GroupId; addr: ServerAddr; role: Role; zone?: string }): Topology {
  const holder = groupOfServer(topology, server.addr);
  if (holder) throw new CodisError('CODIS_E_SERVER_EXISTS', `server ${server.addr} is in group ${holder.id} already`);
  const base = findGroup(topology, server.group) ? topology : addGroup(topology, server.group);
  const group = requireGroup(base, server.group);
  const master = masterOf(group);
  if (server.role === 'master' && master) {
    throw new CodisError('CODIS_E_MASTER_EXISTS', `group ${group.id} has a master already, ${master}; add ${server.addr} as a replica`);
  }
  if (server.role === 'replica' && !master) {
    throw new CodisError(
      'CODIS_E_NO_MASTER',
      `group ${group.id} has no master that ${server.addr} could be a replica of; add the master first`,
    );
  }
  return withServers(base, group, [...group.servers, withSettings({ addr: server.addr, role: server.role }, server)]);
}

/** What an operator says of a server; what is not named stays. `zone: null` takes it away. */
export interface ServerSettings {
  readonly zone?: string | null;
  readonly replicaReads?: boolean;
}

/** The same topology when all is as is said already. Throws CODIS_E_UNKNOWN_GROUP, CODIS_E_UNKNOWN_SERVER, or CODIS_E_BAD_REQUEST for what is no zone, or when nothing is said. */
export function setServer(topology: Topology, server: { group: GroupId; addr: ServerAddr }, settings: ServerSettings): Topology {
  const group = requireGroup(topology, server.group);
  const known = requireServer(group, server.addr);
  if (settings.zone === undefined && settings.replicaReads === undefined) {
    throw new CodisError('CODIS_E_BAD_REQUEST', `say what of ${server.addr} is to be set: its zone, or whether clients read from it`);
  }
  const said = withSettings(known, settings);
  if (said.zone === known.zone && (said.replicaReads ?? true) === (known.replicaReads ?? true)) return topology;
  return withServers(
    topology,
    group,
    group.servers.map((other) => (other === known ? said : other)),
  );
}

function withSettings({ addr, role, ...before }: Server, settings: ServerSettings): Server {
  const zone = settings.zone === undefined ? before.zone : settings.zone;
  const problem = zone == null ? null : zoneProblem(zone);
  if (problem !== null) throw new CodisError('CODIS_E_BAD_REQUEST', problem);
  const reads = settings.replicaReads ?? before.replicaReads ?? true;
  return { addr, role, ...(zone == null ? {} : { zone }), ...(reads ? {} : { replicaReads: false }) };
}

/** Throws CODIS_E_UNKNOWN_GROUP, CODIS_E_UNKNOWN_SERVER, or CODIS_E_SERVER_IN_USE for a master that slots or replicas still need. */
export function removeServer(topology: Topology, server: { group: GroupId; addr: ServerAddr }): Topology {
  const group = requireGroup(topology, server.group);
  const { role } = requireServer(group, server.addr);
  if (role === 'master') {
    const slot = firstSlotNaming(topology, group.id);
    if (slot !== undefined) {
      throw new CodisError(
        'CODIS_E_SERVER_IN_USE',
        `${server.addr} is the master of group ${group.id}, which has slots (slot ${slot} for one)`,
      );
    }
    if (group.servers.length > 1) {
      throw new CodisError(
        'CODIS_E_SERVER_IN_USE',
        `${server.addr} is the master of group ${group.id}, which has replicas; remove or promote those first`,
      );
    }
  }
  return withServers(
    topology,
    group,
    group.servers.filter((other) => other.addr !== server.addr),
  );
}

/** Makes a server of the group its master; the old master becomes a replica in the topology. */
export function promoteServer(topology: Topology, server: { group: GroupId; addr: ServerAddr }): Topology {
  const group = requireGroup(topology, server.group);
  requireServer(group, server.addr);
  return withServers(
    topology,
    group,
    group.servers.map((other) => ({ ...other, role: other.addr === server.addr ? 'master' : 'replica' })),
  );
}

function requireServer(group: Group, addr: ServerAddr): Server {
  const server = group.servers.find((other) => other.addr === addr);
  if (!server) throw new CodisError('CODIS_E_UNKNOWN_SERVER', `server ${addr} is not in group ${group.id}`);
  return server;
}

function withServers(topology: Topology, group: Group, servers: readonly Server[]): Topology {
  return { ...topology, groups: topology.groups.map((other) => (other.id === group.id ? { id: group.id, servers } : other)) };
}

function firstSlotNaming(topology: Topology, id: GroupId): Slot | undefined {
  const slot = topology.slots.findIndex((state) => groupsIn(state).includes(id));
  return slot < 0 ? undefined : (slot as Slot);
}
