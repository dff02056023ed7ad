// The name that every backend connection of a proxy sets before anything else: whose it is, and of which of its processes. A fence finds a proxy's
// connections by it, and what a dead process left under way is told from what its successor does.

import type { ProxyId } from './ids.ts';

/** Of a proxy: its primary, and the worker that has the connection. */
export interface ProxyProcess {
  readonly pid: number;
  readonly workerPid: number;
}

const NAME = /^codis-proxy:([^:]+):(\d+)\.(\d+)$/;

export function proxyClientName(id: ProxyId, { pid, workerPid }: ProxyProcess): string {
  return `codis-proxy:${id}:${pid}.${workerPid}`;
}

/** Whose connection this is; null for everybody else's. */
export function proxyOfClientName(name: string): (ProxyProcess & { readonly id: string }) | null {
  const [, id, pid, workerPid] = NAME.exec(name) ?? [];
  return id === undefined ? null : { id, pid: Number(pid), workerPid: Number(workerPid) };
}
