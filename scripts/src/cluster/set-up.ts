// From an empty product to one with groups and slots, typed as an operator would: through codis-config.

import type { TopologyView } from '@codis/config/api';
import type { Layout } from './layout.ts';

/** The codis-config command lines that are still to be run, in order; none when all is there. `topology` is null before `slot init`.
 *  A set-up that was cut short is gone on with. */
export function missingSteps(layout: Layout, topology: TopologyView | null): string[][] {
  const steps: string[][] = topology === null ? [['slot', 'init']] : [];
  for (const group of layout.groups) {
    const known = topology?.groups.find(({ id }) => id === group.id)?.servers ?? [];
    for (const { addr, role } of group.servers) {
      if (!known.some((server) => server.addr === addr)) steps.push(['server', 'add', String(group.id), addr, role]);
    }
  }
  for (const { id, firstSlot, lastSlot } of layout.groups) {
    const covered = topology?.slots.some(({ first, last, group }) => group === id && first <= firstSlot && last >= lastSlot);
    if (!covered) steps.push(['slot', 'range-set', String(firstSlot), String(lastSlot), String(id), 'online']);
  }
  return steps;
}
