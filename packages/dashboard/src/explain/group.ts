// Why a group does not serve, or is at risk. Pure.

import type { ExplainView, GroupStatusView, ServerStatusView } from '@codis/config/api';
import { bestReplica, promoteTry, works } from '@codis/config/status';
import { type Check, explanation, type Facts, failed, ok, post, say, unknown, warning } from './checks.ts';

const LAG_BYTES = 16 * 1024 * 1024;
const MEMORY_SHARE_MAX = 0.8;

/** Undefined: there is no such group. */
export function explainGroup(facts: Facts, id: number): ExplainView | undefined {
  const group = facts.status.groups.find((one) => one.id === id);
  if (!group) return undefined;
  const checks = [...masterChecks(group), ...replicaChecks(group), ...memoryChecks(group), slotsCheck(group), proxyCheck(facts)];
  const master = group.servers.find(works)?.addr ?? '';
  return explanation({ kind: 'group', id: String(id) }, checks, `group ${id} serves ${group.slotsCount} slots with its master ${master}`);
}

/** Whether its master can answer. */
export function masterChecks({ id, servers }: GroupStatusView): Check[] {
  const has = `group ${id} has a master`;
  const master = servers.find(({ role }) => role === 'master');
  const best = bestReplica(servers);
  const promote = best ? [promoteTry(id, best.addr)] : [];
  if (!master) {
    return [
      failed(has, `group ${id} has no master`, [...promote, say('Add a master', `codis-config server add ${id} <host:port> master`)]),
    ];
  }
  const up = `its master ${master.addr} answers`;
  if (!master.up) {
    const evidence = `the master of group ${id}, ${master.addr}, is down: ${master.problem ?? 'it does not answer'}`;
    return [ok(has, master.addr), failed(up, evidence, [...promote, say(`Start ${master.addr} again`)])];
  }
  const is = `${master.addr} is a master by its own word`;
  if (master.observedRole !== 'master') {
    const evidence = `${master.addr} should be the master of group ${id}, but says it is a replica of ${master.replicates ?? 'another'}`;
    return [ok(has, master.addr), ok(up, `Redis ${master.version ?? ''}`), failed(is, evidence, [promoteTry(id, master.addr), ...promote])];
  }
  return [
    ok(has, master.addr),
    ok(up, `Redis ${master.version ?? ''}, ${master.opsPerSecond ?? 0} requests a second`),
    ok(is, 'role: master'),
  ];
}

function replicaChecks({ id, servers }: GroupStatusView): Check[] {
  const replicas = servers.filter(({ role }) => role === 'replica');
  const has = `group ${id} has a replica`;
  if (replicas.length === 0) {
    const evidence = `group ${id} has no replica: when its master dies its slots are down`;
    return [warning(has, evidence, [say(`Add a replica to group ${id}`, `codis-config server add ${id} <host:port> replica`)])];
  }
  return replicas.map((replica) => replicaCheck(id, replica));
}

function replicaCheck(id: number, { addr, up, observedRole, linkUp, replicates, lagBytes, problem }: ServerStatusView): Check {
  const follows = `${addr} follows its master`;
  const again = post(
    `Have ${addr} follow its master`,
    `codis-config server replicate ${id} ${addr}`,
    `/groups/${id}/servers/${encodeURIComponent(addr)}/replicate`,
  );
  const follow = { ...again, api: again.api && { ...again.api, body: '{}' } };
  if (!up)
    return warning(follows, `the replica ${addr} of group ${id} is down: ${problem ?? 'it does not answer'}`, [say(`Start ${addr} again`)]);
  if (observedRole !== 'replica') return warning(follows, `${addr} should be a replica in group ${id}, but says it is a master`, [follow]);
  if (linkUp === false) return warning(follows, `${addr} has no link to its master ${replicates ?? ''}`, [follow]);
  if (lagBytes === null) return unknown(follows, `how far ${addr} is behind is not known: its master does not answer`);
  if (lagBytes >= LAG_BYTES) return warning(follows, `${addr} is ${lagBytes} bytes behind its master: so much is lost if that dies now`);
  return ok(follows, `${lagBytes} bytes behind`);
}

function memoryChecks({ servers }: GroupStatusView): Check[] {
  return servers.flatMap(({ addr, usedMemoryBytes: used, maxMemoryBytes: max }) => {
    const room = `${addr} has room`;
    if (used === null || max === null) return [unknown(room, `${addr} does not answer`)];
    if (max === 0) return [ok(room, 'it has no limit (maxmemory 0)')];
    const share = used / max;
    const evidence = `${addr} uses ${Math.round(share * 100)} % of its maxmemory`;
    const rebalance = say('Plan a rebalance by memory', 'codis-config plan rebalance --by memory');
    if (share >= 1) return [failed(room, evidence, [rebalance])];
    return [share >= MEMORY_SHARE_MAX ? warning(room, evidence, [rebalance]) : ok(room, evidence)];
  });
}

function slotsCheck({ id, slotsCount }: GroupStatusView): Check {
  const has = `group ${id} has slots`;
  if (slotsCount > 0) return ok(has, `${slotsCount} slots`);
  return warning(has, `group ${id} has no slots, so it holds no keys`, [say('Plan a rebalance', 'codis-config plan rebalance')]);
}

/** Whether clients can get here at all. */
export function proxyCheck({ status }: Facts): Check {
  const check = 'a proxy is online';
  const online = status.proxies.filter(({ state }) => state === 'online' || state === 'behind');
  if (online.length > 0) return ok(check, online.map(({ id }) => id).join(', '));
  return failed(check, 'no proxy is online, so no client can reach anything', [say('Start a proxy', 'codis-proxy -c config.ini')]);
}
