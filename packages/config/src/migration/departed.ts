// What the dead left under way. An acknowledgement says that nothing of a proxy's present processes is under way for the locked slots. A worker that died,
// or outlived a proxy that another process has replaced since, may still have commands on their way to a server, where they would run after the slots have
// begun to leave. So before they do, its connections are killed at both groups.
//
// Invariant: slots begin to leave only when no connection to either master is one of a process that is neither alive nor acknowledged the lock. Such a
// process opens no new one: it is dead, or ends itself as soon as it runs.

import { type GroupId, type ProxyView, proxyOfClientName, requireMaster, type ServerAddr } from '../model/index.ts';
import { withRedis } from '../redis/probe.ts';
import { killClients } from './clients.ts';
import { serverTrouble } from './server-trouble.ts';
import type { Office } from './turn.ts';
import type { World } from './world.ts';

/** `world` is the one whose proxies were seen to have acknowledged. Returns why it can't be done, null when it is. */
export async function cutOffDeparted(office: Office, world: World, groups: readonly GroupId[]): Promise<string | null> {
  const present = presentIn(world.proxies);
  for (const group of groups) {
    const master = requireMaster(world.topology, group);
    if (office.memory.clearedOf.get(master) === present) continue;
    try {
      await cutOffAt(office, master, world.proxies);
    } catch (error) {
      return `what dead processes of proxies left at group ${group} can't be cut off: ${serverTrouble(master, error)}`;
    }
    office.memory.clearedOf.set(master, present);
  }
  return null;
}

async function cutOffAt(office: Office, master: ServerAddr, proxies: readonly ProxyView[]): Promise<void> {
  const password = office.settings.product_auth;
  const killedCount = await withRedis(master, { password }, (redis) => killClients(redis, (name) => isDeparted(name, proxies)));
  if (killedCount > 0) office.log.warn({ server: master, killedCount }, 'connections of dead proxy processes cut off');
}

/** Those of a proxy without a session are a fence's to kill. */
export function isDeparted(name: string, proxies: readonly ProxyView[]): boolean {
  const owner = proxyOfClientName(name);
  const live = proxies.find(({ id }) => id === owner?.id)?.live;
  if (owner === null || !live) return false;
  return owner.pid !== live.pid || (live.goneWorkers ?? []).includes(owner.workerPid);
}

/** Changes whenever some process has departed. */
function presentIn(proxies: readonly ProxyView[]): string {
  return JSON.stringify(proxies.map(({ id, live }) => [id, live?.startedAt, live?.pid, live?.goneWorkers]));
}
