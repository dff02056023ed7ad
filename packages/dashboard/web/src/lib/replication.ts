// Who follows whom in a group, as its servers say themselves. Pure.

import type { ServerStatusView } from '@codis/config/api';

export interface Placed {
  readonly server: ServerStatusView;
  /** 0: it follows nobody that is in this group. */
  readonly depth: number;
}

/** The master first, each replica behind whom it follows; who follows somebody unknown stands where the topology has it. Each server once, also where they follow in a circle. */
export function replicationTree(servers: readonly ServerStatusView[]): Placed[] {
  const sorted = [...servers].sort(
    (a, b) => Number(b.role === 'master') - Number(a.role === 'master') || a.addr.localeCompare(b.addr, 'en'),
  );
  const master = sorted.find(({ role }) => role === 'master');
  const known = new Set(servers.map(({ addr }) => addr));
  const parentOf = ({ addr, role, replicates }: ServerStatusView): string | null => {
    if (replicates !== null && replicates !== addr && known.has(replicates)) return replicates;
    return role === 'replica' && master ? master.addr : null;
  };
  const placed: Placed[] = [];
  const place = (server: ServerStatusView, depth: number) => {
    if (placed.some((one) => one.server === server)) return;
    placed.push({ server, depth });
    for (const child of sorted) if (parentOf(child) === server.addr) place(child, depth + 1);
  };
  for (const server of sorted) if (parentOf(server) === null) place(server, 0);
  for (const server of sorted) place(server, 0);
  return placed;
}
