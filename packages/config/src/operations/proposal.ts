// From servers as they were found to the groups one would make of them. Pure.

import { type Group, groupOfServer, masterOf, type Role, type ServerAddr, type Topology } from '../model/index.ts';
import type { ServerProbe } from '../redis/probe.ts';

/** A server that was asked; `problem`: why it can't be used, in words. */
export interface Asked {
  readonly addr: ServerAddr;
  readonly probe: ServerProbe | null;
  /** `rdb`, `aof`, `rdb+aof` or `none`; null: not known. */
  readonly persistence: string | null;
  readonly problem: string | null;
}

export interface ProposedGroup {
  readonly group: number;
  readonly servers: readonly { readonly addr: ServerAddr; readonly role: Role }[];
}

export interface Proposal {
  readonly groups: readonly ProposedGroup[];
  readonly warnings: readonly string[];
}

/** Each master that is in no group gets one of its own, with the replicas that follow it; replicas of a master that has a group already join that. */
export function proposeGroups(asked: readonly Asked[], topology: Topology | null): Proposal {
  const usable = asked.flatMap(({ addr, probe, problem }) => (probe && problem === null ? [{ addr, probe }] : []));
  const fresh = usable.filter(({ addr }) => !topology || !groupOfServer(topology, addr));
  const warnings: string[] = [];
  const groups: { group: number; head: ServerProbe | null; addr: ServerAddr | null; servers: { addr: ServerAddr; role: Role }[] }[] = [];
  let next = Math.max(0, ...(topology?.groups ?? []).map(({ id }) => id));
  for (const { addr, probe } of fresh.filter((one) => one.probe.role === 'master')) {
    groups.push({ group: ++next, head: probe, addr, servers: [{ addr, role: 'master' }] });
    if (probe.keysCount > 0)
      warnings.push(`${addr} holds ${probe.keysCount} keys: clients see those whose slots group ${next} gets, and no others`);
  }
  for (const { addr, probe } of fresh.filter((one) => one.probe.role === 'replica')) {
    const home = groups.find((group) => group.addr === probe.master?.addr || group.head?.replicationId === probe.replicationId);
    const known = knownHome(topology, usable, probe);
    if (home) home.servers.push({ addr, role: 'replica' });
    else if (known) groups.push({ group: known.id, head: null, addr: null, servers: [{ addr, role: 'replica' }] });
    else warnings.push(`${addr} is a replica of ${probe.master?.addr ?? 'nobody'}, which is not among these servers: add that one too`);
  }
  for (const { group, servers, head } of groups) {
    if (head && servers.length === 1) warnings.push(`group ${group} has no replica: when its master dies its slots are down`);
  }
  return { groups: groups.map(({ group, servers }) => ({ group, servers })), warnings };
}

function knownHome(
  topology: Topology | null,
  usable: readonly { addr: ServerAddr; probe: ServerProbe }[],
  replica: ServerProbe,
): Group | null {
  for (const group of topology?.groups ?? []) {
    const master = masterOf(group);
    if (master === undefined) continue;
    const head = usable.find(({ addr }) => addr === master)?.probe;
    if (master === replica.master?.addr || head?.replicationId === replica.replicationId) return group;
  }
  return null;
}
