// Who of a group could become its master, and what that would cost. Looks only.

import { type GroupId, masterOf, missingAcks, requireGroup, type ServerAddr } from '../model/index.ts';
import { probeServer, type ServerProbe } from '../redis/probe.ts';
import type { Caller } from './caller.ts';
import { readTopology } from './commit.ts';
import { whyNotPromote } from './promotion.ts';
import { listProxies } from './proxies.ts';

export interface Candidate {
  readonly addr: ServerAddr;
  readonly up: boolean;
  /** By how much of the stream it is behind the master, or behind the best of them when that is down; null: not known. */
  readonly behindBytes: number | null;
  readonly able: boolean;
  /** What would be lost, or why it can't be, in one sentence. */
  readonly text: string;
}

export interface Candidates {
  readonly master: ServerAddr | null;
  readonly masterUp: boolean;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  readonly proxiesBehind: readonly string[];
}

/** Throws CODIS_E_UNKNOWN_GROUP. */
export async function promotionCandidates(caller: Caller, { group: id }: { group: GroupId }): Promise<Candidates> {
  const { epoch, topology } = await readTopology(caller);
  const group = requireGroup(topology, id);
  const master = masterOf(group) ?? null;
  const probed = await Promise.all(group.servers.map(async ({ addr }) => ({ addr, probe: await probeOrWhy(caller, addr) })));
  const alive = probed.flatMap(({ probe }) => (typeof probe === 'string' ? [] : [probe]));
  const old = alive.find(({ addr }) => addr === master) ?? null;
  const candidates = probed.filter(({ addr }) => addr !== master).map((one) => candidateOf(one, { alive, old, group: id }));
  const behind = missingAcks(await listProxies(caller.coordinator), epoch);
  return {
    master,
    masterUp: old !== null && !old.master,
    candidates: ranked(candidates),
    proxiesBehind: [...behind.behind, ...behind.lost],
  };
}

async function probeOrWhy(caller: Caller, addr: ServerAddr): Promise<ServerProbe | string> {
  try {
    return await probeServer(addr, caller);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function candidateOf(
  { addr, probe }: { addr: ServerAddr; probe: ServerProbe | string },
  { alive, old, group }: { alive: readonly ServerProbe[]; old: ServerProbe | null; group: GroupId },
): Candidate {
  if (typeof probe === 'string') return { addr, up: false, behindBytes: null, able: false, text: probe };
  const others = alive.filter((other) => other.addr !== addr);
  const behindBytes = behindOf(probe, old ? [old] : alive);
  const why = whyNotPromote(probe, { old, others, group });
  return { addr, up: true, behindBytes, able: why === null, text: why === null ? costText(probe, { behindBytes, old }) : `${addr} ${why}` };
}

function behindOf({ replicationId, offset }: ServerProbe, others: readonly ServerProbe[]): number | null {
  const same = others.filter((other) => other.replicationId === replicationId);
  return same.length === 0 ? null : Math.max(0, ...same.map((other) => other.offset - offset));
}

function costText({ addr }: ServerProbe, { behindBytes, old }: { behindBytes: number | null; old: ServerProbe | null }): string {
  if (old) return `nothing is lost: writes wait until ${addr} has caught up with ${old.addr} (${behindBytes ?? 0} bytes behind now)`;
  return `of those that answer none has read more; what the old master had not sent yet is lost`;
}

/** Those that can first, then by how little they are behind. */
export function ranked(candidates: readonly Candidate[]): Candidate[] {
  const far = Number.POSITIVE_INFINITY;
  return candidates.toSorted(
    (a, b) => Number(b.able) - Number(a.able) || Number(b.up) - Number(a.up) || (a.behindBytes ?? far) - (b.behindBytes ?? far) || 0,
  );
}
