// Why a proxy does not serve, is behind, or is slow. Pure.

import type { ExplainView, ProxyEntryView, ProxyStatsView, ProxyWorkerView } from '@codis/config/api';
import { type Check, explanation, type Facts, failed, ok, post, say, unknown, warning } from './checks.ts';
import { loadChecks } from './proxy-load.ts';

const ERROR_SHARE = 0.05;
const RECENT_SECONDS = 600;

/** Undefined: there is no such proxy. */
export function explainProxy(facts: Facts, id: string): ExplainView | undefined {
  const proxy = facts.status.proxies.find((one) => one.id === id);
  if (!proxy) return undefined;
  const stats = facts.proxies.find((one) => one.id === id);
  const checks = [
    sessionCheck(proxy),
    wantedCheck(proxy),
    ...(proxy.epoch === null ? [] : [epochCheck(facts, proxy)]),
    ...adminChecks(proxy, stats, facts.workers.get(id) ?? []),
    ...masterChecks(facts),
  ];
  return explanation(
    { kind: 'proxy', id },
    checks,
    `proxy ${id} serves clients at ${proxy.addr}, with the slot table of epoch ${proxy.epoch}`,
  );
}

function sessionCheck({ id, epoch, wanted, addr }: ProxyEntryView): Check {
  const check = `${id} has a session with the coordinator`;
  if (epoch !== null) return ok(check, `registered for ${addr}`);
  const start = say(`Start ${id} again`, `codis-proxy -c config.ini --proxy-id ${id}`);
  const remove = {
    label: `Remove ${id}`,
    cli: `codis-config proxy remove ${id}`,
    api: { method: 'DELETE', path: `/proxies/${id}`, body: null },
  } as const;
  const evidence = `proxy ${id} has no session: it has died, hangs, or is cut off from the coordinator`;
  return wanted === 'online' ? failed(check, evidence, [start, remove]) : warning(check, evidence, [start, remove]);
}

function wantedCheck({ id, wanted, state }: ProxyEntryView): Check {
  const check = `${id} is wanted online`;
  if (wanted === 'online') return ok(check, 'wanted online');
  const api = { method: 'PUT', path: `/proxies/${id}/wanted`, body: '{"wanted":"online"}' } as const;
  const online = { label: `Bring ${id} online`, cli: `codis-config proxy online ${id}`, api };
  return warning(
    check,
    state === 'draining' ? `proxy ${id} is draining: it takes no new clients` : `proxy ${id} was taken offline by an operator`,
    [online],
  );
}

function epochCheck({ topology, unconfirmed }: Facts, { id, epoch }: ProxyEntryView): Check {
  const check = `${id} routes by the current slot table`;
  if (epoch !== null && epoch >= topology.epoch) return ok(check, `epoch ${epoch}`);
  const [server] = unconfirmed.get(id) ?? [];
  const behind = `proxy ${id} still routes by epoch ${epoch}, ${topology.epoch - (epoch ?? 0)} behind`;
  if (server !== undefined) {
    return failed(
      check,
      `${behind}: it gave up a connection to ${server} with commands under way, and waits for ${server} to confirm that they are gone`,
      [say(`Look at ${server}: does it hang?`, 'codis-config doctor')],
    );
  }
  return failed(check, `${behind}: it waits for requests in flight, or is overloaded`, [
    say(`Look at the log of ${id}, and at what each of its workers has to do`, `codis-config proxy info ${id}`),
  ]);
}

function adminChecks(
  { id, epoch, adminAddr, wanted }: ProxyEntryView,
  stats: ProxyStatsView | undefined,
  workers: readonly ProxyWorkerView[],
): Check[] {
  const answers = `${id} answers at its admin address`;
  if (!stats || epoch === null) return [unknown(answers, `${adminAddr} was not asked`)];
  if (stats.problem !== null) {
    return [warning(answers, `what proxy ${id} does is not known: ${stats.problem}`, [say(`Check admin_addr of ${id} and the firewall`)])];
  }
  const checks: Check[] = [ok(answers, `version ${stats.version ?? ''}, ${stats.sessions ?? 0} clients`)];
  if (wanted === 'online') {
    const serves = `${id} takes clients`;
    const evidence = `proxy ${id} has a session but takes no clients yet: its workers have not all got the slot table`;
    checks.push(stats.serving === false ? failed(serves, evidence, [say(`Look at the log of ${id}`)]) : ok(serves, 'serving'));
  }
  return [...checks, errorCheck(id, stats), restartCheck(id, stats), ...loadChecks(id, workers)];
}

function errorCheck(id: string, { opsPerSecond: ops, errorsPerSecond: errors }: ProxyStatsView): Check {
  const check = `${id} answers without errors`;
  if (ops === null || errors === null) return unknown(check, 'there are no two readings yet');
  const evidence = `${errors} of ${ops} requests a second get an error`;
  return errors >= 1 && errors >= ops * ERROR_SHARE
    ? warning(check, `of proxy ${id}, ${evidence}`, [say('Ask the doctor', 'codis-config doctor')])
    : ok(check, evidence);
}

function restartCheck(id: string, { workerRestartsCount: restarts, uptimeSeconds: uptime }: ProxyStatsView): Check {
  const check = `the workers of ${id} live`;
  if (restarts === null || restarts === 0) return ok(check, 'none died');
  const evidence = `${restarts} workers of proxy ${id} died and were replaced, in ${uptime ?? 0} s`;
  return (uptime ?? 0) <= RECENT_SECONDS * restarts ? warning(check, evidence, [say(`Look at the log of ${id}`)]) : ok(check, evidence);
}

/** What it depends on. */
function masterChecks({ status }: Facts): Check[] {
  return status.groups.flatMap(({ id, slotsCount, servers }) => {
    if (slotsCount === 0) return [];
    const master = servers.find(({ role }) => role === 'master');
    const check = `group ${id} can be reached`;
    if (master?.up) return [ok(check, master.addr)];
    const why = post(`Why is group ${id} down?`, `codis-config status`, `/explain?group=${id}`);
    const ask = { ...why, api: why.api && { ...why.api, method: 'GET' as const } };
    return [warning(check, `the master of group ${id} is down, so requests for its slots get errors from every proxy`, [ask])];
  });
}
